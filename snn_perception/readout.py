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

"""From the output of a network over time to a decision: evidence, confidence, when to stop."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

LONGEST_RUN = 0.1
"""Longest simulated time (s) in one run: between runs, a caller may want to give up."""


@dataclass(frozen=True)
class Readout:
    """How the output of the last layer becomes a decision.

    The evidence for each class is the mean of its output from `start_time` on (s after an image
    is first shown to a network at rest). The scores are the softmax of the evidence divided by a
    temperature. It falls towards `temperature` as evidence accumulates, because little evidence
    is less certain; see `scores`. The presentation ends as soon as the best score reaches
    `confidence_threshold` (1: never), checked every `decision_interval` (s), and after
    `presentation_time` (s) at the latest. With `mirror` an image and its mirror image are shown
    at once, each to neurons of its own, and the output is the mean of both. Raises ValueError
    for values out of range.
    """

    presentation_time: float
    start_time: float = 0.0
    decision_interval: float = 0.01
    confidence_threshold: float = 1.0
    temperature: float = 1.0
    settling_time: float = 0.0
    mirror: bool = False

    def __post_init__(self) -> None:
        for name in ('presentation_time', 'decision_interval', 'temperature'):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise ValueError(f'{name} of the readout must be positive, not {value}')
        if self.presentation_time > 10:
            raise ValueError(
                f'presentation_time must be at most 10 s, not {self.presentation_time}'
            )
        if not 0 <= self.start_time < self.presentation_time:
            raise ValueError(
                f'start_time must be between 0 and the presentation_time of '
                f'{self.presentation_time} s, not {self.start_time}'
            )
        if not (math.isfinite(self.settling_time) and self.settling_time >= 0):
            raise ValueError(
                f'settling_time of the readout must be 0 or more, not {self.settling_time}'
            )
        if not 0 < self.confidence_threshold <= 1:
            raise ValueError(
                f'confidence_threshold must be above 0 and at most 1, '
                f'not {self.confidence_threshold}'
            )

    @property
    def views(self) -> int:
        """How many views of an image are shown at once."""
        return 2 if self.mirror else 1

    def scores(
        self, evidence: NDArray, duration: ArrayLike, missing: float = 0.0
    ) -> NDArray[np.float32]:
        """Scores that sum to 1 over the last axis, float32, of `evidence` (..., classes).

        `duration` (s), a number or (...), is the time over which the evidence was averaged. The
        temperature is `temperature` x (1 + `settling_time` / `duration`), as if the average had
        begun with a `settling_time` without any evidence. `missing` (s) is what of `start_time`
        had not passed when the evidence began. It multiplies the temperature by another
        1 + `missing` / `duration`, since outputs before the `start_time` tell little or nothing.
        """
        duration = np.asarray(duration)
        temperature = self.temperature * (1 + self.settling_time / duration)
        temperature = temperature * (1 + missing / duration)
        scaled = np.asarray(evidence, np.float64) / temperature[..., None]
        exponentials = np.exp(scaled - scaled.max(axis=-1, keepdims=True))
        return (exponentials / exponentials.sum(axis=-1, keepdims=True)).astype(np.float32)

    def is_confident(self, scores: NDArray) -> NDArray[np.bool_]:
        """Whether `scores` (..., classes) are high enough to stop before the end."""
        if self.confidence_threshold == 1:
            return np.zeros(scores.shape[:-1], bool)
        return np.asarray(scores.max(axis=-1) >= self.confidence_threshold)


@dataclass(frozen=True)
class Schedule:
    """The presentation of one image in steps of the simulation.

    The first `discarded` steps do not count as evidence. After that a decision may be made every
    `interval` steps, and after `total` steps it must be.
    """

    total: int
    discarded: int
    interval: int

    @classmethod
    def of(
        cls,
        readout: Readout,
        dt: float,
        presentation_time: float | None = None,
        shown: int = 0,
    ) -> Schedule:
        """The steps of `readout` at a time step of `dt` (s), at least one of each kind.

        `presentation_time` (s) replaces that of the readout. It may end before the time for
        evidence has come. `shown` steps have been simulated before, and count towards that time.
        Raises ValueError for a `presentation_time` out of range.
        """
        own = max(round(readout.presentation_time / dt), 1)
        start = min(round(readout.start_time / dt), own - 1)
        if presentation_time is not None:
            readout = replace(readout, presentation_time=presentation_time, start_time=0.0)
        total = max(round(readout.presentation_time / dt), 1)
        may_stop = readout.confidence_threshold < 1
        interval = readout.decision_interval if may_stop else LONGEST_RUN
        return cls(total, max(start - shown, 0), max(round(interval / dt), 1))

    def chunks(self) -> list[int]:
        """Number of steps in each run, in order; only the first may consist of discarded steps."""
        first = min(self.discarded, self.total)
        whole, last = divmod(self.total - first, self.interval)
        return [first] * (first > 0) + [self.interval] * whole + [last] * (last > 0)

    def steps_to_check(self, steps: int) -> int:
        """How many steps after `steps` steps evidence begins, or the next decision may fall."""
        if steps < self.discarded:
            return min(self.discarded, self.total) - steps
        return min(self.interval - (steps - self.discarded) % self.interval, self.total - steps)

    def may_decide(self, steps: int) -> bool:
        """Whether a decision may be made after `steps` steps."""
        evidence = steps - self.discarded
        return steps == self.total or (evidence > 0 and evidence % self.interval == 0)
