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

"""Parameters that change while the node works, the model among them."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import colour_frames
import colour_model
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.srv import GetState
from rcl_interfaces.msg import Parameter, ParameterValue
from rcl_interfaces.srv import GetParameters, SetParameters, SetParametersAtomically
from rclpy.parameter import Parameter as RosParameter
from sensor_msgs.msg import Image
from std_msgs.msg import String
from vision_msgs.msg import Classification
from waiting import wait_until

from snn_perception.model_folder import save_model


def message_of(name: str, value: Any) -> Parameter:
    return RosParameter(name, value=value).to_parameter_msg()


def set_parameters(robot: Any, **values: Any) -> Any:
    """The result of setting all of these at once, as another node would."""
    parameters = [message_of(name, value) for name, value in values.items()]
    service = 'snn_classifier/set_parameters_atomically'
    return robot.call(SetParametersAtomically, service, parameters=parameters).result


def get_parameter(robot: Any, name: str) -> ParameterValue:
    return robot.call(GetParameters, 'snn_classifier/get_parameters', names=[name]).values[0]


@pytest.fixture
def inverted(tmp_path: Path) -> Path:
    """A model whose labels are in another order, so that red is called blue."""
    model = colour_model.build()
    other = replace(model, name='inverted', labels=tuple(reversed(model.labels)))
    save_model(other, tmp_path / 'inverted')
    return tmp_path / 'inverted'


@pytest.fixture
def slow_loading(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Has models load only once this is called."""
    from snn_perception.nodes.answers import loaded_model

    go_on = threading.Event()
    load = loaded_model.load_model

    def wait_and_load(location: str) -> Any:
        assert go_on.wait(60)
        return load(location)

    def begin_waiting() -> Callable[[], None]:
        monkeypatch.setattr(loaded_model, 'load_model', wait_and_load)
        return go_on.set

    return begin_waiting


@pytest.fixture
def label_of(robot: Any) -> Callable[[str], str]:
    """The label that the node gives a colour."""
    labels = robot.listen(String, 'snn_classifier/label')
    publishers: list[Any] = []

    def ask(colour: str) -> str:
        publishers[:] = publishers or [robot.publisher(Image, 'image_raw')]
        labels.messages.clear()
        publishers[0].publish(colour_frames.frame(colour))
        return labels.wait_for().data

    return ask


def test_model_is_exchanged_while_the_node_works(
    robot: Any, create_classifier: Any, inverted: Path, request: pytest.FixtureRequest
) -> None:
    create_classifier()
    label_of = request.getfixturevalue('label_of')
    assert label_of('red') == 'red'
    result = set_parameters(robot, model=str(inverted), min_confidence=0.1)
    assert (result.successful, result.reason) == (True, '')
    assert label_of('red') == 'blue'
    assert get_parameter(robot, 'model').string_value == str(inverted)
    assert get_parameter(robot, 'min_confidence').double_value == 0.1


def test_model_that_cannot_be_loaded_is_refused_with_the_reason_and_the_old_one_works_on(
    robot: Any, create_classifier: Any, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    create_classifier()
    label_of = request.getfixturevalue('label_of')
    broken = colour_model.save(tmp_path / 'broken')
    (broken / 'weights.safetensors').write_bytes(b'nonsense')
    for values, reason in (
        ({'model': str(broken)}, 'broken'),
        ({'model': '/no/such/folder'}, 'not found'),
        ({'backend': 'abacus', 'min_confidence': 0.9}, "unknown backend 'abacus'"),
        ({'device': 'cuda', 'backend': 'event'}, 'runs on cpu, not on cuda'),
        ({'precision': 'int8'}, 'has no option precision'),
    ):
        result = set_parameters(robot, **values)
        assert not result.successful
        assert reason in result.reason
    assert get_parameter(robot, 'min_confidence').double_value == 0.0
    assert label_of('red') == 'red'


def test_frames_are_answered_and_questions_too_while_another_model_loads(
    robot: Any,
    create_classifier: Any,
    inverted: Path,
    slow_loading: Any,
    request: pytest.FixtureRequest,
) -> None:
    node = create_classifier()
    label_of = request.getfixturevalue('label_of')
    go_on = slow_loading()
    client = robot.node.create_client(SetParameters, 'snn_classifier/set_parameters')
    assert client.wait_for_service(20)
    change = SetParameters.Request(parameters=[message_of('model', str(inverted))])
    pending = client.call_async(change)
    wait_until(node._loading.locked)
    for _ in range(5):
        assert label_of('red') == 'red'
    assert get_parameter(robot, 'mode').string_value == 'frame'
    assert set_parameters(robot, fit='pad').successful
    refused = set_parameters(robot, model='mnist')
    assert (refused.successful, refused.reason) == (False, 'another model is being loaded')
    assert not pending.done()
    go_on()
    assert wait_until(pending.done)
    assert pending.result().results[0].successful
    assert label_of('red') == 'blue'


def test_node_answers_while_it_is_configured(
    robot: Any, create_classifier: Any, slow_loading: Any
) -> None:
    from lifecycle_msgs.msg import Transition
    from lifecycle_msgs.srv import ChangeState

    go_on = slow_loading()
    create_classifier(started=False, autostart=False)

    def ask(transition: int) -> Any:
        client = robot.node.create_client(ChangeState, 'snn_classifier/change_state')
        assert client.wait_for_service(20)
        return client.call_async(ChangeState.Request(transition=Transition(id=transition)))

    def state() -> str:
        return robot.call(GetState, 'snn_classifier/get_state').current_state.label

    configured = ask(Transition.TRANSITION_CONFIGURE)
    wait_until(lambda: state() == 'configuring')
    assert set_parameters(robot, min_confidence=0.5).successful
    refused = set_parameters(robot, model='mnist')
    assert refused.reason == 'model cannot be changed now: the node is being configured'
    for transition in (Transition.TRANSITION_CONFIGURE, Transition.TRANSITION_ACTIVATE):
        again = ask(transition)
        wait_until(again.done)
        assert not again.result().success
    assert not configured.done()
    go_on()
    wait_until(configured.done)
    assert configured.result().success
    assert state() == 'inactive'


def test_mode_changes_between_two_frames(robot: Any, create_classifier: Any) -> None:
    create_classifier()
    statistics = robot.listen(DiagnosticArray, 'snn_classifier/statistics')
    publisher = robot.publisher(Image, 'image_raw')

    def simulated(milliseconds: int) -> str:
        frame = colour_frames.frame('red')
        frame.header.stamp.sec, frame.header.stamp.nanosec = 1, milliseconds * 1_000_000
        publisher.publish(frame)
        message = statistics.wait_for(lambda message: message.header == frame.header)
        values = {item.key: item.value for item in message.status[0].values}
        return values['simulated_time_ms']

    assert [simulated(time) for time in (10, 20)] == ['30.000', '30.000']
    assert set_parameters(robot, mode='stream').successful
    assert [simulated(time) for time in (30, 40)] == ['30.000', '10.000']
    assert set_parameters(robot, mode='frame').successful
    assert simulated(50) == '30.000'


def test_region_of_interest_is_all_that_the_network_sees(
    robot: Any, create_classifier: Any
) -> None:
    create_classifier()
    answers = robot.listen(Classification, 'snn_classifier/classification')
    publisher = robot.publisher(Image, 'image_raw')
    pixels = colour_model.image('red', 40, 64)
    pixels[10:30, 48:] = colour_model.COLOURS['blue']
    frame = colour_frames.frame('red', pixels=pixels)

    def seen() -> str:
        answers.messages.clear()
        publisher.publish(frame)
        return answers.wait_for().results[0].class_id

    assert seen() == 'red'
    assert set_parameters(robot, roi=[0.75, 0.25, 0.25, 0.5]).successful
    assert seen() == 'blue'
    assert set_parameters(robot, roi=[0, 0, 1, 1]).successful
    assert seen() == 'red'


def test_transport_changes_while_the_node_works(robot: Any, create_classifier: Any) -> None:
    create_classifier()
    assert set_parameters(robot, image_transport='compressed').successful
    wait_until(lambda: robot.node.count_subscribers('image_raw/compressed') == 1)
    assert robot.node.count_subscribers('image_raw') == 0


def test_value_of_a_type_that_does_not_exist_is_refused_and_survived(
    robot: Any, create_classifier: Any
) -> None:
    create_classifier()
    strange = Parameter(name='fit', value=ParameterValue(type=99))
    results = robot.call(
        SetParameters, 'snn_classifier/set_parameters', parameters=[strange]
    ).results
    assert [result.successful for result in results] == [False]
    service = 'snn_classifier/set_parameters_atomically'
    both = [message_of('fit', 'pad'), strange]
    assert not robot.call(SetParametersAtomically, service, parameters=both).result.successful
    assert get_parameter(robot, 'fit').string_value == 'model'


def test_camera_survives_such_a_value_too(robot: Any) -> None:
    from snn_perception.nodes.camera_node import CameraNode
    from snn_perception.nodes.process import Stop

    robot.add(CameraNode(Stop(), namespace=robot.namespace))
    strange = Parameter(name='rate', value=ParameterValue(type=99))
    for _ in range(2):
        results = robot.call(SetParameters, 'camera/set_parameters', parameters=[strange]).results
        assert [result.successful for result in results] == [False]


def test_model_that_does_not_suit_what_was_set_while_it_loaded_is_refused(
    robot: Any, create_classifier: Any, tmp_path: Path, slow_loading: Any
) -> None:
    model = colour_model.build()
    late = replace(model, readout=replace(model.readout, start_time=0.02))
    save_model(late, tmp_path / 'late')
    node = create_classifier()
    go_on = slow_loading()
    client = robot.node.create_client(SetParameters, 'snn_classifier/set_parameters')
    assert client.wait_for_service(20)
    change = SetParameters.Request(parameters=[message_of('model', str(tmp_path / 'late'))])
    pending = client.call_async(change)
    wait_until(node._loading.locked)
    assert set_parameters(robot, presentation_time=0.01).successful
    go_on()
    wait_until(pending.done)
    (result,) = pending.result().results
    assert not result.successful
    assert 'presentation_time must be at least' in result.reason
    assert get_parameter(robot, 'model').string_value != str(tmp_path / 'late')
    assert set_parameters(robot, presentation_time=0.0).successful
