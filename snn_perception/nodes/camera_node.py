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
from collections.abc import Iterator
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from rclpy.qos import QoSProfile
from rclpy.time import Time
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header

from snn_perception.datasets.sources import Picture, open_source, without_password
from snn_perception.images import Preprocessing, fit_image
from snn_perception.nodes.parameters.camera_parameters import CameraParameters
from snn_perception.nodes.playing import PlayingNode
from snn_perception.nodes.process import Stop

JPEG_QUALITY = 95


class CameraNode(PlayingNode):
    """Publishes one picture per tick of its timer, all of one size.

    A picture is stamped with the time at which it was captured, if its source knows that, and
    else with that at which it is published. For the rest see `PlayingNode`.
    """

    parameters_type = CameraParameters

    def __init__(self, stop: Stop, **options: Any) -> None:
        super().__init__('camera', stop, **options)
        self._pictures: Iterator[Picture] = iter(())
        self._size: tuple[int, int] | None = None
        compressed = self.parameters.image_transport == 'compressed'
        topic = self.resolve_topic_name('image_raw') + '/compressed' * compressed
        kind = CompressedImage if compressed else Image
        self.publisher = self.create_publisher(kind, topic, QoSProfile(depth=1))

    def open(self) -> str:
        """See `PlayingNode.open`."""
        parameters = self.parameters
        self._pictures = open_source(
            parameters.source, parameters.loop, parameters.shuffle, self.get_logger().warning
        )
        return f'{without_password(parameters.source)} at {parameters.rate:g} Hz'

    def play(self) -> None:
        """Show the first picture, and then one per tick."""
        self.create_timer(1 / self.parameters.rate, self._tick, clock=self.steady)
        self._tick()

    def _tick(self) -> None:
        try:
            picture = next(self._pictures, None)
        except ValueError as reason:
            self.fail(str(reason))
            return
        if picture is None:
            self.end()
            return
        # A simulated clock may have begun after the picture was captured.
        stamp = Time(nanoseconds=max(0, self.get_clock().now().nanoseconds - picture.age))
        header = Header(stamp=stamp.to_msg(), frame_id=self.parameters.frame_id)
        self.get_logger().debug(
            f'{header.stamp.sec}.{header.stamp.nanosec:09d} shows {picture.name}'
        )
        message = self._message(header, self._sized(picture.pixels))
        self.on_publish(header, picture)
        self.publisher.publish(message)

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
