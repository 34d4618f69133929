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

"""The event camera of a node: where its packets come from, and where the answers go."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from rclpy.lifecycle import LifecycleNode

from snn_perception.events.packets import missing_between
from snn_perception.nodes.answers.publishing import CameraOutputs
from snn_perception.nodes.diagnostics.event_health import EventHealth
from snn_perception.nodes.event_packets.event_subscription import DEPTH, EventSubscription
from snn_perception.nodes.event_packets.queue import Delivery, PacketQueue
from snn_perception.nodes.frames.frame_reader import nanoseconds
from snn_perception.nodes.parameters.event_parameters import EventClassifierParameters
from snn_perception.nodes.sensor_channel import SensorChannel


class EventChannel(SensorChannel):
    """Has the packets of the camera wait in `queue`, and publishes the answers."""

    subscription: EventSubscription
    health: EventHealth

    def __init__(
        self,
        node: LifecycleNode,
        outputs: CameraOutputs,
        parameters: Callable[[], EventClassifierParameters],
    ) -> None:
        super().__init__(node, outputs, parameters, EventHealth())
        self.queue = PacketQueue(lambda: parameters().max_backlog, self._on_dropped)
        self.subscription = EventSubscription(
            node, outputs.topic, self._on_packet, self.follow, DEPTH
        )
        self._last: int | None = None

    def subscribe(self, parameters: EventClassifierParameters) -> bool:
        """Subscribe as `parameters` ask for; whether anything changed."""
        is_new = self.subscription.follow(parameters.reliability)
        if is_new:
            self._last = None
        return is_new

    def _on_packet(self, message: Any) -> None:
        received = time.perf_counter()
        now, stamp = self.node.get_clock().now().nanoseconds, nanoseconds(message.header)
        missing = missing_between(self._last, message.seq)
        self._last = message.seq
        self.health.received(max(missing, 0), stamp != 0)
        self.queue.put(Delivery(message, received, (now - stamp) / 1e9, missing != 0))

    def _on_dropped(self, count: int) -> None:
        self.health.dropped(count)
