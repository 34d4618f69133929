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

"""Running a node so that Ctrl-C and SIGTERM end it in time, wherever it is.

The main thread does nothing but wait for signals: it hears them while another thread imports
libraries, loads a model or computes. Nothing heavy may be imported before `run` is called.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path

GRACE = 0.4
"""Seconds that a job has to end after it was asked to, before the process ends without it."""

SIGNALS = (signal.SIGINT, signal.SIGTERM)

_JOB_ENDED = b'\0'


class Stop:
    """A request to end, made once, that any thread can look at or wait for."""

    def __init__(self) -> None:
        self._event = threading.Event()
        self._lock = threading.Lock()
        self._callbacks: list[Callable[[], None]] = []

    @property
    def requested(self) -> bool:
        """Whether the end was asked for."""
        return self._event.is_set()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait for the request for at most `timeout` seconds; whether it was made."""
        return self._event.wait(timeout)

    def request(self) -> None:
        """Ask for the end."""
        with self._lock:
            self._event.set()
            callbacks, self._callbacks = self._callbacks, []
        for callback in callbacks:
            callback()

    def on_request(self, callback: Callable[[], None]) -> None:
        """Have `callback` called when the end is asked for: now, if it was already."""
        with self._lock:
            if not self._event.is_set():
                self._callbacks.append(callback)
                return
        callback()


def run(job: Callable[[Stop], int]) -> int:
    """Exit status of `job`, which runs in a thread of its own until it returns or a signal comes.

    After SIGINT or SIGTERM the job is asked to stop, what it raises then is dropped, and the
    process ends with status 0: as soon as the job has, or after GRACE seconds if it does not,
    for example in the middle of importing a large library. The interpreter is not taken apart
    then, which can take seconds with large libraries. Call from the main thread.
    """
    bell, ring = os.pipe()
    os.set_blocking(ring, False)
    signal.set_wakeup_fd(ring, warn_on_full_buffer=False)
    for number in SIGNALS:
        # The handler does nothing in Python: the interpreter writes the number into the pipe.
        signal.signal(number, lambda *_: None)

    stop = Stop()
    outcome: list[int | BaseException] = []

    def work() -> None:
        try:
            outcome.append(job(stop))
        except BaseException as reason:
            outcome.append(reason)
        os.write(ring, _JOB_ENDED)

    thread = threading.Thread(target=work, name='job', daemon=True)
    thread.start()
    if os.read(bell, 1) != _JOB_ENDED:
        stop.request()
        thread.join(GRACE)
        # Whoever should take the output may never do so, as a terminal after Ctrl-S.
        flushing = threading.Thread(target=_flush, daemon=True)
        flushing.start()
        flushing.join(GRACE)
        os._exit(0)
    thread.join()
    for number in SIGNALS:
        # A signal must not disturb the interpreter while it ends.
        signal.signal(number, signal.SIG_IGN)
    result = outcome[0]
    if isinstance(result, BaseException):
        raise result
    return result


def load_library(package: str, path: str) -> None:
    """Load the shared library at `path` inside `package` before the package is imported.

    An import holds up all threads while the system loads a library: half a second for a large
    one, seconds from a cold disk, in which no signal is heard. This call lets the others run,
    and the import then finds the library there. Does nothing where there is none.
    """
    found = find_spec(package)
    if package in sys.modules or found is None or found.origin is None:
        return
    # ctypes lets the other threads run while it is in a C function, but not while it loads.
    system = ctypes.CDLL(None)
    system.dlopen.argtypes, system.dlopen.restype = (
        (ctypes.c_char_p, ctypes.c_int),
        ctypes.c_void_p,
    )
    system.dlopen(os.fsencode(Path(found.origin).parent / path), os.RTLD_NOW)


def _flush() -> None:
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError):
            stream.flush()
