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
from snn_perception.nodes.answers.loaded_model import Answer
from snn_perception.nodes.answers.recognition import Recognizer, Sight
from snn_perception.nodes.parameters.classifier_parameters import ClassifierParameters
from snn_perception.nodes.pictures.debug_drawing import (
    FRAME_HEIGHT,
    FRAME_WIDTH,
    Scene,
    seen_images,
    windows_of,
)
from snn_perception.views import Views, region_of, seen_regions


def scene_of(
    sight: Sight,
    answer: Answer,
    recognizer: Recognizer,
    parameters: ClassifierParameters,
    latency: float,
) -> Scene:
    """The scene of the `answer` of `recognizer` to `sight`, `latency` s after its stamp."""
    memory, model = sight.memory, recognizer.model
    preprocessing = recognizer.preprocessing(parameters)
    rows, columns = memory.size
    views, roi = Views.parse(parameters.views), parameters.roi
    regions = seen_regions(rows, columns, preprocessing, views, roi)
    (whole,) = windows_of([region_of(roi, rows, columns)], rows, columns)
    return Scene(
        frame=memory.picture(sight.frame, parameters, FRAME_HEIGHT, FRAME_WIDTH),
        seen=seen_images(sight.pixels, model.preprocessing),
        windows=windows_of(regions, rows, columns),
        roi=whole,
        decision=answer.decision,
        labels=answer.labels,
        label=messages.label(answer, parameters).data,
        energy=answer.energies[parameters.energy_chip],
        chip=parameters.energy_chip,
        latency=latency,
        longest=parameters.presentation_time or model.presentation_time,
        spikes=answer.spikes,
    )
