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

"""One training in several processes, on one machine or more, as torchrun starts them.

Every process computes its parts of a batch. What the processes have to agree on is summed or
gathered here, over gloo between CPUs and over NCCL between GPUs. PyTorch's
DistributedDataParallel would do less: it neither sees the gradients that threads compute with
replicas, nor weighs unequal shares, nor averages the statistics of normalisation. An all-reduce
of the sums does all of it.

A process that torchrun did not start is alone: nothing is summed and nothing initialised.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn

TIMEOUT = timedelta(minutes=10)
"""How long a process waits for the others before it gives up."""

Item = TypeVar('Item')


def rank() -> int:
    """Number of this process, counted from 0."""
    return int(os.environ['RANK']) if _is_started() else 0


def count() -> int:
    """How many processes train together."""
    return int(os.environ['WORLD_SIZE']) if _is_started() else 1


def leads() -> bool:
    """Whether this process is the one that writes files, logs and progress."""
    return rank() == 0


def _is_started() -> bool:
    """Whether torchrun started this process; schedulers set RANK, but not LOCAL_RANK."""
    return 'LOCAL_RANK' in os.environ


@contextmanager
def together(device: str) -> Iterator[str]:
    """Connect this process to the others within a `with` statement; gives its device.

    That is `device`, except that with 'cuda' each process on a machine gets a GPU of its own.
    Raises ValueError if it has none, or if some processes compute on a GPU and others do not.
    Raises ConnectionError, here and wherever processes communicate, if others are lost.
    """
    if not _is_started():
        yield device
        return
    kind = torch.device(device).type
    if kind == 'cuda':
        device = _own_gpu(int(os.environ['LOCAL_RANK']))
    with _lost_processes():
        dist.init_process_group('gloo' if kind == 'cpu' else 'cpu:gloo,cuda:nccl', timeout=TIMEOUT)
    kinds = gather(kind)
    if len(set(kinds)) > 1:
        raise ValueError(
            f'the processes compute on {", ".join(kinds)}; choose the same device for all'
        )
    yield device
    # Not after an error: NCCL would wait for processes that are busy or gone.
    dist.destroy_process_group()


def _own_gpu(number: int) -> str:
    if number >= torch.cuda.device_count():
        raise ValueError(
            f'process {rank()} has no GPU of its own, this machine has '
            f'{torch.cuda.device_count()}; start fewer processes on it, or compute on the cpu'
        )
    torch.cuda.set_device(number)
    return f'cuda:{number}'


@contextmanager
def _lost_processes() -> Iterator[None]:
    """Turn what PyTorch raises when other processes are lost into a ConnectionError."""
    try:
        yield
    except RuntimeError as reason:
        raise ConnectionError(
            f'process {rank()} of {count()} lost the others, one of them may say why: {reason}'
        ) from reason


def add_up(tensors: list[Tensor]) -> list[Tensor]:
    """The sum over all processes of each of `tensors`, bit for bit the same in all of them.

    The tensors are of one dtype and on one device.
    """
    if count() == 1 or not tensors:
        return tensors
    total = torch.cat([tensor.flatten() for tensor in tensors])
    with _lost_processes():
        dist.all_reduce(total)
    parts = total.split([tensor.numel() for tensor in tensors])
    return [part.view(tensor.shape) for part, tensor in zip(parts, tensors, strict=True)]


def gather(value: Item) -> list[Item]:
    """The `value` of each process, in the order of their numbers."""
    if count() == 1:
        return [value]
    values: list[Item] = [value] * count()
    with _lost_processes():
        dist.all_gather_object(values, value)
    return values


def require_same(own: str, what: str, error: type[ValueError]) -> None:
    """Raise `error` unless `own` is the same in all processes; in others it is of `what`."""
    for number, other in enumerate(gather(own)):
        if other != own:
            raise error(
                f'process {number} has read {what} than process {rank()}; '
                f'all must be given the same'
            )


def any_of(value: bool) -> bool:
    """Whether `value` is true in any of the processes."""
    [processes] = add_up([torch.tensor([float(value)])])
    return bool(processes)


def wait_for_all() -> None:
    """Return when all processes have come here."""
    any_of(False)


def copy_from_first(module: nn.Module) -> None:
    """Copy the parameters and statistics of `module` from the first process to all others."""
    if count() == 1:
        return
    with _lost_processes():
        for tensor in module.state_dict().values():
            dist.broadcast(tensor, 0)


def own_share(items: Sequence[Item]) -> Sequence[Item]:
    """The part of `items` that is for this process; the parts are in the order of `gather`."""
    first, last = (len(items) * (rank() + step) // count() for step in (0, 1))
    return items[first:last]


def is_there(path: Path) -> bool:
    """Whether the file `path` exists; raises OSError unless all processes see the same one."""
    digest = hashlib.sha256(path.read_bytes()).hexdigest() if path.exists() else ''
    digests = gather(digest)
    for number, other in enumerate(digests):
        if other != digests[0]:
            raise OSError(
                f'process {number} does not see the {path} that process 0 sees; '
                f'the output must be one folder that all machines share'
            )
    return bool(digest)
