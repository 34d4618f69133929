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

"""What a picture of an answer to events shows: the events that led to it, added up."""

from __future__ import annotations

import numpy as np

from snn_perception.events.shaping import LOST, ShapingState
from snn_perception.nodes.answers import messages
from snn_perception.nodes.answers.event_recognition import EventRecognizer
from snn_perception.nodes.answers.loaded_model import Answer
from snn_perception.nodes.event_packets.packet_reader import Seen
from snn_perception.nodes.parameters.event_parameters import EventClassifierParameters
from snn_perception.nodes.pictures.debug_drawing import Scene, Window
from snn_perception.nodes.pictures.event_picture import added, coloured
from snn_perception.views import WHOLE


class Accumulation:
    """The events since the last answer, as counts of each pixel and polarity."""

    def __init__(self) -> None:
        self.clear()

    def clear(self) -> None:
        """Begin anew."""
        self.sensor = np.zeros((1, 1, 2), np.float32)
        self.network = np.zeros((1, 1, 2), np.float32)

    def add(self, part: Seen) -> None:
        """Add events."""
        self.sensor = added(self.sensor, part.events)
        self.network = added(self.network, part.shaped)


def scene_of(
    seen: Accumulation,
    state: ShapingState | None,
    answer: Answer,
    recognizer: EventRecognizer,
    parameters: EventClassifierParameters,
    latency: float,
) -> Scene:
    """The scene of the `answer` of `recognizer` to what was `seen`, `latency` s after its stamp.

    `state` says which part of the sensor the network sees.
    """
    return Scene(
        frame=coloured(seen.sensor),
        seen=coloured(seen.network)[None],
        windows=(_window(state),),
        roi=WHOLE,
        decision=answer.decision,
        labels=answer.labels,
        label=messages.label(answer, parameters).data,
        energy=answer.energies[parameters.energy_chip],
        chip=parameters.energy_chip,
        latency=latency,
        longest=recognizer.model.presentation_time,
        spikes=answer.spikes,
        kind='events',
    )


def _window(state: ShapingState | None) -> Window:
    """The part of the sensor that the network sees."""
    if state is None:
        return WHOLE
    columns, rows = (np.flatnonzero(one != LOST) for one in (state.columns, state.rows))
    if not len(columns) or not len(rows):
        return WHOLE
    width, height = len(state.columns), len(state.rows)
    return (
        float(columns[0] / width),
        float(rows[0] / height),
        float((columns[-1] - columns[0] + 1) / width),
        float((rows[-1] - rows[0] + 1) / height),
    )
