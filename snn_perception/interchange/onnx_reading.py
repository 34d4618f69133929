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

"""From an ONNX file, float or quantised, to layers of ours."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from snn_perception.interchange.analog_building import Builder
from snn_perception.interchange.analog_fates import ConversionError, Node, advice
from snn_perception.interchange.analog_network import Analog
from snn_perception.interchange.analog_scale import Scale
from snn_perception.interchange.analog_values import NCHW, NHWC, Dimension, Value
from snn_perception.interchange.onnx_constants import FOLDED
from snn_perception.interchange.onnx_files import OnnxFile, array, attributes, open_onnx
from snn_perception.interchange.onnx_nodes import FLOATING, METHODS, Call
from snn_perception.layers import Shape
from snn_perception.sentences import shown

UINT8 = 2


def read_onnx(content: bytes) -> Analog:
    """The network in the bytes of an ONNX file; raises ConversionError."""
    return _Reader(open_onnx(content)).read()


class _Reader:
    """Follows the image through the nodes of `file`."""

    def __init__(self, file: OnnxFile) -> None:
        self.file = file
        # Of constants what is in the file: they become arrays when they are read.
        self.values: dict[str, Any] = {each.name: each for each in file.graph.initializer}
        inputs = [each for each in file.graph.input if each.name not in self.values]
        self.image = _only('input', inputs)
        self.output = _only('output', list(file.graph.output)).name
        shape, dimensions = _image_shape(self.image)
        self.builder = Builder(shape, dimensions)
        self.values[self.image.name] = self.builder.image

    def read(self) -> Analog:
        needed = self._needed()
        for number, node in enumerate(self.file.graph.node):
            is_standard = node.domain in ('', 'ai.onnx')
            operator = node.op_type if is_standard else f'{node.domain}.{node.op_type}'
            with self.builder.reading(Node(number, node.name[:200], operator[:200])):
                if number not in needed:
                    self.builder.note('left out: no output needs it')
                    continue
                self._follow(node, operator)
        result = self.values.get(self.output)
        if not isinstance(result, Value):
            raise ConversionError('its output does not depend on its input')
        return self.builder.finish(result, *_metadata(self.file.metadata, self.image))

    def _needed(self) -> set[int]:
        """Numbers of the nodes that the output depends on."""
        wanted, needed = {self.output}, set()
        for number, node in reversed(list(enumerate(self.file.graph.node))):
            if wanted & set(node.output):
                needed.add(number)
                wanted.update(node.input)
        return needed

    def _follow(self, node: Any, operator: str) -> None:
        call = Call(
            operator,
            attributes(self.file.library, node),
            [self._input(name) if name else None for name in node.input],
        )
        if not node.output or node.output[0] in self.values:
            raise ConversionError('gives what another node gives already: the file is damaged')
        self.values[node.output[0]] = self._result(call)

    def _result(self, call: Call) -> Value | NDArray:
        maps = [each for each in call.inputs if isinstance(each, Value)]
        if call.operator == 'Shape' and maps:
            self.builder.note('constant: the shape of a map')
            shape = np.array(maps[0].shape, np.int64)
            return shape[call.attributes.get('start', 0) : call.attributes.get('end')]
        if not maps and call.operator in (*FOLDED, 'Constant', 'Shape'):
            self.builder.note('constant')
            return self._folded(call)
        method = METHODS.get(call.operator)
        if method is None:
            raise ConversionError(f'cannot be spiked: {advice(call.operator)}')
        return method(self.builder, call)

    def _folded(self, call: Call) -> NDArray:
        if call.operator == 'Constant':
            numeric = [call.attributes[key] for key in call.attributes if key.startswith('value')]
            if len(numeric) != 1 or isinstance(numeric[0], str):
                raise ConversionError('is no constant of numbers: export it again')
            return np.asarray(numeric[0])
        if call.operator == 'Shape':
            return np.array(call.needed(0).shape, np.int64)
        try:
            with np.errstate(all='ignore'):
                result = np.asarray(FOLDED[call.operator](call.inputs, call.attributes))
        except (TypeError, IndexError, AttributeError, AssertionError) as reason:
            raise ConversionError(f'is damaged: {reason}') from None
        self.builder.spend(result.size)
        return result

    def _input(self, name: str) -> Value | NDArray:
        """What an earlier node gives as `name`, the image or a constant."""
        if name not in self.values:
            raise ConversionError(
                f'reads {shown(name)}, which no earlier node gives: the file is damaged or has a '
                'loop'
            )
        found = self.values[name]
        return found if isinstance(found, Value | np.ndarray) else array(self.file.library, found)


def _only(what: str, found: list[Any]) -> Any:
    if len(found) != 1:
        names = ', '.join(shown(each.name) for each in found[:5])
        raise ConversionError(
            f'has {len(found)} {what}s ({names}), and must have one: export the part that reads '
            'one image and gives one score for each class'
        )
    return found[0]


def _image_shape(image: Any) -> tuple[Shape, tuple[Dimension, ...]]:
    """The shape of the map at the input, and the order of its dimensions in the file."""
    sizes = [each.dim_value for each in image.type.tensor_type.shape.dim]
    shown_sizes = f'({", ".join(str(size or "?") for size in sizes[:8])})'
    if len(sizes) != 4:
        raise ConversionError(
            f'its input has the shape {shown_sizes}, and must be one image (1, channels, height, '
            'width)'
        )
    batch, *rest = sizes
    if batch not in (0, 1) or min(rest) < 1:
        raise ConversionError(
            f'its input has the shape {shown_sizes}, which is not fixed for one image: export it '
            'with a fixed height and width, and a batch of 1'
        )
    kind = image.type.tensor_type.elem_type
    if kind not in (*FLOATING, UINT8):
        raise ConversionError(f'its input is of type {kind}: export it for float32 or uint8')
    if rest[0] not in (1, 3) and rest[2] in (1, 3):
        return (rest[0], rest[1], rest[2]), NHWC
    return (rest[1], rest[2], rest[0]), NCHW


def _metadata(metadata: dict[str, str], image: Any) -> tuple[Scale | None, bool]:
    """What the file says of its images, and whether it wants blue before red."""
    ranges = {
        'NominalRange_0_255': Scale.of_levels(),
        'Normalized_0_1': Scale((0.0,), (1.0,)),
        'Normalized_1_1': Scale((0.5,), (0.5,)),
    }
    scale = ranges.get(metadata.get('Image.NominalPixelRange', ''))
    if image.type.tensor_type.elem_type == UINT8:
        scale = Scale.of_levels()
    return scale, metadata.get('Image.BitmapPixelFormat', '').lower().startswith('bgr')
