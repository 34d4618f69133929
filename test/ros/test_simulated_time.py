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

"""Frames of a simulation or a recording, whose time is that of /clock, if there is one."""

from __future__ import annotations

from typing import Any

import colour_frames
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import Image
from std_msgs.msg import Header
from waiting import wait_until


def frame(seconds: float) -> Image:
    header = Header()
    header.stamp.sec, header.stamp.nanosec = int(seconds), round(seconds % 1 * 1e9)
    return colour_frames.frame('red', header)


def values_of(message: DiagnosticArray) -> dict[str, str]:
    return {item.key: item.value for item in message.status[0].values}


class Simulation:
    """Time and frames of a simulated camera, and the answers to them."""

    def __init__(self, robot: Any, node: Any) -> None:
        self._node = node
        self._clock = robot.node.create_publisher(Clock, '/clock', 1)
        self._statistics = robot.listen(DiagnosticArray, 'snn_classifier/statistics')
        self._camera = robot.publisher(Image, 'image_raw')

    def show(self, stamp: float, now: float | None = None) -> dict[str, str]:
        """The statistics of the answer to a frame stamped `stamp`, at `now` of the clock."""
        if now is not None:
            clock = Clock(clock=frame(now).header.stamp)

            def is_now() -> bool:
                self._clock.publish(clock)
                return abs(self._node.get_clock().now().nanoseconds - 1e9 * now) < 1e6

            wait_until(is_now, 'the clock of the node')
        shown = frame(stamp)
        self._statistics.messages.clear()
        self._camera.publish(shown)
        return values_of(self._statistics.wait_for(lambda message: message.header == shown.header))


def test_stream_follows_the_simulated_time_and_its_jumps(
    robot: Any, create_classifier: Any
) -> None:
    node = create_classifier(mode='stream', use_sim_time=True)
    simulation = Simulation(robot, node)
    diagnostics = robot.listen(DiagnosticArray, '/diagnostics')
    first = simulation.show(99.99, now=100.0)
    assert float(first['latency_ms']) == pytest.approx(10, abs=0.1)
    assert first['simulated_time_ms'] == '30.000'
    assert simulation.show(100.01, now=100.01)['simulated_time_ms'] == '20.000'
    again = simulation.show(50.0, now=50.02)
    assert float(again['latency_ms']) == pytest.approx(20, abs=0.1)
    assert again['simulated_time_ms'] == '30.000'
    assert simulation.show(50.02, now=50.04)['simulated_time_ms'] == '20.000'
    diagnostics.wait_for(
        lambda message: (
            message.status[0].name.startswith(f'{robot.namespace[1:]}/')
            and values_of(message).get('classified') == '4'
            and values_of(message)['restarts'] == '1'
        )
    )


def test_latency_without_a_clock_is_unknown_and_the_verdict_says_why(
    robot: Any, create_classifier: Any
) -> None:
    node = create_classifier(use_sim_time=True)
    diagnostics = robot.listen(DiagnosticArray, '/diagnostics')
    assert Simulation(robot, node).show(1e9)['latency_ms'] == 'nan'
    diagnostics.wait_for(
        lambda message: (
            message.status[0].name.startswith(f'{robot.namespace[1:]}/')
            and 'set use_sim_time and publish /clock' in message.status[0].message
        )
    )


def test_frames_without_stamps_are_answered_and_counted(
    robot: Any, create_classifier: Any
) -> None:
    create_classifier(mode='stream')
    diagnostics = robot.listen(DiagnosticArray, '/diagnostics')
    publisher = robot.publisher(Image, 'image_raw')
    robot.node.create_timer(0.02, lambda: publisher.publish(colour_frames.frame('red')))
    message = diagnostics.wait_for(
        lambda message: (
            message.status[0].name.startswith(f'{robot.namespace[1:]}/')
            and int(values_of(message).get('classified', '0')) > 10
            # A busy machine may have something more urgent to say at first.
            and 'the frames have no stamps' in message.status[0].message
        )
    )
    counts = values_of(message)
    assert counts['restarts'] == '0'
    assert counts['unstamped'] == counts['received']
