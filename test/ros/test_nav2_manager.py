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

"""The classifier under nav2's lifecycle manager, whose calls are made here one by one.

As in nav2_lifecycle_manager: a transition is asked for by its id alone, without a limit of time;
what counts is not its answer but the state afterwards, which must be told within two seconds
(in Jazzy; five later).
"""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lifecycle_msgs.msg import State, Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rcl_interfaces.msg import Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import SetParameters

PATIENCE = 30.0
STATE_TIMEOUT = 2.0

GOALS = {
    Transition.TRANSITION_CONFIGURE: State.PRIMARY_STATE_INACTIVE,
    Transition.TRANSITION_CLEANUP: State.PRIMARY_STATE_UNCONFIGURED,
    Transition.TRANSITION_ACTIVATE: State.PRIMARY_STATE_ACTIVE,
    Transition.TRANSITION_DEACTIVATE: State.PRIMARY_STATE_INACTIVE,
    Transition.TRANSITION_UNCONFIGURED_SHUTDOWN: State.PRIMARY_STATE_FINALIZED,
}
STARTUP = (Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_ACTIVATE)
PAUSE = (Transition.TRANSITION_DEACTIVATE,)
RESUME = (Transition.TRANSITION_ACTIVATE,)
RESET = (Transition.TRANSITION_DEACTIVATE, Transition.TRANSITION_CLEANUP)
SHUTDOWN = (*RESET, Transition.TRANSITION_UNCONFIGURED_SHUTDOWN)


def answer(client: Any, request: Any, timeout: float) -> Any:
    """The response of a service; None if there is none after `timeout` seconds."""
    arrived = threading.Event()
    future = client.call_async(request)
    future.add_done_callback(lambda _: arrived.set())
    return future.result() if arrived.wait(timeout) else None


class Manager:
    """What the manager of nav2 does to one node."""

    def __init__(self, robot: Any, node: str) -> None:
        self._change = robot.node.create_client(ChangeState, f'{node}/change_state')
        self._get = robot.node.create_client(GetState, f'{node}/get_state')
        assert self._change.wait_for_service(PATIENCE)
        assert self._get.wait_for_service(PATIENCE)
        # Until the node has found these clients its answers get lost.
        nothing = ChangeState.Request(transition=Transition(label='nothing'))
        for client, request in ((self._get, GetState.Request()), (self._change, nothing)):
            assert any(answer(client, request, STATE_TIMEOUT) for _ in range(10))

    def does(self, transitions: tuple[int, ...]) -> list[bool]:
        """For each of `transitions`, in order, whether it led to where it leads."""
        return [self._leads_to_its_goal(transition) for transition in transitions]

    def _leads_to_its_goal(self, transition: int) -> bool:
        request = ChangeState.Request(transition=Transition(id=transition))
        assert answer(self._change, request, PATIENCE) is not None
        response = answer(self._get, GetState.Request(), STATE_TIMEOUT)
        assert response is not None
        return response.current_state.id == GOALS[transition]


@pytest.fixture
def process(robot: Any, model_folder: Path) -> Iterator[subprocess.Popen]:
    """A classifier that waits for its manager; at the end it must be there, and go when asked."""
    values = {'autostart': 'false', 'model': model_folder, 'backend': 'reference'}
    command = [sys.executable, '-m', 'snn_perception', 'classifier', '--ros-args']
    command += ['-r', f'__ns:={robot.namespace}']
    for name, value in values.items():
        command += ['-p', f'{name}:={value}']
    node = subprocess.Popen(command)
    yield node
    node.send_signal(signal.SIGINT)
    assert node.wait(PATIENCE) == 0


@pytest.fixture
def manager(robot: Any, process: subprocess.Popen) -> Manager:
    return Manager(robot, f'{robot.namespace}/snn_classifier')


def test_everything_that_the_manager_does_leads_to_its_goal(manager: Manager) -> None:
    for transitions in (STARTUP, PAUSE, RESUME, RESET, STARTUP, SHUTDOWN):
        assert manager.does(transitions) == [True] * len(transitions)


def test_manager_sees_that_a_bad_model_fails_and_starts_up_with_a_good_one(
    manager: Manager, robot: Any, model_folder: Path
) -> None:
    def choose(model: str) -> None:
        value = ParameterValue(type=ParameterType.PARAMETER_STRING, string_value=model)
        parameter = Parameter(name='model', value=value)
        response = robot.call(
            SetParameters, 'snn_classifier/set_parameters', parameters=[parameter]
        )
        assert response.results[0].successful

    choose('no_such_model')
    assert manager.does(STARTUP[:1]) == [False]
    choose(str(model_folder))
    assert manager.does(STARTUP) == [True, True]


@pytest.mark.parametrize(
    'before', [(), STARTUP, SHUTDOWN], ids=['at first', 'active', 'shut down']
)
def test_no_transition_harms_a_node_that_is_not_in_its_state(
    manager: Manager, before: tuple[int, ...]
) -> None:
    """As when the manager resets all nodes since one is gone, or is asked to start up twice."""
    manager.does(before)
    for transitions in (STARTUP, STARTUP, RESET, RESET):
        manager.does(transitions)
    final = Transition.TRANSITION_UNCONFIGURED_SHUTDOWN
    assert manager.does((final,)) == [True]
