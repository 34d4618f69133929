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

"""The answer of a network, what it cost, and how it is reached, on any engine.

`Classifier` shows images in chunks, lets the readout check its scores after each chunk, and
counts activity for each image until its decision is made.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snn_perception.activity import Activity, Counts, LayerActivity
from snn_perception.images import prepare
from snn_perception.model import Model
from snn_perception.readout import Schedule


class Interrupted(Exception):
    """A classification was stopped because its caller asked for it."""


@dataclass(frozen=True)
class Decision:
    """The answer to one image and what it cost.

    `scores` (classes,) float32 sum to 1; `simulated_time` is in s; `macs` are the
    multiply-accumulates done once per image (in a spiking network, by the analog first layer);
    `firing_rate` is the mean over all `neurons` in Hz.
    """

    label: str
    score: float
    scores: NDArray[np.float32]
    simulated_time: float
    activity: LayerActivity
    macs: int
    neurons: int
    firing_rate: float


class Classifier(ABC):
    """Decides with a network that can be reset and run; every engine is a Classifier."""

    model: Model

    @abstractmethod
    def reset(self, batch: int = 1) -> Any:
        """The state of a network at rest, for `batch` images."""

    @abstractmethod
    def run(self, state: Any, images: NDArray[np.float32], steps: int) -> Activity:
        """Show prepared `images` for `steps` time steps and advance `state`."""

    @property
    def views(self) -> int:
        """How many views of an image are shown at once, each to neurons of its own."""
        return self.model.readout.views

    @property
    def macs_per_image(self) -> int:
        """Multiply-accumulates done once per view of an image: the analog first layer."""
        return self.model.network.stages[0].macs

    def classify(
        self,
        image: NDArray[np.uint8],
        state: Any = None,
        presentation_time: float | None = None,
        stop: Callable[[], bool] | None = None,
    ) -> Decision:
        """Decide on one camera image, uint8 RGB (height, width, 3) or grey (height, width).

        Without `state` the network starts at rest. With one (from `reset()`) it continues from
        there, every output counts as evidence, and the state is advanced. `presentation_time`
        (s) replaces the model's own. `stop` is called between chunks of the simulation; if it
        returns True, Interrupted is raised. Raises ValueError for a bad image.
        """
        inputs = prepare(image, self.model.preprocessing)[None]
        return self.classify_batch(inputs, state, presentation_time, stop)[0]

    def classify_batch(
        self,
        inputs: NDArray[np.float32],
        state: Any = None,
        presentation_time: float | None = None,
        stop: Callable[[], bool] | None = None,
    ) -> list[Decision]:
        """Decide on prepared images (batch, height, width, channels); see `classify`."""
        readout = self.model.readout
        if presentation_time is not None:
            start_time = min(readout.start_time, 0.5 * presentation_time)
            readout = replace(readout, presentation_time=presentation_time, start_time=start_time)
        if state is None:
            state = self.reset(len(inputs))
        else:
            readout = replace(readout, start_time=0.0)
        schedule = Schedule.of(readout, self.model.dt)
        batch = _Batch(len(inputs), self.model.network.classes, len(self.model.network.stages))
        for steps, activity in self.present(inputs, state, schedule, stop):
            evidence_steps = steps - schedule.discarded
            batch.add(activity, is_evidence=evidence_steps > 0)
            if evidence_steps > 0:
                duration = evidence_steps * self.model.dt
                scores = readout.scores(batch.evidence / evidence_steps, duration)
                is_last = steps == schedule.total
                batch.decide(scores, steps, is_last | readout.is_confident(scores))
            if batch.all_decided:
                break
        images = zip(batch.scores, batch.steps, batch.counts.swapaxes(0, 1), strict=True)
        return [self.decision(*image) for image in images]

    def present(
        self,
        inputs: NDArray[np.float32],
        state: Any,
        schedule: Schedule,
        stop: Callable[[], bool] | None = None,
    ) -> Iterator[tuple[int, Activity]]:
        """Show prepared images in the chunks of `schedule`, advancing `state`.

        After each chunk, yields the steps done so far and the activity of that chunk; for `stop`
        see `classify`.
        """
        steps = 0
        for chunk in schedule.chunks():
            if stop is not None and stop():
                raise Interrupted
            activity = self.run(state, inputs, chunk)
            steps += chunk
            yield steps, activity

    def decision(self, scores: NDArray[np.float32], steps: int, counts: Counts) -> Decision:
        """The answer after `steps` steps with `scores` (classes,); see `Decision`.

        `counts`, int64 (3, layers), has the fields of `LayerActivity` in their order.
        """
        model = self.model
        neurons = model.network.neurons * self.views
        best = int(scores.argmax())
        time = float(steps * model.dt)
        activity = LayerActivity(*counts)
        return Decision(
            label=model.labels[best],
            score=float(scores[best]),
            scores=scores,
            simulated_time=time,
            activity=activity,
            macs=self.macs_per_image * self.views,
            neurons=neurons,
            firing_rate=float(activity.spikes.sum() / (neurons * time)) if neurons else 0.0,
        )


class _Batch:
    """Bookkeeping for a batch: counts and evidence up to each image's own decision."""

    def __init__(self, size: int, classes: int, layers: int) -> None:
        self.evidence = np.zeros((size, classes))
        self.scores = np.zeros((size, classes), np.float32)
        self.steps = np.zeros(size, np.int64)
        self.counts = np.zeros((3, size, layers), np.int64)

    @property
    def all_decided(self) -> bool:
        return bool(self.steps.all())

    def add(self, activity: Activity, is_evidence: bool) -> None:
        """Count `activity` for the images that are not decided yet."""
        undecided = self.steps == 0
        self.counts[:, undecided] += activity.counts[:, undecided]
        if is_evidence:
            self.evidence += activity.outputs.sum(axis=0, dtype=np.float64)

    def decide(self, scores: NDArray[np.float32], steps: int, final: NDArray[np.bool_]) -> None:
        """Fix the scores of the images in `final` (batch,) that are not decided yet."""
        fresh = final & (self.steps == 0)
        self.scores[fresh] = scores[fresh]
        self.steps[fresh] = steps
