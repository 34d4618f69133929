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

"""Parameters of a node as one immutable value that is always valid."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Generic, TypeVar

from rcl_interfaces.msg import (
    FloatingPointRange,
    IntegerRange,
    ParameterDescriptor,
    SetParametersResult,
)
from rclpy.exceptions import ParameterNotDeclaredException
from rclpy.node import Node
from rclpy.parameter import Parameter as RosParameter

from snn_perception.nodes.background import in_background
from snn_perception.nodes.parameters.parameter_kinds import Change, Parameter, table
from snn_perception.nodes.services import take_over
from snn_perception.sentences import sentence

T = TypeVar('T')


class ParameterNode(Node):
    """A node that takes any parameter at the value that it has, even one that never changes.

    So a whole file of parameters, such as `ros2 param dump` writes, can be loaded back. What
    takes long before a parameter can be set is done while the executor goes on. A subclass sets
    `server`, and may say in `preparation` and `commit` what setting them involves.
    """

    server: ParameterServer[Any]

    def __init__(self, name: str, **options: Any) -> None:
        super().__init__(name, **options)
        take_over(self, 'set_parameters', self._on_set_parameters)
        take_over(self, 'set_parameters_atomically', self._on_set_parameters_atomically)

    def preparation(self, values: Any) -> Callable[[], Any] | None:
        """What has to be done, in any thread, before the parameters can become `values`.

        None for nothing. May raise ValueError, as may the work itself, with the reason why the
        parameters cannot become that.
        """
        return None

    def commit(self, parameters: list[RosParameter], prepared: Any) -> SetParametersResult:
        """Set all `parameters` or none, with what the preparation returned."""
        return super().set_parameters_atomically(parameters)

    def set_parameters(self, parameter_list: list[RosParameter]) -> list[SetParametersResult]:
        """Set each parameter by itself; returns for each whether that worked, and why not."""
        return [self.set_parameters_atomically([parameter]) for parameter in parameter_list]

    def set_parameters_atomically(self, parameter_list: list[RosParameter]) -> SetParametersResult:
        """Set all parameters or none; returns whether that worked, and why not."""
        try:
            changes = self.server.changes(parameter_list)
            work = self.preparation(self.server.changed(changes))
            return self.commit(changes, work() if work else None)
        except ValueError as reason:
            return _refusal(reason)

    async def _set(self, messages: list[Any]) -> SetParametersResult:
        """Set all parameters in `messages` or none, for callbacks of the executor."""
        try:
            given = [RosParameter.from_parameter_msg(message) for message in messages]
            changes = self.server.changes(given)
            work = self.preparation(self.server.changed(changes))
            prepared = await in_background(work, self.executor) if work else None
            return self.commit(changes, prepared)
        except (ValueError, ParameterNotDeclaredException) as reason:
            return _refusal(reason)
        except Exception as reason:
            return _refusal(f'{type(reason).__name__}: {reason}')

    async def _on_set_parameters(self, request: Any, response: Any) -> Any:
        response.results = [await self._set([message]) for message in request.parameters]
        return response

    async def _on_set_parameters_atomically(self, request: Any, response: Any) -> Any:
        response.result = await self._set(request.parameters)
        return response


class ParameterServer(Generic[T]):
    """Declares the parameters that the dataclass `kind` describes on `node`, and follows them.

    `values` is a `kind` that is replaced as a whole, so that a thread that takes it sees
    values that belong together. What the command line or a file gave wrongly is in `problems`
    (a sentence by parameter name) until it is set right; the default stands in until then.
    `refusal` says why parameters of a kind cannot be set now, '' if they can, and `check` raises
    ValueError for values that cannot be; its sentence begins with a parameter's name. `node` sets
    what `changes` leaves.
    """

    def __init__(
        self,
        node: Node,
        kind: type[T],
        refusal: Callable[[Change], str] = lambda change: '',
        check: Callable[[T], None] = lambda values: None,
    ) -> None:
        self.problems: dict[str, str] = {}
        self._node = node
        self._table = {parameter.name: parameter for parameter in table(kind)}
        self._refusal = refusal
        self._check = check
        given = {name: self._declare(node, entry) for name, entry in self._table.items()}
        try:
            self.values: T = kind(**given)
            check(self.values)
        except ValueError as reason:
            self.problems[re.split(r'\W', str(reason))[0]] = str(reason)
            self.values = kind()
        node.add_on_set_parameters_callback(self._on_set)
        node.add_post_set_parameters_callback(self._take_over)

    def require_valid(self) -> None:
        """Raise ValueError with the problems, if there are any."""
        if self.problems:
            raise ValueError('; '.join(self.problems.values()))

    def changes(self, parameters: list[RosParameter]) -> list[RosParameter]:
        """Those of `parameters` that differ from what they are now, in the type they have here.

        Whole numbers become what is meant, before ROS compares types. A value that stands in
        for a wrong one counts as different: to set it is to set it right.
        """
        given = [self._coerce(parameter) for parameter in parameters]
        return [parameter for parameter in given if not self._is_set(parameter)]

    def changed(self, parameters: list[RosParameter]) -> T:
        """The values as they would be with `parameters`; raises ValueError if they may not be."""
        for given in parameters:
            known = self._table.get(given.name)
            if known is None:
                continue
            if known.change is Change.NEVER:
                raise ValueError(f'{given.name} is read-only: it can only be given at the start')
            refusal = self._refusal(known.change)
            if refusal:
                raise ValueError(f'{given.name} cannot be changed now: {refusal}')
        values = {
            given.name: self._table[given.name].check(given.value)
            for given in parameters
            if given.name in self._table
        }
        changed = replace(self.values, **values)  # type: ignore[type-var]
        self._check(changed)
        return changed

    def _coerce(self, given: RosParameter) -> RosParameter:
        known = self._table.get(given.name)
        integers = RosParameter.Type.INTEGER, RosParameter.Type.INTEGER_ARRAY
        if known is None or given.type_ not in integers:
            return given
        value = to_ros(known.coerce(given.value))
        # ROS cannot tell the type of an empty list.
        return given if value == [] else RosParameter(given.name, value=value)

    def _is_set(self, given: RosParameter) -> bool:
        if given.name in self.problems or not self._node.has_parameter(given.name):
            return False
        now = self._node.get_parameter(given.name)
        return bool(now.type_ is given.type_ and to_ros(now.value) == to_ros(given.value))

    def _declare(self, node: Node, parameter: Parameter) -> Any:
        """Declare `parameter`; its value, or the default if what was given is not right."""
        # Declared without a type first, since a type would refuse 1 where 1.0 is meant.
        anything = ParameterDescriptor(dynamic_typing=True)
        default = to_ros(parameter.default)
        value = node.declare_parameter(parameter.name, default, anything).value
        node.undeclare_parameter(parameter.name)
        try:
            value = parameter.check(value)
        except ValueError as reason:
            self.problems[parameter.name] = str(reason)
            value = parameter.default
        description = describe(parameter)
        node.declare_parameter(parameter.name, to_ros(value), description, ignore_override=True)
        return value

    def _on_set(self, parameters: list[RosParameter]) -> SetParametersResult:
        """Whether `parameters` may be set now, with a sentence if not."""
        try:
            self.changed(parameters)
        except ValueError as reason:
            return _refusal(reason)
        return SetParametersResult(successful=True)

    def _take_over(self, parameters: list[RosParameter]) -> None:
        self.values = self.changed(parameters)
        for given in parameters:
            self.problems.pop(given.name, None)


def to_ros(value: Any) -> Any:
    """`value` as ROS takes it: lists are lists, whatever held them."""
    return list(value) if not isinstance(value, str) and hasattr(value, '__iter__') else value


def describe(parameter: Parameter) -> ParameterDescriptor:
    """What `ros2 param describe` says about `parameter`."""
    constraints = [parameter.change.value]
    if parameter.choices:
        constraints.insert(0, f'One of {", ".join(parameter.choices)}.')
    descriptor = ParameterDescriptor(
        description=parameter.description,
        read_only=parameter.change is Change.NEVER,
        additional_constraints=' '.join(constraints),
    )
    if parameter.minimum is not None and parameter.maximum is not None:
        if parameter.kind is float:
            span = FloatingPointRange(from_value=parameter.minimum, to_value=parameter.maximum)
            descriptor.floating_point_range = [span]
        else:
            limits = {'from_value': int(parameter.minimum), 'to_value': int(parameter.maximum)}
            descriptor.integer_range = [IntegerRange(**limits)]
    return descriptor


def _refusal(reason: object) -> SetParametersResult:
    return SetParametersResult(successful=False, reason=sentence(reason))
