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

"""How a node that classifies frames is doing: counts and times, summed up for each report."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

from snn_perception.nodes.diagnostics.latency import Latency
from snn_perception.nodes.diagnostics.verdict import (
    Counts,
    Finding,
    Level,
    Limits,
    Period,
    Report,
    Source,
    judge,
    judge_engine,
)


class Health:
    """Counts what happens to frames, and sums up the time since the last report.

    Any thread may call any method. `clock` gives seconds that only grow.
    """

    thing = 'frame'
    counted: type[Counts] = Counts

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._busy_since: float | None = None
        self._waiting_since: float | None = None
        self._usual = 0.0
        self.reset()

    def reset(self) -> None:
        """Forget all frames and errors so far, but not that the engine is busy."""
        with self._lock:
            self._total = self.counted()
            self._last_error = ''
            self._pictures = ''
            self._is_skipping = False
            self._begin_period()
            self._expect_frames()

    def resume(self) -> None:
        """Begin again after a pause, which is not part of the next report."""
        with self._lock:
            self._begin_period()
            self._expect_frames()

    def received(self, lost: int = 0, has_stamp: bool = True) -> None:
        """Count a frame that arrived; `lost` others should have arrived before it."""
        with self._lock:
            self._arrive(lost, has_stamp)
            if self._waiting_since is None:
                self._waiting_since = self._last_frame

    def dropped(self, count: int = 1) -> None:
        """Count frames that gave way to newer ones before their turn."""
        with self._lock:
            self._total.dropped += count

    def duplicate(self) -> None:
        """Count a frame of a stream that has the stamp of the one before."""
        with self._lock:
            self._arrive(0, True)
            self._total.duplicates += 1

    def _arrive(self, lost: int, has_stamp: bool) -> None:
        self._total.received += 1
        self._total.lost += lost
        self._total.unstamped += not has_stamp
        self._last_frame = self._clock()

    @contextmanager
    def busy(self) -> Iterator[None]:
        """The time in which the engine has a frame, whatever becomes of it."""
        with self._lock:
            start = self._busy_since = self._clock()
            self._waiting_since = None
        try:
            yield
        finally:
            with self._lock:
                self._usual = self._clock() - start
                self._busy_since = None

    def classified(
        self, latency: Latency, stages: Mapping[str, float], hurried: bool = False
    ) -> None:
        """Count a frame whose answer went out `latency` after its stamp.

        `stages` are parts of that time in s by name, and `hurried` tells whether the deadline
        ended the decision.
        """
        with self._lock:
            self._total.classified += 1
            self._total.hurried += hurried
            self._latencies.append(latency)
            for name, seconds in stages.items():
                self._stages.setdefault(name, []).append(seconds)

    def seen(self, doubt: str) -> None:
        """Note what is odd about what the last frame shows, '' if nothing is."""
        with self._lock:
            self._pictures = doubt

    def rejected(self, reason: str) -> None:
        """Count a frame that was not a usable image."""
        with self._lock:
            self._total.rejected += 1
            self._last_error = reason

    def failed(self, reason: str) -> None:
        """Count a frame that the engine could not classify."""
        with self._lock:
            self._total.failed += 1
            self._last_error = reason

    def restarted(self) -> None:
        """Count a stream that had to begin again at rest."""
        with self._lock:
            self._total.restarts += 1

    def skipped(self, seconds: float) -> None:
        """Count time of a stream that was not simulated before a frame, 0 if all was."""
        with self._lock:
            self._total.skipped += seconds
            self._is_skipping = seconds > 0

    @property
    def counts(self) -> Counts:
        """The counts now."""
        with self._lock:
            return replace(self._total)

    def report(self, source: Source | None, limits: Limits, pause: str = 'disabled') -> Report:
        """The verdict on the time since the last one, by `limits`.

        Without a `source` there is no subscription, and `pause` says why.
        """
        with self._lock:
            period = self._period(limits)
            values = self._values(period)
            self._begin_period()
        if source is None:
            return Report(*next(judge_engine(period), (Level.OK, pause)), {})
        return Report(*self._judge(period, source), values)

    def _judge(self, period: Period, source: Source) -> Finding:
        return judge(period, source)

    def _period(self, limits: Limits) -> Period:
        now = self._clock()
        starts = [since for since in (self._busy_since, self._waiting_since) if since is not None]
        known = [one.seconds for one in self._latencies if math.isfinite(one.seconds)]
        return Period(
            seconds=max(now - self._since, 1e-9),
            counts=self._total.since(self._before),
            silence=now - self._last_frame,
            delay=now - min(starts, default=now),
            is_busy=self._busy_since is not None,
            usual=self._usual,
            latency=_mean(known),
            skipped=self._total.skipped,
            is_skipping=self._is_skipping,
            last_error=self._last_error,
            doubt=self._latencies[-1].doubt if self._latencies and not known else '',
            pictures=self._pictures,
            thing=self.thing,
            limits=limits,
        )

    def _values(self, period: Period) -> dict[str, str]:
        """What is published: rate and latency of `period`, counts since the last reset."""
        values = {'rate_hz': f'{period.counts.classified / period.seconds:.3f}'}
        if self._latencies:
            known = [one.seconds for one in self._latencies if math.isfinite(one.seconds)]
            values['latency_ms'] = f'{1e3 * period.latency:.3f}'
            values['latency_max_ms'] = f'{1e3 * max(known, default=math.nan):.3f}'
        values |= {
            f'{name}_ms': f'{1e3 * _mean(times):.3f}' for name, times in self._stages.items()
        }
        values |= {name: str(count) for name, count in vars(self._total).items()}
        values['skipped_s'] = f'{float(values.pop("skipped")):.3f}'
        values['last_error'] = self._last_error
        return values

    def _begin_period(self) -> None:
        self._before = replace(self._total)
        self._latencies: list[Latency] = []
        self._stages: dict[str, list[float]] = {}
        self._since = self._clock()

    def _expect_frames(self) -> None:
        self._last_frame = self._clock()
        self._waiting_since = None


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else math.nan
