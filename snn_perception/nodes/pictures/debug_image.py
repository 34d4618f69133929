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

"""The topics with pictures that explain answers; nothing is drawn unless somebody looks."""

from __future__ import annotations

from array import array
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from rclpy.lifecycle import LifecycleNode
from sensor_msgs.msg import CompressedImage, Image

from snn_perception.nodes.pictures.debug_drawing import Drawing, Scene

DEPTH = 1
"""Pictures that wait for a slow subscriber: the newest one."""

QUALITY = 90
"""Of JPEG, from 0 to 100: what is small stays readable."""

LOG_PERIOD = 5.0
"""Seconds between two log lines about pictures that could not be drawn."""


class DebugImage:
    """Pictures of answers on `<prefix>/debug_image`, and as JPEG on `.../compressed`.

    `prefix` is '~' or, with several cameras, such as '~/front'. Every publisher is reliable, so
    that subscribers of any reliability hear it. Except for its making and `destroy` all is for one
    thread. Like every publisher of a lifecycle node it is silent while `node` is not active.
    """

    def __init__(self, node: LifecycleNode, prefix: str = '~') -> None:
        self._node = node
        topic = f'{prefix}/debug_image'
        self._raw = node.create_lifecycle_publisher(Image, topic, DEPTH)
        self._compressed = node.create_lifecycle_publisher(
            CompressedImage, f'{topic}/compressed', DEPTH
        )
        self._drawing = Drawing()

    @property
    def is_wanted(self) -> bool:
        """Whether somebody is subscribed to one of the topics."""
        return any(topic.get_subscription_count() for topic in (self._raw, self._compressed))

    def publish(self, header: Any, look: Callable[[], Scene]) -> None:
        """Draw what `look` returns and publish it under the frame's `header`, if it is wanted.

        What goes wrong in that, also in `look`, is logged and goes no further.
        """
        try:
            if self.is_wanted:
                self._publish(header, self._drawing.draw(look()))
        except Exception as reason:
            self._node.get_logger().error(
                f'debug image could not be drawn: {type(reason).__name__}: {reason}',
                throttle_duration_sec=LOG_PERIOD,
            )

    def destroy(self) -> None:
        """Take the topics back."""
        for topic in (self._raw, self._compressed):
            self._node.destroy_lifecycle_publisher(topic)

    def _publish(self, header: Any, picture: NDArray[np.uint8]) -> None:
        if self._raw.get_subscription_count():
            height, width, channels = picture.shape
            self._raw.publish(
                Image(
                    header=header,
                    height=height,
                    width=width,
                    encoding='rgb8',
                    step=width * channels,
                    data=_octets(picture),
                )
            )
        if self._compressed.get_subscription_count():
            _, file = cv2.imencode(
                '.jpg',
                cv2.cvtColor(picture, cv2.COLOR_RGB2BGR),
                (cv2.IMWRITE_JPEG_QUALITY, QUALITY),
            )
            # The format is what image_transport calls a JPEG of an image in rgb8.
            self._compressed.publish(
                CompressedImage(
                    header=header,
                    format='rgb8; jpeg compressed bgr8',
                    data=_octets(file),
                )
            )


def _octets(values: NDArray[np.uint8]) -> array:
    """`values` in the type that messages take without looking at each of them."""
    octets = array('B')
    octets.frombytes(values.data.cast('B'))
    return octets
