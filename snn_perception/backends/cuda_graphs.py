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

"""Runs of the dense engine recorded as CUDA graphs, and replayed.

With small batches, launching the kernels of a run one by one takes longer than running them.
https://docs.pytorch.org/docs/stable/notes/cuda.html#cuda-graphs

A graph has a fixed number of steps, but in stream mode every frame asks for a different number.
So runs are put together from a few graphs, of 1, 2, 4, ... steps.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain
from typing import Any, Protocol

import torch
from torch import Tensor

from snn_perception.backends.population_state import Memory

Simulate = Callable[[Memory, Tensor, int], tuple[Tensor, Tensor]]

LARGEST_BATCH = 16
"""Larger batches keep a GPU busy anyway, and a graph holds all the memory that its run needs."""

MOST_STEPS = 64
"""Steps of the longest graph, a power of two."""

MOST_RUNS = 16
"""Graphs to hold: enough for all parts of runs with two different batch sizes."""

RUNS_TO_WARM_UP = 3
"""As in PyTorch's examples: what a run uses must be loaded before the run can be recorded."""


class Recording(Protocol):
    """Can replay a run of a fixed number of steps."""

    def replay(self, memory: Memory, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """The results of the run, valid until the next run; advances `memory` in place."""


class RecordedRuns:
    """`TorchSimulator.simulate`, put together from parts that are recorded once per batch size.

    `record` makes the recording of `simulate(memory, inputs, steps)`.
    """

    def __init__(self, record: Callable[[Simulate, Memory, Tensor, int], Recording]) -> None:
        self.record = record
        self.runs: dict[tuple[int, int], Recording] = {}

    def run(
        self, simulate: Simulate, memory: Memory, inputs: Tensor, steps: int
    ) -> tuple[Tensor, Tensor]:
        """`simulate(memory, inputs, steps)`."""
        outputs, counts, done = [], [], 0
        for part in parts_of(steps):
            shown = inputs[done : done + part] if inputs.ndim == 5 else inputs
            done += part
            recorded = self._recording(simulate, memory, shown, part)
            output, count = recorded.replay(memory, shown)
            # The next part may write where this one did.
            outputs.append(output.clone())
            counts.append(count.clone())
        return torch.cat(outputs), torch.stack(counts).sum(dim=0)

    def _recording(
        self, simulate: Simulate, memory: Memory, inputs: Tensor, steps: int
    ) -> Recording:
        key = inputs.shape[-4], steps
        # The recording in use moves to the end, so the first is the least recently used.
        recorded = self.runs.pop(key, None)
        if recorded is None:
            recorded = self.record(simulate, memory, inputs, steps)
        self.runs[key] = recorded
        if len(self.runs) > MOST_RUNS:
            del self.runs[next(iter(self.runs))]
        return recorded


def parts_of(steps: int) -> list[int]:
    """Powers of two, at most MOST_STEPS each and the largest first, that add up to `steps`."""
    whole, rest = divmod(steps, MOST_STEPS)
    powers = [1 << bit for bit in reversed(range(MOST_STEPS.bit_length() - 1))]
    return [MOST_STEPS] * whole + [power for power in powers if rest & power]


class RecordedRun:
    """One graph and the tensors that it works on: its own memory and inputs.

    Graphs with the same `pool` share the device memory that they need while running, so only one
    may run at a time.
    """

    def __init__(
        self, simulate: Simulate, memory: Memory, inputs: Tensor, steps: int, pool: Any
    ) -> None:
        self.memory = [state.clone() for state in memory]
        self.inputs = inputs.clone()
        aside = torch.cuda.Stream()
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):
            for _ in range(RUNS_TO_WARM_UP):
                simulate(self.memory, self.inputs, steps)
        torch.cuda.current_stream().wait_stream(aside)
        self.graph = torch.cuda.CUDAGraph()
        # Other threads of the process may use the GPU during the capture.
        with torch.cuda.graph(self.graph, pool, capture_error_mode='thread_local'):
            self.results = simulate(self.memory, self.inputs, steps)

    def replay(self, memory: Memory, inputs: Tensor) -> tuple[Tensor, Tensor]:
        """See `Recording.replay`."""
        copy_memory(memory, self.memory)
        self.inputs.copy_(inputs)
        self.graph.replay()
        copy_memory(self.memory, memory)
        return self.results


def copy_memory(source: Memory, target: Memory) -> None:
    """Copy all values of `source` to `target` in one launch, as every launch takes time."""
    values, places = (
        list(chain.from_iterable(state.tensors for state in memory)) for memory in (source, target)
    )
    torch._foreach_copy_(places, values)
