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

"""Layers cut into tiles, and which part of the previous layer each tile sees.

Along either axis of a feature map an input position reaches a few outputs, each through one tap
of the kernel. Positions in the middle of a tile reach outputs through all taps that the stride
allows, positions near its edges only through some.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import product
from math import ceil, prod
from typing import NamedTuple

from snn_perception.layers import Convolution, Shape
from snn_perception.network import Stage


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

    A dense layer is a convolution whose kernel is as large as its input.
    """

    inputs: int
    outputs: int
    kernel: int
    stride: int = 1
    padding: int = 0
    pooling: int = 1

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
    def kinds(self, length: int) -> list[Span]:
        """One tile of each kind among the tiles of `length`; tiles of a kind need the same."""
        tiles = {
            (tile.stop - tile.first, len(self.windows(tile)), self.parts(tile)): tile
            for tile in spans(self.outputs, length)
        }
        return list(tiles.values())

    @cache  # noqa: B019
    def most_targets(self, source: int, target: int) -> int:
        """Most connections out of a tile of `source` positions to tiles of `target` outputs.

        A connection joins one (pooled) position and one tile. The source is cut before pooling.
        """
        tiles = [self.windows(tile).keys() for tile in spans(self.outputs, target)]
        pooled = [
            {position // self.pooling for position in range(*tile)}
            for tile in spans(self.inputs * self.pooling, source)
        ]
        return max(sum(len(positions & tile) for tile in tiles) for positions in pooled)


def axes(stage: Stage) -> tuple[Axis, Axis]:
    """Rows and columns of `stage`."""
    pooling = prod(layer.size for layer in stage.pooling)
    sizes = zip(stage.input_shape[:2], stage.output_shape[:2], strict=True)
    if isinstance(stage.layer, Convolution):
        form = (stage.layer.kernel, stage.layer.stride, stage.layer.padding)
        rows, columns = (Axis(*size, *form, pooling) for size in sizes)
    else:
        rows, columns = (Axis(*size, size[0], pooling=pooling) for size in sizes)
    return rows, columns


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


def spans(size: int, length: int) -> list[Span]:
    """`size` positions cut into pieces of `length`; the last piece may be shorter."""
    return [Span(first, min(first + length, size)) for first in range(0, size, length)]


def even_lengths(size: int) -> list[int]:
    """Lengths of the pieces if `size` is cut into 1, 2, 3, ... pieces; each length once."""
    return sorted({ceil(size / pieces) for pieces in range(1, size + 1)}, reverse=True)
