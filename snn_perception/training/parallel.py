"""The gradient of a batch, each thread with its own part of the images.

Faster on a CPU than PyTorch's threads inside every operation: the parts wait for each other
once per step, not at each operation, and what a thread works on stays in its own cache.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

SMALLEST_PART = 16
"""Images of a part below which its normalisation statistics would be too noisy."""

Loss = Callable[[Any, Tensor, int], Tensor]
"""Loss of (network, indices of images, number of the part), a mean over the images."""


class DataParallel:
    """`network` and its replicas, which share its parameters but not its statistics.

    There is one thread for each that PyTorch would use, but on a GPU one alone. The results
    depend on their number, not on their timing.
    """

    def __init__(self, network: nn.Module, device: str, batch_size: int) -> None:
        threads = torch.get_num_threads() if device == 'cpu' else 1
        parts = max(min(threads, batch_size // SMALLEST_PART), 1)
        self.network = network
        self.parameters = list(network.parameters())
        self.replicas = [network, *(self._replica() for _ in range(parts - 1))]
        self._pool = ThreadPoolExecutor(
            threads, 'training', initializer=torch.set_num_threads, initargs=(1,)
        )

    def _replica(self) -> nn.Module:
        shared = {id(parameter): parameter for parameter in self.parameters}
        return copy.deepcopy(self.network, shared)

    def differentiate(self, loss: Loss, indices: Tensor) -> float:
        """Loss over the images at `indices`; leaves its gradient in the parameters.

        Raises what `loss` raises.
        """

        def part(network: nn.Module, share: Tensor, number: int) -> tuple[Tensor, list[Tensor]]:
            value = loss(network, share, number) * (len(share) / len(indices))
            return value.detach(), list(torch.autograd.grad(value, self.parameters))

        shares = indices.tensor_split(len(self.replicas))
        parts = list(self._pool.map(part, self.replicas, shares, range(len(shares))))
        for parameter, *gradients in zip(
            self.parameters, *(gradients for _, gradients in parts), strict=True
        ):
            parameter.grad = _sum(gradients)
        self._share_statistics()
        return float(_sum([value for value, _ in parts]))

    def map(self, work: Callable[[Tensor], Any], parts: Iterable[Tensor]) -> Iterator[Any]:
        """`work` of each of `parts`, in their order, without gradients."""

        def without_gradient(part: Tensor) -> Any:
            with torch.no_grad():
                return work(part)

        return self._pool.map(without_gradient, parts)

    @torch.no_grad()
    def _share_statistics(self) -> None:
        """Give all replicas the mean of their statistics."""
        if len(self.replicas) == 1:
            return
        for buffers in zip(*(replica.buffers() for replica in self.replicas), strict=True):
            if buffers[0].dtype.is_floating_point:
                mean = _sum(list(buffers)) / len(buffers)
                for buffer in buffers:
                    buffer.copy_(mean)


def _sum(tensors: list[Tensor]) -> Tensor:
    total = tensors[0]
    for tensor in tensors[1:]:
        total = total + tensor
    return total


@contextmanager
def single_threaded() -> Iterator[None]:
    """Let PyTorch use one thread in each operation meanwhile."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
