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

"""Layers cut into tiles, and which part of an earlier layer each tile sees.

Along either axis of a feature map an input position reaches a few outputs, each through one tap
of the kernel. Positions in the middle of a tile reach outputs through all taps that the stride
allows, positions near its edges only through some.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import product
from math import ceil
from typing import NamedTuple

from snn_perception.graph import Connection
from snn_perception.layers import Shape


class Span(NamedTuple):
    """Positions along an axis, from `first` up to but not including `stop`."""

    first: int
    stop: int


class Window(NamedTuple):
    """The outputs of a tile that an input position reaches along one axis.

    The first of them is output `base` of the tile, and each is reached through the kernel's tap
    at the same place in `taps`.
    """

    base: int
    taps: tuple[int, ...]


@dataclass(frozen=True)
class Axis:
    """A convolution along one axis, with `inputs` positions left after a pooling by `pooling`.

    `padding` is the number of zeros before the first position, `dropped` how many positions the
    pooling leaves over.
    """

    inputs: int
    outputs: int
    kernel: int
    stride: int = 1
    padding: int = 0
    pooling: int = 1
    dropped: int = 0

    @cache  # noqa: B019 (axes are few and small)
    def windows(self, tile: Span) -> dict[int, Window]:
        """The window of each input position that reaches `tile` at all, in order."""
        reached: dict[int, dict[int, int]] = {}
        for output in range(*tile):
            start = output * self.stride - self.padding
            for position in range(max(start, 0), min(start + self.kernel, self.inputs)):
                reached.setdefault(position, {})[output - tile.first] = position - start
        return {
            position: Window(min(taps), tuple(taps.values()))
            for position, taps in sorted(reached.items())
        }

    @cache  # noqa: B019
    def parts(self, tile: Span) -> tuple[int, ...]:
        """The numbers of taps in the different parts of the kernel that `tile` needs."""
        return tuple(sorted(map(len, {window.taps for window in self.windows(tile).values()})))

    @cache  # noqa: B019
    def targets(self, source: int, target: int) -> tuple[int, ...]:
        """Connections out of each tile of `source` positions to tiles of `target` outputs.

        A connection joins one (pooled) position and one tile. The source is cut before pooling.
        """
        tiles = [self.windows(tile).keys() for tile in spans(self.outputs, target)]
        pooled = [
            {position // self.pooling for position in range(*tile)}
            for tile in spans(self.inputs * self.pooling + self.dropped, source)
        ]
        return tuple(sum(len(positions & tile) for tile in tiles) for positions in pooled)

    @cache  # noqa: B019
    def most_targets(self, source: int, target: int) -> int:
        """The most of `targets`."""
        return max(self.targets(source, target))


@dataclass(frozen=True)
class Channels:
    """Input and output channels of a convolution, in `groups` that have nothing in common."""

    inputs: int
    outputs: int
    groups: int = 1

    def fits(self, length: int) -> bool:
        """Whether each input that a tile of `length` outputs hears reaches as many of them."""
        outputs = self.outputs // self.groups
        return self.groups == 1 or length % outputs == 0 or outputs % length == 0

    def heard(self, tile: Span) -> Span:
        """The inputs that reach `tile` at all."""
        inputs, outputs = self.inputs // self.groups, self.outputs // self.groups
        return Span(tile.first // outputs * inputs, ceil(tile.stop / outputs) * inputs)

    def reached(self, tile: Span) -> int:
        """How many outputs of `tile` each input that it hears reaches."""
        return min(tile.stop - tile.first, self.outputs // self.groups)

    @cache  # noqa: B019
    def targets(self, source: int, target: int) -> tuple[int, ...]:
        """How many tiles of `target` outputs each tile of `source` inputs reaches."""
        heard = [self.heard(tile) for tile in spans(self.outputs, target)]
        return tuple(
            sum(first < tile.stop and tile.first < stop for first, stop in heard)
            for tile in spans(self.inputs, source)
        )

    @cache  # noqa: B019
    def most_targets(self, source: int, target: int) -> int:
        """The most of `targets`."""
        return max(self.targets(source, target))


class Tile(NamedTuple):
    """A part of a layer."""

    rows: Span
    columns: Span
    channels: Span

    @property
    def shape(self) -> Shape:
        """Height, width and channels."""
        height, width, channels = (stop - first for first, stop in self)
        return height, width, channels


class Tiling(NamedTuple):
    """Size of the tiles that a layer is cut into; the last one along an axis may be smaller."""

    height: int
    width: int
    channels: int

    def tiles(self, shape: Shape) -> Iterator[Tile]:
        """The tiles of a layer of `shape`, channel by channel and row by row."""
        cut = (spans(size, length) for size, length in zip(shape, self, strict=True))
        return (Tile(*parts) for parts in product(*cut))


@dataclass(frozen=True)
class Wiring:
    """Synapses from the neurons of the layer with index `source`."""

    source: int
    rows: Axis
    columns: Axis
    channels: Channels

    @classmethod
    def of(cls, connection: Connection) -> Wiring:
        """The wiring of `connection`."""
        layer, inputs = connection.convolution, connection.input_shape
        outputs = connection.output_shape
        rows, columns = (
            Axis(
                inputs[axis],
                outputs[axis],
                layer.kernel_size[axis],
                layer.strides[axis],
                layer.margins[axis][0],
                connection.pooling[axis],
                connection.source_shape[axis] - inputs[axis] * connection.pooling[axis],
            )
            for axis in (0, 1)
        )
        channels = Channels(inputs[2], outputs[2], layer.groups)
        return cls(connection.source, rows, columns, channels)

    def targets(self, source: Tiling, target: Tiling) -> tuple[tuple[int, ...], ...]:
        """Factors of how many connections lead out of each `source` tile to `target` tiles.

        They are for its place among the rows, the columns and the channels. All channels of a
        pixel share a connection to each tile that the pixel reaches.
        """
        return (
            self.rows.targets(source.height, target.height),
            self.columns.targets(source.width, target.width),
            self.channels.targets(source.channels, target.channels),
        )

    def most_targets(self, source: Tiling, target: Tiling) -> int:
        """The most connections out of a `source` tile to `target` tiles."""
        return (
            self.rows.most_targets(source.height, target.height)
            * self.columns.most_targets(source.width, target.width)
            * self.channels.most_targets(source.channels, target.channels)
        )


def spans(size: int, length: int) -> list[Span]:
    """`size` positions cut into pieces of `length`; the last piece may be shorter."""
    return [Span(first, min(first + length, size)) for first in range(0, size, length)]


def even_lengths(size: int, fits: Callable[[int], bool] = lambda _: True) -> list[int]:
    """Lengths that fit of pieces of `size`: for each number of pieces the shortest, in order."""
    lengths = {ceil(size / length): length for length in range(size, 0, -1) if fits(length)}
    return list(lengths.values())


@lru_cache(maxsize=4096)
def kinds(axes: tuple[Axis, ...], outputs: int, length: int) -> list[tuple[Span, int]]:
    """A tile of each kind among those of `length` of `outputs`, and how many are of that kind.

    Tiles of a kind need the same for the convolutions of all `axes`.
    """
    tiles: dict[Hashable, list[Span]] = {}
    for tile in spans(outputs, length):
        needs = tuple((len(axis.windows(tile)), axis.parts(tile)) for axis in axes)
        tiles.setdefault((tile.stop - tile.first, needs), []).append(tile)
    return [(alike[-1], len(alike)) for alike in tiles.values()]
