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

"""The readable engine: NumPy, float64, step by step. It defines what the others must compute."""

from __future__ import annotations

from dataclasses import dataclass
from math import prod
from typing import ClassVar, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from snn_perception.activity import Activity
from snn_perception.backends.base import Simulator
from snn_perception.graph import EVENTS, IMAGE, Connection, Population
from snn_perception.inputs import batch_of, part_of
from snn_perception.layers import Convolution
from snn_perception.model import Model
from snn_perception.neurons import State
from snn_perception.turns import count_spikes, thresholds


class PopulationState(NamedTuple):
    """What the neurons of one population remember: filter values and their own state."""

    synapse: NDArray
    neuron: State


@dataclass
class Memory:
    """What all populations remember, and how many `steps` they have been advanced.

    `counts` are the spikes so far of those that take turns, (batch, height, width, channels).
    """

    states: list[PopulationState]
    counts: dict[int, NDArray]
    steps: int = 0


class ReferenceSimulator(Simulator):
    """Every step through every layer, on the CPU."""

    name: ClassVar[str] = 'reference'
    takes_turns: ClassVar[bool] = True

    def __init__(self, model: Model, device: str = 'auto') -> None:
        if device not in ('auto', 'cpu'):
            raise ValueError(f'backend reference runs on cpu, not on {device}')
        super().__init__(model, 'cpu')

    def rest(self, batch: int) -> Memory:
        """See `Simulator.rest`."""
        network = self.model.network
        states, counts = [], {}
        for index, population in enumerate(network.populations):
            shape = (batch, *population.output_shape)
            synapse = network.synapse_of(index)
            states.append(PopulationState(synapse.rest(shape), network.neuron.rest(shape)))
            if network.firing_window and not population.is_readout:
                counts[index] = np.zeros(shape)
        return Memory(states, counts)

    def advance(self, memory: Memory, inputs: NDArray, steps: int) -> Activity:
        """See `Simulator.advance`."""
        network, batch = self.model.network, batch_of(inputs)
        counts = np.zeros((3, batch, len(network.populations)), np.int64)
        outputs = np.zeros((steps, batch, network.classes))
        for step in range(steps):
            updated = [self._is_due(each, memory.steps) for each in network.populations]
            given = part_of(inputs, step, 1).reshape(batch, *network.input_shape)
            spiked, outputs[step] = self.step(memory, given)
            fired = {EVENTS: given, **dict(enumerate(spiked))}
            for population in network.populations:
                if updated[population.index]:
                    counts[0, :, population.index] += spiked[population.index].sum(axis=(1, 2, 3))
                    counts[2, :, population.index] += population.neurons
                for connection in population.connections:
                    if connection.source != IMAGE:
                        fired_there = fired[connection.source].sum(axis=3, dtype=np.int64)
                        arriving = fired_there * connection.fan_out
                        counts[1, :, population.index] += arriving.sum(axis=(1, 2))
        return Activity(outputs.astype(np.float32), *counts)

    def step(
        self, memory: Memory, inputs: NDArray
    ) -> tuple[list[NDArray[np.bool_]], NDArray[np.float64]]:
        """Advance `memory` in place by one time step.

        inputs: (batch, height, width, channels), images or the counts of events in this step.

        Returns which neurons spiked, bool (batch, height, width, channels) for each layer of
        neurons, and the output of the readout (batch, classes).
        """
        network, dt = self.model.network, self.model.dt
        given = inputs.astype(np.float64)
        values = {EVENTS: given / dt} if network.hears_events else {IMAGE: given}
        spiked = []
        for population, state in zip(network.populations, memory.states, strict=True):
            index, shape = population.index, (len(inputs), *population.output_shape)
            if not population.is_readout and not self._is_due(population, memory.steps):
                spiked.append(np.zeros(shape, bool))
                values[index] = memory.counts[index] / network.firing_window
                continue
            spikes, constant = np.zeros(shape), np.zeros(shape)
            for connection, kernel in self.model.connections(index):
                part = constant if connection.source == IMAGE else spikes
                part += weighted_sum(connection, kernel, values[connection.source])
            current = network.synapse_of(index).step(spikes, state.synapse, dt)
            current = current + constant + self.model.weights[index].bias
            if population.is_readout:
                break
            if network.firing_window:
                before = memory.counts[index]
                memory.counts[index] = self._spikes_in_turn(population, current, memory.steps)
                spiked.append(memory.counts[index] > before)
                values[index] = memory.counts[index] / network.firing_window
            else:
                spiked.append(network.neuron.step(current, state.neuron, dt))
                values[index] = spiked[-1] / dt
        memory.steps += 1
        return spiked, current.reshape(len(inputs), -1)

    def _spikes_in_turn(self, population: Population, current: NDArray, step: int) -> NDArray:
        """How many spikes the neurons of `population` have fired by the end of time step `step`.

        That is in their turn, when they have heard all that they are going to hear.
        """
        elapsed = step + 1 - self.model.network.turns[population.index] * self.model.window_steps
        limits = thresholds(self.model.network.neuron, elapsed, self.model.dt)
        return count_spikes(current, limits)

    def _is_due(self, population: Population, step: int) -> bool:
        """Whether the neurons of `population` are updated in time step number `step`."""
        network, window = self.model.network, self.model.window_steps
        if population.is_readout:
            return False
        return not window or network.turns[population.index] == step // window


def weighted_sum(connection: Connection, kernel: NDArray, values: NDArray) -> NDArray:
    """The currents (batch, *output_shape) that `values` (batch, *source_shape) cause.

    `kernel` is that of `Connection.convolution`.
    """
    return convolve(connection.convolution, kernel, average(values, connection.pooling))


def average(values: NDArray, block: tuple[int, int]) -> NDArray:
    """Means of `values` (batch, height, width, channels) over blocks of (rows, columns)."""
    batch, height, width, channels = values.shape
    height, width = height // block[0], width // block[1]
    whole = values[:, : height * block[0], : width * block[1]]
    return whole.reshape(batch, height, block[0], width, block[1], channels).mean(axis=(2, 4))


def convolve(layer: Convolution, kernel: NDArray, values: NDArray) -> NDArray:
    """The convolution of `values` (batch, height, width, inputs), group by group."""
    padded = np.pad(values, ((0, 0), *layer.margins, (0, 0)))
    windows = sliding_window_view(padded, layer.kernel_size, axis=(1, 2))  # type: ignore[call-overload]
    windows = windows[:, :: layer.strides[0], :: layer.strides[1]]
    groups, shape = layer.groups, windows.shape[:3]
    # Inputs of a group are one dimension: channel, row and column.
    inputs = windows.reshape(*shape, groups, -1)
    weights = np.moveaxis(kernel, 2, 0).reshape(-1, groups, layer.channels // groups)
    sums = np.moveaxis(inputs, 3, 0).reshape(groups, prod(shape), -1) @ np.moveaxis(weights, 1, 0)
    return np.moveaxis(sums, 0, 1).reshape(*shape, layer.channels)
