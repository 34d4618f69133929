"""Runs of the dense engine recorded as CUDA graphs, and replayed.

With small batches, launching the kernels of a run one by one takes longer than what they do.
https://docs.pytorch.org/docs/stable/notes/cuda.html#cuda-graphs
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import chain
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

if TYPE_CHECKING:
    from snn_perception.backends.torch import Memory

    Simulate = Callable[[Memory, Tensor, int], tuple[Tensor, Tensor]]

LARGEST_BATCH = 16
"""A larger batch keeps a GPU busy, and a graph holds on to all the memory that a run takes."""

RUNS_KEPT = 8
"""More than the different numbers of steps in the parts of a presentation."""

RUNS_TO_WARM_UP = 3
"""As in PyTorch's examples; before it can be recorded, what a run uses must be loaded."""


class RecordedRuns:
    """`TorchSimulator.simulate`, recorded once for each batch and number of steps.

    The graphs share the memory that they need while they run: one at a time.
    """

    def __init__(self) -> None:
        self.pool = torch.cuda.graph_pool_handle()
        self.runs: dict[tuple[int, int], RecordedRun] = {}

    def run(
        self, simulate: Simulate, memory: Memory, images: Tensor, steps: int
    ) -> tuple[Tensor, Tensor]:
        """`simulate(memory, images, steps)`; the results are valid until the next run."""
        key = len(images), steps
        # The one used last is put last, so the first is the one not used for longest.
        recorded = self.runs.pop(key, None)
        if recorded is None:
            recorded = RecordedRun(simulate, memory, images, steps, self.pool)
        self.runs[key] = recorded
        if len(self.runs) > RUNS_KEPT:
            del self.runs[next(iter(self.runs))]
        return recorded.replay(memory, images)


class RecordedRun:
    """One graph and the tensors that it works on: a memory and images of its own."""

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
        """What `simulate` returns; advances `memory` in place."""
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
