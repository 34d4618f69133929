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

"""Processes for a trial: in a ROS domain of their own, watched, and ended in any case."""

from __future__ import annotations

import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import psutil

from snn_perception.training.interruption import deferred

DOMAINS = range(1, 102)
"""Domains whose ports are free for everybody on Linux."""
PATIENCE = 5.0
"""Seconds that a process has to end after SIGTERM."""
MEGA = 1e6


@contextmanager
def own_domain() -> Iterator[int]:
    """Put this process, and those that it starts, into a ROS domain that nobody here uses.

    SIGTERM ends the trial as Ctrl-C does: what it started must not outlive it.
    """
    domain = next(number for number in random.sample(DOMAINS, len(DOMAINS)) if _is_free(number))
    wanted = {'ROS_DOMAIN_ID': str(domain), 'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST'}
    before = {name: os.environ.get(name) for name in wanted}
    os.environ.update(wanted)
    on_term = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield domain
    finally:
        signal.signal(signal.SIGTERM, on_term)
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _is_free(domain: int) -> bool:
    """Whether no participant of DDS listens in `domain` here, by the port of the first one."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind(('', 7410 + 250 * domain))
        except OSError:
            return False
    return True


@dataclass(frozen=True)
class Sample:
    """What a process uses: CPU time so far in s, resident memory in MB, threads, file handles."""

    time: float
    cpu_s: float
    memory_mb: float
    threads: int
    handles: int


class Program:
    """`python ARGUMENTS` as a process of its own; a context manager at whose end it is ended.

    Its standard output is a pipe; what it says on standard error is kept in a file.
    """

    def __init__(self, *arguments: str) -> None:
        self._log: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 (as long as the process)
        self.started = time.monotonic()
        try:
            # A signal that came before the process is known would leave it behind.
            with deferred(insists=False):
                self.process = subprocess.Popen(
                    [sys.executable, *arguments],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=self._log,
                    text=True,
                )
                self._usage = psutil.Process(self.process.pid)
        except KeyboardInterrupt:
            self.end()
            raise

    def __enter__(self) -> Program:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    @property
    def is_running(self) -> bool:
        """Whether the process has not ended."""
        return self.process.poll() is None

    def errors(self) -> str:
        """What the process said on standard error so far."""
        self._log.seek(0)
        return self._log.read().decode(errors='replace')

    def last_words(self) -> str:
        """The last line of `errors`, or a sentence that there is none."""
        lines = self.errors().strip().splitlines()
        return lines[-1] if lines else f'it said nothing and ended with {self.process.poll()}'

    def sample(self) -> Sample:
        """What the process uses now; raises psutil.NoSuchProcess once it has ended."""
        if not self.is_running:
            raise psutil.NoSuchProcess(self.process.pid)
        with self._usage.oneshot():
            times = self._usage.cpu_times()
            return Sample(
                time.monotonic(),
                times.user + times.system,
                self._usage.memory_info().rss / MEGA,
                self._usage.num_threads(),
                self._usage.num_fds(),
            )

    def wait(self, timeout: float) -> bool:
        """Wait for its end for at most `timeout` s; whether it has ended."""
        with suppress(subprocess.TimeoutExpired):
            self.process.wait(timeout)
        return not self.is_running

    def output(self) -> str:
        """All of its standard output, a few lines at most; to be called after its end."""
        assert self.process.stdout is not None
        return self.process.stdout.read()

    def end(self, number: int = signal.SIGTERM) -> int:
        """Send signal `number`, and SIGKILL if that does not help; returns the exit status."""
        if self.is_running:
            self.process.send_signal(number)
        if not self.wait(PATIENCE):
            self.process.kill()
            self.process.wait()
        for stream in (self.process.stdin, self.process.stdout):
            if stream is not None:
                stream.close()
        return self.process.returncode


def classifier(parameters: dict[str, Any]) -> Program:
    """The node `snn_classifier` with `parameters` as anybody starts it."""
    arguments = ['-m', 'snn_perception', 'classifier', '--ros-args']
    for name, value in parameters.items():
        arguments += ['-p', f'{name}:={json.dumps(value)}']
    return Program(*arguments)


def camera(frames: Path, rate: float, count: int = 0, reliability: str = 'reliable') -> Program:
    """The camera of `nodes.trials.camera` in a process of its own."""
    module = 'snn_perception.nodes.trials.camera'
    return Program('-m', module, str(frames), str(rate), str(count), reliability)
