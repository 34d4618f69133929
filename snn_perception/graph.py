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

"""Layers resolved into populations of neurons and the connections that lead into them.

Poolings are part of the connections behind them, so only populations are left: each knows the
earlier ones, or the input, that its connections come from. The input is an image, which is a
constant current, or the events of a sensor, which are spikes like those of any population.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from math import prod
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from snn_perception.layers import (
    INPUT,
    Branch,
    Convolution,
    Dense,
    Identity,
    Layer,
    Link,
    Pair,
    Pooling,
    Shape,
    Sum,
    kind_of,
)

IMAGE = -1
"""Index of the source that stands for the image."""

EVENTS = -2
"""Index of the source that stands for the events of a sensor."""

MAXIMUM_NEURONS = 50_000_000


@dataclass(frozen=True)
class Connection:
    """Currents from the population with the index `source`, or from the IMAGE or the EVENTS.

    Its values, of `source_shape`, are averaged over blocks of `pooling` (rows, columns), where
    what is left over is dropped, to `input_shape`; then comes `layer`.
    """

    layer: Link
    source: int
    pooling: Pair
    source_shape: Shape
    input_shape: Shape

    @property
    def output_shape(self) -> Shape:
        """Shape of the currents."""
        return self.layer.output_shape(self.input_shape)

    @property
    def weight_shape(self) -> tuple[int, ...]:
        """Shape of the weights; () for an identity, which has none."""
        return self.layer.weight_shape(self.input_shape)

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one pass without spikes, not counting zero padding.

        Equal to the number of synapses from (pooled) input values.
        """
        return int(self.convolution.fan_out(self.input_shape).sum()) * self.input_shape[2]

    @cached_property
    def convolution(self) -> Convolution:
        """The same as a convolution: over the whole map, or depthwise of one pixel."""
        channels = self.input_shape[2]
        if isinstance(self.layer, Dense):
            return Convolution(self.layer.units, self.input_shape[:2])
        if isinstance(self.layer, Identity):
            return Convolution(channels, 1, groups=channels)
        return self.layer

    @cached_property
    def fan_out(self) -> NDArray[np.int64]:
        """Synaptic operations that one spike causes here, per position of the source.

        int64 (height, width) of `source_shape`; 0 where pooling drops the position.
        """
        rows, columns = self.pooling
        values = self.convolution.fan_out(self.input_shape).repeat(rows, 0).repeat(columns, 1)
        lost = [size - kept for size, kept in zip(self.source_shape, values.shape, strict=False)]
        return np.pad(values, [(0, count) for count in lost])

    def kernel(self, weights: NDArray[np.float32] | None) -> NDArray[np.float32]:
        """The stored `weights` as those of `convolution`, (rows, columns, inputs, channels).

        There are none of an identity, whose kernel holds its scale.
        """
        if isinstance(self.layer, Identity):
            return np.full((1, 1, 1, self.input_shape[2]), self.layer.scale, np.float32)
        assert weights is not None
        return weights.reshape(self.convolution.weight_shape(self.input_shape))


@dataclass(frozen=True)
class Population:
    """Neurons of `output_shape`, driven by the sum of `connections`; the readout has none.

    `index` is its number among the populations, `name` its name if it was given one.
    """

    index: int
    name: str
    connections: tuple[Connection, ...]
    is_readout: bool

    def __str__(self) -> str:
        kinds = [kind_of(connection.layer) for connection in self.connections]
        return f'{self.index} {self.name or " + ".join(kinds).replace("_", " ")}'

    @property
    def output_shape(self) -> Shape:
        """Shape of the currents and of the neurons."""
        return self.connections[0].output_shape

    @property
    def neurons(self) -> int:
        """Number of neurons: one per output value, none in the readout."""
        return 0 if self.is_readout else prod(self.output_shape)

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one pass without spikes through all connections."""
        return sum(connection.macs for connection in self.connections)

    @property
    def sees_image(self) -> bool:
        """Whether a connection comes from the image."""
        return any(connection.source == IMAGE for connection in self.connections)

    @property
    def hears_spikes(self) -> bool:
        """Whether a connection comes from neurons, or from the events of a sensor."""
        return any(connection.source != IMAGE for connection in self.connections)


class _Place(NamedTuple):
    """What a layer can read: a population, or the input, behind a pooling; and its shape."""

    source: int
    pooling: Pair
    source_shape: Shape
    shape: Shape


def connect(
    input_shape: Shape, layers: Iterable[Layer], source: int = IMAGE
) -> tuple[Population, ...]:
    """The populations of `layers` on an input of `input_shape`; the last one is the readout.

    The input is the `source` IMAGE or EVENTS.

    Raises ValueError, which names the layer, for a source that is not before it, a layer that
    nobody reads, and shapes that do not fit.
    """
    return _Builder(_Place(source, (1, 1), input_shape, input_shape), tuple(layers)).populations()


class _Builder:
    def __init__(self, input_place: _Place, layers: tuple[Layer, ...]) -> None:
        self.layers = layers
        self.input = input_place
        self.places: list[_Place] = []
        self.numbers: dict[str, int] = {}
        self.unread = set(range(len(layers) - 1))
        self.made: list[Population] = []

    def populations(self) -> tuple[Population, ...]:
        for number, layer in enumerate(self.layers):
            try:
                place = self._place(number, layer)
                if layer.name in self.numbers:
                    raise ValueError('has the name of an earlier layer')
            except ValueError as reason:
                raise ValueError(f'{self._title(number)} {reason}') from None
            self.places.append(place)
            if layer.name:
                self.numbers[layer.name] = number
        for number in sorted(self.unread):
            raise ValueError(
                f'{self._title(number)} is read by no other layer, '
                'and only the last one may be an output'
            )
        return tuple(self.made)

    def _place(self, number: int, layer: Layer) -> _Place:
        """What later layers find at layer `number`."""
        if isinstance(layer, Pooling):
            return self._pool(self._source(number, layer.source), layer)
        connections = self._connections(number, layer)
        is_last = number == len(self.layers) - 1
        self.made.append(Population(len(self.made), layer.name, connections, is_last))
        shape = connections[0].output_shape
        return _Place(self.made[-1].index, (1, 1), shape, shape)

    def _connections(self, number: int, layer: Link | Sum) -> tuple[Connection, ...]:
        branches: tuple[Branch, ...] = layer.branches if isinstance(layer, Sum) else ((layer,),)
        connections = []
        for branch in branches:
            place = self._source(number, branch[0].source)
            for each in branch:
                if isinstance(each, Pooling):
                    place = self._pool(place, each)
                else:
                    connections.append(_connection(place, each))
        shapes = sorted({connection.output_shape for connection in connections})
        if len(shapes) > 1:
            listed = ' and '.join(map(str, shapes))
            raise ValueError(f'cannot add currents of the shapes {listed}')
        return tuple(connections)

    def _source(self, number: int, name: str) -> _Place:
        """What layer `number` reads under `name`, or without one."""
        if name == INPUT or (not name and number == 0):
            return self.input
        if name and name not in self.numbers:
            later = [layer.name for layer in self.layers[number:]]
            if name in later:
                raise ValueError(
                    f'takes its input from {name!r}, which does not come before it: '
                    'a network has no cycles'
                )
            known = ', '.join(map(repr, [INPUT, *self.numbers]))
            raise ValueError(
                f'takes its input from {name!r}, and no layer has that name; known are {known}'
            )
        index = self.numbers[name] if name else number - 1
        self.unread.discard(index)
        return self.places[index]

    def _pool(self, place: _Place, pooling: Pooling) -> _Place:
        if place.source == self.input.source:
            raise ValueError(
                f'cannot pool the {"image" if place.source == IMAGE else "events"}: the first '
                f'layer must be a convolution or dense, and the input comes in its own shape'
            )
        height, width, channels = place.shape
        rows, columns = pooling.block(place.shape)
        shape = height // rows, width // columns, channels
        if min(shape) < 1:
            raise ValueError(f'has no output left for an input of shape {place.shape}')
        block = place.pooling[0] * rows, place.pooling[1] * columns
        return _Place(place.source, block, place.source_shape, shape)

    def _title(self, number: int) -> str:
        layer = self.layers[number]
        called = f' {layer.name!r}' if layer.name else ''
        return f'layer {number}{called} ({kind_of(layer).replace("_", " ")})'


def _connection(place: _Place, layer: Link) -> Connection:
    """The connection from `place` through `layer`; raises ValueError if that does not fit."""
    inputs = place.shape[2]
    if isinstance(layer, Convolution) and inputs % layer.groups:
        raise ValueError(
            f'has {layer.groups} groups, which do not divide the {inputs} channels that come in'
        )
    if isinstance(layer, Convolution):
        rows, columns = (
            size + sum(margin) for size, margin in zip(place.shape[:2], layer.margins, strict=True)
        )
        if rows * columns * inputs > MAXIMUM_NEURONS >= prod(place.shape):
            raise ValueError(
                f'has a padding that makes {rows * columns * inputs} values of its input, '
                f'more than the {MAXIMUM_NEURONS} allowed'
            )
    if min(layer.output_shape(place.shape)) < 1:
        raise ValueError(f'has no output left for an input of shape {place.shape}')
    return Connection(layer, place.source, place.pooling, place.source_shape, place.shape)
