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

"""The Nengo engine: the model in Nengo's own simulator, one image at a time.

It serves to check that the network made by `nengo_network.build_network` does what it should; the
engines `event` and `torch` are much faster.
"""

from __future__ import annotations

import warnings
import weakref
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from snn_perception.activity import Activity
from snn_perception.backends.base import Simulator
from snn_perception.backends.nengo_network import build_network, nengo
from snn_perception.graph import EVENTS, IMAGE
from snn_perception.inputs import batch_of
from snn_perception.model import Model

Memory = list[dict[nengo.builder.Signal, NDArray]]
"""For each image of a batch, every value of the simulation that changes."""


class NengoSimulator(Simulator):
    """The model in Nengo, in float64 unless Nengo is configured otherwise, on the CPU.

    One simulation serves all states in turn: what a state remembers is copied into it before a
    run and out of it afterwards.
    """

    name: ClassVar[str] = 'nengo'

    def __init__(self, model: Model, device: str = 'auto') -> None:
        if device not in ('auto', 'cpu'):
            raise ValueError(f'backend nengo runs on cpu, not on {device}')
        super().__init__(model, 'cpu')
        network = build_network(model, with_directions=True)
        self.input = given = network.input.output.copy()
        network.input.output = lambda _: given
        # A model that Nengo made itself would cache decoders in files; there are none here.
        built = nengo.builder.Model(dt=model.dt)
        with warnings.catch_warnings():
            # Nengo warns about rates at an encoded value of 1, but nothing is encoded here.
            warnings.simplefilter('ignore')
            simulation = nengo.Simulator(network, model=built, progress_bar=False, optimize=False)
        weakref.finalize(self, simulation.close)
        self.simulation = simulation
        self.spikes = [simulation.signals[built.sig[e.neurons]['out']] for e in network.layers]
        self.output = simulation.signals[built.sig[network.readout]['out']]
        self.variables = {
            signal: values
            for signal, values in simulation.signals.items()
            if not (signal.readonly or signal.is_view)
        }
        self.at_rest = _copy(self.variables)

    def rest(self, batch: int) -> Memory:
        """See `Simulator.rest`."""
        return [_copy(self.at_rest) for _ in range(batch)]

    def advance(self, memory: Memory, inputs: NDArray, steps: int) -> Activity:
        """See `Simulator.advance`."""
        populations, batch = self.model.network.populations, batch_of(inputs)
        counts = np.zeros((3, batch, len(populations)), np.int64)
        outputs = np.zeros((steps, batch, self.model.network.classes), np.float32)
        for index, remembered in enumerate(memory):
            _assign(self.variables, remembered)
            fired = self._simulate(self._given(inputs, index, steps), outputs[:, index])
            _assign(remembered, self.variables)
            spiked = {
                population.index: spikes.reshape(population.output_shape).sum(axis=2)
                for population, spikes in zip(populations, fired, strict=False)
            }
            if self.model.network.hears_events:
                spiked[EVENTS] = inputs[:, index].sum(axis=(0, 3), dtype=np.int64)
            for population in populations:
                if not population.is_readout:
                    counts[0, index, population.index] = spiked[population.index].sum()
                    counts[2, index, population.index] = steps * population.neurons
                for connection in population.connections:
                    if connection.source != IMAGE:
                        arriving = spiked[connection.source] * connection.fan_out
                        counts[1, index, population.index] += arriving.sum()
        return Activity(outputs, *counts)

    def _given(self, inputs: NDArray, index: int, steps: int) -> NDArray:
        """What the input of network `index` of the batch is in each step, (steps, values)."""
        if self.model.network.hears_events:
            return inputs[:, index].reshape(steps, -1) / self.model.dt
        return np.broadcast_to(inputs[index].reshape(-1), (steps, self.input.size))

    def _simulate(self, given: NDArray, outputs: NDArray[np.float32]) -> list[NDArray[np.int64]]:
        """Advance by a step for each row of `given` (steps, values), and fill `outputs`.

        Returns how often each neuron of each layer fired, (neurons,).
        """
        fired = [np.zeros(spikes.size, np.int64) for spikes in self.spikes]
        for values, output in zip(given, outputs, strict=True):
            self.input[:] = values
            self.simulation.step()
            output[:] = self.output
            for count, spikes in zip(fired, self.spikes, strict=True):
                count += spikes > 0
        return fired


def _copy(values: dict[nengo.builder.Signal, NDArray]) -> dict[nengo.builder.Signal, NDArray]:
    return {signal: array.copy() for signal, array in values.items()}


def _assign(
    targets: dict[nengo.builder.Signal, NDArray], values: dict[nengo.builder.Signal, NDArray]
) -> None:
    for signal, array in targets.items():
        array[...] = values[signal]
