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

"""The lifecycle under a supervisor, and the services."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import colour_model
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState, GetState
from rcl_interfaces.msg import Log, Parameter, ParameterType, ParameterValue
from rcl_interfaces.srv import (
    DescribeParameters,
    GetParameters,
    ListParameters,
    SetParameters,
    SetParametersAtomically,
)
from sensor_msgs.msg import Image
from std_msgs.msg import String
from std_srvs.srv import SetBool, Trigger

CONFIGURE = Transition.TRANSITION_CONFIGURE
ACTIVATE = Transition.TRANSITION_ACTIVATE
DEACTIVATE = Transition.TRANSITION_DEACTIVATE
CLEANUP = Transition.TRANSITION_CLEANUP


def change(robot: Any, transition: int) -> bool:
    request = {'transition': Transition(id=transition)}
    return robot.call(ChangeState, 'snn_classifier/change_state', **request).success


def state(robot: Any) -> str:
    return robot.call(GetState, 'snn_classifier/get_state').current_state.label


def set_parameter(robot: Any, name: str, value: Any) -> Any:
    """The result of setting a parameter as another node would."""
    kinds = {
        bool: (ParameterType.PARAMETER_BOOL, 'bool_value'),
        int: (ParameterType.PARAMETER_INTEGER, 'integer_value'),
        float: (ParameterType.PARAMETER_DOUBLE, 'double_value'),
        str: (ParameterType.PARAMETER_STRING, 'string_value'),
    }
    kind, attribute = kinds[type(value)]
    parameter = Parameter(name=name, value=ParameterValue(type=kind, **{attribute: value}))
    service = 'snn_classifier/set_parameters'
    return robot.call(SetParameters, service, parameters=[parameter]).results[0]


def get_parameter(robot: Any, name: str) -> ParameterValue:
    service = 'snn_classifier/get_parameters'
    return robot.call(GetParameters, service, names=[name]).values[0]


def red_image() -> Image:
    pixels = colour_model.image('red', 24, 32)
    return Image(height=24, width=32, encoding='rgb8', step=96, data=pixels.tobytes())


def test_node_starts_by_itself(robot: Any, create_classifier: Any) -> None:
    create_classifier()
    assert state(robot) == 'active'


def test_supervisor_leads_the_node_up_and_down_and_up_again(
    robot: Any, create_classifier: Any
) -> None:
    create_classifier(started=False, autostart=False)
    for _ in range(2):
        assert state(robot) == 'unconfigured'
        assert change(robot, CONFIGURE)
        assert state(robot) == 'inactive'
        assert change(robot, ACTIVATE)
        labels = robot.listen(String, 'snn_classifier/label')
        robot.publisher(Image, 'image_raw').publish(red_image())
        assert labels.wait_for().data == 'red'
        assert change(robot, DEACTIVATE)
        assert robot.node.count_subscribers('image_raw') == 0
        assert change(robot, CLEANUP)
    assert change(robot, Transition.TRANSITION_UNCONFIGURED_SHUTDOWN)
    assert state(robot) == 'finalized'


def test_active_node_can_be_shut_down_at_once(robot: Any, create_classifier: Any) -> None:
    create_classifier()
    assert change(robot, Transition.TRANSITION_ACTIVE_SHUTDOWN)
    assert state(robot) == 'finalized'


def test_transition_that_the_state_does_not_allow_is_refused_and_survived(
    robot: Any, create_classifier: Any
) -> None:
    create_classifier(started=False, autostart=False)
    for transition in (ACTIVATE, DEACTIVATE, CLEANUP, 99):
        assert not change(robot, transition)
    assert state(robot) == 'unconfigured'
    assert change(robot, CONFIGURE)
    assert not change(robot, CONFIGURE)
    assert state(robot) == 'inactive'


def test_failed_configuration_leaves_the_node_unconfigured_until_it_is_set_right(
    robot: Any, create_classifier: Any, model_folder: Path
) -> None:
    create_classifier(started=False, autostart=False, model='no_such_model')
    diagnostics = robot.listen(DiagnosticArray, '/diagnostics')
    assert not change(robot, CONFIGURE)
    assert state(robot) == 'unconfigured'
    verdict = diagnostics.wait_for(
        lambda message: (
            message.status[0].name.startswith(robot.namespace[1:])
            and message.status[0].level == b'\x02'
        )
    )
    assert "model 'no_such_model' is not found" in verdict.status[0].message
    assert set_parameter(robot, 'model', str(model_folder)).successful
    assert change(robot, CONFIGURE)
    assert state(robot) == 'inactive'


def test_transition_that_breaks_is_named_and_leads_back_to_the_start(
    robot: Any, create_classifier: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    node = create_classifier(started=False, autostart=False)
    diagnostics = robot.listen(DiagnosticArray, '/diagnostics')
    with monkeypatch.context() as patch:
        patch.setattr(node, 'create_subscription', lambda *_, **__: 1 / 0)
        assert change(robot, CONFIGURE)
        assert not change(robot, ACTIVATE)
    assert state(robot) == 'unconfigured'
    verdict = diagnostics.wait_for(
        lambda message: (
            message.status[0].name.startswith(robot.namespace[1:])
            and message.status[0].level == b'\x02'
        )
    )
    assert 'on_activate failed: ZeroDivisionError' in verdict.status[0].message
    assert change(robot, CONFIGURE)
    assert change(robot, ACTIVATE)
    assert state(robot) == 'active'


@pytest.mark.parametrize(
    ('name', 'wrong', 'right'),
    [
        ('backend', 'abacus', 'reference'),
        ('device', 'toaster', 'cpu'),
        ('mode', 'movie', 'stream'),
        ('min_confidence', 2.0, 0.5),
        ('min_confidence', 'high', 1),
        ('backend', 7, 'reference'),
        ('max_hypotheses', 0, 3),
    ],
)
def test_wrong_parameter_at_the_start_fails_the_configuration_until_it_is_set_right(
    robot: Any, create_classifier: Any, name: str, wrong: Any, right: Any
) -> None:
    create_classifier(started=False, autostart=False, **{name: wrong})
    assert not change(robot, CONFIGURE)
    assert state(robot) == 'unconfigured'
    assert set_parameter(robot, name, right).successful
    assert change(robot, CONFIGURE)


def test_whole_number_where_a_float_is_meant_is_taken(robot: Any, create_classifier: Any) -> None:
    create_classifier(min_confidence=1)
    assert get_parameter(robot, 'min_confidence').double_value == 1.0
    assert set_parameter(robot, 'min_confidence', 0).successful
    value = get_parameter(robot, 'min_confidence')
    assert (value.type, value.double_value) == (ParameterType.PARAMETER_DOUBLE, 0.0)


@pytest.mark.parametrize(
    ('name', 'value', 'sentence'),
    [
        ('model', 'no_such_model', "model 'no_such_model' is not found"),
        ('backend', 'abacus', "unknown backend 'abacus'"),
        ('autostart', False, 'read-only'),
        ('min_confidence', 1.5, 'min_confidence'),
        ('min_confidence', 'high', 'must be a number'),
        ('max_hypotheses', 0, 'max_hypotheses'),
        ('fit', 'zoom', "fit must be one of model, crop, pad, stretch, not 'zoom'"),
    ],
)
def test_parameter_that_cannot_be_set_is_refused_with_a_sentence_and_stays(
    robot: Any, create_classifier: Any, name: str, value: Any, sentence: str
) -> None:
    create_classifier()
    before = get_parameter(robot, name)
    result = set_parameter(robot, name, value)
    assert not result.successful
    assert sentence in result.reason
    assert get_parameter(robot, name) == before


def all_parameters(robot: Any) -> list[Parameter]:
    """Every parameter as `ros2 param dump` finds it, those of rclpy included."""
    names = robot.call(ListParameters, 'snn_classifier/list_parameters').result.names
    values = robot.call(GetParameters, 'snn_classifier/get_parameters', names=names).values
    return [Parameter(name=name, value=value) for name, value in zip(names, values, strict=True)]


def test_all_parameters_of_a_working_node_can_be_loaded_back(
    robot: Any, create_classifier: Any
) -> None:
    create_classifier()
    given = all_parameters(robot)
    assert {'model', 'autostart', 'use_sim_time'} <= {parameter.name for parameter in given}
    results = robot.call(SetParameters, 'snn_classifier/set_parameters', parameters=given).results
    assert [result.reason for result in results if not result.successful] == []
    service = 'snn_classifier/set_parameters_atomically'
    assert robot.call(SetParametersAtomically, service, parameters=given).result.successful
    assert all_parameters(robot) == given


def test_parameters_loaded_with_one_that_is_locked_and_changed_all_stay(
    robot: Any, create_classifier: Any
) -> None:
    create_classifier()
    before = all_parameters(robot)
    given = all_parameters(robot)
    for parameter in given:
        if parameter.name == 'image_topics':
            parameter.value.string_array_value = ['elsewhere']
        if parameter.name == 'fit':
            parameter.value.string_value = 'pad'
    service = 'snn_classifier/set_parameters_atomically'
    result = robot.call(SetParametersAtomically, service, parameters=given).result
    assert not result.successful
    assert 'image_topics cannot be changed now: only before the node is conf' in result.reason
    assert all_parameters(robot) == before


def test_wrong_parameter_at_the_start_may_be_set_to_its_default(
    robot: Any, create_classifier: Any
) -> None:
    create_classifier(started=False, autostart=False, max_hypotheses=0)
    assert not change(robot, CONFIGURE)
    assert set_parameter(robot, 'max_hypotheses', 5).successful
    assert change(robot, CONFIGURE)


def test_whole_number_is_an_unchanged_float(robot: Any) -> None:
    from snn_perception.nodes.camera_node import CameraNode
    from snn_perception.nodes.process import Stop

    robot.add(CameraNode(Stop(), namespace=robot.namespace))
    number = ParameterValue(type=ParameterType.PARAMETER_INTEGER, integer_value=10)
    rate = Parameter(name='rate', value=number)
    results = robot.call(SetParameters, 'camera/set_parameters', parameters=[rate]).results
    assert results[0].successful
    number.integer_value = 11
    results = robot.call(SetParameters, 'camera/set_parameters', parameters=[rate]).results
    assert 'read-only' in results[0].reason


def test_parameters_describe_themselves(robot: Any, create_classifier: Any) -> None:
    create_classifier()
    names = ['min_confidence', 'max_hypotheses', 'mode', 'autostart']
    service = 'snn_classifier/describe_parameters'
    confidence, hypotheses, mode, autostart = robot.call(
        DescribeParameters, service, names=names
    ).descriptors
    span = confidence.floating_point_range[0]
    assert (span.from_value, span.to_value) == (0.0, 1.0)
    assert hypotheses.integer_range[0].from_value == 1
    assert mode.additional_constraints.startswith('One of frame, stream. At any time')
    assert autostart.read_only
    assert 'network at rest' in mode.description


def test_disabled_node_neither_subscribes_nor_answers_until_it_is_enabled(
    robot: Any, create_classifier: Any
) -> None:
    create_classifier()
    labels = robot.listen(String, 'snn_classifier/label')
    log = robot.listen(Log, '/rosout')
    response = robot.call(SetBool, 'snn_classifier/enable', data=False)
    assert (response.success, response.message) == (True, 'disabled')
    own = f'{robot.namespace[1:]}.snn_classifier'
    log.wait_for(lambda message: (message.name, message.msg) == (own, 'disabled'))
    assert robot.node.count_subscribers('image_raw') == 0
    diagnostics = robot.listen(DiagnosticArray, '/diagnostics')
    diagnostics.wait_for(
        lambda message: (
            message.status[0].name.startswith(robot.namespace[1:])
            and message.status[0].message == 'disabled'
        )
    )
    assert robot.call(SetBool, 'snn_classifier/enable', data=True).message == 'enabled'
    robot.publisher(Image, 'image_raw').publish(red_image())
    assert labels.wait_for().data == 'red'


def test_node_disabled_before_it_is_active_begins_disabled(
    robot: Any, create_classifier: Any
) -> None:
    node = create_classifier(started=False, autostart=False)
    assert robot.call(SetBool, 'snn_classifier/enable', data=False).success
    assert node.start()
    assert robot.node.count_subscribers('image_raw') == 0


def test_reset_of_an_unconfigured_node_is_refused(robot: Any, create_classifier: Any) -> None:
    create_classifier(started=False, autostart=False)
    response = robot.call(Trigger, 'snn_classifier/reset')
    assert (response.success, response.message) == (False, 'the node is not configured')


def test_reset_begins_a_stream_at_rest(robot: Any, create_classifier: Any) -> None:
    create_classifier(mode='stream')
    statistics = robot.listen(DiagnosticArray, 'snn_classifier/statistics')
    publisher = robot.publisher(Image, 'image_raw')

    def simulated(milliseconds: int) -> str:
        frame = red_image()
        frame.header.stamp.sec, frame.header.stamp.nanosec = 1, milliseconds * 1_000_000
        publisher.publish(frame)
        message = statistics.wait_for(lambda message: message.header == frame.header)
        return next(
            item.value for item in message.status[0].values if item.key == 'simulated_time_ms'
        )

    assert [simulated(milliseconds) for milliseconds in (10, 20)] == ['30.000', '10.000']
    assert robot.call(Trigger, 'snn_classifier/reset').success
    assert simulated(30) == '30.000'
