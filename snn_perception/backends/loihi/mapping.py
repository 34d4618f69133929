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

"""How a network is spread over the cores of Loihi chips: the tiles that take the fewest.

Each pixel of a tile needs an output axon to every core that it reaches. Large tiles with few
channels save memory, small tiles save axons, see `cores`; `place` looks for the fewest cores.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from math import ceil, prod

import numpy as np

from snn_perception.backends.loihi.cores import OUTPUT_AXONS, Layer
from snn_perception.backends.loihi.geometry import Tiling, Wiring
from snn_perception.network import Network
from snn_perception.neurons import IF, LIF

SLOTS = 2
"""Number of a core's output axons that one axon with population spikes of 32 bits uses up."""

SINGLE = Tiling(1, 1, 1)

KEPT = 100
"""So many ways to place the layers from some layer on are looked at further."""

CORES_OF_A_CHIP = 128
CHIPS = 32
"""Chips of the largest single board, Nahuku."""


class MappingError(ValueError):
    """A network that does not fit the chips; the message is one sentence that says why."""


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

    In a chain no tilings take fewer cores. With skips some might, as not all are looked at.
    """
    tilings = {layer: layer.tilings() for layer in layers}
    for layer in layers:
        if not tilings[layer]:
            raise MappingError(layer.excess(SINGLE))
    # Tilings of the layers from here on, with the number of their cores, the fewest first.
    best: list[tuple[int, tuple[Tiling, ...]]] = [(0, ())]
    for index, layer in reversed(list(enumerate(layers))):
        targets = _targets(layer, layers[index + 1 :])
        # Later layers whose tilings matter to layers before this one, which they hear as well.
        hearing = [
            place
            for place, target in enumerate(layers[index + 1 :])
            if any(0 <= wiring.source < layer.index for wiring in target.wirings)
        ]
        found = []
        for tiling in tilings[layer]:
            kinds = set()
            for cores, rest in best:
                kind = tuple(rest[place] for place in hearing)
                if kind not in kinds and _output_axons(tiling, targets, rest) <= OUTPUT_AXONS:
                    kinds.add(kind)
                    found.append((cores + layer.count(tiling), (tiling, *rest)))
                    if not hearing:
                        break
        if not found:
            reached = ' and '.join(dict.fromkeys(layers[index + 1 + at].name for at, _ in targets))
            raise MappingError(
                f'a neuron of {layer.name} needs an axon to every core of {reached} that '
                f'it reaches, but a Loihi core has {OUTPUT_AXONS // SLOTS}'
            )
        best = _worth_keeping(found)
    return best[0][1]


def _worth_keeping(
    found: list[tuple[int, tuple[Tiling, ...]]],
) -> list[tuple[int, tuple[Tiling, ...]]]:
    """The KEPT with the fewest cores, and the best one for each tiling of the first layer."""
    kept: list[tuple[int, tuple[Tiling, ...]]] = []
    firsts = set()
    for each in sorted(found):
        first = each[1][0]
        if len(kept) < KEPT or first not in firsts:
            kept.append(each)
            firsts.add(first)
    return kept


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
