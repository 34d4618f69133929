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

"""Bad frames over real topics: counted, named, dropped, and the next good one is classified."""

from __future__ import annotations

from array import array
from typing import Any

import colour_model
import cv2
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from sensor_msgs.msg import CompressedImage, Image
from std_msgs.msg import Header, String
from std_srvs.srv import Trigger
from vision_msgs.msg import Classification


def stamped(seconds: int) -> Header:
    header = Header(frame_id='camera')
    header.stamp.sec = seconds
    return header


def good(seconds: int = 1, **changes: Any) -> Image:
    pixels = colour_model.image('green', 24, 32)
    fields = {
        'header': stamped(seconds),
        'height': 24,
        'width': 32,
        'encoding': 'rgb8',
        'step': 96,
        'data': array('B', pixels.tobytes()),
    }
    return Image(**{**fields, **changes})


def good_jpeg(seconds: int = 1) -> CompressedImage:
    data = cv2.imencode('.jpg', colour_model.image('green')[..., ::-1])[1].tobytes()
    return CompressedImage(header=stamped(seconds), format='jpeg', data=array('B', data))


BAD_IMAGES = {
    'empty': (Image(), "encoding '' is unknown"),
    'no pixels': (good(height=0, width=0, step=0, data=array('B')), 'image of 0 x 0 pixels'),
    'no data': (good(data=array('B')), 'buffer has 0 bytes'),
    'short buffer': (good(data=array('B', bytes(2303))), 'buffer has 2303 bytes'),
    'small step': (good(step=95), 'step is 95 bytes'),
    'no step': (good(step=0), 'step is 0 bytes'),
    'large step': (good(step=128), '24 rows of 128 have 3072'),
    'unknown encoding': (good(encoding='rgb12'), "encoding 'rgb12' is unknown"),
    'absurd size': (good(height=2**32 - 1, width=2**32 - 1), 'step is 96 bytes'),
    'another size': (
        good(height=4, width=4, step=12, data=array('B', bytes(48))),
        'size changed from 32 x 24 to 4 x 4',
    ),
}
BAD_JPEGS = {
    'empty': (CompressedImage(), 'compressed image is empty'),
    'no image': (
        CompressedImage(format='jpeg', data=array('B', b'hello')),
        'it must be a file of JPEG, PNG',
    ),
    'short frame header': (
        CompressedImage(format='jpeg', data=array('B', b'\xff\xd8\xff\xc0\x00\x02')),
        'JPEG file with a damaged header',
    ),
    'cut off': (
        CompressedImage(format='jpeg', data=good_jpeg().data[:200]),
        'compressed image',
    ),
}


def values(message: DiagnosticArray) -> dict[str, str]:
    return {item.key: item.value for item in message.status[0].values}


def check_that_it_is_counted_named_and_survived(
    robot: Any, publisher: Any, first: Any, bad: Any, sentence: str, next_: Any
) -> None:
    classifications = robot.listen(Classification, 'snn_classifier/classification')
    diagnostics = robot.listen(DiagnosticArray, '/diagnostics')
    publisher.publish(first)
    classifications.wait_for(lambda message: message.header.stamp.sec == 1)
    publisher.publish(bad)
    verdict = diagnostics.wait_for(
        lambda message: (
            message.status[0].name.startswith(robot.namespace[1:])
            and values(message)['rejected'] == '1'
        )
    )
    assert sentence in values(verdict)['last_error']
    assert sentence in verdict.status[0].message
    assert verdict.status[0].level in (b'\x01', b'\x02')
    publisher.publish(next_)
    answer = classifications.wait_for(lambda message: message.header.stamp.sec == 2)
    assert answer.results[0].class_id == 'green'
    assert len(classifications.messages) == 2


@pytest.mark.parametrize('name', BAD_IMAGES)
def test_bad_image_does_no_harm(robot: Any, create_classifier: Any, name: str) -> None:
    create_classifier()
    publisher = robot.publisher(Image, 'image_raw')
    bad, sentence = BAD_IMAGES[name]
    check_that_it_is_counted_named_and_survived(robot, publisher, good(1), bad, sentence, good(2))


@pytest.mark.parametrize('name', BAD_JPEGS)
def test_bad_compressed_image_does_no_harm(robot: Any, create_classifier: Any, name: str) -> None:
    create_classifier(image_transport='compressed')
    publisher = robot.publisher(CompressedImage, 'image_raw/compressed')
    bad, sentence = BAD_JPEGS[name]
    check_that_it_is_counted_named_and_survived(
        robot, publisher, good_jpeg(1), bad, sentence, good_jpeg(2)
    )


def test_camera_that_was_set_to_another_size_is_followed(
    robot: Any, create_classifier: Any
) -> None:
    create_classifier()
    labels = robot.listen(String, 'snn_classifier/label')
    publisher = robot.publisher(Image, 'image_raw')
    small = colour_model.image('blue', 4, 4).tobytes()
    publisher.publish(good())
    assert labels.wait_for().data == 'green'
    changed = good(height=4, width=4, step=12, data=array('B', small))
    timer = robot.node.create_timer(0.02, lambda: publisher.publish(changed))
    labels.wait_for(lambda message: message.data == 'blue')
    robot.node.destroy_timer(timer)


def test_error_of_the_engine_is_counted_and_survived(
    robot: Any, create_classifier: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from snn_perception import energy

    create_classifier()
    labels = robot.listen(String, 'snn_classifier/label')
    diagnostics = robot.listen(DiagnosticArray, '/diagnostics')
    publisher = robot.publisher(Image, 'image_raw')
    with monkeypatch.context() as patch:
        patch.setattr(energy, 'estimate', lambda decision, chips: 1 / 0)
        publisher.publish(good())
        verdict = diagnostics.wait_for(
            lambda message: (
                message.status[0].name.startswith(robot.namespace[1:])
                and values(message)['failed'] == '1'
            )
        ).status[0]
    assert verdict.level == b'\x02'
    assert 'ZeroDivisionError' in verdict.message
    publisher.publish(good())
    assert labels.wait_for().data == 'green'


def test_reset_forgets_counts_and_errors(robot: Any, create_classifier: Any) -> None:
    create_classifier()
    diagnostics = robot.listen(DiagnosticArray, '/diagnostics')

    def own(message: DiagnosticArray) -> bool:
        return message.status[0].name.startswith(robot.namespace[1:])

    robot.publisher(Image, 'image_raw').publish(Image())
    diagnostics.wait_for(lambda message: own(message) and values(message)['rejected'] == '1')
    response = robot.call(Trigger, 'snn_classifier/reset')
    assert (response.success, response.message) == (True, 'reset')
    diagnostics.messages.clear()
    found = values(diagnostics.wait_for(own))
    assert (found['rejected'], found['received'], found['last_error']) == ('0', '0', '')
