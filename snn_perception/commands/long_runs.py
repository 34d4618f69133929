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

"""What commands that train have in common: interruption, the log on the screen, and memory."""

from __future__ import annotations

import ctypes
import logging
import signal
import sys
from collections.abc import Callable
from types import FrameType

from snn_perception.requirements import require
from snn_perception.training.interruption import SIGNALS, handled_by


def interruptible(name: str, run: Callable[[], int]) -> int:
    """The exit status of `run`, of the command `name`, or 128 and the number of a signal."""
    try:
        with handled_by(_stop):
            return run()
    except KeyboardInterrupt as reason:
        # At any moment, also while the libraries are being imported.
        print(f'{name}: interrupted; the same command resumes', file=sys.stderr)
        [number] = reason.args or (signal.SIGINT,)
        return 128 + int(number)


def trained(name: str, work: Callable[[], object]) -> int:
    """Do the `work` of the command `name`, with its log on the screen; returns the exit status.

    An error of the user, and a loss that is not finite, is printed as one sentence. Under torchrun
    it says which process it is of, and only the first process shows the log.
    """
    require('training', 'torch>=2.9')
    from snn_perception.training import distributed

    leads = distributed.leads()
    level = logging.INFO if leads else logging.ERROR
    logging.basicConfig(level=level, format='%(message)s', stream=sys.stderr)
    _keep_memory()
    try:
        work()
    except (ValueError, FloatingPointError, OSError) as reason:
        program = name if leads else f'{name}, process {distributed.rank()}'
        print(f'{program}: {reason}', file=sys.stderr)
        return 1
    return 0


def _stop(number: int, frame: FrameType | None) -> None:
    """Raise KeyboardInterrupt(number), once: under torchrun every signal comes several times."""
    for each in SIGNALS:
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt(number)


def _keep_memory() -> None:
    """Let the C library keep freed memory instead of giving it back to the system.

    Every training step allocates the same large tensors; fetching their pages again each time
    costs more than computing them. It is for all of the process, so no library may ask for it.
    Does nothing where the C library is not glibc.
    """
    trim_threshold, mmap_max, arena_max = -1, -4, -8
    try:
        libc = ctypes.CDLL('libc.so.6')
    except OSError:
        return
    libc.mallopt(trim_threshold, 2**31 - 1)
    libc.mallopt(mmap_max, 0)
    # The arenas of threads are made of small pieces that do go back to the system.
    libc.mallopt(arena_max, 1)
