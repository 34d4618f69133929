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

"""Real nodes on real topics: each test in a namespace of its own, all in one random domain."""

from __future__ import annotations

import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from itertools import count
from pathlib import Path
from typing import Any

import colour_model
import pytest
from waiting import PATIENCE, wait_until

# Without ROS nothing here can be tested.
collect_ignore_glob = [] if find_spec('rclpy') and find_spec('vision_msgs') else ['test_*.py']


class Inbox:
    """The messages that arrived on one topic."""

    def __init__(self) -> None:
        self.messages: list[Any] = []
        self._changed = threading.Condition()

    def add(self, message: Any) -> None:
        with self._changed:
            self.messages.append(message)
            self._changed.notify_all()

    def wait_for(self, condition: Callable[[Any], Any] = lambda message: True) -> Any:
        """The first message, of those that came and will come, that meets `condition`."""
        found: list[Any] = []

        def look() -> bool:
            found[:] = [message for message in self.messages if condition(message)]
            return bool(found)

        with self._changed:
            if not self._changed.wait_for(look, PATIENCE):
                pytest.fail(f'no such message in {PATIENCE} s, but {self.messages[-1:]}')
        return found[0]


class Robot:
    """The nodes of one test, in one namespace, with a thread that runs their callbacks."""

    def __init__(self, namespace: str) -> None:
        from rclpy.executors import SingleThreadedExecutor
        from rclpy.node import Node
        from rclpy.task import Future

        self.namespace = namespace
        self.executor = SingleThreadedExecutor()
        self.node = Node('tester', namespace=namespace)
        self.executor.add_node(self.node)
        self._nodes: list[Any] = []
        self._clients: dict[str, Any] = {}
        self._closed = Future()
        self._thread = threading.Thread(
            target=self.executor.spin_until_future_complete, args=[self._closed], daemon=True
        )
        self._thread.start()

    def add(self, node: Any) -> None:
        """Run the callbacks of `node` too."""
        self._nodes.append(node)
        self.executor.add_node(node)

    def listen(self, kind: type, topic: str) -> Inbox:
        """What arrives on `topic` from now on; returns once somebody publishes there."""
        inbox = Inbox()
        subscription = self.node.create_subscription(kind, topic, inbox.add, 10)
        wait_until(subscription.get_publisher_count, f'a publisher on {topic}')
        return inbox

    def publisher(self, kind: type, topic: str, qos: Any = 10) -> Any:
        """A publisher on `topic`, once somebody hears it."""
        publisher = self.node.create_publisher(kind, topic, qos)
        wait_until(publisher.get_subscription_count, f'a subscription to {topic}')
        return publisher

    def call(self, kind: type, service: str, **fields: Any) -> Any:
        """The response of `service`.

        On a busy machine a server may answer before it has found its client, and the answer is
        lost: then it is asked again.
        """
        if service not in self._clients:
            self._clients[service] = self.node.create_client(kind, service)
        client = self._clients[service]
        assert client.wait_for_service(PATIENCE)
        asked = [(time.monotonic(), client.call_async(kind.Request(**fields)))]

        def answered() -> Any:
            if time.monotonic() - asked[-1][0] > PATIENCE / 4:
                asked.append((time.monotonic(), client.call_async(kind.Request(**fields))))
            return next((future for _, future in asked if future.done()), None)

        return wait_until(answered, f'the response of {service}').result()

    def close(self) -> None:
        self._closed.set_result(None)
        self._thread.join(PATIENCE)
        self.executor.shutdown()
        for node in self._nodes:
            node.close() if hasattr(node, 'close') else node.destroy_node()
        self.node.destroy_node()


@pytest.fixture(scope='session', autouse=True)
def ros_domain() -> Iterator[None]:
    """ROS in this process, in a domain that nobody else uses; child processes inherit it."""
    import rclpy
    from rclpy.signals import SignalHandlerOptions

    os.environ['ROS_DOMAIN_ID'] = str(_own_domain())
    os.environ['ROS_AUTOMATIC_DISCOVERY_RANGE'] = 'LOCALHOST'
    rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
    yield
    rclpy.try_shutdown()


def _own_domain() -> int:
    """A domain from 1 to 100: random, and another one in each process of the test run."""
    run = os.environ.get('PYTEST_XDIST_TESTRUNUID')
    worker = int(os.environ.get('PYTEST_XDIST_WORKER', 'gw0').removeprefix('gw'))
    return (random.Random(run).randrange(100) + worker) % 100 + 1


_numbers = count(1)


@pytest.fixture
def robot() -> Iterator[Robot]:
    robot = Robot(f'/robot{next(_numbers)}')
    yield robot
    robot.close()


@pytest.fixture(scope='session')
def model_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model of three colours that needs no training."""
    return colour_model.save(tmp_path_factory.mktemp('models') / 'colours')


@pytest.fixture
def create_classifier(
    robot: Robot, model_folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Any]:
    """Makes a classifier with parameters by name; with `started=False` it is unconfigured.

    It publishes its diagnostics ten times a second.
    """
    from rclpy.parameter import Parameter

    from snn_perception.nodes import classifying_node
    from snn_perception.nodes.classifier_node import ClassifierNode
    from snn_perception.nodes.process import Stop

    monkeypatch.setattr(classifying_node, 'DIAGNOSTICS_PERIOD', 0.1)

    def create(started: bool = True, **parameters: Any) -> Any:
        values = {'model': str(model_folder), 'backend': 'reference', **parameters}
        node = ClassifierNode(
            Stop(),
            namespace=robot.namespace,
            parameter_overrides=[Parameter(name, value=value) for name, value in values.items()],
        )
        robot.add(node)
        if started:
            assert node.start()
        return node

    return create
