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

"""The lifecycle node that classifies what cameras publish."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from snn_perception.nodes.answers.publishing import CameraOutputs, check_topics, create_outputs
from snn_perception.nodes.answers.recognition import Recognizer
from snn_perception.nodes.classifying_node import ClassifyingNode
from snn_perception.nodes.frame_pipeline import FramePipeline
from snn_perception.nodes.parameters.classifier_parameters import ClassifierParameters
from snn_perception.nodes.process import Stop


class ClassifierNode(ClassifyingNode):
    """Classifies the newest frames of cameras; see `ClassifyingNode`."""

    parameters: ClassifierParameters

    def __init__(self, stop: Stop, **options: Any) -> None:
        check = partial(check_topics, self)
        super().__init__('snn_classifier', ClassifierParameters, stop, check, **options)

    def create_outputs(self) -> list[CameraOutputs]:
        """Outputs for each of the cameras."""
        return create_outputs(self, self.parameters.image_topics)

    def has_other_sensors(self) -> bool:
        """Whether the topics of the cameras have changed."""
        return [one.topic for one in self.outputs] != [*self.parameters.image_topics]

    def load(self, parameters: ClassifierParameters, stop: Callable[[], bool]) -> Recognizer:
        """The recognizer that `parameters` ask for; raises as `Recognizer.load` does."""
        return Recognizer.load(parameters, stop)

    def create_pipeline(self) -> FramePipeline:
        """A worker for the newest frames of all cameras."""
        return FramePipeline(self, self.outputs, self.current)
