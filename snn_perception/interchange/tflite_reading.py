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

"""From a TFLite file, float or quantised, to layers of ours."""

from __future__ import annotations

from collections.abc import Callable
from math import inf
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snn_perception.interchange.analog_building import Builder
from snn_perception.interchange.analog_fates import ConversionError, advice
from snn_perception.interchange.analog_network import Analog
from snn_perception.interchange.analog_operations import (
    average_axes,
    clip,
    combine,
    pool,
    same_margins,
    within,
)
from snn_perception.interchange.analog_scale import Scale
from snn_perception.interchange.analog_values import NHWC, UNPADDED, Value
from snn_perception.interchange.tflite_files import Operation, Tensor, TfliteFile
from snn_perception.layers import Convolution, Pair
from snn_perception.sentences import shown

SAME = 0
"""Padding with which a map is as large as the one before, divided by the stride; 1 is none."""
CEILINGS = {1: inf, 3: 6.0}
"""Fused rectifiers by their numbers in ActivationFunctionType; 0 is none."""
ACTIVATIONS = {2: 'ReLU from -1 to 1', 4: 'tanh', 5: 'sign'}
VIEWS = ('RESHAPE', 'SQUEEZE', 'EXPAND_DIMS')
"""Nothing but their first input is followed: the shape of their output says the rest."""


def read_tflite(content: bytes) -> Analog:
    """The network in the bytes of a TFLite file; raises ConversionError."""
    return _Reader(TfliteFile(content)).read()


class _Reader:
    """Follows the image through the operators of `file`."""

    def __init__(self, file: TfliteFile) -> None:
        self.file = file
        self.image, self.scores = file.ends
        self.builder = Builder(_image_shape(file.tensor(self.image)), NHWC)
        self.values: dict[int, Value] = {self.image: self.builder.image}
        self.constants: dict[int, NDArray] = {}

    def read(self) -> Analog:
        needed = self._needed()
        for operation in self.file.operations:
            with self.builder.reading(operation.node):
                if operation.node.number not in needed:
                    self.builder.note('left out: no output needs it')
                    continue
                if len(operation.outputs) != 1:
                    raise ConversionError(f'has {len(operation.outputs)} outputs, and not one')
                self._follow(operation)
        if self.scores not in self.values:
            raise ConversionError('its output does not depend on its input')
        scale = _scale(self.file.tensor(self.image))
        return self.builder.finish(self.values[self.scores], scale)

    def _needed(self) -> set[int]:
        """Numbers of the operations that the output depends on."""
        wanted, needed = {self.scores}, set()
        for operation in reversed(self.file.operations):
            if wanted & set(operation.outputs):
                needed.add(operation.node.number)
                count = 1 if operation.node.operator in VIEWS else None
                wanted.update(operation.inputs[:count])
        return needed

    def _follow(self, operation: Operation) -> None:
        operator, (output,) = operation.node.operator, operation.outputs
        if operator == 'DEQUANTIZE' and self._is_constant(operation.inputs[0]):
            self.constants[output] = self._constant(operation.inputs[0])
            self.builder.spend(self.constants[output].size)
            self.builder.note('constant, dequantised')
            return
        method = METHODS.get(operator)
        if method is None:
            raise ConversionError(f'cannot be spiked: {advice(operator)}')
        self.values[output] = method(self, operation)

    def _value(self, index: int) -> Value:
        """What an earlier operator, or the image, gives as tensor number `index`."""
        if index not in self.values:
            raise ConversionError(
                f'reads {shown(self.file.tensor(index).name)}, which no earlier node gives: the '
                'file is damaged or has a loop'
            )
        return self.values[index]

    def _is_constant(self, index: int) -> bool:
        return index in self.constants or (
            index not in self.values and self.file.tensor(index).data is not None
        )

    def _constant(self, index: int) -> NDArray:
        if not self._is_constant(index):
            raise ConversionError(
                f'needs {shown(self.file.tensor(index).name)} as a constant: '
                'convert with fixed weights'
            )
        return self.constants[index] if index in self.constants else self.file.tensor(index).values

    def _either(self, index: int) -> Value | NDArray:
        return self._constant(index) if self._is_constant(index) else self._value(index)

    def _bias(self, operation: Operation) -> NDArray | None:
        has_one = len(operation.inputs) > 2 and operation.inputs[2] >= 0
        return self._constant(operation.inputs[2]).reshape(-1) if has_one else None

    def _activated(self, operation: Operation, value: Value, fused: int) -> Value:
        """`value` behind the rectifier in `operation`, or in the range of what it gives."""
        output = self.file.tensor(operation.outputs[0])
        if fused in ACTIVATIONS:
            raise ConversionError(f'has a fused {ACTIVATIONS[fused]}: {advice("tanh")}')
        if fused in CEILINGS:
            ceiling = CEILINGS[fused]
            return self.builder.rectify(value, output.highest if ceiling == inf else ceiling)
        if fused:
            raise ConversionError(f'has the unknown fused activation {fused}: convert it again')
        return within(self.builder, value, output.lowest, output.highest)

    def convolution(self, operation: Operation) -> Value:
        """CONV_2D: weights (channels, rows, columns, inputs of a group)."""
        value = self._value(operation.inputs[0])
        weights = _of_rank(self._constant(operation.inputs[1]), 4).transpose(1, 2, 3, 0)
        groups = max(1, value.signal.shape[2] // weights.shape[2])
        options = operation.options(self.file.library, 'Conv2DOptions')
        return self._convolved(operation, weights, groups, options)

    def depthwise(self, operation: Operation) -> Value:
        """DEPTHWISE_CONV_2D: weights (1, rows, columns, channels)."""
        value = self._value(operation.inputs[0])
        weights = _of_rank(self._constant(operation.inputs[1]), 4).transpose(1, 2, 0, 3)
        options = operation.options(self.file.library, 'DepthwiseConv2DOptions')
        return self._convolved(operation, weights, value.signal.shape[2], options)

    def _convolved(
        self, operation: Operation, weights: NDArray, groups: int, options: Any
    ) -> Value:
        stride, padding, dilation, fused = _window(options)
        if dilation != (1, 1):
            raise ConversionError(
                f'has a dilation of {dilation[0]}x{dilation[1]}, which is not read: use larger '
                'kernels or strides and train again'
            )
        value, (rows, columns, _, channels) = self._value(operation.inputs[0]), weights.shape
        margins = _margins(value, (rows, columns), stride, padding)
        layer = Convolution(channels, (rows, columns), stride, (*margins[0], *margins[1]), groups)
        bias = self._bias(operation)
        return self._activated(
            operation, self.builder.convolve(value, layer, weights, bias, NHWC), fused
        )

    def average_pooling(self, operation: Operation) -> Value:
        """AVERAGE_POOL_2D."""
        options = operation.options(self.file.library, 'Pool2DOptions')
        kernel = options.FilterHeight(), options.FilterWidth()
        stride = options.StrideH(), options.StrideW()
        value = self._value(operation.inputs[0])
        for size in (*kernel, *stride):
            if size < 1:
                raise ConversionError(f'has windows of {kernel} every {stride}: it is damaged')
        margins = _margins(value, kernel, stride, options.Padding())
        pooled = pool(self.builder, value, kernel, stride, margins, NHWC)
        return self._activated(operation, pooled, options.FusedActivationFunction())

    def mean(self, operation: Operation) -> Value:
        """MEAN over rows and columns."""
        options = operation.options(self.file.library, 'ReducerOptions')
        axes = self._constant(operation.inputs[1]).reshape(-1).tolist()
        keep = bool(options.KeepDims()) if options else False
        return average_axes(self.builder, self._value(operation.inputs[0]), axes, keep)

    def fully_connected(self, operation: Operation) -> Value:
        """FULLY_CONNECTED: weights (units, inputs)."""
        options = operation.options(self.file.library, 'FullyConnectedOptions')
        if options and options.WeightsFormat():
            raise ConversionError('has weights in the order of one processor: convert it again')
        weights = _of_rank(self._constant(operation.inputs[1]), 2).T
        value = self._value(operation.inputs[0]).reshaped([1, weights.shape[0]])
        value = self.builder.dense(value, weights, self._bias(operation))
        if options and options.KeepNumDims():
            rank = len(self.file.tensor(operation.outputs[0]).shape)
            value = value.reshaped([1] * (rank - 1) + [weights.shape[1]])
        return self._activated(
            operation, value, options.FusedActivationFunction() if options else 0
        )

    def arithmetic(self, operation: Operation) -> Value:
        """ADD, SUB, MUL and DIV, of two maps or of a map and constants."""
        operator = operation.node.operator
        options = operation.options(self.file.library, f'{operator.title()}Options')
        first, second = map(self._either, operation.inputs)
        value = combine(self.builder, operator.lower(), first, second)
        return self._activated(
            operation, value, options.FusedActivationFunction() if options else 0
        )

    def rectifier(self, operation: Operation) -> Value:
        """RELU and RELU6."""
        value = self._value(operation.inputs[0])
        return self._activated(operation, value, 3 if operation.node.operator == 'RELU6' else 1)

    def bound(self, operation: Operation) -> Value:
        """MAXIMUM and MINIMUM of a map and one number."""
        first, second = map(self._either, operation.inputs)
        value, number = (first, second) if isinstance(first, Value) else (second, first)
        if isinstance(number, Value) or not isinstance(value, Value) or number.size != 1:
            raise ConversionError(f'cannot be spiked: {advice(operation.node.operator)}')
        is_low = operation.node.operator == 'MAXIMUM'
        low, high = (number.item(), None) if is_low else (None, number.item())
        return clip(self.builder, value, low, high)

    def padding(self, operation: Operation) -> Value:
        """PAD and PADV2 with zeros."""
        if len(operation.inputs) > 2 and self._constant(operation.inputs[2]).any():
            raise ConversionError('pads with other values than 0: use zeros and train again')
        value = self._value(operation.inputs[0])
        margins = self._constant(operation.inputs[1])
        value.expect(NHWC)
        if margins.shape != (4, 2) or margins[[0, 3]].any() or np.abs(margins).max() > 65536:
            raise ConversionError(
                f'pads by {margins.tolist()}: pad rows and columns of a map only'
            )
        (top, bottom), (left, right) = margins[1:3].tolist()
        return self.builder.pad(value, ((top, bottom), (left, right)))

    def view(self, operation: Operation) -> Value:
        """RESHAPE, SQUEEZE and EXPAND_DIMS: the same numbers in another shape."""
        shape = list(self.file.tensor(operation.outputs[0]).shape)
        if operation.node.operator == 'RESHAPE' and len(operation.inputs) > 1:
            index = operation.inputs[1]
            shape = self._constant(index).tolist() if self._is_constant(index) else shape
        value = self._value(operation.inputs[0])
        return self.builder.view(value, lambda value: value.reshaped(shape))

    def transposition(self, operation: Operation) -> Value:
        """TRANSPOSE."""
        order = self._constant(operation.inputs[1]).reshape(-1).tolist()
        value = self._value(operation.inputs[0])
        return self.builder.view(value, lambda value: value.transposed(order))

    def quantisation(self, operation: Operation) -> Value:
        """QUANTIZE, DEQUANTIZE and CAST: floating point all the way here."""
        return self.builder.same(
            self._value(operation.inputs[0]), 'left out: all is floating point'
        )

    def softmax(self, operation: Operation) -> Value:
        """SOFTMAX and LOG_SOFTMAX at the end."""
        return self.builder.end(self._value(operation.inputs[0]))


METHODS: dict[str, Callable[[_Reader, Operation], Value]] = {
    'CONV_2D': _Reader.convolution,
    'DEPTHWISE_CONV_2D': _Reader.depthwise,
    'AVERAGE_POOL_2D': _Reader.average_pooling,
    'MEAN': _Reader.mean,
    'FULLY_CONNECTED': _Reader.fully_connected,
    **dict.fromkeys(('ADD', 'SUB', 'MUL', 'DIV'), _Reader.arithmetic),
    **dict.fromkeys(('RELU', 'RELU6'), _Reader.rectifier),
    **dict.fromkeys(('MAXIMUM', 'MINIMUM'), _Reader.bound),
    **dict.fromkeys(('PAD', 'PADV2'), _Reader.padding),
    **dict.fromkeys(VIEWS, _Reader.view),
    'TRANSPOSE': _Reader.transposition,
    **dict.fromkeys(('QUANTIZE', 'DEQUANTIZE', 'CAST'), _Reader.quantisation),
    **dict.fromkeys(('SOFTMAX', 'LOG_SOFTMAX'), _Reader.softmax),
}


def _image_shape(image: Tensor) -> tuple[int, int, int]:
    if len(image.shape) != 4:
        raise ConversionError(
            f'its input has the shape {image.shape}, and must be one image (1, height, width, '
            'channels)'
        )
    if any(size < 1 for size in image.signature[1:]) or 0 in image.shape or image.shape[0] != 1:
        raise ConversionError(
            f'its input has the shape {image.signature}, which is not fixed for one image: '
            'convert with a fixed height and width, and a batch of 1'
        )
    return image.shape[1], image.shape[2], image.shape[3]


def _scale(image: Tensor) -> Scale | None:
    """What the quantisation of the input says of the images; None for floating point."""
    lowest = {'UINT8': 0, 'INT8': -128}.get(image.type)
    if lowest is None:
        return None
    if image.scale is None:
        return Scale.of_levels().then(np.ones(1), np.full(1, float(lowest)))
    # It gets round(255 x) + lowest and takes it for scale * (that - zero point).
    mean, deviation = (image.zero_point - lowest) / 255, 1 / (255 * image.scale)
    return Scale((float(mean[0]),), (float(deviation[0]),))


def _window(options: Any) -> tuple[Pair, int, Pair, int]:
    """Stride, padding, dilation and the fused activation of a convolution."""
    if options is None:
        raise ConversionError('has no options: the file is damaged')
    return (
        (options.StrideH(), options.StrideW()),
        options.Padding(),
        (options.DilationHFactor(), options.DilationWFactor()),
        options.FusedActivationFunction(),
    )


def _margins(value: Value, kernel: Pair, stride: Pair, padding: int) -> tuple[Pair, Pair]:
    """Rows above and below, columns left and right that `padding` adds to `value`."""
    if padding != SAME or min(stride) < 1:
        return UNPADDED
    return same_margins(value, kernel, stride)


def _of_rank(weights: NDArray, rank: int) -> NDArray:
    if weights.ndim != rank or not weights.size:
        raise ConversionError(
            f'has weights of the shape {weights.shape}, and they must have {rank} dimensions'
        )
    return weights
