"""The newest frame wins: a mailbox with one slot, and the thread that empties it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar('T')


class Mailbox(Generic[T]):
    """Holds the newest item until it is taken; any thread may call any method."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._item: T | None = None
        self._closed = False

    def put(self, item: T) -> bool:
        """Store `item`; True if it took the place of one that nobody had taken."""
        with self._changed:
            overwritten = self._item is not None
            self._item = item
            self._changed.notify()
            return overwritten

    def take(self) -> T | None:
        """Wait for an item and take it out; None once the mailbox is closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._item is not None)
            item, self._item = self._item, None
            return None if self._closed else item

    def clear(self) -> None:
        """Forget the item that waits, if there is one."""
        with self._changed:
            self._item = None

    def close(self) -> None:
        """Wake who waits in `take`, and let nothing be taken any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()


class Worker(Generic[T]):
    """A thread that calls `handle` with what arrives in its mailbox, one item at a time.

    What `handle` raises goes to `report` and does not end the thread.
    """

    def __init__(self, handle: Callable[[T], None], report: Callable[[Exception], None]) -> None:
        self.mailbox: Mailbox[T] = Mailbox()
        self._handle = handle
        self._report = report
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._work, name='worker', daemon=True)

    @property
    def is_stopping(self) -> bool:
        """Whether `stop` was called: long work in `handle` looks at this and gives up."""
        return self._stopping.is_set()

    def start(self) -> None:
        """Begin to work."""
        self._thread.start()

    def stop(self, timeout: float = 10.0) -> bool:
        """End the thread, waiting for at most `timeout` seconds; True if it ended."""
        self._stopping.set()
        self.mailbox.close()
        self._thread.join(timeout)
        return not self._thread.is_alive()

    def _work(self) -> None:
        while (item := self.mailbox.take()) is not None:
            try:
                self._handle(item)
            except Exception as reason:
                self._report(reason)
