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

"""The sparse engine for layers that take turns; see `turns`.

A neuron's current is constant while it fires, so how many spikes there are by any time follows
from the current, and no neuron is stepped. The work of an image is a single pass of weighted sums,
however many steps there are and however they are cut into runs. `event_turns_kernels` has the
loops, `event_turns_memory` says what they work on, and `event_turns_layout` puts a model there.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from snn_perception.activity import Activity
from snn_perception.backends.event_turns_currents import PANEL
from snn_perception.backends.event_turns_kernels import compile_stages, run_stages
from snn_perception.backends.event_turns_layout import arrange_turns
from snn_perception.backends.event_turns_memory import STAGE, Memory, Run
from snn_perception.model import Model
from snn_perception.threads import together

MOST_HISTORY = 2**24
"""Bytes of what the readout hears, step by step, beyond which a run is cut into parts."""

OnLayer = Callable[[int], None]


@dataclass
class TurnMemory:
    """The `memory` of a batch of networks that have been advanced by `steps` steps."""

    memory: Memory
    steps: int = 0


class TurnTaking:
    """`model`, whose layers take turns, in `threads` threads, with weights in `precision`.

    Creating it compiles what is needed, or loads it. Raises ValueError for a firing window of
    more than `event_turns_layout.LONGEST_WINDOW` steps.
    """

    def __init__(self, model: Model, threads: int, precision: str) -> None:
        self.network = arrange_turns(model, precision)
        self.threads = threads
        self._neurons = [population.neurons for population in model.network.populations]
        self._classes = model.network.classes
        network = self.network
        self._patches = np.zeros(threads * network.patch, np.float32)
        self._sums = np.zeros(threads * network.sums, np.float32)
        self._spikes = np.zeros(threads * PANEL, np.int64)
        self._history = np.zeros(0, np.uint8)
        images = np.zeros((1, network.shown), np.float32)
        self._panel = compile_stages(network, self.rest(1).memory, self._run(images, 0, 1)[0])

    def rest(self, batch: int) -> TurnMemory:
        """See `Simulator.rest`."""
        values = batch * self.network.values
        # The system provides memory only once it is written to, and few currents are.
        return TurnMemory(Memory(np.zeros(values, np.uint8), np.empty(values, np.float32)))

    def advance(
        self,
        memory: TurnMemory,
        images: NDArray[np.float32],
        steps: int,
        on_layer: OnLayer | None = None,
    ) -> Activity:
        """See `Simulator.advance`.

        A turn sees the images that are shown when it begins.
        """
        images = np.ascontiguousarray(images, np.float32).reshape(len(images), -1)
        most = MOST_HISTORY // (len(images) * self.network.heard + 1) + 1
        if most > self.network.window:
            most = steps
        parts = []
        for first in range(0, steps, most):
            length = min(most, steps - first)
            parts.append(self._advance(memory, images, length, on_layer))
        if len(parts) == 1:
            return parts[0]
        counts = np.sum([part.counts for part in parts], axis=0)
        return Activity(np.concatenate([part.outputs for part in parts]), *counts)

    def _advance(
        self,
        memory: TurnMemory,
        images: NDArray[np.float32],
        steps: int,
        on_layer: OnLayer | None,
    ) -> Activity:
        run, updates = self._run(images, memory.steps, steps)

        def work(thread: int, first: int = 0, end: int = len(run.stages)) -> None:
            run_stages(self._panel, self.network, memory.memory, run, thread, first, end)

        if on_layer is None:
            together(work, self.threads)
        else:
            for index in range(len(self._neurons)):
                first, end = np.searchsorted(run.stages['population'], [index, index + 1])
                together(partial(work, first=int(first), end=int(end)), self.threads)
                on_layer(index)
        outputs = run.outputs.reshape(steps, len(images), self._classes)
        _fill(outputs, run.stages[run.stages['population'] == len(self._neurons) - 1])
        memory.steps += steps
        spikes, operations = run.counts.reshape(2, len(images), -1)
        return Activity(outputs, spikes, operations, np.repeat(updates[None], len(images), axis=0))

    def _run(
        self, images: NDArray[np.float32], done: int, steps: int
    ) -> tuple[Run, NDArray[np.int64]]:
        """What happens in the `steps` steps after `done` ones, and the updates of neurons."""
        stages, batch = self._stages(done, steps), len(images)
        updates = np.zeros(len(self._neurons), np.int64)
        for stage in stages:
            index = stage['population']
            updates[index] = self._neurons[index] * (stage['end'] - stage['first'])
        most = min(steps, self.network.window)
        if self._history.size < batch * self.network.heard * most:
            self._history = np.empty(batch * self.network.heard * most, np.uint8)
        run = Run(
            threads=self.threads,
            batch=batch,
            steps=most,
            stages=stages,
            images=images.reshape(-1),
            history=self._history,
            patches=self._patches,
            sums=self._sums,
            spikes=self._spikes,
            counts=np.zeros(2 * batch * len(self._neurons), np.int64),
            progress=np.zeros(len(stages) * (self.threads + 1), np.int64),
            outputs=np.empty(steps * batch * self._classes, np.float32),
        )
        return run, updates

    def _stages(self, done: int, steps: int) -> NDArray:
        """The stages of the `steps` steps after `done` ones, in the order of populations."""
        window, populations = self.network.window, self.network.populations
        *hidden, readout = range(len(populations))
        stages = []
        for index in hidden:
            turn = populations['turn'][index]
            start = turn * window
            first, end = max(done, start), min(done + steps, start + window)
            if first < end:
                stages.append((index, first - start, end - start, turn, 0))
        # Mostly nobody fires that the readout hears, and its output stays as it is.
        heard = {*populations['turn'][populations['history'] >= 0].tolist()}
        last = populations['turn'][readout]
        for turn in sorted(heard | {min(done // window, last)}):
            start = turn * window
            first, end = max(done, start), min(done + steps, start + window)
            if turn not in heard:
                end = min(end, first + 1) if turn < last else first + 1
            if first < end:
                stages.append((readout, first - start, end - start, turn, first - done))
        return np.array(stages, STAGE)


def _fill(outputs: NDArray[np.float32], stages: NDArray) -> None:
    """Repeat each of `outputs` until the next one that one of the readout's `stages` has left."""
    begins = [*stages['output'][1:], len(outputs)]
    for stage, begin in zip(stages, begins, strict=True):
        end = stage['output'] + stage['end'] - stage['first']
        outputs[end:begin] = outputs[end - 1]
