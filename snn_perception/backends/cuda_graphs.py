"""Runs of the dense engine recorded as CUDA graphs, and replayed.

With small batches, launching the kernels of a run one by one takes longer than what they do.
https://docs.pytorch.org/docs/stable/notes/cuda.html#cuda-graphs

A graph has a fixed number of steps, and a stream asks for another number with every frame. So
runs are put together from graphs of 1, 2, 4, ... steps, of which there are few.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain
from typing import Any, Protocol

import torch
from torch import Tensor

from snn_perception.backends.stage_state import Memory

Simulate = Callable[[Memory, Tensor, int], tuple[Tensor, Tensor]]

LARGEST_BATCH = 16
"""A larger batch keeps a GPU busy, and a graph holds on to all the memory that a run takes."""

MOST_STEPS = 64
"""Steps of the longest graph, a power of two."""

RUNS_KEPT = 16
"""Graphs that are kept: all parts of runs of two different batches."""

RUNS_TO_WARM_UP = 3
"""As in PyTorch's examples; before it can be recorded, what a run uses must be loaded."""


class Recording(Protocol):
    """What can replay a run of a fixed number of steps."""

    def replay(self, memory: Memory, images: Tensor) -> tuple[Tensor, Tensor]:
        """The results of the run, valid until the next; advances `memory` in place."""


class RecordedRuns:
    """`TorchSimulator.simulate`, put together from parts that are recorded once per batch size.

    `record` makes the recording of `simulate(memory, images, steps)`.
    """

    def __init__(self, record: Callable[[Simulate, Memory, Tensor, int], Recording]) -> None:
        self.record = record
        self.runs: dict[tuple[int, int], Recording] = {}

    def run(
        self, simulate: Simulate, memory: Memory, images: Tensor, steps: int
    ) -> tuple[Tensor, Tensor]:
        """`simulate(memory, images, steps)`."""
        outputs, counts = [], []
        for part in parts_of(steps):
            recorded = self._recording(simulate, memory, images, part)
            output, count = recorded.replay(memory, images)
            # The next part may write where this one did.
            outputs.append(output.clone())
            counts.append(count.clone())
        return torch.cat(outputs), torch.stack(counts).sum(dim=0)

    def _recording(
        self, simulate: Simulate, memory: Memory, images: Tensor, steps: int
    ) -> Recording:
        key = len(images), steps
        # The one used last is put last, so the first is the one not used for longest.
        recorded = self.runs.pop(key, None)
        if recorded is None:
            recorded = self.record(simulate, memory, images, steps)
        self.runs[key] = recorded
        if len(self.runs) > RUNS_KEPT:
            del self.runs[next(iter(self.runs))]
        return recorded


def parts_of(steps: int) -> list[int]:
    """Powers of two, MOST_STEPS at most, the largest first, that sum to `steps`."""
    whole, rest = divmod(steps, MOST_STEPS)
    powers = [1 << bit for bit in reversed(range(MOST_STEPS.bit_length() - 1))]
    return [MOST_STEPS] * whole + [power for power in powers if rest & power]


class RecordedRun:
    """One graph and the tensors that it works on: a memory and images of its own.

    Graphs of the same `pool` share the memory that they need while they run: one at a time.
    """

    def __init__(
        self, simulate: Simulate, memory: Memory, images: Tensor, steps: int, pool: Any
    ) -> None:
        self.memory = [state.clone() for state in memory]
        self.images = images.clone()
        aside = torch.cuda.Stream()
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):
            for _ in range(RUNS_TO_WARM_UP):
                simulate(self.memory, self.images, steps)
        torch.cuda.current_stream().wait_stream(aside)
        self.graph = torch.cuda.CUDAGraph()
        # Other threads of the process may use the GPU meanwhile.
        with torch.cuda.graph(self.graph, pool, capture_error_mode='thread_local'):
            self.results = simulate(self.memory, self.images, steps)

    def replay(self, memory: Memory, images: Tensor) -> tuple[Tensor, Tensor]:
        """See `Recording.replay`."""
        copy_memory(memory, self.memory)
        self.images.copy_(images)
        self.graph.replay()
        copy_memory(self.memory, memory)
        return self.results


def copy_memory(source: Memory, target: Memory) -> None:
    """Copy all values of `source` to `target`, together: every launch counts."""
    values, places = (
        list(chain.from_iterable(state.tensors for state in memory)) for memory in (source, target)
    )
    torch._foreach_copy_(places, values)
