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

"""A model as an ordinary Nengo network: for probes, Nengo GUI and Nengo's other simulators.

Each population of neurons is an Ensemble of gain 1, of which only the neurons are used. The image
or the events, and the spikes, 1 / dt high for one step like ours, reach them through the
transforms that `nengo_transforms` makes. Timing is the same except for synapses:

    ours             weighted spikes of step n -> synapse -> current of step n
    in a Node        the same: its process filters the input, and the Node outputs it at once
    on a Connection  current of step n + 1: it is updated when everything else in step n is done
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snn_perception.backends.nengo_transforms import connect, nengo
from snn_perception.graph import IMAGE, Population
from snn_perception.model import Model
from snn_perception.network import INPUT_KINDS
from snn_perception.neurons import LIF, Neuron
from snn_perception.synapses import Synapse
from snn_perception.widening import without_unknown

LONGEST_STEP = 30.0
"""Longest time step in units of tau_rc: with longer ones rounding breaks a log in Nengo's LIF."""


def build_network(
    model: Model, pipelined: bool = False, with_directions: bool = False
) -> nengo.Network:
    """`model` as a network for Nengo, to be simulated with the time step `model.dt`.

    Its attributes are the Node `input`, the Ensembles `layers`, with neurons in the order of a
    flattened feature map, and the Node `readout`. That has an output for each class and, if it is
    to be `with_directions`, those by which the model tells the unknown. Set the `output` of
    `input` to a prepared image, flattened, or to a function or process that returns one; it is
    zeros at first. For a model that hears events that is the counts of each step, divided by dt.
    Average pooling is folded into the weights that follow it.

    Each synapse is a process in a Node of its own, and every neuron spikes in exactly the same
    steps as on the reference engine. If `pipelined`, synapses are on the Connections, as is usual
    in Nengo and as chips need it, since a Node is not on the chip. Each synapse then delays
    everything after it by one step, and connections that skip layers wait for the longest path.
    Neurons start with a refractory period as long as the delay of their layer, so they spike as
    on the reference engine, only later by that delay.

    This holds up to rounding in 64 bits, Nengo's default. Raises ValueError for a connection that
    would have more than MAXIMUM_WEIGHTS with pooling folded in, for time steps longer than
    LONGEST_STEP, and for neurons other than LIF in a pipeline.
    """
    if not with_directions:
        model = without_unknown(model)
    network = nengo.Network(label=model.name, seed=0)
    with network:
        network.input = nengo.Node(np.zeros(prod(model.network.input_shape)), label='input')
        network.layers, network.readout = [], None
        builder = _Builder(model, pipelined, network)
        for population in model.network.populations:
            builder.add(population)
    return network


class _Builder:
    """Adds populations one after another; `sources` and `delays` (steps) are by their index."""

    def __init__(self, model: Model, pipelined: bool, network: nengo.Network) -> None:
        self.model = model
        self.pipelined = pipelined
        self.network = network
        given = INPUT_KINDS[model.network.input_kind]
        self.sources = {given: network.input}
        self.delays = {given: 0}

    def add(self, population: Population) -> None:
        """Add the neurons of `population`, or the readout, and the connections into them."""
        index, network = population.index, self.model.network
        synapse, bias = network.synapse_of(index), self.model.weights[index].bias
        lags = [self._lag(connection.source, synapse) for connection in population.connections]
        self.delays[index] = delay = max(lags)
        if population.is_readout:
            self.network.readout = target = _readout(bias)
        else:
            neurons = _neuron_type(network.neuron, population, self.model.dt, delay)
            self.network.layers.append(_layer(f'layer {index}', population, bias, neurons))
            self.sources[index] = target = self.network.layers[-1].neurons
        filtered, filtering = target, synapse
        if synapse.order and not self.pipelined:
            filtered = _in_node(_filter(synapse, self.model.dt), target, f'synapse {index}')
            filtering = Synapse()
        for lag, (connection, kernel) in zip(lags, self.model.connections(index), strict=True):
            source, is_image = self.sources[connection.source], connection.source == IMAGE
            connect(
                source,
                target if is_image else filtered,
                population,
                connection,
                kernel,
                _filter(Synapse() if is_image else filtering, self.model.dt, delay - lag),
            )

    def _lag(self, source: int, synapse: Synapse) -> int:
        """Steps by which currents from `source` arrive later than in the reference."""
        is_delayed = self.pipelined and source != IMAGE and synapse.order > 0
        return self.delays[source] + is_delayed


def _layer(
    label: str, population: Population, bias: NDArray, neurons: nengo.neurons.NeuronType
) -> nengo.Ensemble:
    """The neurons of `population`, with one `bias` (channels,) per channel."""
    gain, biases = nengo.dists.Choice([1]), np.broadcast_to(bias, population.output_shape)
    return nengo.Ensemble(
        biases.size, 1, gain=gain, bias=biases.reshape(-1), neuron_type=neurons, label=label
    )


def _readout(bias: NDArray[np.float32]) -> nengo.Node:
    readout = nengo.Node(size_in=bias.size, label='readout')
    nengo.Connection(nengo.Node(bias, label='readout bias'), readout, synapse=None)
    return readout


def _filter(synapse: Synapse, dt: float, delay: int = 0) -> nengo.synapses.Synapse | None:
    """`synapse` in Nengo, after a `delay` in steps; without a synapse, a pure delay or nothing.

    Nengo's own alpha synapse is not two exponential ones in series. A pure delay is one by what
    it is on a Connection, which adds a step to whatever filters it has.
    """
    order = synapse.order
    if not delay and order < 2:
        return nengo.Lowpass(synapse.tau) if order else None
    decay = synapse.decay(dt)
    numerator = [(1 - decay) ** order, *[0] * (order - 1)]
    denominator = [*np.atleast_1d(np.poly([decay] * order)), *[0] * delay]
    return nengo.LinearFilter(numerator, denominator, analog=False)


def _in_node(synapse: nengo.synapses.Synapse, target: Any, label: str) -> nengo.Node:
    """A Node that filters the input of `target`."""
    node = nengo.Node(synapse, size_in=target.size_in, size_out=target.size_in, label=label)
    nengo.Connection(node, target, synapse=None)
    return node


def _neuron_type(
    neuron: Neuron, population: Population, dt: float, delay_steps: int
) -> nengo.neurons.NeuronType:
    """The `neuron` of `population` in Nengo, at rest and starting after `delay_steps` steps."""
    if type(neuron) is LIF:
        if dt > LONGEST_STEP * neuron.tau_rc:
            raise ValueError(
                f'Nengo takes steps of at most {LONGEST_STEP:g} tau_rc, which is '
                f'{LONGEST_STEP * neuron.tau_rc:g} s here, not {dt:g} s'
            )
        # Nengo subtracts a step from the refractory period before it checks whether it is over.
        wait = (delay_steps + 1) * dt if delay_steps else 0
        potentials = neuron.rest(population.output_shape)[0].reshape(-1)
        rest = {
            'voltage': nengo.dists.Samples(potentials),
            'refractory_time': nengo.dists.Choice([wait]),
        }
        return nengo.LIF(neuron.tau_rc, neuron.tau_ref, initial_state=rest)
    if delay_steps:
        raise ValueError(f'the neurons of a pipeline must be LIF, not {neuron}')
    return OtherNeurons(neuron, population.output_shape)


class OtherNeurons(nengo.neurons.NeuronType):
    """Neurons with our step, for kinds that Nengo lacks or steps differently."""

    spiking = True
    negative = False
    neuron = nengo.params.Parameter('neuron')
    shape = nengo.params.Parameter('shape')

    def __init__(self, neuron: Neuron, shape: tuple[int, int, int]) -> None:
        super().__init__()
        self.neuron = neuron
        self.shape = shape

    @property
    def state(self) -> dict[str, nengo.dists.Distribution]:
        """Distributions of the state at rest, by name."""
        values = zip(self.neuron.names, self.neuron.rest(self.shape), strict=True)
        return {name: nengo.dists.Samples(value.reshape(-1)) for name, value in values}

    def rates(self, x: NDArray, gain: NDArray, bias: NDArray) -> NDArray:
        """Firing rates (Hz) for inputs `x`; see Nengo's method of that name."""
        return self.neuron.rate(self.current(x, gain, bias))

    def max_rates_intercepts(self, gain: NDArray, bias: NDArray) -> tuple[NDArray, NDArray]:
        """Rates (Hz) at an input of 1, and the inputs at which firing begins; (neurons,) each."""
        return self.neuron.rate(gain + bias), (self.neuron.rheobase - bias) / gain

    def step(self, dt: float, J: NDArray, output: NDArray, **state: NDArray) -> None:  # noqa: N803
        """Advance `state` by `dt` (s) under currents `J` (neurons,); see Nengo's method."""
        memory = tuple(state[name] for name in self.neuron.names)
        output[...] = self.neuron.step(J, memory, dt) / dt
