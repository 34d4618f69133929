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

"""Kernels of convolutions as NIR has them and as a network has them, (rows, columns, inputs of a
group, channels); all in float64.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from snn_perception.interchange.nir_arrays import Floats, pair
from snn_perception.layers import Convolution, Pair, Shape
from snn_perception.network import MAXIMUM_WEIGHTS

Margins = tuple[Pair, Pair]
"""Zeros before and after, along the rows and along the columns."""


def convolution(kernel: Floats, strides: Pair, margins: Margins, groups: int) -> Convolution:
    """The layer that has this `kernel`, with one number in the place of equal ones."""
    (top, bottom), (left, right) = margins
    rows, columns, _, channels = kernel.shape
    return Convolution(
        channels,
        simplest((rows, columns)),
        simplest(strides),
        simplest((top, left)) if (top, left) == (bottom, right) else (top, bottom, left, right),
        groups,
    )


def simplest(values: Pair) -> int | Pair:
    """One number for two equal ones."""
    return values[0] if values[0] == values[1] else values


def margins_of(node: Any, kernel: Floats, strides: Pair) -> Margins:
    """Rows and columns of zeros around the input of a Conv2d whose dilated kernel is `kernel`."""
    if not isinstance(node.padding, str):
        rows, columns = pair(node.padding, 'padding')
        return (rows, rows), (columns, columns)
    if node.padding != 'same':
        return (0, 0), (0, 0)
    if strides != (1, 1):
        raise ValueError("padding 'same' needs a stride of 1")
    # As PyTorch has it: the odd row or column is the last one.
    rows, columns = kernel.shape[0] - 1, kernel.shape[1] - 1
    return (rows // 2, rows - rows // 2), (columns // 2, columns - columns // 2)


def dilated_kernel(weight: Floats, groups: int, dilation: Pair) -> Floats:
    """The equivalent kernel without dilation; raises ValueError.

    weight: (channels, inputs of a group, rows, columns), as in NIR.
    """
    channels, inputs, rows, columns = weight.shape
    if groups < 1 or channels % groups or min(dilation) < 1:
        raise ValueError(
            f'groups must divide the {channels} channels and dilation be at least 1, '
            f'not groups {groups} and dilation {simplest(dilation)}'
        )
    size = (rows - 1) * dilation[0] + 1, (columns - 1) * dilation[1] + 1
    kernel = zeros((*size, inputs, channels))
    kernel[:: dilation[0], :: dilation[1]] = weight.transpose(2, 3, 1, 0)
    return kernel


def ungrouped(kernel: Floats, groups: int) -> Floats:
    """The equivalent kernel without groups, (rows, columns, inputs, channels)."""
    rows, columns, inputs, channels = kernel.shape
    full = zeros((rows, columns, inputs * groups, channels))
    outputs = channels // groups
    for group in range(groups):
        targets = slice(group * outputs, (group + 1) * outputs)
        full[:, :, group * inputs : (group + 1) * inputs, targets] = kernel[..., targets]
    return full


def scaled_inputs(kernel: Floats, gain: Floats, groups: int) -> Floats:
    """`kernel` on inputs that are multiplied by `gain`, (1,) or (inputs,)."""
    if gain.size == 1:
        return kernel * gain
    outputs = kernel.shape[3] // groups
    return kernel * gain.reshape(groups, -1).repeat(outputs, axis=0).T


def pooled_kernel(kernel: Floats, strides: Pair, size: Pair) -> Floats:
    """Kernel of a convolution followed by the mean over blocks of `size` of its outputs."""
    rows, columns, inputs, channels = kernel.shape
    larger = rows + (size[0] - 1) * strides[0], columns + (size[1] - 1) * strides[1]
    pooled = zeros((*larger, inputs, channels))
    for row in range(0, size[0] * strides[0], strides[0]):
        for column in range(0, size[1] * strides[1], strides[1]):
            pooled[row : row + rows, column : column + columns] += kernel
    return pooled / (size[0] * size[1])


def symmetric(layer: Convolution, inputs: Shape) -> tuple[Convolution, Margins]:
    """`layer` with equal padding on both sides, which is all that NIR has.

    Also the rows and columns of zeros by which its kernel grows for that. A kernel with zeros in
    front needs more padding in front; one with zeros behind leaves more of the padding unused.
    """
    sizes, zeros_around = layer.output_shape(inputs)[:2], []
    for axis in (0, 1):
        before, _ = layer.margins[axis]
        stride = layer.strides[axis]
        reach = (sizes[axis] - 1) * stride + layer.kernel_size[axis]
        room = inputs[axis] + 2 * before - reach  # after the last window
        zeros_around.append((max(-room, 0), max(room - stride + 1, 0)))
    (top, bottom), (left, right) = zeros_around
    rows, columns = layer.kernel_size
    padding = layer.margins[0][0] + top, layer.margins[1][0] + left
    kernel = rows + top + bottom, columns + left + right
    wider = Convolution(layer.channels, kernel, layer.strides, padding, layer.groups)
    return wider, ((top, bottom), (left, right))


def zeros(shape: tuple[int, ...]) -> Floats:
    """Zeros; raises ValueError before memory is allocated for too many."""
    if math.prod(shape) > MAXIMUM_WEIGHTS:
        raise ValueError(f'a kernel of shape {shape} is larger than any that can be run')
    return np.zeros(shape)
