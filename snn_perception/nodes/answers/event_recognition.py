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

"""From events to answers: a model on an engine, which hears the events of one sensor."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from snn_perception.event_stream import EventStream
from snn_perception.events.first_event import first_event
from snn_perception.events.shaping import EventShaping
from snn_perception.model import Model
from snn_perception.nodes.answers.loaded_model import Answer, LoadedModel
from snn_perception.nodes.parameters.event_parameters import EventClassifierParameters
from snn_perception.nodes.pictures.debug_raster import Spikes
from snn_perception.power import mean_power


class EventRecognizer(LoadedModel):
    """Classifies the events of one sensor, by one thread at a time. To be closed after use."""

    @classmethod
    def adapted(cls, model: Model, parameters: EventClassifierParameters) -> Model:
        """`model` with the longest time for a decision that `parameters` ask for."""
        _ = model.shaping  # or else it takes images
        longest = parameters.presentation_time
        if not longest:
            return model
        return replace(model, readout=replace(model.readout, presentation_time=longest))

    def require(self, parameters: EventClassifierParameters) -> None:
        """Raise ValueError if `parameters` do not suit the model."""
        self.shaping(parameters)
        self.chips_for()  # now, as that may take long

    def try_out(self, stop: Callable[[], bool]) -> None:
        """Classify a single event on its way from a packet, all of which may have to compile."""
        counts = first_event(self.model.shaping, self.model.dt, ('evt3',))
        self.simulator.classify_events(counts, stop=stop)

    def shaping(self, parameters: EventClassifierParameters) -> EventShaping:
        """The model's way from events to its input as `parameters` change it."""
        own = self.model.shaping
        rate, refractory = parameters.hot_pixel_rate, parameters.refractory
        left, top, width, height = parameters.crop
        return replace(
            own,
            crop=(left, top, width, height) if width else own.crop,
            pooling=parameters.pooling or own.pooling,
            hot_pixel_rate=own.hot_pixel_rate if rate < 0 else rate,
            refractory=own.refractory if refractory < 0 else round(1e6 * refractory),
        )

    def decide(
        self, stream: EventStream, counts: NDArray[np.uint8], is_watched: bool = False
    ) -> tuple[list[Answer], float]:
        """The answers that fall in the course of `counts`, and how long that took in s.

        `stream` is one of the simulator, and is advanced. If it `is_watched`, the answers come
        with their spikes, which takes a little longer.
        """
        with self.busy:
            before = self.meter.read()
            start = time.perf_counter()
            decisions = stream.advance(counts, self.watched_steps if is_watched else None)
            seconds = time.perf_counter() - start
            power = mean_power(before, self.meter.read())
        answers = [
            Answer(
                decision,
                self.model.labels,
                self.engine,
                self.energies(decision),
                seconds,
                power,
                spikes=Spikes.of(record, 0, self.model) if is_watched else None,
            )
            for decision, record in zip(decisions, stream.records, strict=True)
        ]
        return answers, seconds
