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

"""Decisions at any threshold from a single run: every image is shown to the very end."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from snn_perception.backends import Simulator
from snn_perception.datasets import Dataset
from snn_perception.decision import Decision
from snn_perception.evaluation.accuracy import Evaluation, Recordings, answers_of, batches
from snn_perception.inputs import batch_of
from snn_perception.model import Model
from snn_perception.readout import Readout, Schedule


@dataclass(frozen=True)
class OperatingPoint:
    """Means over images at one confidence threshold.

    `accuracy` is from 0 to 1, `simulated_time` in s, `operations` are synaptic operations per
    decision.
    """

    threshold: float
    accuracy: float
    simulated_time: float
    operations: float


@dataclass(frozen=True)
class Trajectories:
    """How the evidence for each image developed, recorded at every check.

    A check is a moment at which the readout may decide.

    simulator: the engine they were recorded on, at rest before each image.
    readout: turns the evidence into decisions; its times must be the ones used in recording.
    labels, rate_answers: int64 (images,), the true classes and the rate network's answers.
    steps: int64 (checks,), time steps until each check.
    evidence: float64 (images, checks, classes), the mean output until each check.
    counts: int64 (images, checks, 3, layers), activity until each check, see `LayerActivity`.
    answers: uint16 (images, times), the best class after each time step; see `times_of`.
    directions: float64 (images, checks, directions), `evidence` of further outputs, see `unknown`.
    """

    simulator: Simulator
    readout: Readout
    labels: NDArray[np.int64]
    rate_answers: NDArray[np.int64]
    steps: NDArray[np.int64]
    evidence: NDArray[np.float64]
    counts: NDArray[np.int64]
    answers: NDArray[np.uint16]
    directions: NDArray[np.float64]

    @property
    def model(self) -> Model:
        """The model with this readout."""
        return replace(self.simulator.model, readout=self.readout)

    @property
    def durations(self) -> NDArray[np.float64]:
        """Time (checks,) in s over which the evidence at each check was averaged."""
        model = self.simulator.model
        return (self.steps - schedule_of(model).discarded) * model.dt

    @cached_property
    def scores(self) -> NDArray[np.float32]:
        """Scores (images, checks, classes) at each check."""
        return self.readout.scores(self.evidence, self.durations)

    @cached_property
    def unknown_scores(self) -> NDArray[np.float64] | None:
        """Scores (images, checks) of being unknown at each check, if the model has them."""
        unknown = self.simulator.model.unknown
        if unknown is None:
            return None
        return unknown.score(self.evidence, self.directions, self.durations)

    def stops(self, threshold: float) -> NDArray[np.int64]:
        """Index of the check (images,) at which each image is decided, with this `threshold`."""
        readout = replace(self.readout, confidence_threshold=threshold)
        may_stop = readout.is_confident(self.scores)
        may_stop[:, -1] = True
        return may_stop.argmax(axis=1)

    def evaluation(self, threshold: float) -> Evaluation:
        """The decisions at a confidence threshold of `threshold` (1: only at the end)."""
        decisions: list[Decision] = []
        for image, check in enumerate(self.stops(threshold)):
            scores, counts = self.scores[image, check], self.counts[image, check]
            steps = int(self.steps[check])
            reason = 'time' if steps == self.steps[-1] else 'confidence'
            unknown = None if self.unknown_scores is None else self.unknown_scores[image, check]
            decisions.append(self.simulator.decision(scores, steps, counts, reason, unknown))
        answers = np.array([int(decision.scores.argmax()) for decision in decisions], np.int64)
        return Evaluation(
            decisions, self.labels, answers, self.rate_answers, self.simulator.model, np.nan
        )

    def operating_point(self, threshold: float) -> OperatingPoint:
        """Accuracy and cost at a confidence threshold of `threshold`."""
        stops = self.stops(threshold)
        images = np.arange(len(stops))
        right = self.scores[images, stops].argmax(axis=1) == self.labels
        time = self.steps[stops].mean() * self.simulator.model.dt
        operations = self.counts[images, stops, 1].sum(axis=1).mean()
        return OperatingPoint(threshold, float(right.mean()), float(time), float(operations))

    def operating_points(self, count: int = 60) -> list[OperatingPoint]:
        """Operating points of `count` thresholds, from stopping at the first check to never.

        The thresholds lie closer together near 1, as confidences do.
        """
        lowest = 1 / (self.simulator.model.classes + 1)
        thresholds = [*(1 - np.geomspace(1 - lowest, 1e-6, count - 1)), 1.0]
        return [self.operating_point(float(threshold)) for threshold in thresholds]

    @property
    def accuracy_over_time(self) -> NDArray[np.float64]:
        """Accuracy (times,) of stopping after each time step, see `times_of`."""
        return np.asarray((self.answers == self.labels[:, None]).mean(axis=0))


def pareto_front(points: list[OperatingPoint]) -> list[OperatingPoint]:
    """The points that no other beats in accuracy with as few operations, sorted by operations."""
    front: list[OperatingPoint] = []
    for point in sorted(points, key=lambda point: (point.operations, -point.accuracy)):
        if not front or point.accuracy > front[-1].accuracy:
            front.append(point)
    return front


def record(simulator: Simulator, rates: Simulator, dataset: Dataset | Recordings) -> Trajectories:
    """Show every image, or recording, of `dataset` to `simulator`, and to `rates` for comparison.

    Runs as `Simulator.classify_batch` does for a model that may stop at every check.
    """
    parts, thing = [], simulator.model.network.thing
    with tqdm(total=len(dataset), unit=thing, desc='evaluating', disable=None) as bar:
        for inputs in batches(simulator, dataset):
            parts.append((answers_of(rates, inputs), *_present(simulator, inputs)))
            bar.update(batch_of(inputs))
    schedule = schedule_of(simulator.model)
    checks = np.cumsum(schedule.chunks())
    checks = checks[checks > schedule.discarded]
    arrays = map(np.concatenate, zip(*parts, strict=True))
    rate_answers, evidence, counts, answers, directions = arrays
    return Trajectories(
        simulator,
        simulator.model.readout,
        dataset.labels,
        rate_answers,
        checks,
        evidence,
        counts,
        answers,
        directions,
    )


def scores_over_time(model: Model, outputs: NDArray) -> NDArray[np.float32]:
    """Scores (times, batch, classes) after each time step that is evidence; see `times_of`.

    `outputs` (steps, batch, classes) are the readout's over a whole presentation.
    """
    evidence = np.cumsum(outputs[schedule_of(model).discarded :], axis=0, dtype=np.float64)
    steps = np.arange(1, len(evidence) + 1)[:, None]
    return model.readout.scores(evidence / steps[..., None], steps * model.dt)


def times_of(model: Model) -> NDArray[np.float64]:
    """Simulated times (times,) in s from the first evidence to the end, one per step."""
    schedule = schedule_of(model)
    return np.arange(schedule.discarded + 1, schedule.total + 1) * model.dt


def schedule_of(model: Model) -> Schedule:
    """The schedule of `model` with its checks, even if its own threshold of 1 needs none."""
    return Schedule.of(replace(model.readout, confidence_threshold=0.5), model.dt)


def _present(
    simulator: Simulator, inputs: NDArray
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray[np.uint16], NDArray[np.float64]]:
    """`evidence`, `counts`, `answers` and `directions` of `Trajectories` for one batch."""
    model = simulator.model
    schedule = schedule_of(model)
    batch = batch_of(inputs)
    totals = [np.zeros((batch, size)) for size in (model.classes, model.directions)]
    counts = np.zeros((batch, 3, len(model.network.populations)), np.int64)
    outputs, counts_at = [], []
    evidence_at: tuple[list[NDArray], list[NDArray]] = [], []
    for steps, activity in simulator.present(inputs, simulator.reset(batch), schedule):
        outputs.append(activity.outputs)
        counts += activity.counts.swapaxes(0, 1)
        if steps > schedule.discarded:
            assert activity.directions is not None
            for total, values, at in zip(
                totals, (activity.outputs, activity.directions), evidence_at, strict=True
            ):
                total += values.sum(axis=0, dtype=np.float64)
                at.append(total / (steps - schedule.discarded))
            counts_at.append(counts.copy())
    answers = scores_over_time(model, np.concatenate(outputs)).argmax(axis=2)
    evidence, directions = (np.stack(each, 1) for each in evidence_at)
    return evidence, np.stack(counts_at, 1), answers.T.astype(np.uint16), directions
