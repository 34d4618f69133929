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

"""Parameters set to anything, in every state: set as a whole or refused with a sentence."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from rcl_interfaces.msg import Parameter, ParameterValue
from rcl_interfaces.srv import SetParameters, SetParametersAtomically

from snn_perception.nodes.parameters.classifier_parameters import ClassifierParameters
from snn_perception.nodes.parameters.parameter_kinds import table
from snn_perception.nodes.trials.bad_requests import HEAVY, ODD, value_of

NAMES = [entry.name for entry in table(ClassifierParameters)]
OTHERS = ['', 'use_sim_time', 'no_such_parameter', 'x' * 10_000, 'qos_overrides./x', 'a b', '🤖']
STATES = {'unconfigured': (), 'inactive': (1,), 'active': (1, 3)}
"""Ids of the transitions that lead to a state."""
MIXED = ([1, 'a'], [True, 2], ['a', 0.5])


def random_parameter(chance: random.Random) -> Parameter:
    name = chance.choice(NAMES if chance.random() < 0.9 else OTHERS)
    if chance.random() < 0.05:
        return Parameter(name=name, value=ParameterValue(type=chance.choice([0, 10, 99, 255])))
    default = getattr(ClassifierParameters, name, 0)
    usual = list(default) if isinstance(default, tuple) else default
    value = usual if chance.random() < 0.2 else chance.choice(ODD)
    # 'auto' is an engine that takes seconds to start.
    return Parameter(name=name, value=value_of('' if name in HEAVY and value == 'auto' else value))


def ask(node: Any, name: str, request: Any) -> Any:
    """The response of the service of `node` whose name ends with `name`."""
    service = next(one for one in node.services if one.srv_name.endswith(f'/{name}'))
    answer = service.callback(request, service.srv_type.Response())
    with pytest.raises(StopIteration) as end:
        answer.send(None)
    return end.value.value


def check_values(node: Any) -> None:
    """The values of a node are always valid, and what ROS says they are."""
    values = node.parameters
    for entry in table(ClassifierParameters):
        value = getattr(values, entry.name)
        assert entry.check(value) == value
        told = node.get_parameter(entry.name).value
        assert (tuple(told) if entry.is_list else told) == value, entry.name


def check_result(result: Any, description: str) -> None:
    if not result.successful:
        assert result.reason, description
        assert '\n' not in result.reason, description


def set_anything(node: Any, seeds: range) -> int:
    """How many of the requests were granted."""
    granted = 0
    for seed in seeds:
        chance = random.Random(seed)
        parameters = [random_parameter(chance) for _ in range(chance.randint(1, 3))]
        before = node.parameters
        if chance.random() < 0.5:
            request = SetParameters.Request(parameters=parameters)
            results = ask(node, 'set_parameters', request).results
            assert len(results) == len(parameters), f'seed {seed}'
        else:
            request = SetParametersAtomically.Request(parameters=parameters)
            results = [ask(node, 'set_parameters_atomically', request).result]
            assert results[0].successful or node.parameters == before, f'seed {seed}'
        for result in results:
            check_result(result, f'seed {seed}')
        granted += all(result.successful for result in results)
        check_values(node)
    return granted


@pytest.fixture
def node_in(model_folder: Any) -> Any:
    """Makes a node in a state, whose services are asked in this thread."""
    from rclpy.parameter import Parameter as Given

    from snn_perception.nodes.classifier_node import ClassifierNode
    from snn_perception.nodes.process import Stop

    nodes: list[Any] = []

    def make(state: str) -> Any:
        values = {'model': str(model_folder), 'backend': 'reference', 'autostart': False}
        given = [Given(name, value=value) for name, value in values.items()]
        node = ClassifierNode(Stop(), parameter_overrides=given)
        nodes.append(node)
        for transition in STATES[state]:
            getattr(node, {1: 'trigger_configure', 3: 'trigger_activate'}[transition])()
        assert node.state == state
        return node

    yield make
    for node in nodes:
        node.close()


@pytest.mark.parametrize('state', STATES)
def test_parameters_are_set_or_refused(node_in: Callable[[str], Any], state: str) -> None:
    node = node_in(state)
    assert 0 < set_anything(node, range(200)) < 200
    assert node.state == state


@pytest.mark.slow
@pytest.mark.parametrize('state', STATES)
def test_thousands_of_parameters_are_set_or_refused(
    node_in: Callable[[str], Any], state: str
) -> None:
    node = node_in(state)
    set_anything(node, range(1000, 4000))
    assert node.state == state
