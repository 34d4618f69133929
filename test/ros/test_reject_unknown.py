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

"""What the classifier says about pictures that are unlike all that its model was made for."""

from __future__ import annotations

from typing import Any

import colour_frames
import colour_model
import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from rcl_interfaces.srv import SetParameters
from rclpy.parameter import Parameter
from sensor_msgs.msg import Image
from std_msgs.msg import Header, String
from vision_msgs.msg import Classification


@pytest.fixture
def knowing(tmp_path) -> str:
    """The folder of a model with a score of being unknown."""
    return str(colour_model.save(tmp_path / 'knowing', colour_model.with_unknown_score()))


def yellow(seconds: int) -> Image:
    """A frame that is as red as green, which is no class."""
    pixels = np.full((24, 32, 3), (255, 255, 0), np.uint8)
    header = Header()
    header.stamp.sec = seconds
    return colour_frames.frame('', header, pixels)


def values(message: DiagnosticArray) -> dict[str, str]:
    return {item.key: item.value for item in message.status[0].values}


def test_what_is_unlike_all_classes_is_labelled_unknown_once_that_is_asked_for(
    robot: Any, create_classifier: Any, knowing: str
) -> None:
    create_classifier(model=knowing)
    labels = robot.listen(String, 'snn_classifier/label')
    classifications = robot.listen(Classification, 'snn_classifier/classification')
    statistics = robot.listen(DiagnosticArray, 'snn_classifier/statistics')
    frames = robot.publisher(Image, 'image_raw')
    frames.publish(yellow(1))
    assert labels.wait_for().data in ('red', 'green')
    wanted = Parameter('reject_unknown', value=True).to_parameter_msg()
    response = robot.call(SetParameters, 'snn_classifier/set_parameters', parameters=[wanted])
    assert response.results[0].successful
    frames.publish(yellow(2))
    assert labels.wait_for(lambda label: label.data == 'unknown')
    rejected = statistics.wait_for(lambda message: message.header.stamp.sec == 2)
    assert values(rejected)['label'] == 'unknown'
    assert float(values(rejected)['unknown_score']) > 1
    hypotheses = classifications.wait_for(lambda message: message.header.stamp.sec == 2).results
    assert {one.class_id for one in hypotheses} == set(colour_model.LABELS)
    frames.publish(colour_frames.frame('blue'))
    assert labels.wait_for(lambda label: label.data == 'blue')
    known = statistics.wait_for(lambda message: values(message)['label'] == 'blue')
    assert float(values(known)['unknown_score']) < 1


def test_a_confidence_that_is_too_low_is_unknown_beside_it(
    robot: Any, create_classifier: Any, knowing: str
) -> None:
    create_classifier(model=knowing, reject_unknown=True, min_confidence=0.9999)
    labels = robot.listen(String, 'snn_classifier/label')
    statistics = robot.listen(DiagnosticArray, 'snn_classifier/statistics')
    robot.publisher(Image, 'image_raw').publish(colour_frames.frame('red'))
    assert labels.wait_for().data == 'unknown'
    assert float(values(statistics.wait_for())['unknown_score']) < 1


def test_a_model_that_cannot_tell_has_no_such_key_and_names_all_pictures(
    robot: Any, create_classifier: Any
) -> None:
    create_classifier(reject_unknown=True)
    labels = robot.listen(String, 'snn_classifier/label')
    statistics = robot.listen(DiagnosticArray, 'snn_classifier/statistics')
    robot.publisher(Image, 'image_raw').publish(yellow(1))
    assert labels.wait_for().data in ('red', 'green')
    assert 'unknown_score' not in values(statistics.wait_for())
