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
and bits of synapse memory. A pixel of the previous layer arrives on one axon, whichever of its
channels fires: the spike carries the channel, which selects the weights, and pixels that see the
same part of the kernel share weights. So the memory holds every part of the kernel that occurs in
the tile, whole or cut off at an edge, and each pixel of a tile needs an output axon to every core
that it reaches. Large tiles with few channels save memory, small tiles save axons; `place` finds
the fewest cores. The image arrives as bias currents, so the first layer has no synapses.

Sources of limits and formats: Davies et al., "Loihi: A Neuromorphic Manycore Processor with
On-Chip Learning", 2018, and the blocks of nengo-loihi 1.1. Nothing here needs that library.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice, pairwise, product
from math import ceil, prod

from snn_perception.backends.loihi.geometry import Span, Tile, Tiling, axes, even_lengths
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
    """A layer of neurons: weighted layer `index` of `network`, and what its tiles need."""

    def __init__(self, network: Network, index: int) -> None:
        self.network = network
        self.index = index
        self.stage = network.populations[index]
        self.shape = self.stage.output_shape
        self.rows, self.columns = axes(self.stage)
        self.name = f'layer {index} ({type(self.stage.layer).__name__.lower()})'

    def count(self, tiling: Tiling) -> int:
        """Number of tiles of `tiling`."""
        return prod(ceil(size / length) for size, length in zip(self.shape, tiling, strict=True))

    def input_axons(self, tile: Tile) -> int:
        """Axons into the core of `tile`: one for each pixel that it sees."""
        if self.index == 0:
            return 0
        return len(self.rows.windows(tile.rows)) * len(self.columns.windows(tile.columns))

    def synapse_bits(self, tile: Tile) -> int:
        """Bits of synapse memory that the core of `tile` needs."""
        if not self.input_axons(tile):
            return 0
        rows, columns = self.rows.parts(tile.rows), self.columns.parts(tile.columns)
        height, width, channels = tile.shape
        last_index = ((channels - 1) * height + rows[-1] - 1) * width + columns[-1] - 1
        weights = self.stage.input_shape[2] * channels
        parts = product(rows, columns)
        return sum(memory_bits(weights * prod(taps), last_index) for taps in parts)

    def excess(self, tiling: Tiling) -> str:
        """A sentence about a limit of a core that some tile of `tiling` exceeds, or ''."""
        if prod(tiling) > COMPARTMENTS or prod(tiling[:2]) > PIXELS:
            return f'tiles of {tiling} are too large for a Loihi core'
        what = 'a neuron' if prod(tiling) == 1 else f'a tile of {prod(tiling)} neurons'
        kinds = self.rows.kinds(tiling.height), self.columns.kinds(tiling.width)
        for rows, columns in product(*kinds):
            tile = Tile(rows, columns, Span(0, tiling.channels))
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
        height, width, channels = map(even_lengths, self.shape)
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
    following = [*placed[1:], None]
    return Placement(
        tuple(_placed(*here, then) for here, then in zip(placed, following, strict=True)), copies
    )


def _fewest_cores(layers: list[Layer]) -> tuple[Tiling, ...]:
    """The tiling of each layer, found from the last layer to the first. Raises MappingError."""
    tilings = {layer: layer.tilings() for layer in layers}
    for layer in layers:
        if not tilings[layer]:
            raise MappingError(layer.excess(SINGLE))
    # For each tiling of a layer: the fewest cores from this layer on, and tilings with so few.
    best: dict[Tiling, tuple[int, tuple[Tiling, ...]]]
    best = {tiling: (layers[-1].count(tiling), (tiling,)) for tiling in tilings[layers[-1]]}
    for layer, following in reversed(list(pairwise(layers))):
        later, best = best, {}
        for tiling in tilings[layer]:
            fitting = [
                total
                for target, total in later.items()
                if output_axons(tiling, following, target) <= OUTPUT_AXONS
            ]
            if fitting:
                cores, rest = min(fitting)
                best[tiling] = cores + layer.count(tiling), (tiling, *rest)
        if not best:
            raise MappingError(
                f'a neuron of {layer.name} needs an axon to every core of {following.name} that '
                f'it reaches, but a Loihi core has {OUTPUT_AXONS // SLOTS}'
            )
    return min(best.values())[1]


def output_axons(tiling: Tiling, following: Layer, target: Tiling) -> int:
    """Most output axons of a core with a tile of `tiling`, if the next layer is in `target` tiles.

    `following` is that next layer. All channels of a pixel share one axon to each core that the
    pixel reaches.
    """
    rows = following.rows.most_targets(tiling.height, target.height)
    columns = following.columns.most_targets(tiling.width, target.width)
    return SLOTS * rows * columns * ceil(following.shape[2] / target.channels)


def memory_bits(synapses: int, last_index: int) -> int:
    """Memory in bits for a list of `synapses` onto compartments with indices up to `last_index`.

    Each is a weight of 8 bits and an index of 6 bits or more; every 64 of them share a header of
    10 bits and begin a new word of 64 bits.
    """
    index_bits = max(last_index.bit_length(), 6)
    words = [ceil((count * (8 + index_bits) + 10) / 64) for count in (64, synapses % 64)]
    return 64 * (synapses // 64 * words[0] + (words[1] if synapses % 64 else 0))


def _placed(layer: Layer, tiling: Tiling, following: tuple[Layer, Tiling] | None) -> Placed:
    tiles = list(tiling.tiles(layer.shape))
    bits = [layer.synapse_bits(tile) for tile in tiles]
    return Placed(
        layer,
        tiling,
        cores=len(tiles),
        neurons=prod(layer.shape),
        synapse_bits=sum(bits),
        compartments=max(prod(tile.shape) for tile in tiles),
        input_axons=max(layer.input_axons(tile) for tile in tiles),
        output_axons=output_axons(tiling, *following) if following else 0,
        memory=max(bits),
    )
