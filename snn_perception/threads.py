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

"""Sharing out a compiled loop over threads."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from itertools import pairwise

SMALLEST_SHARE = 64
"""Length of a share below which a thread costs more than it saves."""


def default_threads() -> int:
    """The number of cores that this process may use, less one if there are more than two.

    The spare one is for the rest of the robot.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count()
    cores = cores or 1
    return cores - 1 if cores > 2 else cores


def in_parallel(
    work: Callable[[int, int], None],
    length: int,
    threads: int,
    smallest_share: int = SMALLEST_SHARE,
) -> None:
    """Call `work(start, stop)` on up to `threads` equal shares of range(length), and wait.

    No share is smaller than `smallest_share`. `work` must release the GIL.
    """
    count = min(threads, length // smallest_share)
    if count <= 1:
        work(0, length)
        return
    bounds = [length * share // count for share in range(count + 1)]
    pool = _pool(threads)
    others = [pool.submit(work, *share) for share in pairwise(bounds[1:])]
    work(0, bounds[1])
    for done in others:
        done.result()


def together(work: Callable[[int], None], threads: int) -> None:
    """Call `work(0)` here, and `work(1)`, `work(2)`, ... in up to `threads` - 1 other threads.

    `work` must release the GIL and share out the job itself. Each call must return only when the
    whole job is done: a call that has not begun by then is cancelled.
    """
    others = [_pool(threads).submit(work, thread) for thread in range(1, threads)]
    work(0)
    for other in others:
        other.cancel()


@lru_cache(maxsize=1)
def _pool(threads: int) -> ThreadPoolExecutor:
    # Only the last one is kept: when another number is asked for, the threads of the old one end.
    return ThreadPoolExecutor(threads, 'snn_perception')
