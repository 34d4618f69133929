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

"""How fast a simulation runs here, judged by its last runs: how much of it fits into a time."""

from __future__ import annotations

from collections import deque

RUNS = 16
"""How many of the last runs count."""

CAUTION = 0.9
"""Share of them that were no slower than what is reckoned with. The slowest do not count: they
may have compiled something, or waited for another program."""

FEW = 4
"""Steps that are not cut further: in runs of one step each they would take up to twice as long."""

AFTERWARDS = 0.0003
"""Seconds to keep for what comes after the last run: scores, and the answer."""

MOST = 10_000
"""Steps in a row at most, however far away a deadline is."""

SHORTEST = 1e-9
"""Seconds that a step takes at least, however coarse the clock is."""


class Pace:
    """The time that a step takes, measured in every run and different in each."""

    def __init__(self) -> None:
        self._runs: deque[float] = deque(maxlen=RUNS)

    def note(self, steps: int, seconds: float, is_first: bool) -> None:
        """Note a run of `steps` steps that took `seconds`.

        The first run of a presentation also prepares it. So one of less than FEW steps only
        proves that steps take no longer than that.
        """
        measured = seconds / steps
        tells = steps >= FEW or not is_first
        if tells or (self._runs and measured < self._cautious()):
            self._runs.append(measured)

    def steps_in(self, seconds: float) -> int:
        """How many steps to run next when `seconds` are left; 0: not even one would fit.

        No more than half of those that fit, so that a slow run can be made up for, unless they
        are FEW. As long as nothing is known, a single one.
        """
        left = seconds - AFTERWARDS
        if left <= 0:
            return 0
        if not self._runs:
            return 1
        fits = int(min(left / max(self._cautious(), SHORTEST), MOST))
        return max(fits // 2, min(fits, FEW))

    def _cautious(self) -> float:
        """Seconds per step to reckon with."""
        return sorted(self._runs)[int(CAUTION * (len(self._runs) - 1))]
