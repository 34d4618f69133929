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

"""A camera that hangs, or sees nothing, is never sure of anything, on real topics."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import colour_frames
import colour_model
import cv2
import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header
from waiting import wait_until

Ask = Callable[[np.ndarray], dict[str, str]]


@pytest.fixture(params=['raw', 'compressed'])
def transport(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def camera(robot: Any, transport: str) -> Callable[[], Ask]:
    """Makes a function that publishes pixels under a new stamp and returns the statistics."""

    def start() -> Ask:
        statistics = robot.listen(DiagnosticArray, 'snn_classifier/statistics')
        is_raw = transport == 'raw'
        topic = 'image_raw' if is_raw else 'image_raw/compressed'
        publisher = robot.publisher(Image if is_raw else CompressedImage, topic)
        stamps = iter(range(1, 1_000_000))

        def answer(pixels: np.ndarray) -> dict[str, str]:
            header = Header()
            header.stamp.sec = next(stamps)
            if is_raw:
                publisher.publish(colour_frames.frame('', header, pixels))
            else:
                data = cv2.imencode('.png', pixels[..., ::-1])[1].tobytes()
                publisher.publish(CompressedImage(header=header, format='png', data=data))
            message = statistics.wait_for(lambda message: message.header == header)
            return {item.key: item.value for item in message.status[0].values}

        return answer

    return start


def red(number: int = 0) -> np.ndarray:
    """A red picture; of each number it differs in a level of the last pixel."""
    pixels = colour_model.image('red')
    pixels[-1, -1, 0] -= number
    return pixels


def test_frozen_frames_are_unknown_until_they_move_if_that_is_asked_for(
    robot: Any, create_classifier: Any, camera: Any, transport: str
) -> None:
    create_classifier(reject_unknown=True, frozen_after=0.3, image_transport=transport)
    diagnostics = robot.listen(DiagnosticArray, '/diagnostics')
    answer = camera()
    first = answer(red())
    assert (first['label'], first['frozen']) == ('red', '0')
    frozen = wait_until(lambda: (now := answer(red()))['frozen'] == '1' and now, 'a frozen frame')
    assert frozen['label'] == 'unknown'
    assert float(frozen['score']) == pytest.approx(float(first['score']))

    def warned(message: DiagnosticArray) -> bool:
        status = message.status[0]
        return 'is the camera or its driver frozen?' in status.message and (
            status.level == DiagnosticStatus.WARN
        )

    assert 'identical, the last ' in diagnostics.wait_for(warned).status[0].message
    moved = answer(red(1))
    assert (moved['label'], moved['frozen']) == ('red', '0')


def test_frozen_frames_keep_their_label_unless_asked_and_zero_seconds_are_never(
    create_classifier: Any, camera: Any, transport: str
) -> None:
    node = create_classifier(frozen_after=0.3, image_transport=transport)
    answer = camera()
    frozen = wait_until(lambda: (now := answer(red()))['frozen'] == '1' and now, 'a frozen frame')
    assert frozen['label'] == 'red'
    from rclpy.parameter import Parameter

    changes = [Parameter('frozen_after', value=0.0), Parameter('reject_unknown', value=True)]
    assert node.set_parameters_atomically(changes).successful
    again = answer(red())
    assert (again['label'], again['frozen']) == ('red', '0')


def test_frames_that_differ_in_one_level_are_not_frozen(
    create_classifier: Any, camera: Any, transport: str
) -> None:
    create_classifier(reject_unknown=True, frozen_after=0.001, image_transport=transport)
    answer = camera()
    found = [answer(red(number)) for number in range(12)]
    assert {(one['label'], one['frozen']) for one in found} == {('red', '0')}


def test_a_covered_lens_is_unknown_after_a_second_if_that_is_asked_for(
    create_classifier: Any, camera: Any, transport: str
) -> None:
    create_classifier(reject_unknown=True, image_transport=transport)
    answer = camera()
    dark = np.zeros((24, 32, 3), np.uint8)
    assert answer(dark)['label'] == 'red'
    wait_until(lambda: answer(dark)['label'] == 'unknown', 'an unknown frame')
    assert answer(red())['label'] == 'red'
