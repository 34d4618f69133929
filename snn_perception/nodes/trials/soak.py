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

"""A node under faults for minutes or hours: does it live, answer rightly, and stay as small?

Faults come in random order, each as often as the others. After each one good frames must be
answered rightly within `bench.LIMIT` seconds, without help after faults of cameras, and after
faults of requests once everything was put back. At the end the node is shut down.
"""

from __future__ import annotations

import random
import signal
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from lifecycle_msgs.msg import Transition
from numpy.typing import NDArray

from snn_perception.nodes.trials.bad_frames import FRAMES
from snn_perception.nodes.trials.bad_requests import REQUESTS
from snn_perception.nodes.trials.bench import Bench, Trouble
from snn_perception.nodes.trials.observer import Observer, Unanswered
from snn_perception.nodes.trials.processes import Sample, own_domain
from snn_perception.nodes.trials.speed import Figures, frames_of

SIZE = (160, 120)
"""Of the good frames, (width, height): small enough not to be lost on their way."""
PICTURES = 10
MOST_SAMPLES = 2000
GROWTH = {'memory_mb': 30.0, 'threads': 3.0, 'handles': 10.0}
"""By how much each may grow over a whole soak without being a leak."""
LONG = 300.0
"""Seconds that a process must live for its growth to be more than chance."""
SHUTDOWN = Transition.TRANSITION_ACTIVE_SHUTDOWN


@dataclass
class Log:
    """What happened: samples of the process, latencies and recoveries, all by time in s.

    `lives` are the numbers of samples at which a new process began.
    """

    samples: list[Sample] = field(default_factory=list)
    lives: list[int] = field(default_factory=lambda: [0])
    recoveries: list[tuple[float, str, float]] = field(default_factory=list)
    troubles: list[tuple[float, str, str]] = field(default_factory=list)

    def each_life(self) -> list[list[Sample]]:
        """The samples of each process."""
        ends = [*self.lives[1:], len(self.samples)]
        return [self.samples[begin:end] for begin, end in zip(self.lives, ends, strict=True)]


def soak(
    parameters: dict[str, Any], images: NDArray[np.uint8], minutes: float, seed: int
) -> Figures:
    """Figures of the classifier with `parameters` after `minutes` of faults.

    The good frames show the first of `images`. `failures` are sentences on what went wrong, and
    `verdict` sums them up; `course` is what `reporting.soak_picture` draws. Raises ValueError if
    the node cannot be started at all.
    """
    chance, log = random.Random(seed), Log()
    pictures = frames_of(images[:PICTURES], *SIZE)
    with own_domain(), tempfile.TemporaryDirectory() as folder, Observer() as observer:
        bench = Bench(observer, parameters, pictures, Path(folder), chance)
        start = time.monotonic()
        stop = threading.Event()
        period = max(0.2, 60 * minutes / MOST_SAMPLES)
        watch = threading.Thread(target=_watch, args=(bench, log, period, stop), daemon=True)
        watch.start()
        try:
            for name in _names(chance):
                _abuse(bench, name, log)
                if time.monotonic() - start > 60 * minutes:
                    break
            trouble = shut_down(bench)
            if trouble:
                log.troubles.append((time.monotonic(), 'a shutdown', trouble))
        finally:
            stop.set()
            watch.join()
            bench.close()
        return figures_of(log, bench.latencies, start) | {'seed': seed}


def _names(chance: random.Random) -> Iterator[str]:
    """Names of faults without end, each as often as the others."""
    names = [*FRAMES, *REQUESTS]
    while True:
        yield from chance.sample(names, len(names))


def _abuse(bench: Bench, name: str, log: Log) -> None:
    """Do the fault `name`, and see whether the node recovers; start it anew if it does not."""
    begin = time.monotonic()
    try:
        if name in FRAMES:
            FRAMES[name](bench)
        else:
            REQUESTS[name](bench)
            bench.restore()
        bench.check_alive()
        log.recoveries.append((begin, name, bench.check()))
    except (Trouble, Unanswered) as reason:
        log.troubles.append((time.monotonic(), name, str(reason)))
        bench.program.end()
        log.lives.append(len(log.samples))
        bench.restart()


def _watch(bench: Bench, log: Log, period: float, stop: threading.Event) -> None:
    while not stop.wait(period):
        try:
            log.samples.append(bench.program.sample())
        except psutil.Error:
            continue


def shut_down(bench: Bench) -> str:
    """Shut the node down by its lifecycle and SIGTERM; a sentence if it does not end well."""
    bench.change(SHUTDOWN)
    status = bench.program.end(signal.SIGTERM)
    return '' if status == 0 else f'the process ended with status {status} after its shutdown'


def figures_of(log: Log, latencies: list[tuple[float, float]], start: float) -> Figures:
    """The figures of a soak that began at `start`, in s as the times of `log`."""
    minutes = (time.monotonic() - start) / 60
    life = max(log.each_life(), key=len)
    growth = {name: _growth(life, name) for name in GROWTH}
    failures = [
        {'minute': (when - start) / 60, 'after': name, 'trouble': reason}
        for when, name, reason in log.troubles
    ]
    lived = life[-1].time - life[0].time if life else 0.0
    for name, allowed in GROWTH.items():
        # Another engine that a fault asks for brings its libraries, at any time of a short life.
        if growth[name][0] > allowed and lived > LONG:
            trouble = f'{name} grew by {growth[name][0]:.1f}'
            failures.append({'minute': minutes, 'after': 'all', 'trouble': trouble})
    times = 1e3 * np.array([seconds for _, seconds in latencies] or [np.nan])
    recoveries = [seconds for _, _, seconds in log.recoveries] or [np.nan]
    figures: Figures = {
        'verdict': f'{len(failures)} failure{"s" * (len(failures) > 1)}' if failures else 'passed',
        'failures': failures,
        'minutes': minutes,
        'faults': len(log.recoveries) + len(log.troubles),
        'right_answers': len(latencies),
        'recovery_s_median': float(np.median(recoveries)),
        'recovery_s_max': float(max(recoveries)),
        'latency_ms_median': float(np.median(times)),
        'latency_ms_p99': float(np.percentile(times, 99)),
    }
    for name, (_, per_hour) in growth.items():
        values = [getattr(sample, name) for sample in life] or [np.nan]
        figures |= {f'{name}_max': max(values), f'{name}_growth_per_hour': per_hour}
    return figures | {'by_fault': _by_fault(log), 'course': _course(log, latencies, start)}


def _growth(samples: list[Sample], name: str) -> tuple[float, float]:
    """How much `name` of a process grew from its second quarter to the last, and that per hour.

    The first quarter is the warm-up. Per hour it is NaN if the process lived less than LONG s.
    """
    if len(samples) < 8:
        return 0.0, float('nan')
    quarter = len(samples) // 4
    early, late = samples[quarter : 2 * quarter], samples[-quarter:]
    values = [float(np.median([getattr(one, name) for one in part])) for part in (early, late)]
    hours = (late[quarter // 2].time - early[quarter // 2].time) / 3600
    grown = values[1] - values[0]
    return grown, grown / hours if samples[-1].time - samples[0].time > LONG else float('nan')


def _by_fault(log: Log) -> list[dict[str, Any]]:
    rows = []
    for name in (*FRAMES, *REQUESTS):
        recovered = [seconds for _, each, seconds in log.recoveries if each == name]
        failed = sum(each == name for _, each, _ in log.troubles)
        if recovered or failed:
            longest = max(recovered, default=float('nan'))
            rows.append(
                {
                    'fault': name,
                    'times': len(recovered) + failed,
                    'failed': failed,
                    'recovery_s_max': longest,
                }
            )
    return rows


def _course(log: Log, latencies: list[tuple[float, float]], start: float) -> Figures:
    """What is drawn over the time in minutes."""
    every = max(1, len(latencies) // MOST_SAMPLES)
    lines: Figures = {}
    for name in ('time', *GROWTH):
        # What is no number parts one process from the next in the picture.
        lives = [[float(getattr(one, name)) for one in life] for life in log.each_life()]
        lines[name] = [value for life in lives for value in (*life, float('nan'))]
    minutes = [(when - start) / 60 for when in lines.pop('time')]
    return lines | {
        'minutes': minutes,
        'answered_minutes': [(when - start) / 60 for when, _ in latencies[::every]],
        'latency_ms': [1e3 * seconds for _, seconds in latencies[::every]],
        'failed_minutes': [(when - start) / 60 for when, _, _ in log.troubles],
    }
