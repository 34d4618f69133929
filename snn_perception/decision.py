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

`Classifier` shows images, or events, in chunks, lets the readout check its scores after each
chunk, and counts activity for each image until its decision is made. If there is a deadline, or
somebody wants to watch, chunks are cut into pieces; that changes no spike.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snn_perception.activity import Activity, Counts, LayerActivity
from snn_perception.evidence import Batch
from snn_perception.inputs import batch_of, check_inputs, check_stream, part_of
from snn_perception.model import Model
from snn_perception.pace import Pace
from snn_perception.readout import Schedule
from snn_perception.record import Record
from snn_perception.views import FRAME, WHOLE, Views, prepare_views


class Interrupted(Exception):
    """A classification was stopped because its caller asked for it."""


@dataclass(frozen=True)
class Decision:
    """The answer to one image and what it cost.

    `scores` (classes,) float32 sum to 1; `simulated_time` is in s; `macs` are the
    multiply-accumulates done once per image (in a spiking network, by the analog first layer);
    `firing_rate` is the mean over all `neurons` in Hz. `stopped_by` says what ended the
    presentation: 'confidence' that was reached before its time was over, 'time', or 'deadline'.
    Of several views all counts are sums, and `view` is the number of the one that the scores are
    of, None if they are of the mean.

    `unknown_score` says how unlike the images that the model was made for this one is, if the
    model can tell: 0 is like the median of them, 95 % of them are below 1, and what is above 1
    counts as unknown. Of several views it is that of `view`.
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
    view: int | None = 0
    unknown_score: float | None = None

    @property
    def is_unknown(self) -> bool:
        """Whether the image is like none that the model was made for; False if it cannot tell."""
        return self.unknown_score is not None and self.unknown_score > 1


class Classifier(ABC):
    """Decides with a network that can be reset and run; every engine is a Classifier."""

    model: Model

    @abstractmethod
    def reset(self, batch: int = 1) -> Any:
        """The state of a network at rest, for `batch` images."""

    @abstractmethod
    def run(self, state: Any, inputs: NDArray, steps: int) -> Activity:
        """Show prepared images, or events, for `steps` time steps and advance `state`."""

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
        views: Views | str = FRAME,
        roi: Sequence[float] = WHOLE,
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

        `views`, such as 'grid 2x2 best', are the parts of the image that are shown at once, see
        `Views`, and a `state` has to be for so many. `roi` is the only part of the image that
        counts: x, y, width and height as shares of it.
        """
        if isinstance(views, str):
            views = Views.parse(views)
        inputs = prepare_views(image, self.model.preprocessing, views, roi)
        return self.classify_batch(
            inputs, state, presentation_time, stop, deadline, record, views
        )[0]

    def classify_events(
        self,
        counts: NDArray[np.uint8],
        state: Any = None,
        presentation_time: float | None = None,
        stop: Callable[[], bool] | None = None,
        deadline: float | None = None,
        record: Record | None = None,
    ) -> Decision:
        """Decide on events of one sensor, counts uint8 (steps, height, width, 2); see `inputs`.

        The decision falls when the scores are confident, and at the latest when the events or
        the `presentation_time` are over. Otherwise as `classify`. For events that never end
        there is `EventStream`.
        """
        _ = self.model.shaping  # or else it takes images
        check_stream(self.model.network, counts)
        inputs = counts[:, None]
        return self.classify_batch(inputs, state, presentation_time, stop, deadline, record)[0]

    def classify_batch(
        self,
        inputs: NDArray,
        state: Any = None,
        presentation_time: float | None = None,
        stop: Callable[[], bool] | None = None,
        deadline: float | None = None,
        record: Record | None = None,
        views: Views = FRAME,
    ) -> list[Decision]:
        """Decide on prepared images or on events, see `inputs`, as `classify` does.

        With several `views` they are all images in the first view, then all in the next. A
        decision then falls once the scores that `views` join are confident, and all views of an
        image are shown until then.
        """
        model, readout = self.model, self.model.readout
        check_inputs(model.network, inputs)
        size = batch_of(inputs)
        if state is None:
            schedule = model.schedule(presentation_time)
            state = self.reset(size)
        else:
            # An early decision would leave the simulation behind what it follows.
            readout = replace(readout, confidence_threshold=1.0)
            schedule = Schedule.of(readout, model.dt, presentation_time, state.steps)
        if model.network.hears_events:
            schedule = replace(schedule, total=min(schedule.total, len(inputs)))
        longest = None if record is None else record.interval
        batch = Batch(size, model, readout, schedule, views)
        pieces = self.present(inputs, state, schedule, stop, deadline, longest)
        for steps, activity in pieces:
            batch.add(steps, activity)
            if record is not None:
                record.add(steps, views.total(activity.spikes))
            if schedule.may_decide(steps):
                batch.decide()
            if batch.all_decided:
                break
        else:
            batch.end('deadline')
        return [
            self.decision(
                batch.scores[image],
                int(batch.steps[image]),
                batch.counts[:, image],
                batch.reasons[image],
                batch.unknown_scores[image],
                int(batch.best[image]),
                views,
            )
            for image in range(len(batch.steps))
        ]

    def present(
        self,
        inputs: NDArray,
        state: Any,
        schedule: Schedule,
        stop: Callable[[], bool] | None = None,
        deadline: float | None = None,
        longest: int | None = None,
    ) -> Iterator[tuple[int, Activity]]:
        """Show prepared images, or events, in the chunks of `schedule`, advancing `state`.

        Chunks are cut into pieces of at most `longest` steps, and such that the last one ends
        by the `deadline`. After each piece, yields the steps done so far and the activity of
        that piece; for `stop` and `deadline` see `classify`.
        """
        steps, size = 0, batch_of(inputs)
        for chunk in schedule.chunks():
            end = steps + chunk
            while steps < end:
                if stop is not None and stop():
                    raise Interrupted
                piece = min(end - steps, longest or chunk)
                started = 0.0
                if deadline is not None:
                    started = time.perf_counter()
                    fits = self.paces[size].steps_in(deadline - started)
                    if steps and not fits:
                        return
                    piece = min(piece, max(fits, 1))
                activity = self.run(state, part_of(inputs, steps, piece), piece)
                steps += piece
                yield steps, activity
                if deadline is not None:
                    seconds = time.perf_counter() - started
                    self.paces[size].note(piece, seconds, steps == piece)

    def decision(
        self,
        scores: NDArray[np.float32],
        steps: int,
        counts: Counts,
        stopped_by: str,
        unknown_score: float | None = None,
        view: int = 0,
        views: Views = FRAME,
    ) -> Decision:
        """The answer after `steps` steps with `scores` (classes,); see `Decision`.

        `counts`, int64 (3, layers), has the fields of `LayerActivity` in their order. The scores
        are those of number `view` of `views`, as `Views.join` has it.
        """
        model = self.model
        shown = self.views * views.count
        neurons = model.network.neurons * shown
        best = int(scores.argmax())
        time = float(steps * model.dt)
        activity = LayerActivity(*counts)
        return Decision(
            label=model.labels[best],
            score=float(scores[best]),
            scores=scores,
            simulated_time=time,
            activity=activity,
            macs=self.macs_per_image * shown,
            neurons=neurons,
            firing_rate=float(activity.spikes.sum() / (neurons * time)) if neurons else 0.0,
            stopped_by=stopped_by,
            view=None if views.choice == 'mean' else int(view),
            unknown_score=None if unknown_score is None else float(unknown_score),
        )
