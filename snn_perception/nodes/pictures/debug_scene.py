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

"""What a picture of an answer shows, from what the node knows of it."""

from __future__ import annotations

from snn_perception.nodes.answers import messages
from snn_perception.nodes.answers.recognition import Answer, Recognizer, View
from snn_perception.nodes.parameters.classifier_parameters import ClassifierParameters
from snn_perception.nodes.pictures.debug_drawing import (
    FRAME_HEIGHT,
    FRAME_WIDTH,
    Scene,
    seen_image,
    seen_window,
)


def scene_of(
    view: View,
    answer: Answer,
    recognizer: Recognizer,
    parameters: ClassifierParameters,
    latency: float,
) -> Scene:
    """The scene of the `answer` of `recognizer` to `view`, `latency` s after the frame's stamp."""
    memory, model = view.memory, recognizer.model
    preprocessing = recognizer.preprocessing(parameters)
    return Scene(
        frame=memory.picture(view.frame, parameters, FRAME_HEIGHT, FRAME_WIDTH),
        seen=seen_image(view.pixels, model.preprocessing),
        window=seen_window(memory.size, parameters.roi, preprocessing),
        decision=answer.decision,
        labels=answer.labels,
        label=messages.label(answer.decision, parameters.min_confidence).data,
        energy=answer.energies[parameters.energy_chip],
        chip=parameters.energy_chip,
        latency=latency,
        longest=parameters.presentation_time or model.presentation_time,
        spikes=answer.spikes,
    )
