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

"""Pictures of answers over real topics: for whom they are made, and what happens if they fail."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest
from debug_scenes import scene
from rcl_interfaces.msg import Log
from rclpy.lifecycle import LifecycleNode
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header
from waiting import wait_until

from snn_perception.image_files import decode_compressed
from snn_perception.nodes.pictures.debug_drawing import Drawing
from snn_perception.nodes.pictures.debug_image import DebugImage

RAW, JPEG = 'artist/debug_image', 'artist/debug_image/compressed'


@pytest.fixture
def create_debug_image(robot: Any) -> Callable[..., DebugImage]:
    """Makes the topics of an active node named artist."""

    def create(*prefix: str) -> DebugImage:
        node = LifecycleNode('artist', namespace=robot.namespace)
        robot.add(node)
        debug = DebugImage(node, *prefix)
        node.trigger_configure()
        node.trigger_activate()
        return debug

    return create


def header() -> Header:
    header = Header(frame_id='front_camera_optical_frame')
    header.stamp.sec, header.stamp.nanosec = 12, 345
    return header


def pixels(message: Image) -> np.ndarray:
    return np.frombuffer(message.data, np.uint8).reshape(message.height, message.width, 3)


def heard(debug: DebugImage) -> None:
    """Return once `debug` knows of its subscriber."""
    wait_until(lambda: debug.is_wanted, 'somebody who wants to see')


def test_nobody_looks_at_what_nobody_subscribed_to(create_debug_image: Any) -> None:
    debug = create_debug_image()
    looked = []
    debug.publish(header(), lambda: looked.append('at it') or scene())
    assert not debug.is_wanted
    assert not looked


def test_picture_comes_under_the_header_of_the_frame(robot: Any, create_debug_image: Any) -> None:
    debug = create_debug_image()
    pictures = robot.listen(Image, RAW)
    heard(debug)
    debug.publish(header(), scene)
    message = pictures.wait_for()
    assert message.header == header()
    assert (message.width, message.height, message.step) == (640, 480, 1920)
    assert (message.encoding, message.is_bigendian) == ('rgb8', 0)
    assert np.array_equal(pixels(message), Drawing().draw(scene()))


def test_picture_comes_as_jpeg_to_whom_subscribed_to_that(
    robot: Any, create_debug_image: Any
) -> None:
    debug = create_debug_image()
    pictures = robot.listen(CompressedImage, JPEG)
    heard(debug)
    debug.publish(header(), scene)
    message = pictures.wait_for()
    assert message.header == header()
    assert message.format == 'rgb8; jpeg compressed bgr8'
    difference = cv2.absdiff(decode_compressed(message.data), Drawing().draw(scene()))
    assert difference.mean() < 6


def test_jpeg_is_made_only_for_whom_subscribed_to_it(
    robot: Any, create_debug_image: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    debug = create_debug_image()
    pictures = robot.listen(Image, RAW)
    heard(debug)
    encoded = []
    monkeypatch.setattr(cv2, 'imencode', lambda *arguments: encoded.append(arguments))
    debug.publish(header(), scene)
    pictures.wait_for()
    assert not encoded


def test_best_effort_subscriber_hears_it_too(robot: Any, create_debug_image: Any) -> None:
    debug = create_debug_image()
    pictures: list[Image] = []
    qos = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
    robot.node.create_subscription(Image, RAW, pictures.append, qos)
    heard(debug)

    def seen() -> bool:
        debug.publish(header(), scene)
        return bool(pictures)

    wait_until(seen, 'a picture')


def test_it_ends_with_its_last_subscriber(robot: Any, create_debug_image: Any) -> None:
    debug = create_debug_image()
    subscription = robot.node.create_subscription(Image, RAW, lambda message: None, 1)
    heard(debug)
    robot.node.destroy_subscription(subscription)
    wait_until(lambda: not debug.is_wanted, 'the end of interest')


def test_picture_that_cannot_be_drawn_is_logged_and_harms_nobody(
    robot: Any, create_debug_image: Any
) -> None:
    debug = create_debug_image()
    log = robot.listen(Log, '/rosout')
    pictures = robot.listen(Image, RAW)
    heard(debug)
    for _ in range(20):
        debug.publish(header(), lambda: scene(energy=1 / 0))
        debug.publish(header(), lambda: scene(frame=np.empty((0, 0, 3), np.uint8)))
    debug.publish(header(), scene)
    assert pixels(pictures.wait_for()).any()

    def tells_of_pictures(line: Log) -> bool:
        return 'debug image could not be drawn: ZeroDivisionError' in line.msg

    log.wait_for(tells_of_pictures)
    assert len([line for line in log.messages if 'debug image' in line.msg]) == 1


def test_each_camera_has_pictures_of_its_own(robot: Any, create_debug_image: Any) -> None:
    debug = create_debug_image('~/front')
    pictures = robot.listen(Image, 'artist/front/debug_image')
    heard(debug)
    debug.publish(header(), scene)
    assert pictures.wait_for().header == header()


def test_topics_are_gone_once_they_are_taken_back(robot: Any, create_debug_image: Any) -> None:
    debug = create_debug_image()

    def publishers() -> int:
        return sum(
            robot.node.count_publishers(f'{robot.namespace}/{name}') for name in (RAW, JPEG)
        )

    wait_until(lambda: publishers() == 2, 'both topics')
    debug.destroy()
    wait_until(lambda: publishers() == 0, 'the end of both topics')
