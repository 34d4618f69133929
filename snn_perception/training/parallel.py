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

"""The gradient of a batch, of which each thread of each process computes its own part.

On a CPU this is faster than PyTorch's threads inside every operation: the threads wait for each
other once per step, not at each operation, and what a thread works on stays in its own cache.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from snn_perception.training import distributed
from snn_perception.training.recipe import RecipeError

SMALLEST_PART = 16
"""With fewer images in a part, its normalisation statistics would be too noisy."""

Loss = Callable[[Any, Tensor, int], Tensor]
"""From a network, indices of images and the number of the part to the mean loss."""


class DataParallel:
    """`network` and its replicas, which share its parameters but not its statistics.

    Use it in a `with` statement, at the end of which its threads end.

    On a CPU it has as many `threads` as PyTorch would use, or as many as the process that has the
    fewest; on a GPU one. The results depend on how many parts that makes in all processes, not
    on their timing or on how they are spread over the processes.
    """

    def __init__(self, network: nn.Module, device: str, batch_size: int) -> None:
        threads = min(distributed.gather(torch.get_num_threads() if device == 'cpu' else 1))
        smallest_share = SMALLEST_PART * distributed.count()
        parts = max(min(threads, batch_size // smallest_share), 1)
        self.network = network
        self.parameters = [value for value in network.parameters() if value.requires_grad]
        self.replicas = [network, *(self._replica() for _ in range(parts - 1))]
        self._all_parts = parts * distributed.count()
        first = parts * distributed.rank()
        self._numbers = range(first, first + parts)
        self.threads = threads
        self._pool = ThreadPoolExecutor(
            threads, 'training', initializer=torch.set_num_threads, initargs=(1,)
        )

    def _replica(self) -> nn.Module:
        shared = {id(parameter): parameter for parameter in self.network.parameters()}
        return copy.deepcopy(self.network, shared)

    def __enter__(self) -> DataParallel:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(cancel_futures=True)

    def differentiate(self, loss: Loss, indices: Tensor) -> float:
        """The loss over the images at `indices`, whose gradient it leaves in the parameters.

        All processes are given the same indices, take their parts of them, and get the same
        loss and gradient. Raises what `loss` raises.
        """

        def part(network: nn.Module, share: Tensor, number: int) -> tuple[Tensor, list[Tensor]]:
            value = loss(network, share, number) * (len(share) / len(indices))
            return value.detach(), list(torch.autograd.grad(value, self.parameters))

        all_shares = indices.tensor_split(self._all_parts)
        shares = [all_shares[number] for number in self._numbers]
        losses, gradients = zip(
            *self._pool.map(part, self.replicas, shares, self._numbers), strict=True
        )
        sums = [_sum(parts) for parts in zip(*gradients, strict=True)]
        total, *sums = distributed.add_up([_sum(losses), *sums])
        for parameter, gradient in zip(self.parameters, sums, strict=True):
            parameter.grad = gradient
        self._share_statistics()
        return float(total)

    def map(self, work: Callable[[Tensor], Any], parts: Iterable[Tensor]) -> Iterator[Any]:
        """Results of `work` on each of `parts`, in their order, without gradients."""

        def without_gradient(part: Tensor) -> Any:
            with torch.no_grad():
                return work(part)

        return self._pool.map(without_gradient, parts)

    @torch.no_grad()
    def _share_statistics(self) -> None:
        """Give all replicas of all processes the mean of their statistics."""
        if self._all_parts == 1:
            return
        statistics = [
            buffers
            for buffers in zip(*(replica.buffers() for replica in self.replicas), strict=True)
            if buffers[0].dtype.is_floating_point
        ]
        sums = distributed.add_up([_sum(buffers) for buffers in statistics])
        for buffers, total in zip(statistics, sums, strict=True):
            for buffer in buffers:
                buffer.copy_(total / self._all_parts)


def check_batch(batch_size: int) -> None:
    """Raise RecipeError if a batch of so many images is too small for all the processes."""
    processes = distributed.count()
    if processes > 1 and batch_size < processes * SMALLEST_PART:
        raise RecipeError(
            f'batch_size {batch_size} is too small for {processes} processes, of which each '
            f'takes its share of at least {SMALLEST_PART} images'
        )


def _sum(tensors: Sequence[Tensor]) -> Tensor:
    total = tensors[0]
    for tensor in tensors[1:]:
        total = total + tensor
    return total


@contextmanager
def threads_per_operation(count: int) -> Iterator[None]:
    """Let PyTorch use `count` threads in each operation within a `with` statement."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
