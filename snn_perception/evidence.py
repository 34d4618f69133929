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
from snn_perception.unknown import Unknown
from snn_perception.views import FRAME, Views


class Batch:
    """Bookkeeping for a batch: counts and evidence up to each image's own decision."""

    def __init__(
        self, shown: int, model: Model, readout: Readout, schedule: Schedule, views: Views = FRAME
    ) -> None:
        layers = len(model.network.populations)
        size = shown // views.count
        self.dt = model.dt
        self.unknown = model.unknown
        self.readout = readout
        self.schedule = schedule
        self.views = views
        self.done = 0
        # Of classes, and of directions.
        self.evidence = np.zeros((shown, model.classes)), np.zeros((shown, model.directions))
        self.last_output: tuple[NDArray, NDArray] = self.evidence
        self.scores = np.zeros((size, model.classes), np.float32)
        self.unknown_scores: list[float | None] = [None] * size
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
        outputs, directions = activity.outputs, activity.directions
        assert directions is not None
        self.last_output = outputs[-1], directions[-1]
        if steps > self.schedule.discarded:
            for total, values in zip(self.evidence, (outputs, directions), strict=True):
                total += values.sum(axis=0, dtype=np.float64)

    def decide(self) -> None:
        """Fix the scores of the images that are certain, and of all when their time is over."""
        if self.done == self.schedule.total:
            self.end('time')
        else:
            scores, best = self.scores_so_far()
            self._fix(scores, best, self.readout.is_confident(scores), 'confidence')

    def end(self, reason: str) -> None:
        """Fix the scores of all images that are not decided yet."""
        self._fix(*self.scores_so_far(), np.ones(len(self.steps), bool), reason)

    def scores_so_far(self) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Scores (size, classes) of the images, and the view (size,) that they are of."""
        (evidence, _), duration, missing = self._means()
        rejected = None
        if self.unknown and self.views.count > 1 and self.views.choice == 'best':
            rejected = self._unknown_scores_so_far(self.unknown).reshape(-1) > 1
        score = partial(self.readout.scores, duration=duration, missing=missing)
        return self.views.join(evidence, score, rejected)

    def _unknown_scores_so_far(self, unknown: Unknown) -> NDArray[np.float64]:
        """Scores (views, size) of being unknown; a single one of the mean of all views."""
        (evidence, directions), duration, _ = self._means()
        return unknown.score(self._by_view(evidence), self._by_view(directions), duration)

    def _by_view(self, values: NDArray) -> NDArray:
        """`values` (shown, length) as (views, size, length), where a mean is the only view."""
        by_view = values.reshape(self.views.count, len(self.steps), values.shape[1])
        return by_view.mean(axis=0, keepdims=True) if self.views.choice == 'mean' else by_view

    def _means(self) -> tuple[tuple[NDArray, NDArray], float, float]:
        """Mean outputs for classes and directions, of what duration (s), and what is missing."""
        steps = self.done - self.schedule.discarded
        if steps > 0:
            evidence, directions = (total / steps for total in self.evidence)
            return (evidence, directions), steps * self.dt, 0.0
        return self.last_output, self.dt, (1 - steps) * self.dt

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
        if self.unknown and fresh.any():
            by_view = self._unknown_scores_so_far(self.unknown)
            for image in np.flatnonzero(fresh):
                self.unknown_scores[image] = float(by_view[best[image], image])
