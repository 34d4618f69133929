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

"""The sparse engine: on the CPU, with work proportional to the number of spikes.

It goes layer by layer: one layer runs through all steps before the next one starts, which in a
network without feedback changes no spike. Meanwhile a neuron's state stays in the first-level
cache. `event_kernels` explains how spikes travel from layer to layer, `event_memory` what is
stored where, and `event_layout` fills that memory from a model. `event_turns` runs networks whose
layers take turns.
"""

from __future__ import annotations

from functools import partial
from itertools import pairwise
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from snn_perception.activity import Activity
from snn_perception.backends.base import Simulator
from snn_perception.backends.event_inputs import ImageInputs
from snn_perception.backends.event_kernels import compile_network, run_network
from snn_perception.backends.event_layout import aligned_zeros, arrange
from snn_perception.backends.event_links import PRECISIONS
from snn_perception.backends.event_lists import IN_A_WORD
from snn_perception.backends.event_memory import Neurons, Run
from snn_perception.backends.event_neurons import code_of
from snn_perception.backends.event_sensor import no_events, sort_events
from snn_perception.backends.event_sums import LANES
from snn_perception.backends.event_turns import TurnMemory, TurnTaking
from snn_perception.graph import EVENTS
from snn_perception.inputs import batch_of
from snn_perception.model import Model
from snn_perception.threads import default_threads, together

MOST_STEPS = 128
"""Steps that a population takes before the next one's turn."""

MOST_EVENTS = 2**26
"""Room for events, of 4 bytes, beyond which it takes fewer steps; mostly little of it is used."""


class EventSimulator(Simulator):
    """The model on the CPU, in `threads` threads (0: see `default_threads`).

    Neurons are float32; `precision`, one of PRECISIONS, is that of the weights between them.
    Creating a simulator compiles what the network needs, or loads it. No two threads may use
    one at the same time. Raises ValueError for a device other than the CPU, a network without
    neurons, and times that do not suit `event_neurons`.
    """

    name: ClassVar[str] = 'event'

    options: ClassVar[frozenset[str]] = frozenset({'threads', 'precision'})

    takes_turns: ClassVar[bool] = True

    def __init__(
        self, model: Model, device: str = 'auto', threads: int = 0, precision: str = 'float32'
    ) -> None:
        if device not in ('auto', 'cpu'):
            raise ValueError(
                f'backend event runs on cpu, not on {device}; use backend torch there'
            )
        super().__init__(model, 'cpu')
        if precision not in PRECISIONS:
            raise ValueError(
                f'precision must be one of {", ".join(PRECISIONS)}, not {precision!r}'
            )
        if threads < 0:
            raise ValueError(f'threads must be 0 or more, not {threads}')
        if model.network.neurons == 0:
            raise ValueError('backend event needs a layer of neurons before the readout')
        self.threads = threads or default_threads()
        self.turns: TurnTaking | None = None
        if model.network.firing_window:
            self.turns = TurnTaking(model, self.threads, precision)
            return
        self.weights, self._room = arrange(model, precision)
        self._image_inputs = ImageInputs(model, self.weights)
        code, populations = code_of(model.network.neuron, model.dt), model.network.populations
        self._resting = code.resting(model.network.neuron, model.dt)
        self._potentials: NDArray[np.float32] | None = None
        if model.network.neuron.phases > 1:
            self._potentials = self._potentials_at_rest()
        self._neurons = np.array([population.neurons for population in populations])
        readout = self.weights.populations[-1]
        self._classes = model.network.classes
        self._outputs = int(readout['vectors']) * LANES
        self._lists: list[NDArray] = [np.zeros(0)] * 3
        examples = self.neurons_at_rest(1), self.room_for(1, 1), aligned_zeros(0)
        self._loops = compile_network(self.weights, *examples)

    def rest(self, batch: int) -> Neurons | TurnMemory:
        """See `Simulator.rest`."""
        return self.turns.rest(batch) if self.turns else self.neurons_at_rest(batch)

    def _potentials_at_rest(self) -> NDArray[np.float32]:
        """Membrane potentials (neurons,) of all populations for one image, if phases differ."""
        populations, neuron = self.weights.populations, self.model.network.neuron
        potentials = np.zeros(int(populations[-1]['neuron']), np.float32)
        for population, place in zip(
            self.model.network.populations[:-1], populations, strict=False
        ):
            height, width, channels = population.output_shape
            size = height * width * int(place['vectors']) * LANES
            first = int(place['neuron'])
            padded = potentials[first : first + size].reshape(height, width, -1)
            padded[..., :channels] = neuron.rest(population.output_shape)[0]
        return potentials

    def neurons_at_rest(self, batch: int) -> Neurons:
        """`rest` where layers do not take turns."""
        network, states = self.weights, len(self._resting)
        neurons = batch * int(network.populations[-1]['neuron'])
        state = aligned_zeros(states * neurons)
        # What is zero is left alone: memory that nobody writes into costs nothing.
        if any(self._resting):
            state.reshape(states, -1)[:] = np.array(self._resting)[:, None]
        if self._potentials is not None:
            state.reshape(states, batch, -1)[0] = self._potentials
        return Neurons(
            aligned_zeros(network.order * neurons),
            state,
            aligned_zeros(network.read_order * batch * self._outputs),
        )

    def advance(self, memory: Neurons | TurnMemory, inputs: NDArray, steps: int) -> Activity:
        """See `Simulator.advance`."""
        if self.turns and isinstance(memory, TurnMemory):
            return self.turns.advance(memory, inputs, steps, self.on_layer)
        batch, populations = batch_of(inputs), len(self.weights.populations)
        hears_events = self.model.network.hears_events
        shown = aligned_zeros(0) if hears_events else self._image_inputs.of(inputs)
        runs = self._runs(inputs, batch, steps)

        def work(
            thread: int, runs: list[Run] = runs, first: int = 0, end: int = populations
        ) -> None:
            for run in runs:
                run_network(self._loops, self.weights, memory, run, shown, thread, first, end)

        if self.on_layer is None:
            together(work, self.threads)
        else:
            for run in runs:
                for index in range(populations):
                    together(partial(work, runs=[run], first=index, end=index + 1), self.threads)
                    self.on_layer(index)
        updates = np.repeat(steps * self._neurons[None], batch, axis=0)
        counts = np.add.reduce([run.counts for run in runs])
        spikes, operations = counts.reshape(2, *updates.shape)
        if hears_events:
            arrived = np.add.reduce([run.events_in.arrived for run in runs])
            operations += self._operations_of(arrived)
        outputs = [run.outputs.reshape(batch, run.steps, -1) for run in runs]
        merged = np.concatenate(outputs, axis=1).swapaxes(0, 1)
        return Activity(merged[:, :, : self._classes], spikes, operations, updates)

    def _runs(self, inputs: NDArray, batch: int, steps: int) -> list[Run]:
        """The runs that `steps` steps are cut into, with the events of each."""
        most = min(MOST_STEPS, MOST_EVENTS // (batch * self._room.events + 1) + 1)
        parts = -(-steps // most)
        ends = [steps * part // parts for part in range(parts + 1)]
        runs = []
        for first, end in pairwise(ends):
            run = self.room_for(batch, end - first)
            if self.model.network.hears_events:
                run = run._replace(events_in=sort_events(inputs[first:end]))
            runs.append(run)
        return runs

    def _operations_of(self, arrived: NDArray[np.int64]) -> NDArray[np.int64]:
        """Synaptic operations (batch, layers) of as many events (batch, height, width)."""
        populations = self.model.network.populations
        operations = np.zeros((len(arrived), len(populations)), np.int64)
        for population in populations:
            for connection in population.connections:
                if connection.source == EVENTS:
                    caused = (arrived * connection.fan_out).sum(axis=(1, 2))
                    operations[:, population.index] += caused
        return operations

    def room_for(self, batch: int, steps: int) -> Run:
        """Memory for a run; what is not its result is used again by the next run."""
        room, populations = self._room, len(self.weights.populations)
        starts, events = batch * steps * room.starts, batch * steps * room.events
        own = self.threads * steps
        # The system provides memory only once it is written to, so room for every spike is free.
        lengths = (
            batch * steps * room.masks + IN_A_WORD,
            starts + own * room.thread_starts,
            events + own * room.thread_events,
        )
        pairs = zip(lengths, self._lists, strict=True)
        if any(length > values.size for length, values in pairs):
            dtypes = np.uint16, np.int32, np.int32
            self._lists = [np.empty(*each) for each in zip(lengths, dtypes, strict=True)]
        masks, lists, numbers = (
            values[:length] for length, values in zip(lengths, self._lists, strict=True)
        )
        return Run(
            self.threads,
            batch,
            steps,
            masks,
            lists,
            numbers,
            starts,
            events,
            events_in=no_events(),
            sums=aligned_zeros(self.threads * room.sums),
            windows=np.zeros(self.threads * room.windows, np.int64),
            words=np.zeros(self.threads * room.words, np.int64),
            counts=np.zeros(2 * batch * populations, np.int64),
            progress=np.zeros(populations * (2 * self.threads + 1) + batch * room.rows, np.int64),
            outputs=np.empty(batch * steps * self._outputs, np.float32),
        )
