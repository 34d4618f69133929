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

"""Faults of supervisors and operators: requests that make no sense, or come at a bad time.

The node must answer every one of them, if only with a refusal, and it must be possible to put it
back into order.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any

from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import GetAvailableTransitions, GetState
from rcl_interfaces.msg import Parameter, ParameterDescriptor, ParameterType, ParameterValue
from rcl_interfaces.srv import GetParameters, SetParametersAtomically
from std_srvs.srv import SetBool, Trigger

from snn_perception.nodes.trials.bench import Bench

KINDS = {
    'bool_value': ParameterType.PARAMETER_BOOL,
    'integer_value': ParameterType.PARAMETER_INTEGER,
    'double_value': ParameterType.PARAMETER_DOUBLE,
    'string_value': ParameterType.PARAMETER_STRING,
    'byte_array_value': ParameterType.PARAMETER_BYTE_ARRAY,
    'bool_array_value': ParameterType.PARAMETER_BOOL_ARRAY,
    'integer_array_value': ParameterType.PARAMETER_INTEGER_ARRAY,
    'double_array_value': ParameterType.PARAMETER_DOUBLE_ARRAY,
    'string_array_value': ParameterType.PARAMETER_STRING_ARRAY,
}
"""Type of a parameter by the field of ParameterValue that holds it."""

ODD: tuple[Any, ...] = (
    *(True, False, 0, 1, -1, 2**31, 2**63 - 1, -(2**63)),
    *(0.0, -0.0, 1.5, 1e308, 5e-324, math.nan, math.inf, -math.inf),
    *('', ' ', 'auto', 'stream', '../..', 'package://', '\x00', '🤖', 'x' * 100_000),
    *([b'\x00', b'\xff'], [], [True, False], [0, -1], [0.5, math.nan], ['', 'a', 'x' * 1000]),
    *([0, 0, 0, 0], [1, 2, 3, 4], [-1, 0, 2**40, 5], [0.0, 0.0], [1.0, 0.0]),
)
"""Values that some parameter will not like."""

HEAVY = ('backend', 'device')
"""Parameters at which a good value may load large libraries, which stay in memory."""


def value_of(value: Any) -> ParameterValue:
    """`value` as ROS sends it; None is not set at all."""
    first = value[0] if isinstance(value, list) and value else value
    array = 'array_' if isinstance(value, list) else ''
    for kind, name in (
        (bool, 'bool'), (int, 'integer'), (float, 'double'), (str, 'string'), (bytes, 'byte')
    ):  # fmt: skip
        if isinstance(first, kind):
            field = f'{name}_{array}value'
            return ParameterValue(type=KINDS[field], **{field: value})
    if isinstance(value, list):
        return ParameterValue(type=ParameterType.PARAMETER_STRING_ARRAY)
    return ParameterValue()


def odd_parameters(bench: Bench) -> None:
    """Any parameter set to any odd value."""
    for _ in range(20):
        name = bench.chance.choice(bench.names())
        bench.set(**{name: value_of(bench.chance.choice(ODD))})


def all_at_once(bench: Bench) -> None:
    """All parameters set to odd values in one go, which must not be taken over in parts."""
    names = [*bench.names(), '', 'no_such_parameter', 'x' * 10_000]
    chosen = [Parameter(name=name, value=value_of(bench.chance.choice(ODD))) for name in names]
    bench.call(SetParametersAtomically, 'set_parameters_atomically', parameters=chosen)


def fitting_parameters(bench: Bench) -> None:
    """Parameters set to other values that they can have, while frames come."""
    for _ in range(10):
        name = bench.chance.choice([name for name in bench.names() if name not in HEAVY])
        (description,) = bench.descriptions([name])
        value = fitting(bench, description)
        if value is not None:
            bench.set(**{name: value_of(value)})
        bench.send_good()


def fitting(bench: Bench, description: ParameterDescriptor) -> Any:
    """A value that the parameter of `description` may have, None if that is not known."""
    chance = bench.chance
    constraints = description.additional_constraints
    if constraints.startswith('One of '):
        return chance.choice(constraints.removeprefix('One of ').rstrip('.').split(', '))
    for spans, choose in (
        (description.floating_point_range, chance.uniform),
        (description.integer_range, chance.randint),
    ):
        for span in spans:
            high = min(span.to_value, span.from_value + 10)
            return choose(span.from_value, high)
    return chance.random() < 0.5 if description.type == ParameterType.PARAMETER_BOOL else None


def a_type_that_does_not_exist(bench: Bench) -> None:
    """What a client of another version, or a broken one, may send."""
    bench.set(min_confidence=ParameterValue(type=99))


def another_model(bench: Bench) -> None:
    """Models swapped while frames come, good ones and broken ones."""
    for name in bench.chance.sample(sorted(bench.models), len(bench.models)):
        bench.set(model=value_of(str(bench.models[name])))
        bench.send_good()


def a_model_that_cannot_be_loaded(bench: Bench) -> None:
    """A configuration that fails must leave a node that can be repaired."""
    bench.change(Transition.TRANSITION_DEACTIVATE)
    bench.change(Transition.TRANSITION_CLEANUP)
    name = bench.chance.choice([name for name in sorted(bench.models) if name != 'twin'])
    bench.set(model=value_of(str(bench.models[name])))
    bench.change(Transition.TRANSITION_CONFIGURE)


def pause(bench: Bench) -> None:
    """Deactivated in the middle of frames, and activated again."""
    for _ in range(bench.chance.randint(1, 5)):
        bench.send_good()
    bench.change(Transition.TRANSITION_DEACTIVATE)
    bench.send_good()
    bench.change(Transition.TRANSITION_ACTIVATE)


def all_the_way_and_back(bench: Bench) -> None:
    """Cleaned up in the middle of frames."""
    bench.send_good()
    bench.change(Transition.TRANSITION_DEACTIVATE)
    bench.send_good()
    bench.change(Transition.TRANSITION_CLEANUP)


def transitions_by_id(bench: Bench) -> None:
    """Transitions that the state does not allow, or that no state knows."""
    wrong = [
        Transition.TRANSITION_CONFIGURE,
        Transition.TRANSITION_ACTIVATE,
        0,
        9,
        10,
        60,
        97,
        255,
    ]
    for transition in wrong:
        bench.change(transition)


def transitions_by_name(bench: Bench) -> None:
    """The same by their label, which may fit the id or not."""
    for label in ('configure', 'activate', 'cleanup', 'destroy', 'no_such_transition', 'x' * 1000):
        bench.change(bench.chance.choice([0, 1, 3, 255]), label)


def any_transitions(bench: Bench) -> None:
    """Ten transitions in any order, apart from the one that ends the node."""
    for _ in range(10):
        bench.change(bench.chance.choice([1, 2, 3, 4]))
        bench.send_good()


def disabled_and_enabled(bench: Bench) -> None:
    """Switched off and on in the middle of frames."""
    for _ in range(10):
        bench.call(SetBool, 'enable', data=bench.chance.random() < 0.5)
        bench.send_good()


def reset(bench: Bench) -> None:
    """Reset in the middle of frames."""
    for _ in range(10):
        bench.call(Trigger, 'reset')
        bench.send_good()


def a_storm_of_questions(bench: Bench) -> None:
    """What a dashboard asks that was opened by many."""
    for _ in range(50):
        bench.call(GetState, 'get_state')
        bench.call(GetAvailableTransitions, 'get_available_transitions')
        names = [bench.chance.choice(bench.names()), 'no_such_parameter', '', 'x' * 10_000]
        bench.call(GetParameters, 'get_parameters', names=names)


def simulated_time_without_a_clock(bench: Bench) -> None:
    """Time stands still."""
    bench.set(use_sim_time=value_of(True))
    for _ in range(10):
        bench.send_good()
        time.sleep(0.02)


REQUESTS: dict[str, Callable[[Bench], None]] = {
    'odd values of parameters': odd_parameters,
    'odd values of all parameters at once': all_at_once,
    'other values of parameters': fitting_parameters,
    'a parameter of a type that does not exist': a_type_that_does_not_exist,
    'another model': another_model,
    'a model that cannot be loaded': a_model_that_cannot_be_loaded,
    'deactivated and activated': pause,
    'cleaned up': all_the_way_and_back,
    'impossible transitions by id': transitions_by_id,
    'impossible transitions by name': transitions_by_name,
    'transitions in any order': any_transitions,
    'disabled and enabled': disabled_and_enabled,
    'reset': reset,
    'a storm of questions': a_storm_of_questions,
    'simulated time without a clock': simulated_time_without_a_clock,
}
"""Every fault of this file by its name."""
