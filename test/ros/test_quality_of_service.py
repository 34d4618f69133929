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

"""Whom the classifier hears, and how it asks to be heard by it."""

from __future__ import annotations

from typing import Any

import colour_frames
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from rclpy.parameter import Parameter
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image
from std_msgs.msg import String
from waiting import wait_until

RELIABLE, BEST_EFFORT = ReliabilityPolicy.RELIABLE, ReliabilityPolicy.BEST_EFFORT


def asked_for(robot: Any) -> list[ReliabilityPolicy]:
    """The reliabilities of all subscriptions to the camera."""
    topic = f'{robot.namespace}/image_raw'
    subscriptions = robot.node.get_subscriptions_info_by_topic(topic)
    return [subscription.qos_profile.reliability for subscription in subscriptions]


def create_publisher(robot: Any, reliability: ReliabilityPolicy, **qos: Any) -> Any:
    profile = QoSProfile(depth=1, reliability=reliability, **qos)
    return robot.node.create_publisher(Image, 'image_raw', profile)


def test_subscription_is_reliable_as_long_as_all_publishers_are(
    robot: Any, create_classifier: Any
) -> None:
    create_classifier()
    wait_until(lambda: asked_for(robot) == [RELIABLE])
    first = create_publisher(robot, RELIABLE)
    second = create_publisher(robot, BEST_EFFORT)
    wait_until(lambda: asked_for(robot) == [BEST_EFFORT])
    robot.node.destroy_publisher(second)
    wait_until(lambda: asked_for(robot) == [RELIABLE])
    robot.node.destroy_publisher(first)
    create_publisher(robot, BEST_EFFORT)
    wait_until(lambda: asked_for(robot) == [BEST_EFFORT])


@pytest.mark.parametrize('reliability', [RELIABLE, BEST_EFFORT])
@pytest.mark.parametrize('durability', [*DurabilityPolicy][1:3])
def test_every_camera_is_heard_from_its_first_frame_on(
    robot: Any,
    create_classifier: Any,
    reliability: ReliabilityPolicy,
    durability: DurabilityPolicy,
) -> None:
    create_classifier()
    labels = robot.listen(String, 'snn_classifier/label')
    qos = QoSProfile(depth=1, reliability=reliability, durability=durability)
    robot.publisher(Image, 'image_raw', qos).publish(colour_frames.frame('red'))
    assert labels.wait_for().data == 'red'


@pytest.mark.parametrize('reliability', ['reliable', 'best_effort'])
def test_reliability_that_was_asked_for_stays(
    robot: Any, create_classifier: Any, reliability: str
) -> None:
    create_classifier(reliability=reliability, max_silence=0.3)
    create_publisher(robot, RELIABLE)
    create_publisher(robot, BEST_EFFORT)
    diagnostics = robot.listen(DiagnosticArray, '/diagnostics')
    for _ in range(5):
        diagnostics.messages.clear()
        diagnostics.wait_for(
            lambda message: message.status[0].name.startswith(f'{robot.namespace[1:]}/')
        )
    assert asked_for(robot) == [ReliabilityPolicy[reliability.upper()]]


def test_parameters_of_ros_for_the_quality_of_service_win(robot: Any, model_folder: Any) -> None:
    from snn_perception.nodes.classifier_node import ClassifierNode
    from snn_perception.nodes.process import Stop

    prefix = f'qos_overrides.{robot.namespace}/image_raw.subscription'
    given = {
        'model': str(model_folder),
        'backend': 'reference',
        f'{prefix}.reliability': 'best_effort',
        f'{prefix}.depth': 7,
    }
    node = ClassifierNode(
        Stop(),
        namespace=robot.namespace,
        parameter_overrides=[Parameter(name, value=value) for name, value in given.items()],
    )
    robot.add(node)
    assert node.start()
    wait_until(lambda: asked_for(robot) == [BEST_EFFORT])
    assert node.get_parameter(f'{prefix}.depth').value == 7
    assert node.get_parameter(f'{prefix}.history').value == 'keep_last'


def test_lazy_node_subscribes_while_somebody_listens(robot: Any, create_classifier: Any) -> None:
    create_classifier(lazy=True)
    diagnostics = robot.listen(DiagnosticArray, '/diagnostics')
    diagnostics.wait_for(
        lambda message: (
            message.status[0].name.startswith(f'{robot.namespace[1:]}/')
            and message.status[0].message == 'nobody listens'
        )
    )
    assert robot.node.count_subscribers('image_raw') == 0
    labels = robot.node.create_subscription(String, 'snn_classifier/label', print, 1)
    wait_until(lambda: robot.node.count_subscribers('image_raw') == 1)
    robot.node.destroy_subscription(labels)
    wait_until(lambda: robot.node.count_subscribers('image_raw') == 0)
