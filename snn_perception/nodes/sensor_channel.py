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

"""One sensor of a node that classifies: what becomes of its messages, and where answers go."""

from __future__ import annotations

import math
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

from rclpy.lifecycle import LifecycleNode

from snn_perception.nodes.answers.loaded_model import Answer
from snn_perception.nodes.answers.publishing import CameraOutputs
from snn_perception.nodes.diagnostics.health import Health
from snn_perception.nodes.diagnostics.verdict import Limits, Report
from snn_perception.nodes.pictures.debug_drawing import Scene
from snn_perception.nodes.sensor_subscription import SensorSubscription

LOG_PERIOD = 5.0
"""Seconds between two log lines about the same kind of trouble."""


class SensorChannel(ABC):
    """Has a subscription while it should, says how the sensor is doing, and publishes answers.

    `parameters` gives those of the moment. `publish`, `reject` and `fail` are for the thread that
    works on the messages, all other methods for the one that runs the callbacks of `node`.
    """

    subscription: SensorSubscription

    def __init__(
        self,
        node: LifecycleNode,
        outputs: CameraOutputs,
        parameters: Callable[[], Any],
        health: Health,
    ) -> None:
        self.health = health
        self.outputs = outputs
        self.node = node
        self.parameters = parameters
        self._is_enabled = False

    @abstractmethod
    def subscribe(self, parameters: Any) -> bool:
        """Subscribe as `parameters` ask for; whether anything changed."""

    def resume(self) -> None:
        """Subscribe, unless that is done, or nobody listens to a lazy node."""
        self._is_enabled = True
        self.follow()

    def pause(self) -> None:
        """Unsubscribe."""
        self._is_enabled = False
        self.subscription.close()

    def follow(self) -> None:
        """Subscribe as the parameters, the publishers and the listeners now ask for."""
        if not self._is_enabled:
            self.subscription.close()
            return
        parameters = self.parameters()
        if parameters.lazy and not self.outputs.are_heard:
            self.subscription.close()
        elif self.subscribe(parameters):
            self.health.resume()
            self.node.get_logger().info(f'classifying {self.subscription}')

    def report(self) -> Report:
        """The verdict on the time since the last report."""
        self.follow()
        now = self.parameters()
        limits = Limits(now.max_silence, now.max_delay, now.max_latency, now.max_dropped)
        pause = 'nobody listens' if self._is_enabled else 'disabled'
        return self.health.report(self.subscription.source(), limits, pause)

    # --- in the thread that works on the messages ---

    def publish(
        self,
        header: Any,
        answer: Answer,
        parameters: Any,
        times: Mapping[str, float],
        taken_up: float,
        transport: float,
        scene: Callable[[float], Scene],
    ) -> None:
        """Publish `answer` under `header`, unless the sensor was unsubscribed meanwhile.

        `times` are parts of what that took, in s by name; what is answered was `taken_up` then,
        by `time.perf_counter()`, and came `transport` s after its stamp. `scene` is what a
        picture shows at a latency in s.
        """
        if not self.subscription.is_open:
            return
        self.health.skipped(answer.skipped)
        if answer.restart:
            self.health.restarted()
            self.node.get_logger().warning(
                f'stream begins again: {answer.restart}', throttle_duration_sec=LOG_PERIOD
            )
        start = time.perf_counter()
        latency = self.outputs.answers.publish(header, answer, parameters, times, taken_up)
        stages = {**times, 'publishing': time.perf_counter() - start}
        if math.isfinite(latency.seconds):
            stages['transport'] = transport
        self.health.classified(latency, stages, answer.decision.stopped_by == 'deadline')
        self.health.seen(answer.doubt)
        self.outputs.pictures.publish(header, lambda: scene(latency.seconds))

    def reject(self, reason: str) -> None:
        """Count and log a message that cannot be used."""
        self.health.rejected(reason)
        self.node.get_logger().warning(
            f'{self.health.thing} rejected: {reason}', throttle_duration_sec=LOG_PERIOD
        )

    def fail(self, reason: str) -> None:
        """Count and log a message that the engine could not classify."""
        self.health.failed(reason)
        self.node.get_logger().error(
            f'{self.health.thing} could not be classified: {reason}',
            throttle_duration_sec=LOG_PERIOD,
        )
