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

"""Frames larger than what the middleware holds at once."""

from __future__ import annotations

from array import array
from typing import Any

import colour_model
import cv2
import numpy as np
import pytest
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import String


def octets(content: bytes) -> array:
    """`content` in the type that messages take without looking at each byte."""
    return array('B', content)


@pytest.mark.parametrize(('width', 'height'), [(3840, 2160), (7680, 4320)])
def test_frames_of_4k_and_8k_arrive_and_are_read(
    robot: Any, create_classifier: Any, width: int, height: int
) -> None:
    create_classifier()
    labels = robot.listen(String, 'snn_classifier/label')
    publisher = robot.publisher(Image, 'image_raw')
    for colour in ('red', 'blue'):
        labels.messages.clear()
        row = np.full((width, 3), colour_model.COLOURS[colour], np.uint8).tobytes()
        publisher.publish(
            Image(
                height=height,
                width=width,
                encoding='rgb8',
                step=3 * width,
                data=octets(row * height),
            )
        )
        assert labels.wait_for().data == colour


def test_compressed_image_of_fifty_megabytes_arrives_and_is_read(
    robot: Any, create_classifier: Any
) -> None:
    create_classifier(image_transport='compressed')
    labels = robot.listen(String, 'snn_classifier/label')
    publisher = robot.publisher(CompressedImage, 'image_raw/compressed')
    bitmap = cv2.imencode('.bmp', colour_model.image('red', 4096, 4096)[..., ::-1])[1].tobytes()
    assert len(bitmap) > 50_000_000
    publisher.publish(CompressedImage(format='bmp', data=octets(bitmap)))
    assert labels.wait_for().data == 'red'
