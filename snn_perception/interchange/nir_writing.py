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

Weights are a Conv2d or an Affine, channels first, with the bias of the layer. Our neuron
tau_rc dv/dt = J - v is a LIF with tau = tau_rc, r = 1, v_leak = v_reset = 0 and v_threshold = 1.
An exponential synapse is an LI with r = 1, an alpha synapse two of them. Weights W that receive
spikes are written as W / spike_area (see `Timing`), in float64 unless that is 1, so that nothing
is lost.

Most libraries that run in time steps have no LI but a CubaLIF, which is an exponential synapse
and a LIF in one. For them it replaces the two; the synapse then comes after the weights:

    tau_syn dI/dt = w_in (W s + b) - I        r = tau / step, as in snnTorch, and w_in = 1 / r
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from snn_perception.graph import Connection
from snn_perception.interchange.nir_files import libraries
from snn_perception.interchange.timing import Timing
from snn_perception.layers import Convolution, Dense, Shape
from snn_perception.model import Model, Weights, to_yaml
from snn_perception.model_file import ModelError
from snn_perception.neurons import IF, LIF

KEY = 'snn_perception'
"""The metadata of a graph hold under this name, as YAML, the step and all but the weights."""


def to_graph(model: Model, timing: Timing) -> Any:
    """`model` as a nir.NIRGraph for a library with this `timing`.

    Other libraries ignore the metadata under KEY. Raises ValueError if NIR cannot express the
    model.
    """
    _, nir = libraries()
    network = model.network
    if type(network.neuron) not in (LIF, IF):
        raise ModelError(
            f'{model.name} has neurons {network.neuron}, which NIR does not have; '
            f'models with LIF or IF neurons can be exported'
        )
    writer = _Writer(nir, model, timing, _channels_first(network.input_shape))
    writer.nodes['input'] = nir.Input(np.array(writer.shape))
    for index in range(len(network.populations)):
        writer.add_stage(index)
    writer.nodes['output'] = nir.Output(np.array(writer.shape))
    text = yaml.safe_dump({'step': timing.step, 'model': to_yaml(model)})
    return nir.NIRGraph(writer.nodes, list(pairwise(writer.nodes)), {KEY: text})


@dataclass
class _Writer:
    """Adds nodes one after another; `shape`, channels first, is the output of the last one."""

    nir: Any
    model: Model
    timing: Timing
    shape: tuple[int, ...]
    nodes: dict[str, Any] = field(default_factory=dict)

    @property
    def _is_lif(self) -> bool:
        return isinstance(self.model.network.neuron, LIF)

    def add_stage(self, index: int) -> None:
        """Add the synapse, the pooling, the weights and the neurons of one population."""
        population, weights = self.model.network.populations[index], self.model.weights[index]
        connection = population.only_connection('NIR')
        synapse = self.model.network.synapse_of(index)
        joined = bool(synapse.order and self._is_lif and self.timing.step and population.neurons)
        for order in range(synapse.order - joined):
            self.nodes[f'layer{index}_synapse{order}'] = self._leaky_integrator(synapse.tau)
        self._lead_to(index, connection)
        self.nodes[f'layer{index}_weights'] = self._weights(index, connection, weights)
        shape = _channels_first(connection.output_shape)
        self.shape = shape if isinstance(connection.layer, Convolution) else shape[:1]
        if population.neurons:
            self.nodes[f'layer{index}_neurons'] = self._neurons(synapse.tau if joined else 0.0)

    def _lead_to(self, index: int, connection: Connection) -> None:
        """Add the pooling and flattening before weights."""
        is_dense, is_pooled = isinstance(connection.layer, Dense), connection.pooling != (1, 1)
        if len(self.shape) == 1:
            if is_pooled or not is_dense:
                raise ModelError(
                    f'{self.model.name} has a convolution or pooling after a dense layer, '
                    f'which NIR cannot express'
                )
            return
        if is_pooled:
            self.nodes[f'layer{index}_pooling0'] = self._pooling(connection.pooling)
        self.shape = _channels_first(connection.input_shape)
        if is_dense:
            inputs = {'input': np.array(self.shape)}
            self.nodes[f'layer{index}_flatten'] = self.nir.Flatten(inputs, start_dim=0)

    def _weights(self, index: int, connection: Connection, weights: Weights) -> Any:
        kernel: NDArray = weights.kernel
        if index and self.timing.spike_area != 1:
            kernel = kernel.astype(np.float64) / self.timing.spike_area
        if isinstance(connection.layer, Convolution):
            return self.nir.Conv2d(
                input_shape=connection.input_shape[:2],
                weight=np.ascontiguousarray(kernel.transpose(3, 2, 0, 1)),
                stride=connection.layer.strides,
                padding=tuple(before for before, _ in connection.layer.margins),
                dilation=1,
                groups=connection.layer.groups,
                bias=weights.bias,
            )
        matrix = kernel.reshape(*connection.input_shape, -1).transpose(3, 2, 0, 1)
        return self.nir.Affine(matrix.reshape(len(matrix), -1), weights.bias)

    def _neurons(self, joined_tau: float) -> Any:
        """Neurons, merged with a synapse if `joined_tau`, its time constant (s), is not 0."""
        neuron: Any = self.model.network.neuron
        step, zero, one = self.timing.step, self._full(0), self._full(1)
        if not self._is_lif:
            # Libraries add r I to the potential at every step, however long the step is.
            r, threshold = (one, neuron.tau_rc / step) if step else (one / neuron.tau_rc, 1)
            return self.nir.IF(r, v_threshold=self._full(threshold), v_reset=zero)
        tau = self.timing.for_nir(neuron.tau_rc)
        membrane = {'v_leak': zero, 'v_threshold': one, 'v_reset': zero}
        if not joined_tau:
            return self.nir.LIF(tau=self._full(tau), r=one, **membrane)
        r, tau_syn = self._full(tau / step), self._full(self.timing.for_nir(joined_tau))
        # In float64, so that the product of the two is 1.
        w_in = 1 / r.astype(np.float64)
        return self.nir.CubaLIF(tau_syn, self._full(tau), r, w_in=w_in, **membrane)

    def _leaky_integrator(self, tau: float) -> Any:
        tau = self.timing.for_nir(tau)
        return self.nir.LI(tau=self._full(tau), r=self._full(1), v_leak=self._full(0))

    def _pooling(self, block: tuple[int, int]) -> Any:
        size = np.array(block)
        return self.nir.AvgPool2d(kernel_size=size, stride=size, padding=np.array([0, 0]))

    def _full(self, value: float) -> NDArray[np.float32]:
        return np.full(self.shape, value, np.float32)


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
    said['floor of the membrane'] = 'potentials never fall below 0 here; there inhibition adds up'
    is_joined = timing.step and isinstance(neuron, LIF) and network.synapse.order
    if is_joined and len(network.populations) > 2:
        said['bias'] = (
            f'acts at once here; in hidden layers there it rises with the synapse, whose time '
            f'constant is {1000 * network.synapse.tau:g} ms'
        )
    if timing.step:
        said['spikes'] = f'are 1 for one step of {timing.step:g} s; run it with that time step'
    else:
        said['spikes'] = 'have area 1: they are 1 / step high in a library that runs in steps'
    preprocessing = model.preprocessing
    said['preprocessing'] = (
        f'grey levels or colours from 0 to 1{", inverted" if preprocessing.invert else ""}, minus '
        f'{preprocessing.mean}, divided by {preprocessing.deviation}; fit: {preprocessing.fit}'
    )
    said['readout'] = (
        f'the answer is the largest mean output from {readout.start_time:g} to '
        f'{readout.presentation_time:g} s, or sooner if its score reaches '
        f'{readout.confidence_threshold:.4g}'
    )
    said['labels'] = ', '.join(model.labels)
    return said


def _channels_first(shape: Shape) -> tuple[int, int, int]:
    return (shape[2], shape[0], shape[1])
