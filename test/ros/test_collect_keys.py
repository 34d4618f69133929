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

"""The node `collect` in a real terminal: keys, and the terminal as it was afterwards."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from camera_takes import picture
from colour_frames import frame
from sensor_msgs.msg import Image
from waiting import PATIENCE, wait_until


class Terminal:
    """A terminal with the node in it."""

    def __init__(self, model: Path, folder: Path) -> None:
        self.folder = folder
        self._master, slave = pty.openpty()
        self.before = termios.tcgetattr(self._master)
        self.shown = ''
        values = {'model': model, 'folder': folder, 'page': False}
        parameters = [part for item in values.items() for part in ('-p', '{}:={}'.format(*item))]
        self.process = subprocess.Popen(
            [sys.executable, '-m', 'snn_perception', 'collect', '--ros-args', *parameters],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            # With a terminal of its own, as in a window: signals of keys reach it.
            preexec_fn=lambda: os.login_tty(slave) if hasattr(os, 'login_tty') else _own(slave),
        )
        os.close(slave)
        self.read_until('q quits')

    def read_until(self, pattern: str) -> str:
        """What is shown from now on, up to `pattern`."""
        end = time.monotonic() + 3 * PATIENCE
        seen = ''
        while not re.search(pattern, seen):
            if not select.select([self._master], [], [], max(0, end - time.monotonic()))[0]:
                pytest.fail(f'no {pattern!r} in {self.shown + seen!r}')
            try:
                seen += os.read(self._master, 4096).decode(errors='replace')
            except OSError:
                pytest.fail(f'the node ended before {pattern!r} in {self.shown + seen!r}')
        self.shown += seen
        return seen

    def type(self, keys: str) -> None:
        os.write(self._master, keys.encode())

    @property
    def is_as_before(self) -> bool:
        return termios.tcgetattr(self._master) == self.before

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._master)


def _own(slave: int) -> None:
    import fcntl

    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)


@pytest.fixture
def terminal(model_folder: Path, tmp_path: Path) -> Iterator[Terminal]:
    terminal = Terminal(model_folder, tmp_path / 'collected')
    yield terminal
    terminal.close()


@pytest.fixture
def show(robot: Any, terminal: Terminal) -> Callable[[], None]:
    """Publishes something new, a few times."""
    publisher = robot.publisher(Image, '/image_raw')
    steps = count()

    def publish() -> None:
        pixels = picture('red', next(steps))
        for _ in range(3):
            publisher.publish(frame('', pixels=pixels))
            time.sleep(0.12)

    return publish


def names(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder).parts[0]) for path in folder.rglob('*.png'))


def test_keys_name_classes_save_record_and_delete(
    terminal: Terminal, show: Callable[[], None]
) -> None:
    show()
    terminal.type('1')
    terminal.read_until('there is no class 1')
    for number, name in enumerate(('mug', 'spoon'), 1):
        terminal.type('n')
        terminal.read_until('name of the class: ')
        assert terminal.is_as_before
        terminal.type(f'{name}\n')
        terminal.read_until(f'{number} {name}: 0 in 0')
    terminal.type(' ')
    terminal.read_until('2 spoon: 1 in 1')
    show()
    terminal.type('1')
    terminal.read_until('1 mug: 1 in 1')
    terminal.type('2')
    terminal.read_until('2 spoon: 2 in 1')
    terminal.type('\x7f')
    terminal.read_until('2 spoon: 1 in 1')
    terminal.type('d')
    terminal.read_until('1 mug: 0 in 0')
    assert names(terminal.folder) == ['spoon']
    terminal.type('r')
    terminal.read_until('recording spoon')
    show()
    wait_until(lambda: names(terminal.folder) == ['spoon', 'spoon'], 'a frame to be recorded')
    terminal.type('r')
    terminal.read_until('recorded spoon')
    terminal.type('q')
    assert terminal.process.wait(PATIENCE) == 0
    assert terminal.is_as_before


def test_other_keys_are_answered_with_help_and_arrows_with_nothing(terminal: Terminal) -> None:
    # At once, as they come where the processor is busy.
    terminal.type('\x1b[Ax\x1bOP\x1b[3~')
    assert terminal.read_until('q quits').count('keys:') == 1


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_a_signal_leaves_the_terminal_as_it_was(terminal: Terminal, number: int) -> None:
    wait_until(lambda: not terminal.is_as_before, 'the keyboard to be taken')
    if number == signal.SIGINT:
        terminal.type('\x03')
    else:
        terminal.process.send_signal(number)
    assert terminal.process.wait(PATIENCE) == 0
    assert terminal.is_as_before


def test_without_a_terminal_no_keys_are_taken(model_folder: Path, tmp_path: Path) -> None:
    process = subprocess.Popen(
        [
            *(sys.executable, '-m', 'snn_perception', 'collect', '--ros-args'),
            *('-p', f'model:={model_folder}', '-p', f'folder:={tmp_path}', '-p', 'port:=0'),
        ],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        process.stdin.write('q')
        process.stdin.close()
        while 'in a browser' not in (line := process.stderr.readline()):
            assert line, 'the node ended'
        assert process.poll() is None
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 0
    finally:
        process.kill()
        process.wait()
        process.stderr.close()
