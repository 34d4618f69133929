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

"""What a batch of images has brought forth so far, and which of them are decided."""

from __future__ import annotations

from functools import partial

import numpy as np
from numpy.typing import NDArray

from snn_perception.activity import Activity
from snn_perception.model import Model
from snn_perception.readout import Readout, Schedule
from snn_perception.views import Views


class Batch:
    """Bookkeeping for a batch: counts and evidence up to each image's own decision."""

    def __init__(
        self, shown: int, model: Model, readout: Readout, schedule: Schedule, views: Views
    ) -> None:
        classes, layers = model.network.classes, len(model.network.populations)
        size = shown // views.count
        self.dt = model.dt
        self.readout = readout
        self.schedule = schedule
        self.views = views
        self.done = 0
        self.evidence = np.zeros((shown, classes))
        self.last_output = np.zeros((shown, classes), np.float32)
        self.scores = np.zeros((size, classes), np.float32)
        self.steps = np.zeros(size, np.int64)
        self.counts = np.zeros((3, size, layers), np.int64)
        self.reasons = [''] * size
        self.best = np.zeros(size, np.int64)

    @property
    def all_decided(self) -> bool:
        return bool(self.steps.all())

    def add(self, steps: int, activity: Activity) -> None:
        """Count `activity`, which came until `steps` were done, for images not decided yet."""
        undecided = self.steps == 0
        self.counts[:, undecided] += self.views.total(activity.counts)[:, undecided]
        self.done = steps
        self.last_output = activity.outputs[-1]
        if steps > self.schedule.discarded:
            self.evidence += activity.outputs.sum(axis=0, dtype=np.float64)

    def decide(self) -> None:
        """Fix the scores of the images that are certain, and of all when their time is over."""
        if self.done == self.schedule.total:
            self.end('time')
        else:
            scores, best = self._scores_so_far()
            self._fix(scores, best, self.readout.is_confident(scores), 'confidence')

    def end(self, reason: str) -> None:
        """Fix the scores of all images that are not decided yet."""
        self._fix(*self._scores_so_far(), np.ones(len(self.steps), bool), reason)

    def _scores_so_far(self) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Scores (size, classes) of the images, and the view (size,) that they are of."""
        steps = self.done - self.schedule.discarded
        if steps > 0:
            evidence, duration, missing = self.evidence / steps, steps * self.dt, 0.0
        else:
            evidence, duration, missing = self.last_output, self.dt, (1 - steps) * self.dt
        return self.views.join(
            evidence, partial(self.readout.scores, duration=duration, missing=missing)
        )

    def _fix(
        self,
        scores: NDArray[np.float32],
        best: NDArray[np.int64],
        final: NDArray[np.bool_],
        reason: str,
    ) -> None:
        fresh = final & (self.steps == 0)
        self.scores[fresh] = scores[fresh]
        self.best[fresh] = best[fresh]
        self.steps[fresh] = self.done
        for image in np.flatnonzero(fresh):
            self.reasons[image] = reason
