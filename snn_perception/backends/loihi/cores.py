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

"""What the neurons of a layer need on the cores of Loihi chips, tile by tile.

A core holds a tile of a layer, and has limits: compartments (neurons), input axons, output axons,
and bits of synapse memory. A pixel of an earlier layer arrives on one axon for each connection,
whichever of its channels fires: the spike carries the channel, which selects the weights, and
pixels that see the same part of the kernel share weights. So the memory holds every part of the
kernel that occurs in the tile, whole or cut off at an edge. Of a convolution in groups a core
holds the weights of its own groups, and hears only these. The image arrives as bias currents, so
connections from it have no synapses; the events of a sensor arrive on axons as spikes do.

Sources of limits and formats: Davies et al., "Loihi: A Neuromorphic Manycore Processor with
On-Chip Learning", 2018, and the blocks of nengo-loihi 1.1. Nothing here needs that library.
"""

from __future__ import annotations

from itertools import islice, product
from math import ceil, prod

from snn_perception.backends.loihi.geometry import Tile, Tiling, Wiring, even_lengths, kinds
from snn_perception.graph import IMAGE
from snn_perception.layers import kind_of
from snn_perception.network import Network

COMPARTMENTS = 1024
INPUT_AXONS = 4096
OUTPUT_AXONS = 4096
SYNAPSE_BITS = 16384 * 64
"""Limits of a core."""

PIXELS = 256
"""Most pixels in a tile: an axon has 8 bits for where in the first channel its synapses begin."""


class Layer:
    """A layer of neurons: population `index` of `network`, and what its tiles need."""

    def __init__(self, network: Network, index: int) -> None:
        self.network = network
        self.index = index
        self.population = network.populations[index]
        self.shape = self.population.output_shape
        connections = self.population.connections
        self.wirings = [Wiring.of(each) for each in connections if each.source != IMAGE]
        made_of = ' + '.join(kind_of(connection.layer) for connection in connections)
        called = f' {self.population.name!r}' if self.population.name else ''
        self.name = f'layer {index}{called} ({made_of})'

    def fits(self, channels: int) -> bool:
        """Whether tiles of so many `channels` cut no group of a convolution unevenly."""
        return all(wiring.channels.fits(channels) for wiring in self.wirings)

    def count(self, tiling: Tiling) -> int:
        """Number of tiles of `tiling`."""
        return prod(ceil(size / length) for size, length in zip(self.shape, tiling, strict=True))

    def input_axons(self, tile: Tile) -> int:
        """Axons into the core of `tile`: for each connection one for each pixel that it sees."""
        return sum(
            len(wiring.rows.windows(tile.rows)) * len(wiring.columns.windows(tile.columns))
            for wiring in self.wirings
        )

    def synapse_bits(self, tile: Tile) -> int:
        """Bits of synapse memory that the core of `tile` needs."""
        return sum(synapse_bits(wiring, tile) for wiring in self.wirings)

    def kinds(self, tiling: Tiling) -> list[tuple[Tile, int]]:
        """A tile of each kind among those of `tiling`, and how many are of that kind."""
        rows = tuple(wiring.rows for wiring in self.wirings)
        columns = tuple(wiring.columns for wiring in self.wirings)
        found = product(
            kinds(rows, self.shape[0], tiling.height),
            kinds(columns, self.shape[1], tiling.width),
            kinds((), self.shape[2], tiling.channels),
        )
        return [
            (Tile(*(span for span, _ in kind)), prod(count for _, count in kind)) for kind in found
        ]

    def excess(self, tiling: Tiling) -> str:
        """A sentence about a limit of a core that some tile of `tiling` exceeds, or ''."""
        if prod(tiling) > COMPARTMENTS or prod(tiling[:2]) > PIXELS:
            return f'tiles of {tiling} are too large for a Loihi core'
        what = 'a neuron' if prod(tiling) == 1 else f'a tile of {prod(tiling)} neurons'
        for tile, _ in self.kinds(tiling):
            for needed, limit, unit in (
                (self.input_axons(tile), INPUT_AXONS, 'input axons'),
                (self.synapse_bits(tile), SYNAPSE_BITS, 'bits of synapse memory'),
            ):
                if needed > limit:
                    return (
                        f'{what} of {self.name} needs {needed} {unit}, '
                        f'but a Loihi core has {limit}'
                    )
        return ''

    def tilings(self) -> list[Tiling]:
        """For each height and width of a tile, the tiling with the most channels that fits a core.

        Empty if not even single neurons fit.
        """
        height, width = map(even_lengths, self.shape[:2])
        channels = even_lengths(self.shape[2], self.fits)
        found: list[Tiling] = []
        for size in product(height, width):
            sizes = (Tiling(*size, count) for count in channels)
            found += islice((tiling for tiling in sizes if not self.excess(tiling)), 1)
        return found


def memory_bits(synapses: int, last_index: int) -> int:
    """Memory in bits for a list of `synapses` onto compartments with indices up to `last_index`.

    Each is a weight of 8 bits and an index of 6 bits or more; every 64 of them share a header of
    10 bits and begin a new word of 64 bits.
    """
    index_bits = max(last_index.bit_length(), 6)
    words = [ceil((count * (8 + index_bits) + 10) / 64) for count in (64, synapses % 64)]
    return 64 * (synapses // 64 * words[0] + (words[1] if synapses % 64 else 0))


def synapse_bits(wiring: Wiring, tile: Tile) -> int:
    """Bits of memory for the synapses of `wiring` in the core of `tile`."""
    rows, columns = wiring.rows.parts(tile.rows), wiring.columns.parts(tile.columns)
    if not rows or not columns:
        return 0
    height, width, channels = tile.shape
    last_index = ((channels - 1) * height + rows[-1] - 1) * width + columns[-1] - 1
    first, stop = wiring.channels.heard(tile.channels)
    weights = (stop - first) * wiring.channels.reached(tile.channels)
    return sum(memory_bits(weights * prod(taps), last_index) for taps in product(rows, columns))
