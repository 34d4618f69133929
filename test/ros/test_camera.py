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

"""The camera over real topics."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from sensor_msgs.msg import CompressedImage, Image

from snn_perception.datasets.sources import Picture
from snn_perception.images import decode_compressed
from snn_perception.nodes.frames.frame_reader import nanoseconds
from snn_perception.nodes.process import Stop


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three images of one colour each, the last larger and grey."""
    for number, colour in enumerate([(0, 0, 255), (0, 255, 0)]):
        cv2.imwrite(str(tmp_path / f'{number}.png'), np.full((30, 40, 3), colour, np.uint8))
    cv2.imwrite(str(tmp_path / '2.png'), np.full((60, 100), 200, np.uint8))
    return tmp_path


@pytest.fixture
def create_camera(robot: Any, folder: Path) -> Callable[..., Any]:
    """Makes a camera with parameters by name, and the request to stop that it makes."""
    from rclpy.parameter import Parameter

    from snn_perception.nodes.camera_node import CameraNode

    def create(**parameters: Any) -> tuple[Any, Stop]:
        values = {'source': str(folder), 'rate': 50, 'wait_for_subscriber': True, **parameters}
        stop = Stop()
        node = CameraNode(
            stop,
            namespace=robot.namespace,
            parameter_overrides=[Parameter(name, value=value) for name, value in values.items()],
        )
        robot.add(node)
        return node, stop

    return create


def pixels(message: Image) -> np.ndarray:
    channels = {'rgb8': 3, 'mono8': 1}[message.encoding]
    return np.frombuffer(message.data, np.uint8).reshape(message.height, message.width, channels)


def test_folder_is_played_once_in_order_and_then_the_camera_stops(
    robot: Any, create_camera: Any
) -> None:
    camera, stop = create_camera(loop=False, frame_id='tower')
    assert camera.start()
    before = robot.node.get_clock().now().nanoseconds
    images = robot.listen(Image, 'image_raw')
    assert stop.wait(20)
    images.wait_for(lambda message: message.encoding == 'mono8')
    assert not camera.has_failed
    assert [message.encoding for message in images.messages] == ['rgb8', 'rgb8', 'mono8']
    assert [pixels(message)[15, 20].tolist() for message in images.messages] == [
        [255, 0, 0],
        [0, 255, 0],
        [200],
    ]
    stamps = [
        message.header.stamp.sec * 10**9 + message.header.stamp.nanosec
        for message in images.messages
    ]
    assert before < stamps[0] < stamps[1] < stamps[2]
    assert {message.header.frame_id for message in images.messages} == {'tower'}


def test_size_of_the_first_image_is_kept_with_black_borders(
    robot: Any, create_camera: Any
) -> None:
    camera, _ = create_camera(loop=False)
    assert camera.start()
    images = robot.listen(Image, 'image_raw')
    last = images.wait_for(lambda message: message.encoding == 'mono8')
    assert {(message.width, message.height) for message in images.messages} == {(40, 30)}
    assert last.step == 40
    np.testing.assert_array_equal(pixels(last)[3:27], 200)
    np.testing.assert_array_equal(pixels(last)[:3], 0)


def test_any_size_can_be_asked_for(robot: Any, create_camera: Any) -> None:
    camera, _ = create_camera(width=640, height=480)
    assert camera.start()
    message = robot.listen(Image, 'image_raw').wait_for()
    assert (message.width, message.height, message.step) == (640, 480, 1920)
    assert pixels(message).shape == (480, 640, 3)


def test_camera_goes_on_in_a_loop(robot: Any, create_camera: Any) -> None:
    camera, stop = create_camera()
    assert camera.start()
    images = robot.listen(Image, 'image_raw')
    images.wait_for(lambda message: len(images.messages) >= 7)
    assert not stop.requested


def test_compressed_images_are_jpeg_in_colour_and_grey(robot: Any, create_camera: Any) -> None:
    camera, _ = create_camera(image_transport='compressed', loop=False)
    assert camera.start()
    images = robot.listen(CompressedImage, 'image_raw/compressed')
    grey = images.wait_for(lambda message: message.format.startswith('mono8'))
    assert grey.format == 'mono8; jpeg compressed mono8'
    assert decode_compressed(grey.data).ndim == 2
    red = images.messages[0]
    assert red.format == 'rgb8; jpeg compressed bgr8'
    assert decode_compressed(red.data)[15, 20].tolist() == pytest.approx([255, 0, 0], abs=3)


def test_first_image_does_not_wait_for_the_period_of_the_rate(
    robot: Any, create_camera: Any
) -> None:
    camera, _ = create_camera(rate=0.01)
    images = robot.listen(Image, 'image_raw')
    assert camera.start()
    images.wait_for()


def test_camera_that_need_not_wait_for_a_subscriber_shows_its_images_to_nobody(
    create_camera: Any,
) -> None:
    camera, stop = create_camera(wait_for_subscriber=False, loop=False)
    assert camera.start()
    assert stop.wait(20)
    assert not camera.has_failed


def test_camera_without_a_subscriber_waits_for_one_before_its_first_image(
    robot: Any, create_camera: Any
) -> None:
    camera, stop = create_camera(loop=False)
    assert camera.start()
    assert not stop.wait(0.3)
    robot.listen(Image, 'image_raw')
    assert stop.wait(20)


def test_image_is_stamped_with_the_time_of_its_capture(
    robot: Any, create_camera: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    pixels = np.zeros((6, 8), np.uint8)

    def pictures(*_: Any) -> Any:
        yield Picture(pixels, 'webcam', captured=time.monotonic() - 2.0)
        yield Picture(pixels, 'file')

    monkeypatch.setattr('snn_perception.nodes.camera_node.open_source', pictures)
    camera, stop = create_camera(loop=False)
    images = robot.listen(Image, 'image_raw')
    begin = robot.node.get_clock().now().nanoseconds
    assert camera.start()
    assert stop.wait(20)
    images.wait_for(lambda message: len(images.messages) == 2)
    end = robot.node.get_clock().now().nanoseconds
    captured, published = (nanoseconds(message.header) for message in images.messages)
    assert begin - 2e9 <= captured <= end - 2e9
    assert begin <= published <= end


@pytest.mark.parametrize('reliability', ['RELIABLE', 'BEST_EFFORT'])
def test_subscribers_of_every_reliability_hear_the_camera(
    robot: Any, create_camera: Any, reliability: str
) -> None:
    from rclpy.qos import QoSProfile, ReliabilityPolicy

    heard: list[Image] = []
    qos = QoSProfile(depth=1, reliability=ReliabilityPolicy[reliability])
    robot.node.create_subscription(Image, 'image_raw', heard.append, qos)
    camera, stop = create_camera(loop=False)
    assert camera.start()
    assert stop.wait(20)
    assert heard


@pytest.mark.parametrize(
    'parameters',
    [{'source': '/no/such/folder'}, {'rate': 0}, {'image_transport': 'pigeon'}, {'width': -1}],
)
def test_camera_that_cannot_start_says_so(create_camera: Any, parameters: dict) -> None:
    camera, stop = create_camera(**parameters)
    assert not camera.start()
    assert camera.has_failed
    assert stop.requested


def test_folder_whose_images_are_all_broken_ends_the_camera(
    create_camera: Any, tmp_path: Path
) -> None:
    broken = tmp_path / 'broken'
    broken.mkdir()
    (broken / 'a.png').write_bytes(b'nothing')
    camera, stop = create_camera(source=str(broken), wait_for_subscriber=False)
    assert camera.start()
    assert stop.wait(20)
    assert camera.has_failed
