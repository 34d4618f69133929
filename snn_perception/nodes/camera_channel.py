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

"""One camera of the classifier: where its frames come from, and where the answers go."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rclpy.lifecycle import LifecycleNode

from snn_perception.nodes.answers.loaded_model import Answer
from snn_perception.nodes.answers.publishing import CameraOutputs
from snn_perception.nodes.answers.recognition import Recognizer, Sight
from snn_perception.nodes.diagnostics.health import Health
from snn_perception.nodes.frames.camera_memory import CameraMemory, Frame
from snn_perception.nodes.frames.image_subscription import ImageSubscription
from snn_perception.nodes.parameters.classifier_parameters import ClassifierParameters
from snn_perception.nodes.pictures.debug_scene import scene_of
from snn_perception.nodes.sensor_channel import SensorChannel


class CameraChannel(SensorChannel):
    """Has `deliver` called with every frame of the camera, and publishes the answers.

    `deliver` returns whether an older frame had to give way. See `SensorChannel`; `answer` is for
    the thread that works on the frames, too.
    """

    subscription: ImageSubscription

    def __init__(
        self,
        node: LifecycleNode,
        outputs: CameraOutputs,
        deliver: Callable[[CameraChannel, Frame], bool],
        parameters: Callable[[], ClassifierParameters],
    ) -> None:
        super().__init__(node, outputs, parameters, Health())
        self.memory = CameraMemory()
        self._deliver = deliver
        self.subscription = ImageSubscription(node, outputs.topic, self._on_frame, self.follow)

    def subscribe(self, parameters: ClassifierParameters) -> bool:
        """Subscribe as `parameters` ask for; whether anything changed."""
        return self.subscription.follow(parameters)

    def reset(self) -> None:
        """Forget counts and errors, and begin anew with the next frame."""
        self.health.reset()
        self.memory.reset()

    def _on_frame(self, message: Any) -> None:
        parameters = self.parameters()
        now = self.node.get_clock().now().nanoseconds
        frame = self.memory.receive(message, now, parameters.stream_gap)
        if frame.arrival.is_duplicate and parameters.mode == 'stream':
            self.health.duplicate()
            return
        self.health.received(frame.lost, frame.has_stamp)
        if self._deliver(self, frame):
            self.health.dropped()

    def answer(
        self,
        sight: Sight,
        answer: Answer,
        recognizer: Recognizer,
        parameters: ClassifierParameters,
        times: dict[str, float],
        taken_up: float,
    ) -> None:
        """Publish the `answer` of `recognizer` to `sight`; see `SensorChannel.publish`."""
        frame = sight.frame
        self.publish(
            frame.message.header,
            answer,
            parameters,
            times,
            taken_up,
            frame.transport,
            lambda latency: scene_of(sight, answer, recognizer, parameters, latency),
        )
