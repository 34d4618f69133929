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

"""Decisions on events that never end: each falls when the evidence suffices.

The network is at rest once, at the beginning. What its membranes and synapses remember fades by
itself; the evidence does not, so it begins anew after each decision. What a sensor saw before then
has no part in the next one.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from snn_perception.decision import Classifier, Decision
from snn_perception.evidence import Batch
from snn_perception.inputs import check_stream
from snn_perception.readout import Schedule
from snn_perception.record import Record


class EventStream:
    """The events of one sensor, classified by `classifier` for as long as they come.

    A decision falls as soon as its scores are confident, see `Readout`, and `presentation_time`
    after the one before at the latest. `state` is that of the network, and `records` tell what
    its layers did before each of the decisions that `advance` returned last.
    """

    def __init__(self, classifier: Classifier) -> None:
        self.classifier = classifier
        # Refuses a model of images.
        self.shaping = classifier.model.shaping
        self.records: list[Record] = []
        self.reset()

    def reset(self) -> None:
        """Go back to rest, and forget the evidence."""
        self.state = self.classifier.reset(1)
        self.forget()

    def forget(self) -> None:
        """Begin anew with the evidence, as after a decision; the network goes on as it is."""
        model = self.classifier.model
        self._schedule = Schedule.of(model.readout, model.dt, shown=self.state.steps)
        self._batch = Batch(1, model, model.readout, self._schedule)
        self._record = Record()

    @property
    def scores(self) -> NDArray[np.float32]:
        """Scores (classes,) by the evidence since the last decision; all alike without any."""
        if self._batch.done == 0:
            classes = self.classifier.model.classes
            return np.full(classes, 1 / classes, np.float32)
        scores, _ = self._batch.scores_so_far()
        return scores[0]

    def advance(self, counts: NDArray[np.uint8], longest: int | None = None) -> list[Decision]:
        """The decisions that fall in the course of `counts` (steps, height, width, 2).

        These are the events that follow those of the last call; in how many calls they come makes
        no difference. `Decision.simulated_time` and its counts begin at the decision before.
        Between two entries of a record are at most `longest` steps, if that is given.
        Raises ValueError, before anything is changed, for counts that do not fit the network.
        """
        check_stream(self.classifier.model.network, counts)
        inputs, done, decisions = counts[:, None], 0, []
        self.records = []
        while done < len(inputs):
            steps = min(self._schedule.steps_to_check(self._batch.done), len(inputs) - done)
            steps = min(steps, longest or steps)
            activity = self.classifier.run(self.state, inputs[done : done + steps], steps)
            done += steps
            self._batch.add(self._batch.done + steps, activity)
            self._record.add(self._batch.done, activity.spikes)
            if self._schedule.may_decide(self._batch.done):
                self._batch.decide()
            if self._batch.all_decided:
                decisions.append(self._decision())
                self.records.append(self._record)
                self.forget()
        return decisions

    def _decision(self) -> Decision:
        batch = self._batch
        return self.classifier.decision(
            batch.scores[0],
            int(batch.steps[0]),
            batch.counts[:, 0],
            batch.reasons[0],
            batch.unknown_scores[0],
        )
