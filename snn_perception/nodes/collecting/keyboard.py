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

"""Keys in the terminal that the node runs in."""

from __future__ import annotations

import os
import re
import select
import signal
import sys
import termios
import threading
import tty
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from typing import TextIO

from snn_perception.nodes.collecting.collection import Collection, Refused
from snn_perception.nodes.process import Stop

HELP = (
    'keys: 1 to 9 save a frame of that class, space another one of the same; r records it, and '
    'stops; t begins a take; d or backspace deletes the last; n names a new class; q quits'
)
SEQUENCE = re.compile(r'\x1b(\[[0-?]*[ -/]*[@-~]?|O.?|.)?')
"""Arrows and the like, which are several characters and mean nothing here (ECMA-48, 5.4)."""
PATIENCE = 0.5
"""Seconds between two looks whether the terminal is ours again."""


class Keyboard:
    """Does what the keys say, in a thread of its own, until it is closed or q is pressed.

    While another program has the terminal its keys are left alone. The terminal is given back as
    it was when `stop` is requested.
    """

    def __init__(self, collection: Collection, stop: Stop, output: TextIO) -> None:
        self._collection = collection
        self._stop = stop
        self._output = output
        self._terminal = sys.stdin.fileno()
        self._before = termios.tcgetattr(self._terminal)
        self._is_ours = False
        self._name = ''
        self._woken, self._wake = os.pipe()
        self._thread = threading.Thread(target=self._work, name='keyboard', daemon=True)
        stop.on_request(self.close)

    @staticmethod
    def is_possible() -> bool:
        """Whether there is a terminal to take keys from."""
        return sys.stdin is not None and not sys.stdin.closed and sys.stdin.isatty()

    def start(self) -> None:
        """Begin to listen."""
        self._thread.start()

    def close(self) -> None:
        """Listen no more, and leave the terminal as it was."""
        os.write(self._wake, b'.')
        self._give_back()

    # --- the terminal ---

    def _take(self) -> bool:
        """Have keys come one by one and unseen, if the terminal is ours; whether it is."""
        is_ours = os.tcgetpgrp(self._terminal) == os.getpgrp()
        # Also after Ctrl-Z, when the shell has set the terminal as it was.
        if is_ours and termios.tcgetattr(self._terminal)[3] & termios.ICANON:
            tty.setcbreak(self._terminal, termios.TCSANOW)
            self._is_ours = True
        return is_ours

    def _give_back(self) -> None:
        with suppress(OSError, termios.error):
            if self._is_ours and os.tcgetpgrp(self._terminal) == os.getpgrp():
                termios.tcsetattr(self._terminal, termios.TCSANOW, self._before)
        self._is_ours = False

    def _keys(self) -> str:
        """The next keys, '' if there are none to come."""
        while not self._stop.requested:
            is_ours = self._take()
            wanted = [self._terminal, self._woken] if is_ours else [self._woken]
            ready = select.select(wanted, [], [], PATIENCE)[0]
            if self._woken in ready:
                break
            if self._terminal in ready:
                keys = os.read(self._terminal, 64).decode(errors='replace')
                if meant := SEQUENCE.sub('', keys):
                    return meant
        return ''

    def _line(self, question: str) -> str:
        """A line that the user types, shown while it is typed."""
        self._say(question, end='')
        self._give_back()
        line = b''
        while not line.endswith(b'\n') and self._woken not in (
            ready := select.select([self._terminal, self._woken], [], [])[0]
        ):
            if self._terminal in ready and not (read := os.read(self._terminal, 1)):
                break
            line += read
        return line.decode(errors='replace').strip()

    # --- keys ---

    def _work(self) -> None:
        # In the background a look at the terminal would halt the process.
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTTIN, signal.SIGTTOU})
        with suppress(OSError, termios.error):
            self._take()
            self._say(HELP)
            while keys := self._keys():
                for key in keys:
                    self._do(key)
        self._give_back()

    def _do(self, key: str) -> None:
        collection = self._collection
        actions: dict[str, Callable[[], object]] = {
            ' ': lambda: collection.save(self._chosen()),
            'r': self._record,
            't': collection.begin_take,
            'd': collection.delete_last,
            '\x7f': collection.delete_last,
            '\b': collection.delete_last,
            'n': self._add,
            'q': self._stop.request,
        }
        actions |= {str(number): partial(self._choose, number) for number in range(1, 10)}
        try:
            actions.get(key, lambda: self._say(HELP))()
        except Refused as reason:
            self._say(str(reason))
        else:
            self._say(f'{collection.message}  [{self._listed()}]')

    def _choose(self, number: int) -> None:
        names = list(self._collection.counts())
        if number > len(names):
            raise Refused(f'there is no class {number}; n names a new one')
        self._name = names[number - 1]
        self._collection.save(self._name)

    def _chosen(self) -> str:
        if not self._name:
            raise Refused('no class is chosen; 1 to 9 choose one, n names a new one')
        return self._name

    def _record(self) -> None:
        if self._collection.recording is None:
            self._collection.record(self._chosen())
        else:
            self._collection.stop()

    def _add(self) -> None:
        self._name = self._collection.add_class(self._line('name of the class: '))

    def _listed(self) -> str:
        return '  '.join(
            f'{number} {name}: {count.frames} in {count.takes}'
            for number, (name, count) in enumerate(self._collection.counts().items(), 1)
        )

    def _say(self, text: str, end: str = '\n') -> None:
        with suppress(OSError, ValueError):
            print(text, end=end, file=self._output, flush=True)
