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

"""The node that plays images as a camera would."""

from __future__ import annotations

import array
from collections.abc import Callable, Iterator
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from rclpy.clock import Clock, ClockType
from rclpy.duration import Duration
from rclpy.qos import QoSProfile
from rclpy.time import Time
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

from snn_perception.datasets.sources import Picture, open_source, without_password
from snn_perception.images import Preprocessing, fit_image
from snn_perception.nodes.parameters.camera_parameters import CameraParameters
from snn_perception.nodes.parameters.parameter_server import ParameterNode, ParameterServer
from snn_perception.nodes.process import Stop
from snn_perception.nodes.services import guard_services

JPEG_QUALITY = 95

CHECK_PERIOD = 0.02
"""Seconds between two checks for a subscriber."""


class CameraNode(ParameterNode):
    """Publishes one picture per tick of its timer, all of one size.

    A picture is stamped with the time at which it was captured, if its source knows that, and
    else with that at which it is published. Requests `stop` when the pictures end.
    `on_publish` is called with the header and the picture of every message, before it goes out.
    """

    def __init__(
        self,
        stop: Stop,
        on_publish: Callable[[Header, Picture], None] = lambda header, picture: None,
        **options: Any,
    ) -> None:
        super().__init__('camera', **options)
        self.has_failed = False
        self._stop = stop
        self._steady = Clock(clock_type=ClockType.STEADY_TIME)
        self._on_publish = on_publish
        self.server = ParameterServer(self, CameraParameters)
        guard_services(self)
        self._pictures: Iterator[Picture] = iter(())
        self._size: tuple[int, int] | None = None
        compressed = self.parameters.image_transport == 'compressed'
        topic = self.resolve_topic_name('image_raw') + '/compressed' * compressed
        kind = CompressedImage if compressed else Image
        self._publisher = self.create_publisher(kind, topic, QoSProfile(depth=1))

    @property
    def parameters(self) -> CameraParameters:
        """The parameters now."""
        return self.server.values

    def start(self) -> bool:
        """Open the source and begin to publish; False, and a log line, if that fails."""
        parameters = self.parameters
        try:
            self.server.require_valid()
            self._pictures = open_source(
                parameters.source, parameters.loop, parameters.shuffle, self.get_logger().warning
            )
        except ValueError as reason:
            self._fail(str(reason))
            return False
        self.get_logger().info(
            f'publishing {without_password(parameters.source)} at {parameters.rate:g} Hz on '
            f'{self._publisher.topic_name}'
        )
        self._first_timer = self.create_timer(CHECK_PERIOD, self._begin, clock=self._steady)
        return True

    def _fail(self, reason: str) -> None:
        self.get_logger().error(reason)
        self.has_failed = True
        self._stop.request()

    def _begin(self) -> None:
        """Show the first picture, at once or when somebody subscribes."""
        if self.parameters.wait_for_subscriber and not self._publisher.get_subscription_count():
            return
        self.destroy_timer(self._first_timer)
        self.create_timer(1 / self.parameters.rate, self._tick, clock=self._steady)
        self._tick()

    def _tick(self) -> None:
        try:
            picture = next(self._pictures, None)
        except ValueError as reason:
            self._fail(str(reason))
            return
        if picture is None:
            self._publisher.wait_for_all_acked(Duration(seconds=2))
            self._stop.request()
            return
        # A simulated clock may have begun after the picture was captured.
        stamp = Time(nanoseconds=max(0, self.get_clock().now().nanoseconds - picture.age))
        header = Header(stamp=stamp.to_msg(), frame_id=self.parameters.frame_id)
        self.get_logger().debug(
            f'{header.stamp.sec}.{header.stamp.nanosec:09d} shows {picture.name}'
        )
        message = self._message(header, self._sized(picture.pixels))
        self._on_publish(header, picture)
        self._publisher.publish(message)

    def _sized(self, pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """`pixels` at the size of this camera, which the first picture decides if need be."""
        if self._size is None:
            height, width = pixels.shape[:2]
            self._size = self.parameters.height or height, self.parameters.width or width
        return fit_image(pixels, Preprocessing((*self._size, 1), fit='pad'))

    def _message(self, header: Header, pixels: NDArray[np.uint8]) -> Image | CompressedImage:
        is_colour = pixels.ndim == 3
        encoding = 'rgb8' if is_colour else 'mono8'
        if self.parameters.image_transport == 'raw':
            return Image(
                header=header,
                height=pixels.shape[0],
                width=pixels.shape[1],
                encoding=encoding,
                step=pixels.shape[1] * (3 if is_colour else 1),
                data=_bytes(pixels),
            )
        if is_colour:
            pixels = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))
        data = cv2.imencode('.jpg', pixels, [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])[1]
        layout = f'{encoding}; jpeg compressed {"bgr8" if is_colour else "mono8"}'
        return CompressedImage(header=header, format=layout, data=_bytes(data))


def _bytes(values: NDArray[np.uint8]) -> array.array:
    """`values` as the array that a message takes without looking at each element."""
    data = array.array('B')
    data.frombytes(np.ascontiguousarray(values).data.cast('B'))
    return data
