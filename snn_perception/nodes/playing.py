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

"""What nodes that play something have in common: they open a source, wait, play and end."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from typing import Any, ClassVar

from rclpy.clock import Clock, ClockType
from rclpy.duration import Duration
from rclpy.publisher import Publisher
from std_msgs.msg import Header

from snn_perception.datasets.sources import Picture
from snn_perception.nodes.parameters.parameter_server import ParameterNode, ParameterServer
from snn_perception.nodes.process import Stop
from snn_perception.nodes.services import guard_services

CHECK_PERIOD = 0.02
"""Seconds between two checks for a subscriber."""


class PlayingNode(ParameterNode):
    """Plays a source on one topic, at once or when somebody subscribes, and then requests `stop`.

    `on_publish` is called with the header of every message and a picture of what it shows, before
    it goes out. `parameters_type` has the parameters, `wait_for_subscriber` among them.
    """

    parameters_type: ClassVar[type]
    publisher: Publisher

    def __init__(
        self,
        name: str,
        stop: Stop,
        on_publish: Callable[[Header, Picture], None] = lambda header, picture: None,
        **options: Any,
    ) -> None:
        super().__init__(name, **options)
        self.has_failed = False
        self.steady = Clock(clock_type=ClockType.STEADY_TIME)
        self.on_publish = on_publish
        self._stop = stop
        self.server = ParameterServer(self, self.parameters_type)
        guard_services(self)

    @property
    def parameters(self) -> Any:
        """The parameters now."""
        return self.server.values

    @abstractmethod
    def open(self) -> str:
        """Open the source; says what will be played how fast. Raises ValueError if it cannot."""

    @abstractmethod
    def play(self) -> None:
        """Begin to publish."""

    def start(self) -> bool:
        """Open the source and begin to publish; False, and a log line, if that fails."""
        try:
            self.server.require_valid()
            what = self.open()
        except ValueError as reason:
            self.fail(str(reason))
            return False
        self.get_logger().info(f'publishing {what} on {self.publisher.topic_name}')
        self._first_timer = self.create_timer(CHECK_PERIOD, self._begin, clock=self.steady)
        return True

    def fail(self, reason: str) -> None:
        """End with the `reason` in the log."""
        self.get_logger().error(reason)
        self.has_failed = True
        self._stop.request()

    def end(self) -> None:
        """End, once subscribers have everything."""
        self.publisher.wait_for_all_acked(Duration(seconds=2))
        self._stop.request()

    def _begin(self) -> None:
        if self.parameters.wait_for_subscriber and not self.publisher.get_subscription_count():
            return
        self.destroy_timer(self._first_timer)
        self.play()
