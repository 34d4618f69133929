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

"""The node among other nodes: its name, how it leaves, and what many cycles leave behind."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import colour_frames
import psutil
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from sensor_msgs.msg import Image
from std_msgs.msg import String
from waiting import wait_until

CONFIGURE = Transition.TRANSITION_CONFIGURE
ACTIVATE = Transition.TRANSITION_ACTIVATE
DEACTIVATE = Transition.TRANSITION_DEACTIVATE
CLEANUP = Transition.TRANSITION_CLEANUP


def change(robot: Any, transition: int) -> bool:
    request = {'transition': Transition(id=transition)}
    return robot.call(ChangeState, 'snn_classifier/change_state', **request).success


def nodes(robot: Any) -> list[str]:
    found = robot.node.get_node_names_and_namespaces()
    return [name for name, namespace in found if namespace == robot.namespace]


def test_node_leaves_the_graph_when_it_ends(robot: Any, model_folder: Path) -> None:
    from rclpy.parameter import Parameter

    from snn_perception.nodes.classifier_node import ClassifierNode
    from snn_perception.nodes.process import Stop

    given = {'model': str(model_folder), 'backend': 'reference'}
    for _ in range(3):
        node = ClassifierNode(
            Stop(),
            namespace=robot.namespace,
            parameter_overrides=[Parameter(name, value=value) for name, value in given.items()],
        )
        assert node.start()
        wait_until(lambda: 'snn_classifier' in nodes(robot))
        node.close()
        wait_until(lambda: 'snn_classifier' not in nodes(robot))


def test_another_node_of_the_same_name_is_warned_of(robot: Any, create_classifier: Any) -> None:
    create_classifier(max_silence=100.0)
    diagnostics = robot.listen(DiagnosticArray, '/diagnostics')
    own = f'{robot.namespace[1:]}/snn_classifier: frames'

    def says(sentence: str) -> Any:
        return lambda message: (
            message.status[0].name == own and sentence in message.status[0].message
        )

    diagnostics.wait_for(says('classifying'))
    twin = robot.node.__class__('snn_classifier', namespace=robot.namespace)
    diagnostics.wait_for(says(f'another node is called {robot.namespace}/snn_classifier too'))
    twin.destroy_node()
    diagnostics.messages.clear()
    diagnostics.wait_for(says('classifying'))


def test_nodes_in_two_namespaces_do_not_hear_each_other(
    robot: Any, create_classifier: Any, model_folder: Path
) -> None:
    from rclpy.parameter import Parameter

    from snn_perception.nodes.classifier_node import ClassifierNode
    from snn_perception.nodes.process import Stop

    create_classifier()
    given = {'model': str(model_folder), 'backend': 'reference'}
    other = ClassifierNode(
        Stop(),
        namespace=f'{robot.namespace}/second',
        parameter_overrides=[Parameter(name, value=value) for name, value in given.items()],
    )
    robot.add(other)
    assert other.start()
    first = robot.listen(String, 'snn_classifier/label')
    second = robot.listen(String, 'second/snn_classifier/label')
    robot.publisher(Image, 'second/image_raw').publish(colour_frames.frame('blue'))
    robot.publisher(Image, 'image_raw').publish(colour_frames.frame('red'))
    assert first.wait_for().data == 'red'
    assert second.wait_for().data == 'blue'
    assert len(first.messages) == len(second.messages) == 1


def test_process_of_an_autostarted_node_ends_after_its_shutdown(
    robot: Any, model_folder: Path
) -> None:
    process = subprocess.Popen(
        [
            *(sys.executable, '-m', 'snn_perception', 'classifier', '--ros-args'),
            *('-r', f'__ns:={robot.namespace}', '-p', f'model:={model_folder}'),
            *('-p', 'backend:=reference'),
        ],
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        robot.listen(String, 'snn_classifier/label')
        wait_until(lambda: robot.node.count_subscribers('image_raw') == 1)
        assert change(robot, Transition.TRANSITION_ACTIVE_SHUTDOWN)
        _, errors = process.communicate(timeout=20)
    finally:
        process.kill()
    assert process.returncode == 0
    assert 'Traceback' not in errors
    wait_until(lambda: 'snn_classifier' not in nodes(robot))


class Holdings:
    """What this process holds, as far as a node could leave it behind."""

    def __init__(self, node: Any) -> None:
        gc.collect()
        process = psutil.Process()
        self.memory_mb = process.memory_info().rss / 1e6
        self.threads = threading.active_count(), process.num_threads()
        self.files = len(os.listdir('/proc/self/fd'))
        self.entities = [
            len([*entities])
            for entities in (
                *(node.subscriptions, node.publishers, node.services, node.timers),
                *(node.waitables, node.default_callback_group.entities),
            )
        ]


@pytest.mark.slow
def test_sixty_cycles_under_input_leave_nothing_behind(robot: Any, create_classifier: Any) -> None:
    node = create_classifier(started=False, autostart=False)
    labels = robot.listen(String, 'snn_classifier/label')
    publisher = robot.node.create_publisher(Image, 'image_raw', 1)
    robot.node.create_timer(1 / 30, lambda: publisher.publish(colour_frames.frame('red')))

    def cycle() -> None:
        assert change(robot, CONFIGURE)
        assert change(robot, ACTIVATE)
        labels.messages.clear()
        assert labels.wait_for().data == 'red'
        assert change(robot, DEACTIVATE)
        assert change(robot, CLEANUP)

    for _ in range(10):
        cycle()
    before = Holdings(node)
    for _ in range(60):
        cycle()
    after = Holdings(node)
    assert after.threads == before.threads
    # What an earlier test held may be closed meanwhile.
    assert after.files <= before.files
    assert after.entities == before.entities
    assert after.memory_mb < before.memory_mb + 5


def test_spinning_takes_no_memory_by_itself(robot: Any) -> None:
    from rclpy.node import Node

    from snn_perception.nodes.process import Stop
    from snn_perception.nodes.running import spin

    stop, counts = Stop(), []
    node = Node('spinner', namespace=robot.namespace)

    def tick() -> None:
        counts.append(len(gc.get_objects()) if len(counts) % 1000 == 200 else 0)
        if len(counts) == 2500:
            stop.request()

    node.create_timer(1e-4, tick)
    spin(stop, node)
    node.destroy_node()
    before, after = (count for count in counts[1000:] if count)
    assert after < before + 100
