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
stored where, and `event_layout` fills that memory from a model.
"""

from __future__ import annotations

from functools import partial
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from snn_perception.activity import Activity
from snn_perception.backends.base import Simulator
from snn_perception.backends.event_kernels import compile_network, run_network
from snn_perception.backends.event_layout import PRECISIONS, Sizes, aligned_zeros, arrange, at_rest
from snn_perception.backends.event_memory import Neurons, Run
from snn_perception.backends.reference import weighted_sum
from snn_perception.backends.vectors import BITS_AT_ONCE, EVENTS_AT_ONCE
from snn_perception.model import Model
from snn_perception.neurons import as_lif
from snn_perception.threads import default_threads, together

LONGEST_STEP = 2.0
"""Longest time step, in tau_rc; in longer ones float32 cannot tell when a neuron fired."""

LONGEST_REFRACTORY_TIME = 40.0
"""Longest refractory time, in tau_rc; its exponential must fit into a float32."""

MOST_STEPS = 32
"""Steps that a layer takes before the next layer's turn: with more, lists and state outgrow the
cache."""


class EventSimulator(Simulator):
    """The model on the CPU, in `threads` threads (0: see `default_threads`).

    Neurons are float32; `precision`, one of PRECISIONS, is that of the weights between them.
    Creating a simulator compiles what the network needs, or loads it. No two threads may use
    one at the same time. Raises ValueError for a device other than the CPU, a network without
    neurons, and times too long for `vectors.lif`.
    """

    name: ClassVar[str] = 'event'

    options: ClassVar[frozenset[str]] = frozenset({'threads', 'precision'})

    def __init__(
        self, model: Model, device: str = 'auto', threads: int = 0, precision: str = 'float32'
    ) -> None:
        if device not in ('auto', 'cpu'):
            raise ValueError(
                f'backend event runs on cpu, not on {device}; use backend torch there'
            )
        super().__init__(model, 'cpu')
        _check(model)
        if precision not in PRECISIONS:
            raise ValueError(
                f'precision must be one of {", ".join(PRECISIONS)}, not {precision!r}'
            )
        if threads < 0:
            raise ValueError(f'threads must be 0 or more, not {threads}')
        self.threads = threads or default_threads()
        self.weights = arrange(model, precision)
        self._rest = at_rest(self.weights)
        self._shown = np.zeros(0, np.float32), np.zeros(0, np.float32)
        self._lists: list[NDArray] = [np.zeros(0)] * 3
        examples = self.rest(1), self._room(1, 1), aligned_zeros(0)
        self._loops = compile_network(self.weights, *examples)

    def rest(self, batch: int) -> Neurons:
        """See `Simulator.rest`."""
        filters, read_filters = self._rest
        size = batch * filters.shape[1]
        memory = aligned_zeros(len(filters) * size)
        memory.reshape(len(filters), batch, filters.shape[1])[:] = filters[:, None]
        reads = np.repeat(read_filters[:, None], batch, axis=1).reshape(-1)
        return Neurons(memory, aligned_zeros(size), aligned_zeros(size), reads)

    def advance(self, memory: Neurons, images: NDArray[np.float32], steps: int) -> Activity:
        """See `Simulator.advance`."""
        batch, layers = len(images), len(self.weights.plan)
        shown = self._inputs_of(images)
        parts = -(-steps // MOST_STEPS)
        lengths = [steps * (part + 1) // parts - steps * part // parts for part in range(parts)]
        runs = [self._room(batch, length) for length in lengths]

        def work(thread: int, runs: list[Run] = runs, first: int = 0, end: int = layers) -> None:
            for run in runs:
                run_network(self._loops, self.weights, memory, run, shown, thread, first, end)

        if self.on_layer is None:
            together(work, self.threads)
        else:
            for run in runs:
                for index in range(layers):
                    together(partial(work, runs=[run], first=index, end=index + 1), self.threads)
                    self.on_layer(index)
        neurons = np.array([population.neurons for population in self.model.network.populations])
        updates = np.tile(steps * neurons, (batch, 1))
        counts = np.sum([run.counts for run in runs], axis=0)
        spikes, operations = counts.reshape(2, *updates.shape)
        outputs = np.concatenate([run.outputs for run in runs], axis=1).swapaxes(0, 1)
        classes = self.model.network.classes
        return Activity(outputs[:, :, :classes], spikes, operations, updates)

    def _room(self, batch: int, steps: int) -> Run:
        """Memory for a run; the part for lists is used again by the next run."""
        plan, sizes = self.weights.plan, Sizes.of(self.weights.plan)
        mask_count = steps * int((sizes.position * plan['blocks'])[:-1].max())
        start_count = steps * int(sizes.list_start[:-1].sum())
        # The system provides memory only once it is written to, so room for every spike is free.
        event_count = steps * int(sizes.list_events[:-1].sum()) + EVENTS_AT_ONCE + BITS_AT_ONCE
        lengths = batch * mask_count, batch * start_count, batch * event_count
        pairs = zip(lengths, self._lists, strict=True)
        if any(length > values.size for length, values in pairs):
            dtypes = np.uint64, np.int64, np.int32
            self._lists = [np.empty(*room) for room in zip(lengths, dtypes, strict=True)]
        masks, starts, events = (
            values[:length] for length, values in zip(lengths, self._lists, strict=True)
        )
        progress = len(plan) * (self.threads + 1) + batch * int(sizes.group.sum())
        return Run(
            self.threads,
            steps,
            masks,
            starts,
            events,
            counts=np.zeros(2 * batch * len(plan), np.int64),
            progress=np.zeros(progress, np.int64),
            outputs=np.empty((batch, steps, self._rest[1].shape[1]), np.float32),
        )

    def _inputs_of(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """Constant inputs of the first layer's neurons under `images`, padded and flat."""
        shown, inputs = self._shown
        if not np.array_equal(shown, images):
            blocks = self.weights.plan[0]['blocks']
            ((connection, kernel),) = self.model.connections(0)
            sums = weighted_sum(connection, kernel, images.astype(np.float32))
            constant = self.weights.inputs[: blocks * self.weights.plan[0]['lanes']]
            inputs = aligned_zeros(sums[..., 0].size * constant.size)
            channels = inputs.reshape(*sums.shape[:3], -1)
            channels += constant
            channels[..., : sums.shape[3]] += sums
            self._shown = images.copy(), inputs
        return inputs


def _check(model: Model) -> None:
    """Raise ValueError for a model that the engine cannot run."""
    neuron = as_lif(model.network.neuron, 'backend event')
    for name, time, longest in (
        ('steps', model.dt, LONGEST_STEP),
        ('refractory times', neuron.tau_ref, LONGEST_REFRACTORY_TIME),
    ):
        if time > longest * neuron.tau_rc:
            raise ValueError(
                f'backend event takes {name} of at most {longest:g} tau_rc, which is '
                f'{longest * neuron.tau_rc:g} s here, not {time:g} s; use backend torch'
            )
    if model.network.neurons == 0:
        raise ValueError('backend event needs a layer of neurons before the readout')
