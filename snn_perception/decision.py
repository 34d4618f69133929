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
counts activity for each image until its decision is made. If there is a deadline, or somebody
wants to watch, chunks are cut into pieces; that changes no spike.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snn_perception.activity import Activity, Counts, LayerActivity
from snn_perception.images import prepare
from snn_perception.model import Model
from snn_perception.pace import Pace
from snn_perception.readout import Readout, Schedule


class Interrupted(Exception):
    """A classification was stopped because its caller asked for it."""


@dataclass(frozen=True)
class Decision:
    """The answer to one image and what it cost.

    `scores` (classes,) float32 sum to 1; `simulated_time` is in s; `macs` are the
    multiply-accumulates done once per image (in a spiking network, by the analog first layer);
    `firing_rate` is the mean over all `neurons` in Hz. `stopped_by` says what ended the
    presentation: 'confidence' that was reached before its time was over, 'time', or 'deadline'.
    """

    label: str
    score: float
    scores: NDArray[np.float32]
    simulated_time: float
    activity: LayerActivity
    macs: int
    neurons: int
    firing_rate: float
    stopped_by: str


@dataclass
class Record:
    """What the layers did in the course of one presentation, for pictures; filled by `classify`.

    From one entry to the next there are at most `interval` time steps. Fewer make the simulation
    slower: with 5 a decision takes a fifth longer at most, with 1 up to three times as long.
    """

    interval: int = 5
    _steps: list[int] = field(default_factory=list)
    _spikes: list[Counts] = field(default_factory=list)

    @property
    def steps(self) -> NDArray[np.int64]:
        """Time steps (entries,) done by each entry."""
        return np.array(self._steps, np.int64)

    @property
    def spikes(self) -> Counts:
        """Spikes (entries, batch, layers) of each population since the entry before.

        The last layer is the readout, which has none.
        """
        return np.array(self._spikes, np.int64)

    def add(self, steps: int, spikes: Counts) -> None:
        """Note the `spikes` (batch, layers) that came until `steps` were done."""
        self._steps.append(steps)
        self._spikes.append(spikes)


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
        """Multiply-accumulates done once per view of an image: the analog connections from it."""
        return self.model.network.image_macs

    @cached_property
    def paces(self) -> defaultdict[int, Pace]:
        """How fast batches of each size have run, as far as they had a deadline."""
        return defaultdict(Pace)

    def classify(
        self,
        image: NDArray[np.uint8],
        state: Any = None,
        presentation_time: float | None = None,
        stop: Callable[[], bool] | None = None,
        deadline: float | None = None,
        record: Record | None = None,
    ) -> Decision:
        """Decide on one camera image, uint8 RGB (height, width, 3) or grey (height, width).

        Without `state` the network starts at rest. With one (from `reset()`) it continues from
        there, and the state is advanced by `Decision.simulated_time`, the whole time unless there
        is a deadline; every output counts as evidence once the model's `start_time` since rest is
        over. `presentation_time` (s) replaces the model's own.

        By `deadline`, a value of `time.perf_counter()`, the presentation ends with the best
        answer so far, but not before the first step. An answer from before the `start_time`
        rests on the last output alone, and its scores are low.

        `stop` is called between chunks of the simulation; if it returns True, Interrupted is
        raised. `record` is filled with what the layers did meanwhile. Raises ValueError for a
        bad image, and without `state` for a `presentation_time` below
        `Model.shortest_presentation_time`.
        """
        inputs = prepare(image, self.model.preprocessing)[None]
        return self.classify_batch(inputs, state, presentation_time, stop, deadline, record)[0]

    def classify_batch(
        self,
        inputs: NDArray[np.float32],
        state: Any = None,
        presentation_time: float | None = None,
        stop: Callable[[], bool] | None = None,
        deadline: float | None = None,
        record: Record | None = None,
    ) -> list[Decision]:
        """Decide on prepared images (batch, height, width, channels); see `classify`."""
        model, readout = self.model, self.model.readout
        if state is None:
            schedule = model.schedule(presentation_time)
            state = self.reset(len(inputs))
        else:
            # An early decision would leave the simulation behind what it follows.
            readout = replace(readout, confidence_threshold=1.0)
            schedule = Schedule.of(readout, model.dt, presentation_time, state.steps)
        longest = None if record is None else record.interval
        batch = _Batch(len(inputs), model, readout, schedule)
        pieces = self.present(inputs, state, schedule, stop, deadline, longest)
        for steps, activity in pieces:
            batch.add(steps, activity)
            if record is not None:
                record.add(steps, activity.spikes)
            if schedule.may_decide(steps):
                batch.decide()
            if batch.all_decided:
                break
        else:
            batch.end('deadline')
        images = zip(
            batch.scores, batch.steps, batch.counts.swapaxes(0, 1), batch.reasons, strict=True
        )
        return [self.decision(*image) for image in images]

    def present(
        self,
        inputs: NDArray[np.float32],
        state: Any,
        schedule: Schedule,
        stop: Callable[[], bool] | None = None,
        deadline: float | None = None,
        longest: int | None = None,
    ) -> Iterator[tuple[int, Activity]]:
        """Show prepared images in the chunks of `schedule`, advancing `state`.

        Chunks are cut into pieces of at most `longest` steps, and such that the last one ends
        by the `deadline`. After each piece, yields the steps done so far and the activity of
        that piece; for `stop` and `deadline` see `classify`.
        """
        steps = 0
        for chunk in schedule.chunks():
            end = steps + chunk
            while steps < end:
                if stop is not None and stop():
                    raise Interrupted
                piece = min(end - steps, longest or chunk)
                started = 0.0
                if deadline is not None:
                    started = time.perf_counter()
                    fits = self.paces[len(inputs)].steps_in(deadline - started)
                    if steps and not fits:
                        return
                    piece = min(piece, max(fits, 1))
                activity = self.run(state, inputs, piece)
                steps += piece
                yield steps, activity
                if deadline is not None:
                    seconds = time.perf_counter() - started
                    self.paces[len(inputs)].note(piece, seconds, steps == piece)

    def decision(
        self, scores: NDArray[np.float32], steps: int, counts: Counts, stopped_by: str
    ) -> Decision:
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
            stopped_by=stopped_by,
        )


class _Batch:
    """Bookkeeping for a batch: counts and evidence up to each image's own decision."""

    def __init__(self, size: int, model: Model, readout: Readout, schedule: Schedule) -> None:
        classes, layers = model.network.classes, len(model.network.populations)
        self.dt = model.dt
        self.readout = readout
        self.schedule = schedule
        self.done = 0
        self.evidence = np.zeros((size, classes))
        self.last_output = np.zeros((size, classes), np.float32)
        self.scores = np.zeros((size, classes), np.float32)
        self.steps = np.zeros(size, np.int64)
        self.counts = np.zeros((3, size, layers), np.int64)
        self.reasons = [''] * size

    @property
    def all_decided(self) -> bool:
        return bool(self.steps.all())

    def add(self, steps: int, activity: Activity) -> None:
        """Count `activity`, which came until `steps` were done, for images not decided yet."""
        undecided = self.steps == 0
        self.counts[:, undecided] += activity.counts[:, undecided]
        self.done = steps
        self.last_output = activity.outputs[-1]
        if steps > self.schedule.discarded:
            self.evidence += activity.outputs.sum(axis=0, dtype=np.float64)

    def decide(self) -> None:
        """Fix the scores of the images that are certain, and of all when their time is over."""
        if self.done == self.schedule.total:
            self.end('time')
        else:
            scores = self._scores_so_far()
            self._fix(scores, self.readout.is_confident(scores), 'confidence')

    def end(self, reason: str) -> None:
        """Fix the scores of all images that are not decided yet."""
        self._fix(self._scores_so_far(), np.ones(len(self.steps), bool), reason)

    def _scores_so_far(self) -> NDArray[np.float32]:
        readout, dt = self.readout, self.dt
        steps = self.done - self.schedule.discarded
        if steps > 0:
            return readout.scores(self.evidence / steps, steps * dt)
        return readout.scores(self.last_output, dt, missing=(1 - steps) * dt)

    def _fix(self, scores: NDArray[np.float32], final: NDArray[np.bool_], reason: str) -> None:
        fresh = final & (self.steps == 0)
        self.scores[fresh] = scores[fresh]
        self.steps[fresh] = self.done
        for image in np.flatnonzero(fresh):
            self.reasons[image] = reason
