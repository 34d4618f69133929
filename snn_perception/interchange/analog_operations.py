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

"""What operators of file formats have in common, said in terms of `analog_building.Builder`."""

from __future__ import annotations

from dataclasses import replace
from math import inf

import numpy as np
from numpy.typing import NDArray

from snn_perception.interchange.analog_building import Builder
from snn_perception.interchange.analog_fates import CURVED, GATE, ConversionError
from snn_perception.interchange.analog_values import UNPADDED, Dimension, Value
from snn_perception.layers import Pair


def clip(builder: Builder, value: Value, low: float | None, high: float | None) -> Value:
    """`value` between `low` and `high`, which are None for no bound: a rectifier, or refused."""
    is_positive = builder.is_rectified(value)
    if low != 0 and not (is_positive and (low is None or low < 0)):
        raise ConversionError(f'clips from {"nothing" if low is None else low} on: {CURVED}')
    return builder.rectify(value, inf if high is None else high)


def combine(builder: Builder, kind: str, first: Value | NDArray, second: Value | NDArray) -> Value:
    """'add', 'sub', 'mul' or 'div' of two values, or of a value and a constant."""
    if isinstance(first, Value) and isinstance(second, Value):
        if kind == 'sub':
            minus = np.full(second.sizes['c'], -1.0)
            second = builder.normalise(second, minus, 0 * minus, 'turned around')
        elif kind != 'add':
            raise ConversionError(
                f'{"multiplies" if kind == "mul" else "divides"} two maps: {GATE}'
            )
        return builder.add(first, second)
    value, constant = (first, second) if isinstance(first, Value) else (second, first)
    assert isinstance(value, Value)
    numbers = value.per_channel(np.asarray(constant))
    ones = np.ones_like(numbers)
    if kind == 'add':
        return builder.normalise(value, ones, numbers, 'constant, part of the bias')
    if kind == 'sub' and value is first:
        return builder.normalise(value, ones, -numbers, 'constant, part of the bias')
    if kind == 'sub':
        return builder.normalise(value, -ones, numbers, 'constant, part of weights and bias')
    if kind == 'div' and value is not first:
        raise ConversionError('divides by a map: leave it out and train again')
    factor = numbers if kind == 'mul' else 1 / numbers
    return builder.normalise(value, factor, 0 * ones, 'factor, part of the weights')


def pool(
    builder: Builder,
    value: Value,
    kernel: Pair,
    strides: Pair,
    margins: tuple[Pair, Pair],
    dimensions: tuple[Dimension, ...],
) -> Value:
    """Means of `value`, a map in the order of `dimensions`, over windows without overlap."""
    height, width, _ = builder.open(value).expect(dimensions).shape
    if margins != UNPADDED:
        raise ConversionError(
            'pads before it averages: choose a size that divides the map, and train again'
        )
    rows, columns = map(_block, (height, width), kernel, strides)
    return builder.average(value, (rows, columns))


def average_axes(builder: Builder, value: Value, axes: list[int], keep: bool) -> Value:
    """Means of `value` over dimensions of its array, which go if they are not to `keep`."""
    rank = len(value.dimensions)
    if not all(-rank <= axis < rank for axis in axes):
        raise ConversionError(f'has no dimensions {axes} to average over')
    axes = [axis % rank for axis in axes]
    names = {name for axis in axes for name in value.dimensions[axis]}
    if 'c' in names:
        raise ConversionError('averages over channels: average over the map only')
    height, width, _ = value.signal.shape
    block = height if 'h' in names else 1, width if 'w' in names else 1
    pooled = builder.average(value, block)
    if keep:
        return pooled
    left = [each for axis, each in enumerate(pooled.dimensions) if axis not in axes]
    return replace(pooled, dimensions=tuple(left))


def _block(size: int, kernel: int, stride: int) -> int:
    """Size of the blocks into which windows divide a `size`."""
    if kernel == stride or (kernel + stride > size and 2 * kernel > size):
        return kernel
    raise ConversionError(
        f'averages over windows of {kernel} every {stride}, which overlap or leave gaps: make the '
        'stride as large as the window and train again'
    )


def within(builder: Builder, value: Value, is_lowest: bool, highest: float) -> Value:
    """`value` as it is stored: if 0 is the lowest number, up to `highest`, that is a rectifier."""
    is_plain = value.signal.read is not None
    return builder.rectify(value, highest) if is_lowest and not is_plain else value


def same_margins(value: Value, kernel: Pair, strides: Pair) -> tuple[Pair, Pair]:
    """Margins of `value` with which a map is as large as the one before, divided by the strides.

    What cannot be halved goes below and to the right.
    """
    pairs = []
    for size, added, window, stride in zip(
        value.signal.shape, value.margins, kernel, strides, strict=False
    ):
        whole = size + sum(added)
        total = max(0, (-(-whole // stride) - 1) * stride + window - whole)
        pairs.append((total // 2, total - total // 2))
    return pairs[0], pairs[1]
