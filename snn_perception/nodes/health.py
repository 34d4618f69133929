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
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from snn_perception.nodes.latency import Latency
from snn_perception.nodes.verdict import (
    Counts,
    Level,
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
            self._total = Counts()
            self._last_error = ''
            self._is_skipping = False
            self._begin_period()
            self._expect_frames()

    def resume(self) -> None:
        """Begin again after a pause, which is not part of the next report."""
        with self._lock:
            self._begin_period()
            self._expect_frames()

    def received(self, overwritten: bool) -> None:
        """Count a frame that arrived, and whether it took the place of one that waited."""
        with self._lock:
            self._total.received += 1
            self._total.dropped += overwritten
            self._last_frame = self._clock()
            if self._waiting_since is None:
                self._waiting_since = self._last_frame

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

    def classified(self, latency: Latency) -> None:
        """Count a frame whose answer went out `latency` after its stamp."""
        with self._lock:
            self._total.classified += 1
            self._latencies.append(latency)

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

    def report(self, source: Source | None) -> Report:
        """The verdict on the time since the last one; without a `source` the node is disabled."""
        with self._lock:
            period = self._period()
            values = self._values(period)
            self._begin_period()
        if source is None:
            return Report(*(judge_engine(period) or (Level.OK, 'disabled')), {})
        return Report(*judge(period, source), values)

    def _period(self) -> Period:
        now = self._clock()
        starts = [since for since in (self._busy_since, self._waiting_since) if since is not None]
        known = [one for one in self._latencies if math.isfinite(one.seconds)]
        return Period(
            seconds=max(now - self._since, 1e-9),
            counts=self._total.since(self._before),
            silence=now - self._last_frame,
            delay=now - min(starts, default=now),
            is_busy=self._busy_since is not None,
            usual=self._usual,
            skipped=self._total.skipped,
            is_skipping=self._is_skipping,
            last_error=self._last_error,
            doubt=self._latencies[-1].doubt if self._latencies and not known else '',
        )

    def _values(self, period: Period) -> dict[str, str]:
        """What is published: rate and latency of `period`, counts since the last reset."""
        values = {'rate_hz': f'{period.counts.classified / period.seconds:.3f}'}
        if self._latencies:
            known = [one.seconds for one in self._latencies if math.isfinite(one.seconds)]
            mean = sum(known) / len(known) if known else math.nan
            values['latency_ms'] = f'{1e3 * mean:.3f}'
            values['latency_max_ms'] = f'{1e3 * max(known, default=math.nan):.3f}'
        values |= {name: str(count) for name, count in vars(self._total).items()}
        values['skipped_s'] = f'{float(values.pop("skipped")):.3f}'
        values['last_error'] = self._last_error
        return values

    def _begin_period(self) -> None:
        self._before = replace(self._total)
        self._latencies: list[Latency] = []
        self._since = self._clock()

    def _expect_frames(self) -> None:
        self._last_frame = self._clock()
        self._waiting_since = None
