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

"""The newest frame wins: a mailbox with a slot for each camera, and the thread that empties it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Hashable
from typing import Generic, Protocol, TypeVar

T = TypeVar('T')

PATIENCE = 10.0
"""Seconds that a worker has to end."""


class Mailbox(Generic[T]):
    """Holds the newest item of each sender until it is taken; any thread may call any method."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._items: dict[Hashable, T] = {}
        self._closed = False

    def put(self, sender: Hashable, item: T) -> bool:
        """Store `item`; True if it took the place of one of this sender that nobody had taken."""
        with self._changed:
            overwritten = sender in self._items
            self._items[sender] = item
            self._changed.notify()
            return overwritten

    def take(self) -> list[T]:
        """Wait for an item and take out all: first of the sender that has waited longest.

        The list is empty once the mailbox is closed.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._items)
            items, self._items = list(self._items.values()), {}
            return [] if self._closed else items

    def clear(self, sender: Hashable) -> None:
        """Forget the item of `sender` that waits, if there is one."""
        with self._changed:
            self._items.pop(sender, None)

    def close(self) -> None:
        """Wake whoever waits in `take`, and let nothing be taken any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()


class Tray(Protocol[T]):
    """Where items wait for a worker."""

    def take(self) -> list[T]:
        """Wait for items and take out all; none once it is closed."""

    def close(self) -> None:
        """Wake whoever waits in `take`, and let nothing be taken any more."""


class Worker(Generic[T]):
    """A thread that calls `handle` with all items that wait in its mailbox, again and again.

    They wait in another `tray` if there is one.
    An exception of `handle` goes to `report` and does not end the thread.
    """

    def __init__(
        self,
        handle: Callable[[list[T]], None],
        report: Callable[[Exception], None],
        tray: Tray[T] | None = None,
    ) -> None:
        self.mailbox: Mailbox[T] = Mailbox()
        self._tray: Tray[T] = self.mailbox if tray is None else tray
        self._handle = handle
        self._report = report
        self._fault: tuple[float, str] | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name='worker', daemon=True)

    @property
    def is_stopping(self) -> bool:
        """Whether `stop` was called: long work in `handle` looks at this and gives up."""
        return self._stopping.is_set()

    @property
    def is_running(self) -> bool:
        """Whether the thread was started and has not ended."""
        return self._thread.is_alive()

    @property
    def fault(self) -> str:
        """A sentence on when and why the thread ended by itself; empty if it did not."""
        if self._fault is None:
            return ''
        when, reason = self._fault
        return f'the worker thread ended {time.monotonic() - when:.0f} s ago with {reason}'

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def stop(self, timeout: float | None = None) -> bool:
        """End the thread, waiting for at most `timeout` seconds (PATIENCE); True if it ended."""
        self._stopping.set()
        self._tray.close()
        self._thread.join(PATIENCE if timeout is None else timeout)
        return not self.is_running

    def _work(self) -> None:
        try:
            while items := self._tray.take():
                try:
                    self._handle(items)
                except Exception as reason:
                    self._report(reason)
        except BaseException as reason:
            self._fault = time.monotonic(), f'{type(reason).__name__}: {reason}'
            raise
