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

"""From a model to a NIR graph, and what NIR cannot say about it.

    Input -> weights -> LIF -> LI -> [AvgPool2d] -> [Flatten] -> weights -> LIF -> ... -> Output

An LI comes between an Input of events and its weights as well, since these are spikes.

Each connection is such a way from its source to the neurons, where NIR adds what several edges
bring. Weights are a Conv2d, an Affine, a Linear, or for an identity a Scale, channels first; the
first ones into a population have its bias. Our neuron tau_rc dv/dt = J - v is a LIF with
tau = tau_rc, r = 1, v_leak = v_reset = 0 and v_threshold = 1. An exponential synapse is an LI
with r = 1, an alpha synapse two of them. Weights W that receive spikes are written as
W / spike_area (see `Timing`), in float64 unless that is 1, so that nothing is lost.

Most libraries that run in time steps have no LI but a CubaLIF, which is an exponential synapse
and a LIF in one. For them it replaces the two; the synapse then comes after the weights:

    tau_syn dI/dt = w_in (W s + b) - I        r = tau / step, as in snnTorch, and w_in = 1 / r
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from snn_perception.events.shaping import EventShaping
from snn_perception.graph import EVENTS, IMAGE, Connection, Population
from snn_perception.images import Preprocessing
from snn_perception.interchange.nir_files import libraries
from snn_perception.interchange.nir_nodes import NodeMaker, channels_first
from snn_perception.interchange.timing import Timing
from snn_perception.layers import Convolution, Dense, Identity
from snn_perception.model import Model
from snn_perception.model_file import ModelError
from snn_perception.model_folder import to_yaml
from snn_perception.network import Network
from snn_perception.neurons import IF, LIF
from snn_perception.widening import without_unknown

KEY = 'snn_perception'
"""The metadata of a graph hold under this name, as YAML, the step and all but the weights."""


def to_graph(model: Model, timing: Timing) -> Any:
    """`model` as a nir.NIRGraph for a library with this `timing`.

    Other libraries ignore the metadata under KEY. Raises ValueError if NIR cannot express the
    model.
    """
    _, nir = libraries()
    model = without_unknown(model)
    network = model.network
    if type(network.neuron) not in (LIF, IF):
        raise ModelError(
            f'{model.name} has neurons {network.neuron}, which NIR does not have; '
            f'models with LIF or IF neurons can be exported'
        )
    writer = _Writer(model, NodeMaker(nir, timing, network.neuron), _maps(network))
    writer.nodes['input'] = nir.Input(np.array(channels_first(network.input_shape)))
    for population in network.populations:
        writer.add_population(population)
    writer.add_output()
    text = yaml.safe_dump({'step': timing.step, 'model': to_yaml(model)})
    return nir.NIRGraph(writer.nodes, writer.edges, {KEY: text})


def _maps(network: Network) -> set[int]:
    """The populations, and the input, whose values are maps in NIR; the others are vectors.

    A convolution leads from a map to a map, and NIR can turn a map into a vector, but not back.
    """
    maps = {IMAGE, EVENTS}
    for population in reversed(network.populations):
        kinds = {type(connection.layer) for connection in population.connections}
        if population.index in maps or Convolution in kinds or Dense not in kinds:
            maps.add(population.index)
            maps |= {connection.source for connection in population.connections}
    return maps


@dataclass
class _Writer:
    """Adds nodes one after another; `shape` is the output of the last one, called `last`."""

    model: Model
    make: NodeMaker
    maps: set[int]
    shape: tuple[int, ...] = ()
    last: str = ''
    nodes: dict[str, Any] = field(default_factory=dict)
    edges: list[tuple[str, str]] = field(default_factory=list)

    def add_population(self, population: Population) -> None:
        """Add the connections into one population, and its neurons or the output."""
        index, connections = population.index, population.connections
        synapse = self.model.network.synapse_of(index)
        joined = bool(synapse.order and population.neurons and self.make.joins_synapses)
        weighted = [n for n, connection in enumerate(connections) if connection.weight_shape]
        ends = []
        for number, (connection, kernel) in enumerate(self.model.connections(index)):
            name = f'layer{index}' if len(connections) == 1 else f'layer{index}_{number}'
            self._begin(connection.source)
            if connection.source != IMAGE:
                for order in range(synapse.order - joined):
                    filtering = self.make.leaky_integrator(self.shape, synapse.tau)
                    self._add(f'{name}_synapse{order}', filtering)
            has_bias = number == (weighted[0] if weighted else 0)
            self._connect(name, population, connection, kernel, has_bias)
            ends.append(self.last)
        if population.neurons:
            neurons = self.make.neurons(self.shape, synapse.tau if joined else 0.0)
            self._join(ends, f'layer{index}_neurons', neurons)
        elif len(ends) > 1:  # nirtorch does not add what several edges bring to an Output
            self._join(ends, f'layer{index}_sum', self.make.scale(self.shape, np.float32(1)))

    def add_output(self) -> None:
        """End with what was added last."""
        self._add('output', self.make.nir.Output(np.array(self.shape)))

    def _begin(self, source: int) -> None:
        """Go on from the values of `source`."""
        network = self.model.network
        is_input = source < 0
        shape = network.input_shape if is_input else network.populations[source].output_shape
        self.last = 'input' if is_input else f'layer{source}_neurons'
        self.shape = channels_first(shape) if source in self.maps else (shape[2],)

    def _add(self, name: str, node: Any) -> None:
        self._join([self.last], name, node)

    def _join(self, sources: list[str], name: str, node: Any) -> None:
        """Add a node to which several lead."""
        self.nodes[name] = node
        self.edges += [(source, name) for source in sources]
        self.last = name

    def _connect(
        self,
        name: str,
        population: Population,
        connection: Connection,
        kernel: NDArray[np.float32],
        has_bias: bool,
    ) -> None:
        """Add the pooling, the flattening and the weights of a connection."""
        if connection.pooling != (1, 1):
            self._add(f'{name}_pooling0', self.make.pooling(connection.pooling))
            self.shape = channels_first(connection.input_shape)
        is_map = population.index in self.maps
        if len(self.shape) == 3 and not is_map:
            self._add(f'{name}_flatten', self.make.flatten(self.shape))
            self.shape = (int(np.prod(self.shape)),)
        values = kernel if connection.source == IMAGE else self.make.for_spikes(kernel)
        bias = self.model.weights[population.index].bias if has_bias else None
        if isinstance(connection.layer, Identity) and not has_bias:
            node = self.make.scale(self.shape, values.flat[0])
        elif is_map:
            node = self.make.convolution(connection, values, bias, f'layer {population}')
        else:
            node = self.make.matrix(values, bias)
        self._add(f'{name}_weights', node)
        shape = channels_first(connection.output_shape)
        self.shape = shape if is_map else shape[:1]


def lost(model: Model, timing: Timing) -> dict[str, str]:
    """What the graph of `model` leaves out or says differently, in words, by subject."""
    network, readout = model.network, model.readout
    neuron: Any = network.neuron
    said = {}
    if neuron.tau_ref > 0:
        said['refractory period'] = (
            f'{1000 * neuron.tau_ref:g} ms after each spike; a neuron that fires at f Hz here '
            f'fires at f / (1 - {neuron.tau_ref:g} f) Hz there'
        )
    if neuron.initial_potential:
        said['initial potential'] = (
            f'{neuron.initial_potential:g} of the threshold here; there neurons start at rest'
        )
    if neuron.phases > 1:
        said['phases'] = (
            f'neighbours start from {neuron.phases} potentials here; there neurons start at rest'
        )
    said['floor of the membrane'] = 'potentials never fall below 0 here; there inhibition adds up'
    is_joined = timing.step and isinstance(neuron, LIF) and network.synapse.order
    if is_joined and any(each.hears_spikes for each in network.populations[:-1]):
        said['bias'] = (
            f'acts at once here; in hidden layers there it rises with the synapse, whose time '
            f'constant is {1000 * network.synapse.tau:g} ms'
        )
    if network.firing_window:
        window = f'{1000 * network.firing_window:g} ms'
        said['turns'] = (
            f'each layer fires in a window of {window} of its own here, once all that it hears '
            f'have fired, and hears their mean rates; there all layers fire all the time, which '
            f'takes many more spikes for the same answers'
        )
    mixed = [each for each in network.populations[:-1] if each.sees_image and each.hears_spikes]
    if is_joined and mixed:
        said['image'] = (
            f'acts at once here; there it rises with the synapse where spikes arrive, too, as in '
            f'layer {mixed[0]}'
        )
    if not all(_is_plain(each) for each in network.populations):
        said['shapes'] = (
            'the library nir takes kernels to be square and without groups; read the file with '
            'type_check=False'
        )
    if timing.step:
        said['spikes'] = f'are 1 for one step of {timing.step:g} s; run it with that time step'
    else:
        said['spikes'] = 'have area 1: they are 1 / step high in a library that runs in steps'
    said['preprocessing'] = _preprocessing(model.input)
    if network.firing_window:
        said['readout'] = (
            'the answer is the largest output at the end; there, take means over time'
        )
    else:
        said['readout'] = (
            f'the answer is the largest mean output from {readout.start_time:g} to '
            f'{readout.presentation_time:g} s, or sooner if its score reaches '
            f'{readout.confidence_threshold:.4g}'
        )
    if model.unknown:
        said['unknown'] = 'the score of being unknown, and the outputs that it needs'
    separator = '; ' if any(',' in label for label in model.labels) else ', '
    said['labels'] = separator.join(model.labels)
    return said


def _preprocessing(given: Preprocessing | EventShaping) -> str:
    if isinstance(given, EventShaping):
        return (
            'events of a sensor, channels off and on: each is a spike as above, and several of a '
            'pixel in one step are one that is so many times as high'
        )
    return (
        f'grey levels or colours from 0 to 1{", inverted" if given.invert else ""}, minus '
        f'{given.mean}, divided by {given.deviation}; fit: {given.fit}{_middle(given.centre)}'
    )


def _middle(centre: float) -> str:
    if centre == 1:
        return ''
    return f', and of what that leaves the middle {100 * centre:g} % of its height and width'


def _is_plain(population: Population) -> bool:
    """Whether the library nir knows the shapes of the connections into `population`."""
    layers = [connection.layer for connection in population.connections]
    return not any(
        layer.groups > 1 or layer.kernel_size[0] != layer.kernel_size[1]
        for layer in layers
        if isinstance(layer, Convolution)
    )
