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

"""How many frames were lost on their way, as the rhythm of the stamps of the others tells it."""

from __future__ import annotations

from collections import deque

MEMORY = 32
"""Intervals between stamps from which the rhythm is known."""

FEWEST = 8
"""Intervals that it takes to know it."""

PAUSE = 5.0
"""Seconds between two stamps after which the camera is taken to have been switched off."""

EARLY = 0.3
"""Part of a beat by which a frame may come early and still be the next but one."""


class Rhythm:
    """Knows the rhythm of a camera's stamps, and counts the beats that are missing.

    The interval from beat to beat is the lower quartile of the last ones, so that it is found as
    long as a quarter of the frames comes right after the one before it.
    """

    def __init__(self) -> None:
        self._intervals: deque[float] = deque(maxlen=MEMORY)
        self._last: int | None = None

    def note(self, stamp: int) -> int:
        """Note a frame stamped `stamp` (ns); the number of frames missing before it."""
        last, self._last = self._last, stamp
        interval = 0.0 if last is None else (stamp - last) / 1e9
        if not 0 < interval <= PAUSE:
            return 0
        self._intervals.append(interval)
        if len(self._intervals) < FEWEST:
            return 0
        beat = sorted(self._intervals)[len(self._intervals) // 4]
        return max(int(interval / beat + EARLY) - 1, 0)
