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

"""Energy counters, the power between two readings of one, and the meter that finds one."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

UNAVAILABLE = 'unavailable'

RETRY = 5.0
"""Seconds between searches for sensors."""


class Unreadable(Exception):
    """A sensor is missing or cannot be read; the message says why."""


class EnergyCounter(Protocol):
    """Counts the energy that something draws; `source` is the name of the method."""

    source: str

    def read(self) -> Reading:
        """The count now, or a reading without a counter before counting began.

        Raises Unreadable.
        """
        ...

    def joules(self, before: tuple[float, ...], after: tuple[float, ...]) -> float:
        """Energy in J between two counts."""
        ...

    def close(self) -> None:
        """Release what it holds."""
        ...


@dataclass(frozen=True)
class Reading:
    """The count `values` of `counter` at `time` (s); no counter where nothing was measured."""

    time: float
    counter: EnergyCounter | None = None
    values: tuple[float, ...] = ()


@dataclass(frozen=True)
class Power:
    """A power in W and how it was measured; NaN and 'unavailable' if it was not."""

    watts: float = math.nan
    source: str = UNAVAILABLE


def mean_power(start: Reading, end: Reading) -> Power:
    """Mean power between two readings of one meter.

    Unavailable if the sensor was missing or changed between them, and if it counted nothing: no
    host draws 0 W, but two readings can be closer together than the steps of a counter.
    """
    counter, seconds = start.counter, end.time - start.time
    if counter is None or end.counter is not counter or seconds <= 0:
        return Power()
    joules = counter.joules(start.values, end.values)
    return Power(joules / seconds, counter.source) if joules > 0 else Power()


Finder = Callable[[], EnergyCounter]
"""Finds the counters of one kind of sensor; raises Unreadable."""


class PowerMeter:
    """Reads the sensor found by the first of `finders` that finds one.

    A sensor that can no longer be read is released. While there is none, readings search again,
    but at most every `retry` seconds. Any thread may call any method.
    """

    def __init__(self, *finders: Finder, retry: float = RETRY) -> None:
        self._finders = finders
        self._retry = retry
        self._lock = threading.Lock()
        self._counter: EnergyCounter | None = None
        self._reasons: list[str] = []
        self._next_search = -math.inf
        self._search()

    @property
    def source(self) -> str:
        """Name of the method used at the last reading, or 'unavailable'."""
        counter = self._counter
        return counter.source if counter else UNAVAILABLE

    @property
    def description(self) -> str:
        """The source, or why there is none, for people."""
        with self._lock:
            reasons = f' ({"; ".join(self._reasons)})' if self._reasons else ''
            return self.source + reasons

    def read(self) -> Reading:
        """The count now; never raises."""
        with self._lock:
            self._search()
            try:
                if self._counter:
                    return self._counter.read()
            except Unreadable as reason:
                self._let_go(str(reason))
            return Reading(time.monotonic())

    def close(self) -> None:
        """Release the sensor for good."""
        with self._lock:
            self._finders = ()
            self._let_go('closed')

    def _let_go(self, reason: str) -> None:
        if self._counter:
            self._counter.close()
        self._counter = None
        self._reasons = [reason]
        self._next_search = time.monotonic() + self._retry

    def _search(self) -> None:
        """Look for a sensor if there is none and it is time to."""
        now = time.monotonic()
        if self._counter or not self._finders or now < self._next_search:
            return
        self._next_search = now + self._retry
        self._reasons = []
        for find in self._finders:
            try:
                self._counter = find()
            except Unreadable as reason:
                self._reasons.append(str(reason))
            else:
                self._reasons = []
                return
