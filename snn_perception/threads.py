"""Sharing out a compiled loop over threads."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

SMALLEST_SHARE = 64
"""Length of a share below which a thread costs more than it saves."""


def in_parallel(work: Callable[..., None], arrays: Sequence[NDArray], threads: int) -> None:
    """Call `work` on equal shares of `arrays`, split along their first axis, and wait.

    `work` must release the GIL. It gets views, one of each array.
    """
    count = min(threads, len(arrays[0]) // SMALLEST_SHARE)
    if count <= 1:
        work(*arrays)
        return
    shares = zip(*(np.array_split(array, count) for array in arrays), strict=True)
    for done in [_pool(threads).submit(work, *share) for share in shares]:
        done.result()


@lru_cache
def _pool(threads: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(threads, 'snn_perception')
