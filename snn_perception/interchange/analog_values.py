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

"""Arrays of a file while it is read: a signal, and what each dimension of its array stands for.

Files keep a map as (batch, channels, rows, columns) or (batch, rows, columns, channels), flatten
it in either order and turn one into the other. So each dimension is a tuple of axes of the map,
'h', 'w' and 'c', of which it runs through the last one fastest. Axes of size 1 are in none of
them, nor is the batch, which has the size 1.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import prod

import numpy as np
from numpy.typing import NDArray

from snn_perception.interchange.analog_fates import ConversionError
from snn_perception.interchange.analog_signals import Signal
from snn_perception.layers import Pair, Shape

Dimension = tuple[str, ...]
NCHW = ((), ('c',), ('h',), ('w',))
NHWC = ((), ('h',), ('w',), ('c',))
UNPADDED = ((0, 0), (0, 0))


@dataclass(frozen=True)
class Value:
    """`signal` as an array with these `dimensions`.

    `margins` are zeros around the map that the convolution behind must add. `ended`: a softmax
    was left out, behind which nothing else may come.
    """

    signal: Signal
    dimensions: tuple[Dimension, ...]
    margins: tuple[Pair, Pair] = UNPADDED
    ended: bool = False

    @classmethod
    def of(cls, signal: Signal, dimensions: tuple[Dimension, ...]) -> Value:
        """`signal` with `dimensions`, from which axes of size 1 are taken."""
        sizes = _sizes(signal.shape)
        kept = tuple(tuple(axis for axis in each if sizes[axis] > 1) for each in dimensions)
        return cls(signal, kept)

    @property
    def sizes(self) -> dict[str, int]:
        """Size of each axis of the map."""
        return _sizes(self.signal.shape)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the array, for a batch of one."""
        sizes = self.sizes
        return tuple(prod(sizes[axis] for axis in each) for each in self.dimensions)

    def expect(self, dimensions: tuple[Dimension, ...]) -> Signal:
        """The signal, if its array has these `dimensions`; raises ConversionError otherwise."""
        if self.dimensions != Value.of(self.signal, dimensions).dimensions:
            raise ConversionError(
                f'reads an array of the shape {self.shape} that is no map in the order of the '
                'format: change the order of dimensions at the input only'
            )
        return self.signal

    def transposed(self, order: list[int]) -> Value:
        """The same with its dimensions in `order`."""
        if sorted(order) != list(range(len(self.dimensions))):
            raise ConversionError(f'cannot put {len(self.dimensions)} dimensions in order {order}')
        return replace(self, dimensions=tuple(self.dimensions[index] for index in order))

    def reshaped(self, shape: list[int]) -> Value:
        """The same as an array of `shape`, of which one may be -1: only a change of the view."""
        wanted, size = list(shape), prod(self.shape)
        if wanted.count(-1) == 1:
            others = prod(each for each in wanted if each != -1)
            wanted[wanted.index(-1)] = size // others if others else 0
        if prod(wanted) != size or min(wanted, default=1) < 1:
            raise ConversionError(
                f'cannot give an array of the shape {self.shape} that of {shape}'
            )
        axes = [axis for dimension in self.dimensions for axis in dimension]
        dimensions = []
        for length in wanted:
            taken: list[str] = []
            while prod(self.sizes[axis] for axis in taken) < length:
                taken.append(axes.pop(0))
            if prod(self.sizes[axis] for axis in taken) != length:
                raise ConversionError(
                    f'divides the channels or the map, {self.shape} into {tuple(wanted)}, and '
                    'networks that shuffle them cannot be converted: leave it out and train again'
                )
            dimensions.append(tuple(taken))
        return replace(self, dimensions=tuple(dimensions))

    def per_channel(self, constant: NDArray) -> NDArray[np.float64]:
        """`constant`, which is broadcast to the array, as one number for each channel."""
        if constant.ndim > len(self.dimensions):
            raise ConversionError(
                f'combines arrays of the shapes {self.shape} and {constant.shape}'
            )
        channels = self.sizes['c']
        shape = (1,) * (len(self.dimensions) - constant.ndim) + constant.shape
        for length, dimension, ours in zip(shape, self.dimensions, self.shape, strict=True):
            if length != 1 and (length != ours or dimension != ('c',)):
                raise ConversionError(
                    f'combines a map of the shape {self.shape} with constants of the shape '
                    f'{constant.shape}: they must be one number, or one for each channel'
                )
        return np.broadcast_to(constant.reshape(-1).astype(np.float64), channels)


def _sizes(shape: Shape) -> dict[str, int]:
    return dict(zip('hwc', shape, strict=True))
