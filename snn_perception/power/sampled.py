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

"""Energy from sensors that report only their present power: a thread samples and adds up.

A decision takes a few milliseconds. A sensor takes as long to answer and often measures less
frequently. So a thread of its own reads the sensor, as often as it has a new value, and between
two samples the power is held constant. The mean over a decision shorter than the sampling
interval is the power that the sensor measured around it.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable

from snn_perception.power.base import Reading, Unreadable

STALE = 3.0
"""Seconds after which a sample no longer counts as the present power."""

Sensor = Callable[[], float | None]
"""Returns the present power in W, or None if there is no new value; raises Unreadable."""


class HeldPower:
    """Energy from a power known at some times, and held constant from each of them to the next.

    The mean between any two times thus lies between powers that were measured. (Straight lines
    between samples, the trapezoidal rule, would need the first sample after a decision, and the
    answer cannot wait for it.)
    """

    def __init__(self) -> None:
        self._time = 0.0
        self._watts = math.nan
        self._joules = 0.0

    def hold(self, time: float, watts: float) -> None:
        """From `time` (s) on the power is `watts`; times must not go backwards."""
        if not math.isnan(self._watts):
            self._joules = self.joules(time)
        self._time, self._watts = time, watts

    def joules(self, time: float) -> float:
        """Energy in J up to `time` (s), at or after the last `hold`; NaN before the first."""
        return self._joules + self._watts * (time - self._time)


class SampledCounter:
    """Reads `sensor` every `interval` seconds and adds up, until closed or unable to read it.

    Raises Unreadable if the sensor cannot be read at the start. `release` is called when it is
    closed.
    """

    def __init__(
        self,
        source: str,
        sensor: Sensor,
        interval: float,
        release: Callable[[], None] = lambda: None,
    ) -> None:
        self.source = source
        self._sensor = sensor
        self._interval = interval
        self._release = release
        self._lock = threading.Lock()
        self._power = HeldPower()
        self._failure = ''
        self._closed = threading.Event()
        self._sample()
        self._thread = threading.Thread(target=self._work, name=f'{source} power', daemon=True)
        self._thread.start()

    def read(self) -> Reading:
        """Energy in J up to now, or a reading without a counter while no power is known.

        Raises Unreadable.
        """
        with self._lock:
            now = time.monotonic()
            if self._failure:
                raise Unreadable(self._failure)
            if now - self._asked > STALE:
                raise Unreadable(f'the sensor has not answered for {now - self._asked:.0f} s')
            joules = self._power.joules(now)
        return Reading(now) if math.isnan(joules) else Reading(now, self, (joules,))

    def joules(self, before: tuple[float, ...], after: tuple[float, ...]) -> float:
        """Energy in J between two counts."""
        return after[0] - before[0]

    def close(self) -> None:
        """End the thread."""
        self._closed.set()
        self._thread.join(1.0)
        self._release()

    def _sample(self) -> None:
        watts = self._sensor()
        with self._lock:
            self._asked = time.monotonic()
            if watts is not None:
                self._power.hold(self._asked, watts)

    def _work(self) -> None:
        try:
            while not self._closed.wait(self._interval):
                self._sample()
        except Unreadable as reason:
            with self._lock:
                self._failure = str(reason)
