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

"""A subscriber that prints each answer next to what the camera showed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from diagnostic_msgs.msg import DiagnosticArray
from rclpy.node import Node
from std_msgs.msg import Header
from vision_msgs.msg import Classification

from snn_perception.datasets.sources import Picture
from snn_perception.demo.scoreboard import Outcome, Scoreboard, heading, row
from snn_perception.nodes.process import Stop

CHIP = 'loihi'
MOST_EXPECTED = 1000


class ViewerNode(Node):
    """Matches the answers on the classifier's topics with the camera's pictures, by stamp.

    Requests `stop` after `frames` answers (0: never). `topic` tells where the classifier publishes
    what it calls by a name of its own, such as `~/label`.
    """

    def __init__(self, stop: Stop, frames: int, topic: Callable[[str], str]) -> None:
        super().__init__('viewer')
        self.scoreboard = Scoreboard(CHIP)
        self._stop = stop
        self._frames = frames
        self._expected: dict[tuple[int, int], Outcome] = {}
        self._sources = (
            self.create_subscription(
                Classification, topic('~/classification'), self._on_classification, 10
            ),
            self.create_subscription(
                DiagnosticArray, topic('~/statistics'), self._on_statistics, 10
            ),
        )

    def when_connected(self, action: Callable[[], Any]) -> None:
        """Call `action` once this node is connected to the classifier's topics."""

        def check() -> None:
            if all(source.get_publisher_count() for source in self._sources):
                self.destroy_timer(timer)
                action()

        timer = self.create_timer(0.05, check)

    def expect(self, header: Header, picture: Picture) -> None:
        """Remember that `picture` is about to be published under `header`."""
        self._expected[_stamp(header)] = Outcome(picture)
        while len(self._expected) > MOST_EXPECTED:
            self._expected.pop(next(iter(self._expected)))

    def _on_classification(self, message: Classification) -> None:
        outcome = self._expected.get(_stamp(message.header))
        if outcome is not None:
            outcome.hypotheses = tuple((one.class_id, one.score) for one in message.results)
            self._show_if_complete(message.header, outcome)

    def _on_statistics(self, message: DiagnosticArray) -> None:
        outcome = self._expected.get(_stamp(message.header))
        if outcome is not None:
            outcome.statistics = {item.key: item.value for item in message.status[0].values}
            self._show_if_complete(message.header, outcome)

    def _show_if_complete(self, header: Header, outcome: Outcome) -> None:
        if not outcome.is_complete or self._stop.requested:
            return
        self._forget_until(_stamp(header))
        self.scoreboard.add(outcome)
        if self.scoreboard.count == 1:
            print(f'\n{heading()}')
        print(row(self.scoreboard.count, outcome, CHIP), flush=True)
        if self.scoreboard.count == self._frames:
            self._stop.request()

    def _forget_until(self, stamp: tuple[int, int]) -> None:
        """Expect no more answers to the pictures up to `stamp`: those in between were dropped."""
        while self._expected:
            oldest = next(iter(self._expected))
            del self._expected[oldest]
            if oldest == stamp:
                return


def _stamp(header: Header) -> tuple[int, int]:
    return header.stamp.sec, header.stamp.nanosec
