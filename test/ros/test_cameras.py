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

"""Several cameras, one model."""

from __future__ import annotations

from typing import Any

import colour_frames
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from rcl_interfaces.srv import SetParameters
from rclpy.parameter import Parameter
from sensor_msgs.msg import Image
from std_msgs.msg import String

from snn_perception.nodes.answers.publishing import camera_names

TOPICS = ['front/image_raw', 'rear/image_raw']


@pytest.mark.parametrize(
    ('topics', 'names'),
    [
        (['image_raw'], ['']),
        (['/front/image_raw', '/rear/image_raw'], ['front', 'rear']),
        (['arm/left/image', 'arm/right/image'], ['arm_left', 'arm_right']),
        (['left', 'right'], ['left', 'right']),
        (['arm/left', 'arm/right'], ['arm_left', 'arm_right']),
        (['image_raw', 'rear/image_raw'], ['image_raw', 'rear_image_raw']),
    ],
)
def test_cameras_are_named_by_their_topics(topics: list[str], names: list[str]) -> None:
    assert camera_names(topics) == names


def test_each_camera_has_answers_of_its_own(robot: Any, create_classifier: Any) -> None:
    create_classifier(image_topics=TOPICS)
    shown = {'front': 'red', 'rear': 'blue'}
    labels = {name: robot.listen(String, f'snn_classifier/{name}/label') for name in shown}
    statistics = robot.listen(DiagnosticArray, 'snn_classifier/rear/statistics')
    for name, colour in shown.items():
        publisher = robot.publisher(Image, f'{name}/image_raw')
        for _ in range(3):
            publisher.publish(colour_frames.frame(colour))
            labels[name].wait_for()
    for name, colour in shown.items():
        assert {message.data for message in labels[name].messages} == {colour}
    status = statistics.wait_for().status[0]
    assert status.name == f'{robot.namespace[1:]}/snn_classifier: rear decision'
    assert robot.node.count_publishers('snn_classifier/label') == 0


def test_stalled_camera_does_not_slow_the_others_and_each_has_a_verdict(
    robot: Any, create_classifier: Any
) -> None:
    create_classifier(image_topics=TOPICS, max_silence=0.5)
    labels = robot.listen(String, 'snn_classifier/front/label')
    diagnostics = robot.listen(DiagnosticArray, '/diagnostics')
    robot.publisher(Image, 'rear/image_raw')
    publisher = robot.publisher(Image, 'front/image_raw')
    robot.node.create_timer(0.02, lambda: publisher.publish(colour_frames.frame('red')))
    labels.wait_for(lambda _: len(labels.messages) > 20)

    def levels(message: DiagnosticArray) -> dict[str, bytes]:
        own = f'{robot.namespace[1:]}/snn_classifier: '
        return {
            status.name.removeprefix(own): status.level
            for status in message.status
            if status.name.startswith(own)
        }

    expected = {'front frames': b'\x00', 'rear frames': b'\x03'}
    diagnostics.wait_for(lambda message: levels(message) == expected)


def test_cameras_keep_a_state_each_in_a_stream(robot: Any, create_classifier: Any) -> None:
    create_classifier(image_topics=TOPICS, mode='stream')
    inboxes, publishers = {}, {}
    for name in ('front', 'rear'):
        inboxes[name] = robot.listen(DiagnosticArray, f'snn_classifier/{name}/statistics')
        publishers[name] = robot.publisher(Image, f'{name}/image_raw')

    def simulated(name: str, milliseconds: int) -> str:
        frame = colour_frames.frame('red')
        frame.header.stamp.sec, frame.header.stamp.nanosec = 1, milliseconds * 1_000_000
        publishers[name].publish(frame)
        message = inboxes[name].wait_for(lambda message: message.header == frame.header)
        values = {item.key: item.value for item in message.status[0].values}
        return values['simulated_time_ms']

    times = [('front', 10), ('rear', 500), ('front', 20), ('rear', 525), ('front', 35)]
    durations = [simulated(*time) for time in times]
    assert durations == ['30.000', '30.000', '10.000', '25.000', '15.000']


def test_cameras_can_be_changed_before_the_node_is_configured(
    robot: Any, create_classifier: Any
) -> None:
    node = create_classifier(started=False, autostart=False)
    for topics, reason in (
        (['front/image_raw', 'front/image_raw'], 'image_topics must be'),
        (['front image'], "'front image' is no name of a topic"),
    ):
        given = Parameter('image_topics', value=topics).to_parameter_msg()
        service = 'snn_classifier/set_parameters'
        (result,) = robot.call(SetParameters, service, parameters=[given]).results
        assert not result.successful
        assert reason in result.reason
    given = Parameter('image_topics', value=TOPICS).to_parameter_msg()
    (result,) = robot.call(SetParameters, service, parameters=[given]).results
    assert result.successful
    assert node.start()
    labels = robot.listen(String, 'snn_classifier/rear/label')
    robot.publisher(Image, 'rear/image_raw').publish(colour_frames.frame('green'))
    assert labels.wait_for().data == 'green'
    assert robot.node.count_publishers('snn_classifier/label') == 0
