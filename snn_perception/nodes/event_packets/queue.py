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

"""The packets of an event camera that wait, for a bounded time: the oldest are dropped first."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True)
class Delivery:
    """A packet that arrived, `received` by `time.perf_counter()`, `transport` s after its stamp.

    `follows_gap` tells whether the packet before it was lost or dropped.
    """

    message: Any
    received: float
    transport: float = 0.0
    follows_gap: bool = False


class PacketQueue:
    """Holds packets until they are taken; those that wait longer than `longest()` seconds are
    dropped, except for the newest.

    So what is taken is never older, and something always is, however fast packets come and however
    slow whoever takes them is. Any thread may call any method. `dropped` is called with the number
    of packets that were dropped, whenever some were.
    """

    def __init__(
        self,
        longest: Callable[[], float],
        dropped: Callable[[int], None],
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        self._longest = longest
        self._dropped = dropped
        self._clock = clock
        self._changed = threading.Condition()
        self._items: deque[Delivery] = deque()
        self._has_gap = False
        self._closed = False

    def put(self, delivery: Delivery) -> None:
        """Have `delivery` wait, and drop those that have waited too long."""
        with self._changed:
            self._items.append(delivery)
            count = self._drop()
            self._changed.notify()
        if count:
            self._dropped(count)

    def take(self) -> list[Delivery]:
        """Wait for packets and take out the oldest one alone; none once the queue is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._items)
            if self._closed:
                return []
            count = self._drop()
            taken = self._items.popleft()
            if self._has_gap:
                taken = replace(taken, follows_gap=True)
                self._has_gap = False
        if count:
            self._dropped(count)
        return [taken]

    def clear(self) -> None:
        """Forget all packets that wait."""
        with self._changed:
            self._has_gap = self._has_gap or bool(self._items)
            self._items.clear()

    def close(self) -> None:
        """Wake whoever waits in `take`, and let nothing be taken any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def _drop(self) -> int:
        """How many packets had waited too long and are gone now."""
        oldest, count = self._clock() - self._longest(), 0
        while len(self._items) > 1 and self._items[0].received < oldest:
            self._items.popleft()
            count += 1
        self._has_gap = self._has_gap or count > 0
        return count
