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

"""The lifecycle node that classifies the events of an event camera."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from snn_perception.nodes.answers.event_recognition import EventRecognizer
from snn_perception.nodes.answers.publishing import CameraOutputs, create_outputs
from snn_perception.nodes.classifying_node import ClassifyingNode
from snn_perception.nodes.event_packets.event_subscription import TOPIC
from snn_perception.nodes.event_pipeline import EventPipeline
from snn_perception.nodes.parameters.event_parameters import EventClassifierParameters
from snn_perception.nodes.process import Stop


class EventClassifierNode(ClassifyingNode):
    """Classifies events as they come; see `ClassifyingNode`."""

    subject = 'events'
    parameters: EventClassifierParameters

    def __init__(self, stop: Stop, **options: Any) -> None:
        super().__init__('event_classifier', EventClassifierParameters, stop, **options)

    def create_outputs(self) -> list[CameraOutputs]:
        """Outputs for the only camera."""
        return create_outputs(self, (TOPIC,))

    def load(self, parameters: EventClassifierParameters, stop: Callable[[], bool]) -> Any:
        """The recognizer that `parameters` ask for; raises as `EventRecognizer.load` does."""
        return EventRecognizer.load(parameters, stop)

    def create_pipeline(self) -> EventPipeline:
        """A worker for the packets of the camera."""
        return EventPipeline(self, self.outputs[0], self.current)
