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

"""From pixels to answers: a model on an engine, which serves all cameras."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from snn_perception.images import Preprocessing, prepare
from snn_perception.nodes.answers.loaded_model import Answer, LoadedModel
from snn_perception.nodes.frames.camera_memory import CameraMemory, Frame
from snn_perception.nodes.frames.stream_clock import Step
from snn_perception.nodes.parameters.classifier_parameters import ClassifierParameters
from snn_perception.nodes.pictures.debug_raster import Spikes
from snn_perception.power import mean_power
from snn_perception.record import Record
from snn_perception.views import Views


@dataclass(frozen=True)
class Sight:
    """What the network is to see of a frame, and the memory of its camera.

    pixels: uint8 (views, height, width) grey or (views, height, width, 3) RGB.
    doubt: why it can be no picture of anything, '' if nothing speaks against it.
    is_frozen: whether that is since the camera sends the same frame again and again.
    """

    pixels: NDArray[np.uint8]
    frame: Frame
    memory: CameraMemory
    doubt: str = ''
    is_frozen: bool = False


class Recognizer(LoadedModel):
    """Classifies the frames of cameras, by one thread at a time. To be closed after use."""

    def try_out(self, stop: Callable[[], bool]) -> None:
        """Classify a black image."""
        black = np.zeros(self.model.network.input_shape[:2], np.uint8)
        self.simulator.classify(black, stop=stop)

    def require(self, parameters: ClassifierParameters) -> None:
        """Raise ValueError if `parameters` do not suit the model."""
        _ = self.model.preprocessing  # or else it takes events
        self.chips_for(Views.parse(parameters.views).count)  # now, as that may take long
        self.model.schedule(parameters.presentation_time or None)
        if parameters.mode == 'stream' and self.model.network.firing_window:
            raise ValueError(
                f'mode must be frame with model {self.model.name}, whose layers take turns: each '
                f'frame begins at rest, and there is nothing to stream'
            )

    def look(self, frame: Frame, memory: CameraMemory, parameters: ClassifierParameters) -> Sight:
        """What the network is to see of `frame`; ValueError says why it cannot be seen."""
        pixels = memory.read(frame, self.preprocessing(parameters), parameters)
        return Sight(pixels, frame, memory, memory.doubt, memory.is_frozen)

    def preprocessing(self, parameters: ClassifierParameters) -> Preprocessing:
        """The model's preprocessing as `parameters` change it."""
        own = self.model.preprocessing
        fit = own.fit if parameters.fit == 'model' else parameters.fit
        centre = 1.0 if fit == 'pad' else own.centre
        return replace(own, fit=fit, invert=own.invert != parameters.invert, centre=centre)

    def decide(
        self,
        sights: Sequence[Sight],
        parameters: ClassifierParameters,
        stop: Callable[[], bool],
        is_watched: bool = False,
    ) -> Iterator[Answer]:
        """An answer for each of `sights`, in their order.

        In mode frame they are shown to networks at rest, all at once if the engine gains by that
        and otherwise one after the other. In mode stream each is shown to the network that its
        camera's memory holds. If it `is_watched`, the answers come with their spikes, which takes
        a little longer. Raises Interrupted when `stop` returns True.
        """
        longest = parameters.presentation_time or self.model.presentation_time
        if parameters.mode == 'frame':
            for sight in sights:
                sight.memory.rest()
            size = len(sights) if self.simulator.gains_by_batches else 1
            for first in range(0, len(sights), size):
                batch = sights[first : first + size]
                yield from self._run(batch, None, longest, parameters, stop, is_watched)
            return
        views = Views.parse(parameters.views)
        for sight in sights:
            step = sight.memory.advance(sight.frame, self.simulator, longest, views)
            state = sight.memory.state
            for answer in self._run([sight], state, step.duration, parameters, stop, is_watched):
                yield _in_stream(answer, step)

    def _run(
        self,
        sights: Sequence[Sight],
        state: object,
        duration: float,
        parameters: ClassifierParameters,
        stop: Callable[[], bool],
        is_watched: bool,
    ) -> list[Answer]:
        record = Record(self.watched_steps) if is_watched else None
        views, own = Views.parse(parameters.views), self.model.preprocessing
        inputs = np.stack(
            [prepare(sight.pixels[view], own) for view in range(views.count) for sight in sights]
        )
        deadline = None
        if parameters.deadline:
            deadline = min(sight.frame.received for sight in sights) + parameters.deadline
        with self.busy:
            before = self.meter.read()
            start = time.perf_counter()
            decisions = self.simulator.classify_batch(
                inputs, state, duration, stop, deadline, record, views
            )
            network_time = time.perf_counter() - start
            power = mean_power(before, self.meter.read())
        return [
            Answer(
                decision,
                self.model.labels,
                self.engine,
                self.energies(decision, views.count),
                network_time,
                power,
                sight.doubt,
                sight.is_frozen,
                Spikes.of(record, image, self.model, views) if record is not None else None,
            )
            for image, (sight, decision) in enumerate(zip(sights, decisions, strict=True))
        ]


def _in_stream(answer: Answer, step: Step) -> Answer:
    """`answer` with what became of the time of the stream before it."""
    decision = answer.decision
    is_cut = decision.stopped_by == 'deadline'
    cut = step.duration - decision.simulated_time if is_cut else 0.0
    return replace(answer, restart=step.reason, skipped=step.skipped + cut)
