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

"""A network as data: a graph of populations of neurons without cycles, and what it counts.

Every convolution, dense layer, identity and sum except the last drives spiking neurons; the last
is the linear readout. What is stored are weights W and biases b with which the input current of a
population is

    J = synapse(W s) + V x + b        in units in which the firing threshold is 1

summed over its connections. Here s is the spike trains of earlier populations, in Hz, and x the
prepared image, which is not filtered. If the input is the events of a sensor there is no x: each
event is a spike of its pixel, and several in one step are a taller one. `layers` has the kinds of
layers, and `graph` puts them together.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from math import prod

from snn_perception.graph import EVENTS, IMAGE, MAXIMUM_NEURONS, Population, connect
from snn_perception.layers import Dense, Layer, Pooling, Shape, Sum, check_count
from snn_perception.neurons import LIF, Neuron
from snn_perception.synapses import Synapse
from snn_perception.turns import WITH_TURNS

MAXIMUM_WEIGHTS = 200_000_000

INPUT_KINDS = {'image': IMAGE, 'events': EVENTS}
"""Kinds of input, and the index by which connections name it as their source."""

POLARITIES = 2
"""Channels of an input of events: the first is off, for darker, and the second on, for lighter."""


@dataclass(frozen=True)
class Network:
    """Layers on an input of `input_shape`, with one kind of neuron and one kind of synapse.

    `synapse` filters the spikes into every hidden layer, `readout_synapse` the spikes into the
    last layer. `gamma` is the softening of the rate curve used in training. With a
    `firing_window` (s) layers take turns, each of which is so long, see `turns`; 0: all of them
    fire all the time. `input_kind` is one of INPUT_KINDS; events have POLARITIES channels. Raises
    ValueError for layers that do not fit together, for absurd sizes, and for neurons, synapses
    and inputs that cannot take turns.
    """

    input_shape: Shape
    layers: tuple[Layer, ...]
    neuron: Neuron = field(default_factory=LIF)
    synapse: Synapse = field(default_factory=Synapse)
    readout_synapse: Synapse = field(default_factory=Synapse)
    gamma: float = 0.02
    firing_window: float = 0.0
    input_kind: str = 'image'

    def __post_init__(self) -> None:
        self._check_input()
        for size in self.input_shape:
            check_count('each of height, width and channels of the input', size)
        if not self.layers or not _is_dense(self.layers[-1]):
            raise ValueError('the last layer must be dense, or a sum of such: it is the readout')
        if isinstance(self.layers[0], Pooling):
            raise ValueError('the first layer must be a convolution or dense, not a pooling')
        neurons = weights = 0
        for population in self.populations:
            neurons += prod(population.output_shape)
            for connection in population.connections:
                weights += prod(connection.convolution.weight_shape(connection.input_shape))
        if neurons > MAXIMUM_NEURONS:
            raise ValueError(f'{neurons} neurons are more than the {MAXIMUM_NEURONS} allowed')
        if weights > MAXIMUM_WEIGHTS:
            raise ValueError(f'{weights} weights are more than the {MAXIMUM_WEIGHTS} allowed')
        self._check_turns()

    def _check_input(self) -> None:
        if self.input_kind not in INPUT_KINDS:
            kinds = ', '.join(INPUT_KINDS)
            raise ValueError(f'the input must be one of {kinds}, not {self.input_kind!r}')
        if self.hears_events and self.input_shape[2:] != (POLARITIES,):
            raise ValueError(
                f'an input of events has {POLARITIES} channels, off and on, as in '
                f'[height, width, {POLARITIES}], and not the shape {list(self.input_shape)}'
            )
        if self.hears_events and self.firing_window:
            raise ValueError(
                'layers that take turns need an image, which stays as it is for all turns; with '
                'an input of events leave firing_window out'
            )

    @property
    def hears_events(self) -> bool:
        """Whether its input is the events of a sensor."""
        return self.input_kind == 'events'

    @property
    def thing(self) -> str:
        """What it is shown, in a word for people."""
        return 'recording' if self.hears_events else 'image'

    def _check_turns(self) -> None:
        window = self.firing_window
        if not (math.isfinite(window) and window >= 0):
            raise ValueError(f'firing_window must be a time in s, or 0, not {window}')
        if window and type(self.neuron) not in WITH_TURNS:
            kinds = ' or '.join(kind.__name__ for kind in WITH_TURNS)
            raise ValueError(
                f'with a firing_window neurons must be {kinds}, not {type(self.neuron).__name__}'
            )
        if window and any(self.neuron.resting):
            raise ValueError(
                f'with a firing_window the initial_potential of neurons must be 0, not '
                f'{self.neuron.resting[0]:g}; their biases do the same'
            )
        if window and self.neuron.phases > 1:
            raise ValueError(
                f'with a firing_window neurons must have one phase, not {self.neuron.phases}'
            )
        if window and (self.synapse.order or self.readout_synapse.order):
            raise ValueError('with a firing_window synapses must be of type none')

    @cached_property
    def populations(self) -> tuple[Population, ...]:
        """The populations in an order in which each comes after those that it hears."""
        return connect(self.input_shape, self.layers, INPUT_KINDS[self.input_kind])

    def synapse_of(self, index: int) -> Synapse:
        """The filter for the spikes into population `index`; the image is not filtered."""
        population = self.populations[index]
        if not population.hears_spikes:
            return Synapse()
        return self.readout_synapse if population.is_readout else self.synapse

    @property
    def classes(self) -> int:
        """Number of outputs of the readout."""
        return self.populations[-1].output_shape[2]

    @property
    def neurons(self) -> int:
        """Number of spiking neurons."""
        return sum(population.neurons for population in self.populations)

    @property
    def synapses(self) -> int:
        """Number of synapses that carry spikes or events: all connections except the image's."""
        return self.macs - self.image_macs

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one pass of the same network without spikes."""
        return sum(population.macs for population in self.populations)

    @cached_property
    def image_macs(self) -> int:
        """Multiply-accumulates of the connections that come from the image."""
        return sum(
            connection.macs
            for population in self.populations
            for connection in population.connections
            if connection.source == IMAGE
        )

    @cached_property
    def read_last(self) -> list[list[int]]:
        """For each population, the earlier ones that no later population reads.

        Whoever goes through the populations in order may forget their spikes after it.
        """
        last = {
            connection.source: population.index
            for population in self.populations
            for connection in population.connections
        }
        indices = range(len(self.populations))
        return [[source for source in last if last[source] == index] for index in indices]

    @cached_property
    def turns(self) -> tuple[int, ...]:
        """For each population, how many windows of others have passed when its own begins.

        It is the number of populations before it on the deepest path from the image.
        """
        lengths = self._lengths(lambda population: 1)
        return tuple(round(length) - 1 for length in lengths)

    @property
    def depth(self) -> int:
        """Populations of neurons on the deepest path from the image to the readout."""
        return round(self._lengths(lambda population: 0 if population.is_readout else 1)[-1])

    @property
    def synaptic_delay(self) -> float:
        """Time (s) that a signal takes through the synapses of the deepest path, in the mean.

        A filter of order n delays by n tau; layers that take turns wait for all windows before.
        Membranes take their time in addition, and this depends on their currents.
        """
        if self.firing_window:
            return self.turns[-1] * self.firing_window
        synapses = [self.synapse_of(population.index) for population in self.populations]
        return self._lengths(lambda population: synapses[population.index].mean_delay)[-1]

    def _lengths(self, length: Callable[[Population], float]) -> list[float]:
        """The length of the longest path to each population, whose steps have a `length` each."""
        lengths: list[float] = []
        for population in self.populations:
            sources = [connection.source for connection in population.connections]
            before = max(0 if source < 0 else lengths[source] for source in sources)
            lengths.append(before + length(population))
        return lengths


def _is_dense(layer: Layer) -> bool:
    """Whether `layer`, or each branch of it, is dense."""
    branches = layer.branches if isinstance(layer, Sum) else ((layer,),)
    return all(isinstance(branch[-1], Dense) for branch in branches)
