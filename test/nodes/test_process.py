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

"""Signals end a node in time, wherever it is; in real processes."""

from __future__ import annotations

import array
import fcntl
import os
import signal
import subprocess
import sys
import termios
import textwrap
import time
from collections.abc import Callable

import pytest

from snn_perception.nodes.process import load_library

PATIENCE = 30
LIMIT = 2.0


def start(job: str) -> subprocess.Popen:
    """A process that runs the body of `job(stop)` after it has printed `ready`."""
    program = (
        'import sys, time\n'
        'from snn_perception.nodes.process import run\n'
        'def ready():\n    print("ready", flush=True)\n'
        f'def job(stop):\n{textwrap.indent(textwrap.dedent(job), "    ")}\n'
        'sys.exit(run(job))\n'
    )
    return subprocess.Popen(
        [sys.executable, '-c', program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, 'PYTHONUNBUFFERED': ''},
    )


def finish(process: subprocess.Popen) -> tuple[int, str, str]:
    """Exit status, output and errors of `process`."""
    output, errors = process.communicate(timeout=PATIENCE)
    return process.returncode, output, errors


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize(
    'job',
    [
        'ready(); stop.wait(60)',
        'ready(); time.sleep(60)',
        'ready()\nwhile True: pass',
        'ready(); stop.wait(60); raise RuntimeError("the context is gone")',
        'ready(); stop.wait(60); return 5',
    ],
    ids=['waits', 'sleeps', 'computes', 'fails at the end', 'returns a status'],
)
def test_signal_ends_any_job_quickly_with_status_zero(job: str, number: signal.Signals) -> None:
    process = start(job)
    assert process.stdout.readline() == 'ready\n'
    begin = time.monotonic()
    process.send_signal(number)
    status, _, errors = finish(process)
    assert (status, errors) == (0, '')
    assert time.monotonic() - begin < LIMIT


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_signal_ends_a_job_whose_output_nobody_takes(number: signal.Signals) -> None:
    """As in a terminal that Ctrl-S has stopped."""
    process = start('ready()\nwhile True: print("x" * 100)')
    assert process.stdout.readline() == 'ready\n'
    pipe = process.stdout.fileno()
    wait_for(lambda: unread(pipe) > 60_000)
    process.send_signal(number)
    assert process.wait(LIMIT) == 0
    process.communicate()


def unread(pipe: int) -> int:
    """How many bytes wait in a pipe."""
    size = array.array('i', [0])
    fcntl.ioctl(pipe, termios.FIONREAD, size)
    return size[0]


def wait_for(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_more_signals_do_no_harm() -> None:
    process = start('ready(); stop.wait(60); time.sleep(0.2); print("tidied up")')
    assert process.stdout.readline() == 'ready\n'
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGINT, signal.SIGINT):
        process.send_signal(number)
        time.sleep(0.02)
    assert finish(process) == (0, 'tidied up\n', '')


def test_callbacks_run_when_the_end_is_asked_for_and_at_once_afterwards() -> None:
    process = start(
        """
        import threading
        asked = threading.Event()
        stop.on_request(asked.set)
        ready()
        assert asked.wait(60)
        print('asked', flush=True)
        stop.on_request(lambda: print('late', flush=True))
        """
    )
    assert process.stdout.readline() == 'ready\n'
    process.send_signal(signal.SIGTERM)
    status, output, errors = finish(process)
    assert (status, output, errors) == (0, 'asked\nlate\n', '')


def test_status_of_a_job_that_returns_is_the_status_of_the_process() -> None:
    assert finish(start('return 3')) == (3, '', '')


def test_job_that_asks_itself_to_stop_returns_its_status() -> None:
    assert finish(start('stop.request(); stop.wait(60); return 4')) == (4, '', '')


def test_error_of_a_job_is_shown() -> None:
    status, _, errors = finish(start('raise RuntimeError("broken")'))
    assert status == 1
    assert 'RuntimeError: broken' in errors


def test_exit_of_a_job_is_the_exit_of_the_process() -> None:
    assert finish(start('sys.exit(7)')) == (7, '', '')
    assert finish(start('sys.exit("one sentence")')) == (1, '', 'one sentence\n')


@pytest.mark.parametrize('name', ['nodes.classifier', 'nodes.camera', 'demo.application'])
def test_nothing_heavy_is_imported_before_signals_are_handled(name: str) -> None:
    program = (
        f'import sys, snn_perception.{name}\n'
        'heavy = {"numpy", "cv2", "torch", "rclpy", "matplotlib", "yaml"} & set(sys.modules)\n'
        'sys.exit(f"imported: {heavy}" if heavy else 0)'
    )
    assert finish(
        subprocess.Popen([sys.executable, '-c', program], stderr=subprocess.PIPE, text=True)
    )[::2] == (0, '')


IMPORT = """
    from snn_perception.nodes.process import load_library
    if {early}:
        load_library('torch', 'lib/libtorch_cpu.so')
    import torch
    with open('/proc/self/maps') as maps:
        print(sum('libtorch_cpu.so' in line and 'r-xp' in line for line in maps))
    return 0
"""


@pytest.mark.slow
def test_library_loaded_early_is_the_one_that_the_import_finds():
    pytest.importorskip('torch')
    for early in (False, True):
        process = start(IMPORT.format(early=early))
        status, output, errors = finish(process)
        assert (status, output.split()) == (0, ['1']), errors


def test_library_that_is_not_there_is_no_error():
    load_library('no_such_package', 'lib/nothing.so')
    load_library('xml', 'lib/nothing.so')


def test_other_threads_run_while_a_library_is_loaded():
    job = """
        import threading, time
        from snn_perception.nodes.process import load_library
        gaps, done = [], threading.Event()
        def tick():
            before = time.monotonic()
            while not done.is_set():
                time.sleep(0.001)
                gaps.append(time.monotonic() - before)
                before = time.monotonic()
        thread = threading.Thread(target=tick)
        thread.start()
        begin = time.monotonic()
        load_library('torch', 'lib/libtorch_cpu.so')
        took = time.monotonic() - begin
        done.set()
        thread.join()
        print(max(gaps) < 0.8 * took)
        return 0
    """
    pytest.importorskip('torch')
    status, output, errors = finish(start(job))
    assert (status, output.split()) == (0, ['True']), errors
