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

"""How a network is spread over the cores of Loihi chips, and what it needs there.

A core holds a tile of a layer, and has limits: compartments (neurons), input axons, output axons,
and bits of synapse memory. A pixel of an earlier layer arrives on one axon for each connection,
whichever of its channels fires: the spike carries the channel, which selects the weights, and
pixels that see the same part of the kernel share weights. So the memory holds every part of the
kernel that occurs in the tile, whole or cut off at an edge, and each pixel of a tile needs an
output axon to every core that it reaches. Of a convolution in groups a core holds the weights of
its own groups, and hears no other cores. Large tiles with few channels save memory, small tiles
save axons; `place` looks for the fewest cores. The image arrives as bias currents, so connections
from it have no synapses.

Sources of limits and formats: Davies et al., "Loihi: A Neuromorphic Manycore Processor with
On-Chip Learning", 2018, and the blocks of nengo-loihi 1.1. Nothing here needs that library.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice, product
from math import ceil, prod

import numpy as np

from snn_perception.backends.loihi.geometry import (
    Tile,
    Tiling,
    Wiring,
    even_lengths,
    kinds,
)
from snn_perception.graph import IMAGE
from snn_perception.layers import kind_of
from snn_perception.network import Network
from snn_perception.neurons import IF, LIF

COMPARTMENTS = 1024
INPUT_AXONS = 4096
OUTPUT_AXONS = 4096
SYNAPSE_BITS = 16384 * 64
"""Limits of a core."""

SLOTS = 2
"""Number of a core's output axons that one axon with population spikes of 32 bits uses up."""

PIXELS = 256
"""Most pixels in a tile: an axon has 8 bits for where in the first channel its synapses begin."""

SINGLE = Tiling(1, 1, 1)

CORES_OF_A_CHIP = 128
CHIPS = 32
"""Chips of the largest single board, Nahuku."""


class MappingError(ValueError):
    """A network that does not fit the chips; the message is one sentence that says why."""


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


@dataclass(frozen=True)
class Placed:
    """A layer on chips, in tiles of `tiling`, and what it needs there.

    `cores`, `neurons` and `synapse_bits` are totals; the rest is for the fullest core.
    """

    layer: Layer
    tiling: Tiling
    cores: int
    neurons: int
    synapse_bits: int
    compartments: int
    input_axons: int
    output_axons: int
    memory: int


@dataclass(frozen=True)
class Placement:
    """How the layers of neurons of a network are placed, in each of `copies` copies.

    `excess` is empty if they fit, otherwise a sentence that says why they do not.
    """

    layers: tuple[Placed, ...]
    copies: int = 1
    excess: str = ''

    @property
    def cores(self) -> int:
        """Number of cores of all copies."""
        return self.copies * sum(placed.cores for placed in self.layers)

    @property
    def chips(self) -> int:
        """Number of chips needed for the cores."""
        return ceil(self.cores / CORES_OF_A_CHIP)


def place(network: Network, copies: int = 1) -> Placement:
    """Place the layers of neurons on as few cores as possible, in `copies` copies.

    If they do not fit, the placement says why and shows each layer on its own; a layer of which
    not even a neuron fits a core is shown with one neuron per core.
    """
    layers = [Layer(network, index) for index in range(len(network.populations) - 1)]
    if not layers:
        return Placement((), excess='Loihi needs a layer of neurons before the readout')
    excess = _unknown(network)
    try:
        placement = in_tiles(layers, _fewest_cores(layers), copies)
    except MappingError as reason:
        each = [min(layer.tilings(), key=layer.count, default=SINGLE) for layer in layers]
        return replace(in_tiles(layers, each, copies), excess=excess or str(reason))
    if placement.chips > CHIPS and not excess:
        excess = (
            f'the network needs {placement.cores} Loihi cores, but a board of {CHIPS} chips has '
            f'{CHIPS * CORES_OF_A_CHIP}'
        )
    return replace(placement, excess=excess)


def _unknown(network: Network) -> str:
    """A sentence about a neuron or synapse of `network` that the chip does not have, or ''."""
    neuron, synapse = type(network.neuron), network.synapse
    if neuron not in (LIF, IF):
        return f'Loihi runs neurons of type lif and if, not {neuron.__name__}'
    if synapse.order > 1:
        return f'Loihi runs synapses of type none and exponential, not {synapse.type}'
    return ''


def in_tiles(layers: list[Layer], tilings: Sequence[Tiling], copies: int = 1) -> Placement:
    """`layers` in tiles of `tilings`, whether they fit or not."""
    placed = list(zip(layers, tilings, strict=True))
    return Placement(tuple(_placed(layer, placed) for layer in layers), copies)


def _fewest_cores(layers: list[Layer]) -> tuple[Tiling, ...]:
    """The tiling of each layer, found from the last layer to the first. Raises MappingError.

    In a chain no tilings take fewer cores. With skips some might: of the tilings of the layers
    behind a layer only the best for each tiling of the one next to it are looked at.
    """
    tilings = {layer: layer.tilings() for layer in layers}
    for layer in layers:
        if not tilings[layer]:
            raise MappingError(layer.excess(SINGLE))
    # For each tiling of a layer: the fewest cores from this layer on, and tilings with so few.
    best: list[tuple[int, tuple[Tiling, ...]]] = [(0, ())]
    for index, layer in reversed(list(enumerate(layers))):
        later, best = best, []
        targets = _targets(layer, layers[index + 1 :])
        for tiling in tilings[layer]:
            fitting = [
                found
                for found in later
                if _output_axons(tiling, targets, found[1]) <= OUTPUT_AXONS
            ]
            if fitting:
                cores, rest = min(fitting)
                best.append((cores + layer.count(tiling), (tiling, *rest)))
        if not best:
            reached = ' and '.join(dict.fromkeys(layers[index + 1 + at].name for at, _ in targets))
            raise MappingError(
                f'a neuron of {layer.name} needs an axon to every core of {reached} that '
                f'it reaches, but a Loihi core has {OUTPUT_AXONS // SLOTS}'
            )
    return min(best)[1]


def _targets(layer: Layer, later: list[Layer]) -> list[tuple[int, Wiring]]:
    """The wirings out of `layer`, each with the index of its target among the `later` layers."""
    return [
        (index, wiring)
        for index, target in enumerate(later)
        for wiring in target.wirings
        if wiring.source == layer.index
    ]


def _output_axons(
    tiling: Tiling, targets: list[tuple[int, Wiring]], later: Sequence[Tiling]
) -> int:
    """No core with a tile of `tiling` needs more output axons to `targets` in `later` tilings.

    It is the least such number if there is one target.
    """
    return SLOTS * sum(wiring.most_targets(tiling, later[index]) for index, wiring in targets)


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


def _placed(layer: Layer, placed: list[tuple[Layer, Tiling]]) -> Placed:
    """`layer` among all the `placed` ones."""
    tilings = dict(placed)
    tiling, tiles = tilings[layer], layer.kinds(tilings[layer])
    targets = [
        wiring.targets(tiling, target)
        for other, target in placed
        for wiring in other.wirings
        if wiring.source == layer.index
    ]
    return Placed(
        layer,
        tiling,
        cores=sum(count for _, count in tiles),
        neurons=prod(layer.shape),
        synapse_bits=sum(count * layer.synapse_bits(tile) for tile, count in tiles),
        compartments=max(prod(tile.shape) for tile, _ in tiles),
        input_axons=max(layer.input_axons(tile) for tile, _ in tiles),
        output_axons=SLOTS * _most_of_sum(targets) if targets else 0,
        memory=max(layer.synapse_bits(tile) for tile, _ in tiles),
    )


def _most_of_sum(targets: list[tuple[tuple[int, ...], ...]]) -> int:
    """The most connections out of a tile to all `targets`, given as `Wiring.targets` does."""
    axes = (np.unique(factors, axis=1) for factors in zip(*targets, strict=True))
    return int(np.einsum('ir,ic,id->rcd', *axes).max())
