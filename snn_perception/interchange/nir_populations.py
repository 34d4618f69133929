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

"""Populations found in a NIR graph, put together as the layers of a network."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from snn_perception.graph import IMAGE
from snn_perception.interchange.nir_arrays import Floats
from snn_perception.interchange.nir_kernels import simplest
from snn_perception.interchange.nir_signals import Signal, Weighted
from snn_perception.layers import (
    INPUT,
    AveragePooling,
    Branch,
    Identity,
    Layer,
    Link,
    Pair,
    Shape,
    Sum,
)
from snn_perception.model import Weights
from snn_perception.network import POLARITIES, Network
from snn_perception.neurons import IF, LIF
from snn_perception.synapses import Synapse


@dataclass(frozen=True)
class Way:
    """A connection from population `source`, or the input, through pooling and a `link`."""

    source: int
    pooling: Pair
    link: Identity | Weighted

    @property
    def layer(self) -> Link:
        """The layer that the link is."""
        return self.link.layer if isinstance(self.link, Weighted) else self.link


@dataclass(frozen=True)
class Found:
    """A population with the `ways` into it, `bias` (channels,), and the synapse of its spikes."""

    name: str
    ways: tuple[Way, ...]
    bias: Floats
    synapse: Synapse

    @classmethod
    def of(cls, currents: Signal, spike_area: float) -> Found:
        """The population, yet without a name, that `currents` drive; raises ValueError."""
        ways = tuple(
            Way(term.source, term.pooling, term.link(currents.shape[0], spike_area))
            for term in currents.terms
        )
        return cls('', ways, currents.bias, currents.synapse)

    @property
    def hears_spikes(self) -> bool:
        """Whether a way comes from neurons, or from the events of a sensor."""
        return any(way.source != IMAGE for way in self.ways)


def assembled(
    image: Shape, found: Sequence[Found], neuron: LIF | IF | None
) -> tuple[Network, tuple[Weights, ...]]:
    """The network of the populations `found`, the last one its readout, and its weights.

    `image` is channels-last. Raises ValueError if the populations do not form a network.
    """
    hidden = [each for each in found[:-1] if each.hears_spikes]
    for each in hidden:
        if each.synapse != hidden[0].synapse:
            raise ValueError(
                f'the synapses before node {each.name!r} are {each.synapse}, but those before '
                f'node {hidden[0].name!r} are {hidden[0].synapse}; here those of all hidden '
                f'layers must be alike'
            )
    network = Network(
        image,
        tuple(layer for number in range(len(found)) for layer in _layers(found, number)),
        neuron or LIF(tau_ref=0.0),
        hidden[0].synapse if hidden else Synapse(),
        found[-1].synapse,
        input_kind='events' if image[2] == POLARITIES else 'image',
    )
    return network, tuple(map(_weights, found))


def _weights(found: Found) -> Weights:
    """The weights in float32; the model refuses those that are not finite."""
    kernels = tuple(way.link.in_single() for way in found.ways if isinstance(way.link, Weighted))
    with np.errstate(over='ignore'):
        return Weights(kernels, found.bias.astype(np.float32))


def _layers(found: Sequence[Found], number: int) -> tuple[Layer, ...]:
    """Population `number` as layers: it has a name if others than the next one read it."""
    is_named = any(way.source == number for each in found[number + 2 :] for way in each.ways)
    name = found[number].name if is_named else ''
    branches = [_branch(found, number, way) for way in found[number].ways]
    if len(branches) > 1:
        return (Sum(tuple(branches), name=name),)
    *poolings, link = branches[0]
    return (*poolings, replace(link, name=name))


def _branch(found: Sequence[Found], number: int, way: Way) -> Branch:
    """A way into population `number`; its first layer names its source, if need be."""
    source = ''
    if max(way.source, IMAGE) != number - 1:  # the input comes before population 0
        source = INPUT if way.source < 0 else found[way.source].name
    if way.pooling == (1, 1):
        return (replace(way.layer, source=source),)
    return AveragePooling(simplest(way.pooling), source=source), way.layer
