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

"""TFLite files, which are flatbuffers, read with care: operators, tensors and constants.

A flatbuffer is read in place, and its offsets may point anywhere: whatever the bindings raise
becomes one sentence, and lengths are checked before anything goes through them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snn_perception.interchange.analog_building import MAXIMUM_NODES
from snn_perception.interchange.analog_fates import ConversionError, Node
from snn_perception.interchange.analog_signals import check_size
from snn_perception.requirements import require
from snn_perception.sentences import shown

IDENTIFIER = b'TFL3'
"""Bytes 4 to 7 of every file of the only version of the schema that there is, which is 3."""
MAXIMUM_TENSORS = 10 * MAXIMUM_NODES
MAXIMUM_RANK = 8
TYPES = {
    'FLOAT16': 'f2',
    'FLOAT32': 'f4',
    'FLOAT64': 'f8',
    'UINT8': 'u1',
    'INT8': 'i1',
    'INT16': 'i2',
    'INT32': 'i4',
    'INT64': 'i8',
}
"""Types of NumPy, which are little-endian here, by those of TFLite."""


@dataclass(frozen=True)
class Tensor:
    """An array that operators read or give. Its values are scale * (stored - zero point).

    `scale` is None if it is not quantised; it and `zero_point` have one value, or one for each
    index of dimension `axis`. `data` are its bytes if it is a constant.
    """

    name: str
    shape: tuple[int, ...]
    signature: tuple[int, ...]
    type: str
    scale: NDArray[np.float64] | None
    zero_point: NDArray[np.int64]
    axis: int
    data: NDArray[np.uint8] | None

    @property
    def dtype(self) -> np.dtype:
        """Type of what is stored."""
        if self.type not in TYPES:
            raise ConversionError(
                f'has the tensor {shown(self.name)} of the type {self.type}, which is not read: '
                'convert with types float32, float16, int8 or uint8'
            )
        return np.dtype('<' + TYPES[self.type])

    @property
    def lowest(self) -> bool:
        """Whether 0 is the lowest value that can be stored: then nothing below it gets through."""
        if self.scale is None or self.scale.size != 1 or self.dtype.kind not in 'iu':
            return False
        return int(self.zero_point[0]) == np.iinfo(self.dtype).min

    @property
    def highest(self) -> float:
        """The largest value that can be stored, if it is quantised as a whole; inf otherwise."""
        if self.scale is None or self.scale.size != 1 or self.dtype.kind not in 'iu':
            return float('inf')
        return float(self.scale[0] * (np.iinfo(self.dtype).max - int(self.zero_point[0])))

    @property
    def stored(self) -> NDArray:
        """The values of a constant, not dequantised: a view of the file."""
        assert self.data is not None
        size = prod(self.shape)
        if size * self.dtype.itemsize != self.data.size:
            raise ConversionError(
                f'has the tensor {shown(self.name)} of the shape {self.shape} with '
                f'{self.data.size} bytes: the file is damaged'
            )
        return self.data.view(self.dtype).reshape(self.shape)

    @property
    def values(self) -> NDArray:
        """The values of a constant, float32 if they were quantised or of half precision."""
        stored = self.stored
        check_size(stored.size)
        if self.scale is None:
            return stored.astype(np.float32) if stored.dtype.kind == 'f' else stored
        scale, zero = (self._aligned(each) for each in (self.scale, self.zero_point))
        if stored.dtype.itemsize == 1:  # Exact in float32.
            return (stored.astype(np.float32) - zero.astype(np.float32)) * scale.astype(np.float32)
        return ((stored - zero) * scale).astype(np.float32)

    def _aligned(self, numbers: NDArray) -> NDArray:
        """`numbers` in a shape that is broadcast to that of this tensor."""
        if numbers.size == 1:
            return numbers.reshape(())
        if not 0 <= self.axis < len(self.shape) or self.shape[self.axis] != numbers.size:
            raise ConversionError(
                f'has the tensor {shown(self.name)} of the shape {self.shape} with '
                f'{numbers.size} scales for its dimension {self.axis}: the file is damaged'
            )
        shape = [1] * len(self.shape)
        shape[self.axis] = numbers.size
        return numbers.reshape(shape)


@dataclass(frozen=True)
class Operation:
    """An operator of a file: the numbers of its tensors, -1 where an optional one is missing."""

    node: Node
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    table: Any

    def options(self, library: Any, kind: str) -> Any:
        """Its options of the class `kind` of the library; None if it has none."""
        table = self.table.BuiltinOptions()
        if table is None or self.table.BuiltinOptionsType() == 0:
            return None
        if self.table.BuiltinOptionsType() != getattr(library.BuiltinOptions, kind):
            raise ConversionError('has options of another operator: the file is damaged')
        options = getattr(library, kind)()
        options.Init(table.Bytes, table.Pos)
        return options


class TfliteFile:
    """The only graph in the bytes of a TFLite file. Raises ConversionError for damaged ones."""

    def __init__(self, content: bytes) -> None:
        try:
            require('a TFLite file', 'tflite>=2.18', 'flatbuffers')
            import tflite
        except ImportError as reason:
            raise ConversionError(str(reason)) from None
        self.library = tflite
        self.content = content
        if content[4:8] != IDENTIFIER:
            raise ConversionError(
                f'is no TFLite file of version 3: it does not have {IDENTIFIER.decode()} in its '
                'bytes 4 to 7'
            )
        self.model = tflite.Model.GetRootAs(content, 0)
        if self.model.Version() != 3:
            raise ConversionError(
                f'has version {self.model.Version()} of the TFLite schema, and only 3 is known: '
                'convert it with a release of TensorFlow'
            )
        graphs = self.length(self.model.SubgraphsLength(), 1000, 'graphs')
        if graphs != 1:
            raise ConversionError(
                f'holds {graphs} graphs, and must hold one: convert without control flow'
            )
        self.graph = self.model.Subgraphs(0)
        self.length(self.graph.TensorsLength(), MAXIMUM_TENSORS, 'tensors')
        self.length(self.model.BuffersLength(), MAXIMUM_TENSORS, 'buffers')
        self.tensors: dict[int, Tensor] = {}

    def length(self, declared: int, maximum: int, what: str) -> int:
        """The length `declared` for a vector of offsets, if it is credible."""
        if declared > maximum or 4 * declared > len(self.content):
            raise ConversionError(f'declares {declared} {what}: it is damaged or absurdly large')
        return int(declared)

    @cached_property
    def operations(self) -> list[Operation]:
        """All operators in the order in which they are executed."""
        names = {
            number: name
            for name, number in vars(self.library.BuiltinOperator).items()
            if isinstance(number, int)
        }
        codes = []
        for index in range(self.length(self.model.OperatorCodesLength(), 10_000, 'operators')):
            code = self.model.OperatorCodes(index)
            number = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
            name = names.get(number, f'operator {number}')
            if name == 'CUSTOM':
                name = _text(code.CustomCode()) or name
            codes.append(name)
        count = self.length(self.graph.OperatorsLength(), MAXIMUM_NODES, 'nodes')
        found = []
        for number in range(count):
            table = self.graph.Operators(number)
            inputs = self._indices(table.InputsLength(), table.Inputs)
            outputs = self._indices(table.OutputsLength(), table.Outputs)
            code = table.OpcodeIndex()
            if code >= len(codes):
                raise ConversionError(f'node {number} has operator code {code}: it is damaged')
            name = self.tensor(outputs[0]).name if outputs and outputs[0] >= 0 else ''
            found.append(Operation(Node(number, name, codes[code]), inputs, outputs, table))
        return found

    @cached_property
    def ends(self) -> tuple[int, int]:
        """The tensors of the image and of the scores."""
        ends = []
        for what, length, get in (
            ('input', self.graph.InputsLength(), self.graph.Inputs),
            ('output', self.graph.OutputsLength(), self.graph.Outputs),
        ):
            indices = self._indices(length, get)
            if len(indices) != 1 or indices[0] < 0:
                names = ', '.join(shown(self.tensor(index).name) for index in indices[:5])
                raise ConversionError(
                    f'has {len(indices)} {what}s ({names}), and must have one: convert the part '
                    'that reads one image and gives one score for each class'
                )
            ends.append(indices[0])
        return ends[0], ends[1]

    def tensor(self, index: int) -> Tensor:
        """Tensor number `index`."""
        if index not in self.tensors:
            if not 0 <= index < self.graph.TensorsLength():
                raise ConversionError(
                    f'refers to tensor {index}, and there is none: it is damaged'
                )
            self.tensors[index] = self._tensor(self.graph.Tensors(index))
        return self.tensors[index]

    def _tensor(self, table: Any) -> Tensor:
        name = _text(table.Name())
        rank = self.length(table.ShapeLength(), MAXIMUM_RANK, 'dimensions')
        shape = tuple(table.Shape(axis) for axis in range(rank))
        rank = self.length(table.ShapeSignatureLength(), MAXIMUM_RANK, 'dimensions')
        signature = tuple(table.ShapeSignature(axis) for axis in range(rank)) or shape
        if min(shape, default=1) < 0:
            raise ConversionError(f'the tensor {shown(name)} has the shape {shape}: it is damaged')
        if table.Sparsity() is not None:
            raise ConversionError(
                f'the tensor {shown(name)} is sparse: convert without sparse weights'
            )
        scale, zero, axis = self._quantisation(name, table.Quantization())
        types = vars(self.library.TensorType).items()
        kind = next((each for each, number in types if number == table.Type()), 'unknown')
        return Tensor(name, shape, signature, kind, scale, zero, axis, self._data(table.Buffer()))

    def _quantisation(
        self, name: str, table: Any
    ) -> tuple[NDArray[np.float64] | None, NDArray[np.int64], int]:
        none = None, np.zeros(1, np.int64), 0
        if table is None or table.ScaleLength() == 0:
            return none
        if table.DetailsType():
            raise ConversionError(
                f'the tensor {shown(name)} has a custom quantisation: convert to int8'
            )
        scale = np.asarray(table.ScaleAsNumpy(), np.float64)
        zero = np.zeros(1, np.int64)
        if table.ZeroPointLength():
            zero = np.asarray(table.ZeroPointAsNumpy(), np.int64)
        if not (np.isfinite(scale).all() and (scale > 0).all()):
            raise ConversionError(
                f'the tensor {shown(name)} has a scale that is not positive and finite'
            )
        if zero.size not in (1, scale.size) or np.abs(zero).max() > 2**31:
            raise ConversionError(f'the tensor {shown(name)} has zero points that do not fit')
        return scale, zero, int(table.QuantizedDimension())

    def _data(self, index: int) -> NDArray[np.uint8] | None:
        """Bytes of a constant; None for what is computed."""
        if not 0 <= index < self.model.BuffersLength():
            raise ConversionError(f'refers to buffer {index}, and there is none: it is damaged')
        buffer = self.model.Buffers(index)
        if buffer.Offset() > 1:
            raise ConversionError('keeps weights behind its flatbuffer: convert to a smaller file')
        if buffer.DataLength() == 0:
            return None
        return np.asarray(buffer.DataAsNumpy())

    def _indices(self, length: int, get: Callable[[int], int]) -> tuple[int, ...]:
        return tuple(get(each) for each in range(self.length(length, MAXIMUM_NODES, 'tensors')))


def _text(name: bytes | None) -> str:
    return (name or b'')[:200].decode(errors='replace')
