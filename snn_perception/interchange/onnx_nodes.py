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

"""Nodes of ONNX files that depend on the image, as operations of `analog_building.Builder`."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from snn_perception.interchange.analog_building import Builder
from snn_perception.interchange.analog_fates import ConversionError, advice
from snn_perception.interchange.analog_operations import (
    average_axes,
    clip,
    combine,
    pool,
    same_margins,
    within,
)
from snn_perception.interchange.analog_values import NCHW, Value
from snn_perception.interchange.onnx_constants import (
    axes_of,
    dequantised,
    flattening,
    reshaping,
    squeezed,
    unsqueezed,
)
from snn_perception.layers import Convolution, Pair
from snn_perception.sentences import shown

FLOATING = (1, 10, 11, 16)
"""float32, float16, float64 and bfloat16 in TensorProto.DataType."""


class Call(NamedTuple):
    """A node with its attributes and inputs; None for an optional input that is missing."""

    operator: str
    attributes: dict[str, Any]
    inputs: list[Value | NDArray | None]

    @property
    def value(self) -> Value:
        """The first input, which must depend on the image."""
        if not self.inputs or not isinstance(self.inputs[0], Value):
            raise ConversionError('must read the map as its first input: export it again')
        return self.inputs[0]

    def constant(self, index: int) -> NDArray | None:
        """An input that must be a constant; None if it is missing."""
        found = self.inputs[index] if index < len(self.inputs) else None
        if isinstance(found, Value):
            raise ConversionError(
                f'computes its input {index} from the image, which must be a constant: replace it '
                'by fixed weights and train again'
            )
        return found

    def needed(self, index: int) -> NDArray:
        """An input that must be there and a constant."""
        found = self.constant(index)
        if found is None:
            raise ConversionError(f'has no input {index}: the file is damaged')
        return found


def _convolution(builder: Builder, call: Call) -> Value:
    return _convolved(builder, call, call.needed(1), call.constant(2))


def _convolved(builder: Builder, call: Call, weights: NDArray, bias: NDArray | None) -> Value:
    """`weights` are (channels, inputs of a group, rows, columns)."""
    if weights.ndim != 4 or not weights.size:
        raise ConversionError(
            f'has weights of the shape {weights.shape}: only maps of two dimensions are read'
        )
    kernel = weights.transpose(2, 3, 1, 0)
    rows, columns, _, channels = kernel.shape
    if any(each != 1 for each in call.attributes.get('dilations', [])):
        raise ConversionError(
            f'has a dilation of {call.attributes["dilations"]}, which is not read: use larger '
            'kernels or strides and train again'
        )
    strides = _pair(call.attributes.get('strides', [1, 1]), 'strides')
    (top, bottom), (left, right) = _margins(call, call.value, (rows, columns), strides)
    groups = call.attributes.get('group', 1)
    layer = Convolution(channels, (rows, columns), strides, (top, bottom, left, right), groups)
    return builder.convolve(call.value, layer, kernel, bias, NCHW)


def _quantised_convolution(builder: Builder, call: Call) -> Value:
    scale, weight_scale = call.needed(1), call.needed(4)
    weights = dequantised(call.needed(3), weight_scale, call.constant(5), 0)
    stored = call.constant(8)
    bias = None if stored is None else stored * (scale * weight_scale).reshape(-1)
    value = _convolved(builder, call, weights, bias)
    return _stored(builder, value, call.needed(6), call.constant(7))


def _stored(builder: Builder, value: Value, scale: NDArray, zero_point: NDArray | None) -> Value:
    """`value` as far as it can be stored with `scale` and `zero_point`."""
    zero_point = np.zeros(1, np.uint8) if zero_point is None else zero_point
    if zero_point.size != 1 or scale.size != 1 or zero_point.dtype.kind not in 'iu':
        return value
    limits, zero = np.iinfo(zero_point.dtype), int(zero_point.item())
    return within(builder, value, zero == limits.min, float(scale.item()) * (limits.max - zero))


def _normalisation(builder: Builder, call: Call) -> Value:
    if call.attributes.get('training_mode', 0):
        raise ConversionError('is in training mode: export it in evaluation mode')
    call.value.expect(NCHW if len(call.value.dimensions) == 4 else call.value.dimensions)
    scale, bias, mean, variance = (call.needed(index).astype(np.float64) for index in range(1, 5))
    channels = call.value.sizes['c']
    for numbers in (scale, bias, mean, variance):
        if numbers.shape != (channels,):
            raise ConversionError(
                f'has numbers of the shape {numbers.shape} for {channels} channels'
            )
    with np.errstate(all='ignore'):
        factor = scale / np.sqrt(variance + call.attributes.get('epsilon', 1e-5))
        offset = bias - factor * mean
    return builder.normalise(call.value, factor, offset, 'normalisation, part of the weights')


def _clip(builder: Builder, call: Call) -> Value:
    low, high = (
        given.item() if (given := call.constant(index)) is not None else call.attributes.get(name)
        for index, name in ((1, 'min'), (2, 'max'))
    )
    return clip(builder, call.value, low, high)


def _bound(builder: Builder, call: Call) -> Value:
    constants = [each for each in call.inputs if isinstance(each, np.ndarray) and each.size == 1]
    values = [each for each in call.inputs if isinstance(each, Value)]
    if len(values) != 1 or len(constants) != 1 or len(call.inputs) != 2:
        raise ConversionError(f'cannot be spiked: {advice(call.operator)}')
    number = constants[0].item()
    low, high = (number, None) if call.operator == 'Max' else (None, number)
    return clip(builder, values[0], low, high)


def _arithmetic(builder: Builder, call: Call) -> Value:
    first, second = call.inputs
    if first is None or second is None:
        raise ConversionError('has an input missing: the file is damaged')
    return combine(builder, call.operator.lower(), first, second)


def _sum(builder: Builder, call: Call) -> Value:
    inputs = [each for each in call.inputs if each is not None]
    total = reduce(lambda first, second: combine(builder, 'add', first, second), inputs)
    assert isinstance(total, Value)
    return total


def _average_pooling(builder: Builder, call: Call) -> Value:
    kernel = _pair(call.attributes.get('kernel_shape', []), 'kernel_shape')
    strides = _pair(call.attributes.get('strides', [1, 1]), 'strides')
    margins = _margins(call, call.value, kernel, strides)
    left_over = np.subtract(call.value.signal.shape[:2], kernel) % strides
    if call.attributes.get('ceil_mode', 0) and left_over.any():
        raise ConversionError('averages over windows that stick out: export without ceil_mode')
    return pool(builder, call.value, kernel, strides, margins, NCHW)


def _global_pooling(builder: Builder, call: Call) -> Value:
    call.value.expect(NCHW)
    return average_axes(builder, call.value, [2, 3], keep=True)


def _mean(builder: Builder, call: Call) -> Value:
    axes = axes_of([None, call.constant(1)], call.attributes)
    axes = list(range(len(call.value.dimensions))) if axes is None else axes
    return average_axes(builder, call.value, axes, bool(call.attributes.get('keepdims', 1)))


def _gemm(builder: Builder, call: Call) -> Value:
    if call.attributes.get('transA', 0):
        raise ConversionError('transposes its first input, the values of one image')
    weights, bias = call.needed(1), call.constant(2)
    weights = weights.T if call.attributes.get('transB', 0) else weights
    weights = weights * np.float32(call.attributes.get('alpha', 1.0))
    if bias is not None:
        beta = call.attributes.get('beta', 1.0)
        bias = np.broadcast_to(beta * bias.reshape(-1), weights.shape[1:])
    return _dense(builder, call.value, weights, bias)


def _matmul(builder: Builder, call: Call) -> Value:
    return _dense(builder, call.value, call.needed(1), None)


def _dense(builder: Builder, value: Value, weights: NDArray, bias: NDArray | None) -> Value:
    if weights.ndim != 2 or not weights.size:
        raise ConversionError(
            f'has weights of the shape {weights.shape}, and they must have two dimensions'
        )
    return builder.dense(value, weights, bias)


def _pad(builder: Builder, call: Call) -> Value:
    number = call.constant(2)
    fill = call.attributes.get('value', 0.0) if number is None else number.item()
    if call.attributes.get('mode', 'constant') != 'constant' or fill != 0:
        raise ConversionError('pads with other values than 0: use zeros and train again')
    call.value.expect(NCHW)
    given = call.constant(1)
    pads = np.asarray(call.attributes.get('pads', []) if given is None else given).reshape(-1)
    axes = call.constant(3)
    axes = np.arange(4) if axes is None else axes.reshape(-1) % 4
    if pads.size != 2 * axes.size or np.abs(pads).max(initial=0) > 65536:
        raise ConversionError(f'pads by {shown(pads.tolist())}, which does not fit')
    margins = np.zeros((4, 2), np.int64)
    margins[axes] = pads.reshape(2, -1).T
    if margins[:2].any():
        raise ConversionError(f'pads by {pads.tolist()}: pad rows and columns of a map only')
    (top, bottom), (left, right) = margins[2:].tolist()
    return builder.pad(call.value, ((top, bottom), (left, right)))


def _view(builder: Builder, call: Call) -> Value:
    """Reshape, Flatten, Squeeze and Unsqueeze."""
    shape, operator = call.value.shape, call.operator
    if operator == 'Reshape':
        wanted = call.constant(1)
        given = call.attributes.get('shape', []) if wanted is None else wanted
        sizes = reshaping(shape, np.asarray(given), call.attributes)
    elif operator == 'Flatten':
        sizes = flattening(shape, call.attributes.get('axis', 1))
    else:
        axes = axes_of([None, call.constant(1)], call.attributes)
        sizes = (squeezed if operator == 'Squeeze' else unsqueezed)(shape, axes)
    return builder.view(call.value, lambda value: value.reshaped(sizes))


def _transposition(builder: Builder, call: Call) -> Value:
    order = call.attributes.get('perm', list(range(len(call.value.dimensions)))[::-1])
    return builder.view(call.value, lambda value: value.transposed(order))


def _same(builder: Builder, call: Call) -> Value:
    return builder.same(call.value, 'left out: it changes nothing')


def _cast(builder: Builder, call: Call) -> Value:
    if call.attributes.get('to') not in FLOATING:
        raise ConversionError('rounds to whole numbers: leave it out')
    return builder.same(call.value, 'left out: all is floating point')


def _quantisation(builder: Builder, call: Call) -> Value:
    value = builder.same(call.value, 'left out: all is floating point')
    if call.operator == 'QuantizeLinear':
        return _stored(builder, value, call.needed(1), call.constant(2))
    return value


def _softmax(builder: Builder, call: Call) -> Value:
    return builder.end(call.value)


def _pair(values: list[int], what: str) -> Pair:
    if len(values) != 2 or not all(1 <= each <= 65536 for each in values):
        raise ConversionError(f'has {what} {shown(values)}, and needs two numbers from 1 on')
    return values[0], values[1]


def _margins(call: Call, value: Value, kernel: Pair, strides: Pair) -> tuple[Pair, Pair]:
    """Rows above and below, columns left and right that a node adds to `value`."""
    mode = call.attributes.get('auto_pad', 'NOTSET')
    if mode in ('NOTSET', 'VALID'):
        pads = call.attributes.get('pads', [0] * 4) if mode == 'NOTSET' else [0] * 4
        if len(pads) != 4 or not all(0 <= each <= 65536 for each in pads):
            raise ConversionError(f'has pads {shown(pads)}, and needs four numbers from 0 on')
        return (pads[0], pads[2]), (pads[1], pads[3])
    if mode not in ('SAME_UPPER', 'SAME_LOWER'):
        raise ConversionError(f'has auto_pad {shown(mode)}: it is damaged')
    (top, bottom), (left, right) = same_margins(value, kernel, strides)
    if mode == 'SAME_LOWER':
        return (bottom, top), (right, left)
    return (top, bottom), (left, right)


METHODS: dict[str, Callable[[Builder, Call], Value]] = {
    'Conv': _convolution,
    'QLinearConv': _quantised_convolution,
    'BatchNormalization': _normalisation,
    'Relu': lambda builder, call: builder.rectify(call.value),
    'Clip': _clip,
    **dict.fromkeys(('Max', 'Min'), _bound),
    **dict.fromkeys(('Add', 'Sub', 'Mul', 'Div'), _arithmetic),
    'Sum': _sum,
    'AveragePool': _average_pooling,
    'GlobalAveragePool': _global_pooling,
    'ReduceMean': _mean,
    'Gemm': _gemm,
    'MatMul': _matmul,
    'Pad': _pad,
    **dict.fromkeys(('Reshape', 'Flatten', 'Squeeze', 'Unsqueeze'), _view),
    'Transpose': _transposition,
    **dict.fromkeys(('Identity', 'Dropout'), _same),
    'Cast': _cast,
    **dict.fromkeys(('QuantizeLinear', 'DequantizeLinear'), _quantisation),
    **dict.fromkeys(('Softmax', 'LogSoftmax'), _softmax),
}
"""What reads a node, by its operator."""
