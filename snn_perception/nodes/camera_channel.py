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

import math
import time
from collections.abc import Callable
from typing import Any

from rclpy.lifecycle import LifecycleNode

from snn_perception.nodes.answers.loaded_model import Answer
from snn_perception.nodes.answers.publishing import CameraOutputs
from snn_perception.nodes.answers.recognition import Recognizer, Sight
from snn_perception.nodes.diagnostics.health import Health
from snn_perception.nodes.diagnostics.verdict import Limits, Report
from snn_perception.nodes.frames.camera_memory import CameraMemory, Frame
from snn_perception.nodes.frames.image_subscription import ImageSubscription
from snn_perception.nodes.parameters.classifier_parameters import ClassifierParameters
from snn_perception.nodes.pictures.debug_scene import scene_of

LOG_PERIOD = 5.0
"""Seconds between two log lines about the same kind of trouble."""


class CameraChannel:
    """Has `deliver` called with every frame of the camera, and publishes the answers.

    `deliver` returns whether an older frame had to give way. `parameters` gives those of the
    moment. `answer`, `reject` and `fail` are for the thread that works on the frames, all other
    methods for the one that runs the callbacks of `node`.
    """

    def __init__(
        self,
        node: LifecycleNode,
        outputs: CameraOutputs,
        deliver: Callable[[CameraChannel, Frame], bool],
        parameters: Callable[[], ClassifierParameters],
    ) -> None:
        self.memory = CameraMemory()
        self.health = Health()
        self.outputs = outputs
        self._node = node
        self._deliver = deliver
        self._parameters = parameters
        self._is_enabled = False
        self._subscription = ImageSubscription(node, outputs.topic, self._on_frame, self.follow)

    def resume(self) -> None:
        """Subscribe, unless that is done, or nobody listens to a lazy node."""
        self._is_enabled = True
        self.follow()

    def pause(self) -> None:
        """Unsubscribe."""
        self._is_enabled = False
        self._subscription.close()

    def follow(self) -> None:
        """Subscribe as the parameters, the publishers and the listeners now ask for."""
        if not self._is_enabled:
            self._subscription.close()
            return
        parameters = self._parameters()
        if parameters.lazy and not self.outputs.are_heard:
            self._subscription.close()
        elif self._subscription.follow(parameters):
            self.health.resume()
            self._node.get_logger().info(f'classifying {self._subscription}')

    def reset(self) -> None:
        """Forget counts and errors, and begin anew with the next frame."""
        self.health.reset()
        self.memory.reset()

    def report(self) -> Report:
        """The verdict on the time since the last report."""
        self.follow()
        now = self._parameters()
        limits = Limits(now.max_silence, now.max_delay, now.max_latency, now.max_dropped)
        pause = 'nobody listens' if self._is_enabled else 'disabled'
        return self.health.report(self._subscription.source(), limits, pause)

    def _on_frame(self, message: Any) -> None:
        parameters = self._parameters()
        now = self._node.get_clock().now().nanoseconds
        frame = self.memory.receive(message, now, parameters.stream_gap)
        if frame.arrival.is_duplicate and parameters.mode == 'stream':
            self.health.duplicate()
            return
        self.health.received(frame.lost, frame.has_stamp)
        if self._deliver(self, frame):
            self.health.dropped()

    # --- in the thread that works on the frames ---

    def answer(
        self,
        sight: Sight,
        answer: Answer,
        recognizer: Recognizer,
        parameters: ClassifierParameters,
        times: dict[str, float],
        taken_up: float,
    ) -> None:
        """Publish the `answer` of `recognizer` to `sight`, unless it was unsubscribed meanwhile.

        `times` are parts of what that took, in s by name. The frame was `taken_up` then, by
        `time.perf_counter()`.
        """
        if not self._subscription.is_open:
            return
        self.health.skipped(answer.skipped)
        if answer.restart:
            self.health.restarted()
            self._node.get_logger().warning(
                f'stream begins again: {answer.restart}', throttle_duration_sec=LOG_PERIOD
            )
        start = time.perf_counter()
        frame, header = sight.frame, sight.frame.message.header
        latency = self.outputs.answers.publish(header, answer, parameters, times, taken_up)
        stages = {**times, 'publishing': time.perf_counter() - start}
        if math.isfinite(latency.seconds):
            stages['transport'] = frame.transport
        self.health.classified(latency, stages, answer.decision.stopped_by == 'deadline')
        self.health.seen(answer.doubt)
        self.outputs.pictures.publish(
            header, lambda: scene_of(sight, answer, recognizer, parameters, latency.seconds)
        )

    def reject(self, reason: str) -> None:
        """Count and log a frame that is not a usable image."""
        self.health.rejected(reason)
        self._node.get_logger().warning(
            f'frame rejected: {reason}', throttle_duration_sec=LOG_PERIOD
        )

    def fail(self, reason: str) -> None:
        """Count and log a frame that the engine could not classify."""
        self.health.failed(reason)
        self._node.get_logger().error(
            f'frame could not be classified: {reason}', throttle_duration_sec=LOG_PERIOD
        )
