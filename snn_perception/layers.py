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

"""The kinds of layers that a network is made of: their fields, and the shapes they lead to.

Arrays are channels-last: an image or feature map is (height, width, channels). The weights of a
convolution are (kernel rows, kernel columns, inputs of a group, channels), those of a dense layer
(inputs, units), with a feature map flattened in memory order.

Each layer may have a `name`, by which later layers take their input from it, and a `source`, the
name of the layer or the pooling that its own input comes from: 'input' for the image, and nothing
for the layer before.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Shape: TypeAlias = tuple[int, int, int]
Pair: TypeAlias = tuple[int, int]

INPUT = 'input'
"""The source that stands for the image."""


def check_count(what: str, value: int, minimum: int = 1) -> None:
    """Raise ValueError, which says `what` it is, for a `value` out of range."""
    if not minimum <= value <= 65536:
        raise ValueError(f'{what} must be between {minimum} and 65536, not {value}')


def _pair(value: int | Pair) -> Pair:
    """`value` for rows and for columns."""
    return (value, value) if isinstance(value, int) else value


@dataclass(frozen=True, kw_only=True)
class Placed:
    """A layer's own `name` and the name of its `source`, both optional."""

    name: str = ''
    source: str = ''

    def __post_init__(self) -> None:
        if self.name == INPUT:
            raise ValueError(f'no layer can have the name {INPUT!r}, which stands for the image')


@dataclass(frozen=True)
class Convolution(Placed):
    """Convolution with zero padding, followed by one neuron per output value.

    `kernel` and `stride` are numbers for both axes or (rows, columns); `padding` may also be
    (top, bottom, left, right). Each of `groups` equal parts of the channels sees the same part of
    the inputs; with as many groups as inputs and channels the convolution is depthwise. Raises
    ValueError for numbers out of range and for groups that do not divide the channels.
    """

    channels: int
    kernel: int | Pair
    stride: int | Pair = 1
    padding: int | Pair | tuple[int, int, int, int] = 0
    groups: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        check_count('channels of a convolution', self.channels)
        check_count('groups of a convolution', self.groups)
        for what, values in (('kernel', self.kernel_size), ('stride', self.strides)):
            for value in values:
                check_count(f'{what} of a convolution', value)
        for value in (*self.margins[0], *self.margins[1]):
            check_count('padding of a convolution', value, minimum=0)
        if self.channels % self.groups:
            raise ValueError(
                f'groups of a convolution must divide its {self.channels} channels, '
                f'and {self.groups} do not'
            )

    @property
    def kernel_size(self) -> Pair:
        """Rows and columns of the kernel."""
        return _pair(self.kernel)

    @property
    def strides(self) -> Pair:
        """Rows and columns from one window to the next."""
        return _pair(self.stride)

    @property
    def margins(self) -> tuple[Pair, Pair]:
        """Rows of zeros above and below the map, and columns left and right of it."""
        if isinstance(self.padding, int) or len(self.padding) == 2:
            rows, columns = _pair(self.padding)
            return (rows, rows), (columns, columns)
        top, bottom, left, right = self.padding
        return (top, bottom), (left, right)

    def output_shape(self, inputs: Shape) -> Shape:
        """Shape of the output for an input of shape `inputs`."""
        return (self._output_size(inputs, 0), self._output_size(inputs, 1), self.channels)

    def weight_shape(self, inputs: Shape) -> tuple[int, ...]:
        """Shape of the weights for an input of shape `inputs`."""
        return (*self.kernel_size, inputs[2] // self.groups, self.channels)

    def fan_out(self, inputs: Shape) -> NDArray[np.int64]:
        """Synapses that each value at an input position drives, int64 (height, width)."""
        rows, columns = self._targets(inputs, 0), self._targets(inputs, 1)
        return np.outer(rows, columns) * (self.channels // self.groups)

    def _output_size(self, inputs: Shape, axis: int) -> int:
        padded = inputs[axis] + sum(self.margins[axis])
        return (padded - self.kernel_size[axis]) // self.strides[axis] + 1

    def _targets(self, inputs: Shape, axis: int) -> NDArray[np.int64]:
        """How many windows along `axis` cover each position."""
        size, windows = inputs[axis], np.arange(self._output_size(inputs, axis))
        starts = windows * self.strides[axis] - self.margins[axis][0]
        first, stop = (
            np.clip(ends, 0, size) for ends in (starts, starts + self.kernel_size[axis])
        )
        changes = np.bincount(first, minlength=size + 1) - np.bincount(stop, minlength=size + 1)
        return changes.cumsum()[:size]


@dataclass(frozen=True)
class Dense(Placed):
    """Every input connected to every unit; the last layer of a network is one without neurons."""

    units: int

    def __post_init__(self) -> None:
        super().__post_init__()
        check_count('units of a dense layer', self.units)

    def output_shape(self, inputs: Shape) -> Shape:
        """Shape of the output for an input of shape `inputs`."""
        return (1, 1, self.units)

    def weight_shape(self, inputs: Shape) -> tuple[int, ...]:
        """Shape of the weights for an input of shape `inputs`."""
        return (prod(inputs), self.units)


@dataclass(frozen=True)
class Identity(Placed):
    """Each value to the neuron in its own place: a current of `scale` times the rate in Hz.

    It has no weights to train. Raises ValueError for a scale that is not finite.
    """

    scale: float

    def __post_init__(self) -> None:
        super().__post_init__()
        if not np.isfinite(np.float32(self.scale)):
            raise ValueError(f'scale of an identity must be a finite float32, not {self.scale}')

    def output_shape(self, inputs: Shape) -> Shape:
        """Shape of the output for an input of shape `inputs`."""
        return inputs

    def weight_shape(self, inputs: Shape) -> tuple[int, ...]:
        """An identity has no weights."""
        return ()


@dataclass(frozen=True)
class AveragePooling(Placed):
    """Mean over blocks of spikes of `size` rows and columns; what is left over is dropped."""

    size: int | Pair

    def __post_init__(self) -> None:
        super().__post_init__()
        for value in _pair(self.size):
            check_count('size of an average pooling', value)

    def block(self, inputs: Shape) -> Pair:
        """Rows and columns of a block."""
        return _pair(self.size)


@dataclass(frozen=True)
class GlobalAveragePooling(Placed):
    """Mean over the whole map."""

    def block(self, inputs: Shape) -> Pair:
        """Rows and columns of a block, of which there is one."""
        return inputs[:2]


WeightedLayer: TypeAlias = Convolution | Dense
Link: TypeAlias = Convolution | Dense | Identity
Pooling: TypeAlias = AveragePooling | GlobalAveragePooling
Branch: TypeAlias = tuple[Link | Pooling, ...]


@dataclass(frozen=True)
class Sum:
    """Neurons whose current is the sum of several branches, all of one output shape.

    A branch is a convolution, a dense layer or an identity, or a tuple of one of these after
    poolings; its first layer may name a `source`. Raises ValueError for branches of other forms.
    """

    branches: tuple[Branch, ...]
    name: str = ''

    def __init__(self, branches: tuple[Link | Branch, ...], name: str = '') -> None:
        lists = tuple(branch if isinstance(branch, tuple) else (branch,) for branch in branches)
        object.__setattr__(self, 'branches', lists)
        object.__setattr__(self, 'name', Placed(name=name).name)
        if not lists:
            raise ValueError('a sum needs at least one branch')
        for branch in lists:
            if not branch or not isinstance(branch[-1], Link):
                raise ValueError(
                    'a branch of a sum must end with a convolution, a dense layer or an identity'
                )
            if not all(isinstance(layer, Pooling) for layer in branch[:-1]):
                raise ValueError('before the last layer of a branch there can only be poolings')
            if any(layer.name for layer in branch) or any(layer.source for layer in branch[1:]):
                raise ValueError(
                    'in a branch no layer can have a name, and only the first one a source'
                )


Layer: TypeAlias = Link | Pooling | Sum

KINDS: dict[str, type] = {
    'convolution': Convolution,
    'dense': Dense,
    'identity': Identity,
    'average_pooling': AveragePooling,
    'global_average_pooling': GlobalAveragePooling,
    'sum': Sum,
}
"""Kinds of layers by their names in files."""


def kind_of(layer: Layer) -> str:
    """The name of the kind of `layer`."""
    return next(name for name, kind in KINDS.items() if kind is type(layer))
