# Copyright 2026 the snn_perception developers
#
# Licensed under the Apache License, Version 2.0 (the "License");
# you may not use this file except in compliance with the License.
# You may obtain a copy of the License at
#
#     http://www.apache.org/licenses/LICENSE-2.0
#
# Unless required by applicable law or agreed to in writing, software
# distributed under the License is distributed on an "AS IS" BASIS,
# WITHOUT WARRANTIES OR CONDITIONS OF ANY KIND, either express or implied.
# See the License for the specific language governing permissions and
# limitations under the License.

"""ONNX files, which are protocol buffers, read with care: nodes, attributes and constants.

Before the library onnx parses a file, its outline is gone through here: many small parts take
much more memory than they have bytes, and only the numbers of weights may be large.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import prod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from snn_perception.interchange.analog_fates import ConversionError
from snn_perception.interchange.analog_signals import check_size
from snn_perception.requirements import require
from snn_perception.sentences import sentence, shown

MAXIMUM_OUTLINE = 2**24
"""Bytes of everything but the numbers of weights."""
MAXIMUM_PARTS = 300_000
OLDEST_OPSET = 7
"""Before it operators said in attributes what they broadcast."""

# Of the messages on the way to the weights: the fields that lead on, by their numbers.
_TENSOR: dict[int, Any] = {4: None, 9: None, 10: None}
_MODEL = {7: {1: {5: {5: _TENSOR}}, 5: _TENSOR}}
"""model.graph.node.attribute.t and model.graph.initializer; None: numbers of weights."""


class OnnxFile(NamedTuple):
    """The graph of an ONNX file, the version of its operators and what it says of itself."""

    library: Any
    graph: Any
    opset: int
    metadata: dict[str, str]


def open_onnx(content: bytes) -> OnnxFile:
    """The graph in the bytes of an ONNX file; raises ConversionError for what is not read."""
    try:
        require('an ONNX file', 'onnx>=1.15')
        import onnx
    except ImportError as reason:
        raise ConversionError(str(reason)) from None
    _check_outline(content)
    try:
        model = onnx.load_model_from_string(content)
    except MemoryError:
        raise
    except Exception as reason:  # What it raises depends on the version of protobuf.
        said = sentence(f'{type(reason).__name__} {reason}')
        raise ConversionError(f'is truncated, damaged or no ONNX file: {said}') from None
    if not model.graph.node:
        raise ConversionError('is no ONNX file, or one without nodes')
    if model.ir_version > onnx.IR_VERSION:
        raise ConversionError(
            f'has version {model.ir_version} of the format, newer than the {onnx.IR_VERSION} that '
            'the installed library onnx knows: install a newer onnx, or export for an older one'
        )
    metadata = {entry.key: entry.value for entry in model.metadata_props}
    opset, newest = _opset(model), int(onnx.defs.onnx_opset_version())
    if not OLDEST_OPSET <= opset <= newest:
        raise ConversionError(
            f'uses opset {opset}, and {OLDEST_OPSET} to {newest} are known to the installed '
            'library onnx: export it with opset_version=17'
        )
    if model.graph.sparse_initializer:
        raise ConversionError('has sparse weights: export it with dense ones')
    return OnnxFile(onnx, model.graph, opset, metadata)


def _opset(model: Any) -> int:
    """The version of the standard operators; 0 if the file does not say."""
    standard = [each for each in model.opset_import if each.domain in ('', 'ai.onnx')]
    return max((each.version for each in standard), default=0)


def array(library: Any, tensor: Any) -> NDArray:
    """The numbers of a TensorProto; raises ConversionError."""
    name, shape = shown(tensor.name), tuple(tensor.dims)
    if tensor.external_data or tensor.data_location == library.TensorProto.EXTERNAL:
        raise ConversionError(
            f'keeps the weights {name} in another file, which is not read: save it in one file '
            "with onnx.save(onnx.load('FILE.onnx'), 'whole.onnx')"
        )
    if min(shape, default=0) < 0:
        raise ConversionError(f'has the weights {name} of the shape {shape}: it is damaged')
    check_size(prod(shape))
    known = ('FLOAT', 'DOUBLE', 'FLOAT16', 'BFLOAT16', 'BOOL')
    integers = tuple(f'{sign}INT{bits}' for sign in ('', 'U') for bits in (8, 16, 32, 64))
    if tensor.data_type not in map(library.TensorProto.DataType.Value, known + integers):
        raise ConversionError(
            f'has the weights {name} of type {tensor.data_type}, which is not read: export it in '
            'float32, float16 or with 8 bits'
        )
    try:
        numbers = np.asarray(library.numpy_helper.to_array(tensor))
    except MemoryError:
        raise
    except Exception as reason:  # Whatever does not fit together in a damaged file.
        raise ConversionError(
            f'has the weights {name} of the shape {shape} with other numbers: it is damaged '
            f'({sentence(reason)})'
        ) from None
    is_known = numbers.dtype.kind in 'iub' or numbers.dtype in (np.float32, np.float64)
    return numbers if is_known else numbers.astype(np.float32)


def attributes(library: Any, node: Any) -> dict[str, Any]:
    """The attributes of a node by their names; tensors are arrays."""
    found: dict[str, Any] = {}
    kinds = library.AttributeProto
    for attribute in node.attribute:
        if attribute.type == kinds.TENSOR:
            found[attribute.name] = array(library, attribute.t)
        elif attribute.type in (kinds.INT, kinds.FLOAT):
            is_int = attribute.type == kinds.INT
            found[attribute.name] = attribute.i if is_int else attribute.f
        elif attribute.type == kinds.STRING:
            found[attribute.name] = attribute.s[:200].decode(errors='replace')
        elif attribute.type == kinds.INTS:
            found[attribute.name] = list(attribute.ints)
        elif attribute.type == kinds.FLOATS:
            found[attribute.name] = list(attribute.floats)
        else:
            raise ConversionError(f'has an attribute {shown(attribute.name)} that is not read')
    return found


def _check_outline(content: bytes) -> None:
    """Raise ConversionError if `content` is no protocol buffer, or has too many small parts."""
    weights = 0
    for part, (is_weight, length) in enumerate(_parts(content, 0, len(content), _MODEL)):
        weights += length if is_weight else 0
        if part > MAXIMUM_PARTS:
            raise ConversionError(f'has more than the {MAXIMUM_PARTS} parts allowed')
    if len(content) - weights > MAXIMUM_OUTLINE:
        raise ConversionError(
            f'has {len(content) - weights} bytes beside its weights, more than the '
            f'{MAXIMUM_OUTLINE} allowed: export weights as raw data, and no more than the network'
        )


def _parts(
    content: bytes, start: int, end: int, known: dict[int, Any]
) -> Iterator[tuple[bool, int]]:
    """Of each field between `start` and `end`: whether it holds weights, and its length."""
    while start < end:
        key, start = _number(content, start, end)
        field, kind = key >> 3, key & 7
        if kind == 0:
            _, stop = _number(content, start, end)
        elif kind in (1, 5):
            stop = start + (8 if kind == 1 else 4)
        elif kind == 2:
            length, start = _number(content, start, end)
            stop = start + length
        else:
            raise ConversionError('is no ONNX file')
        if stop > end or field == 0:
            raise ConversionError('is truncated, damaged or no ONNX file: a part ends behind it')
        is_known = kind == 2 and field in known
        yield is_known and known[field] is None, stop - start
        if is_known and known[field] is not None:
            yield from _parts(content, start, stop, known[field])
        start = stop


def _number(content: bytes, start: int, end: int) -> tuple[int, int]:
    """The number of variable length at `start`, and where it ends."""
    value = 0
    for index in range(start, min(start + 10, end)):
        value |= (content[index] & 127) << 7 * (index - start)
        if content[index] < 128:
            return value, index + 1
    raise ConversionError('is truncated, damaged or no ONNX file: it ends within a number')
