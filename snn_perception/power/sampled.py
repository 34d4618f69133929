"""Energy from sensors that tell the power of the moment: a thread asks, and adds up.

A decision takes a few milliseconds, a sensor takes as long to answer and is often renewed less
often. So the sensor is asked in a thread of its own, at the rate at which it has news, and
between two answers the power is held. The mean over a decision shorter than that is the power
that the sensor saw around it.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable

from snn_perception.power.base import Reading, Unreadable

STALE = 3.0
"""Seconds after which an answer is no longer taken for the power of the moment."""

Sensor = Callable[[], float | None]
"""The power now in W, or None if there is no news; raises Unreadable."""


class HeldPower:
    """Energy of a power that is known at some times, and held from each to the next.

    The mean between any two times is thus between powers that were measured. (Straight lines
    from one to the next, the trapezoidal rule, need the first one after a decision, for which
    its answer cannot wait.)
    """

    def __init__(self) -> None:
        self._time = 0.0
        self._watts = math.nan
        self._joules = 0.0

    def hold(self, time: float, watts: float) -> None:
        """From `time` (s) on, not before the last one, the power is `watts`."""
        if not math.isnan(self._watts):
            self._joules = self.joules(time)
        self._time, self._watts = time, watts

    def joules(self, time: float) -> float:
        """Energy in J up to `time` (s), not before the last one; NaN before the first power."""
        return self._joules + self._watts * (time - self._time)


class SampledCounter:
    """Asks `sensor` every `interval` seconds and adds up, until it is closed or cannot be read.

    Raises Unreadable if the sensor cannot be read from the beginning. `release` is called when
    it is closed.
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
        """Energy in J up to now, none while no power is known; raises Unreadable."""
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
