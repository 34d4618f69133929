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

"""Signals that end a process, put off until what it has done is saved."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Ctrl-C, `kill` and the end of a session."""


@contextmanager
def handled_by(handler: Callable[[int, FrameType | None], Any]) -> Iterator[None]:
    """Let `handler` have the `SIGNALS` meanwhile, except for those that are ignored.

    Does nothing outside the main thread, which is the only one that signals come to.
    """
    before: dict[int, Any] = {}
    if threading.current_thread() is threading.main_thread():
        before = {number: signal.getsignal(number) for number in SIGNALS}
    # None: a handler that is not of Python, which could not be set again.
    changed = {n: old for n, old in before.items() if old not in (signal.SIG_IGN, None)}
    for number in changed:
        signal.signal(number, handler)
    try:
        yield
    finally:
        for number, old in changed.items():
            signal.signal(number, old)


@contextmanager
def deferred(insists: bool) -> Iterator[Callable[[], bool]]:
    """Put off the `SIGNALS` meanwhile; gives a function that says whether one has come.

    Afterwards the signal has the effect that it would have had at once. A second one raises
    KeyboardInterrupt at once if `insists`.
    """
    arrived: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        arrived.append(number)
        if insists and len(arrived) > 1:
            raise KeyboardInterrupt

    try:
        with handled_by(note):
            yield lambda: bool(arrived)
    finally:
        if arrived:
            signal.raise_signal(arrived[0])
