"""Sharing out a compiled loop over threads."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from itertools import pairwise

SMALLEST_SHARE = 64
"""Length of a share below which a thread costs more than it saves."""


def in_parallel(work: Callable[[int, int], None], length: int, threads: int) -> None:
    """Call `work(first, last)` on `threads` equal shares of range(length), and wait.

    `work` must release the GIL.
    """
    count = min(threads, length // SMALLEST_SHARE)
    if count <= 1:
        work(0, length)
        return
    bounds = [length * share // count for share in range(count + 1)]
    pool = _pool(threads)
    others = [pool.submit(work, *share) for share in pairwise(bounds[1:])]
    work(0, bounds[1])
    for done in others:
        done.result()


@lru_cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, 'snn_perception')
