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

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Generic, TypeVar

from rcl_interfaces.msg import (
    FloatingPointRange,
    IntegerRange,
    ParameterDescriptor,
    SetParametersResult,
)
from rclpy.node import Node
from rclpy.parameter import Parameter as RosParameter

from snn_perception.nodes.parameters import Parameter, table

T = TypeVar('T')


class ParameterNode(Node):
    """A node that takes any parameter at the value that it has, even one that never changes.

    So a whole file of parameters, such as `ros2 param dump` writes, can be loaded back. A
    subclass sets `server`.
    """

    server: ParameterServer[Any]

    def set_parameters(self, parameter_list: list[RosParameter]) -> list[SetParametersResult]:
        """Set each parameter by itself; returns for each whether that worked, and why not."""
        return [self.set_parameters_atomically([parameter]) for parameter in parameter_list]

    def set_parameters_atomically(self, parameter_list: list[RosParameter]) -> SetParametersResult:
        """Set all parameters or none; returns whether that worked, and why not."""
        changes = self.server.changes(parameter_list)
        if not changes:
            return SetParametersResult(successful=True)
        return super().set_parameters_atomically(changes)


class ParameterServer(Generic[T]):
    """Declares the parameters that the dataclass `kind` describes on `node`, and follows them.

    `values` is a `kind` that is replaced as a whole, so that a thread that takes it sees
    values that belong together. What the command line or a file gave wrongly is in `problems`
    (a sentence by parameter name) until it is set right; the default stands in until then.
    While `is_locked()` only live parameters can be set to another value. `node` sets what
    `changes` leaves.
    """

    def __init__(
        self, node: Node, kind: type[T], is_locked: Callable[[], bool] = lambda: False
    ) -> None:
        self.problems: dict[str, str] = {}
        self._node = node
        self._table = {parameter.name: parameter for parameter in table(kind)}
        self._is_locked = is_locked
        self.values: T = kind(
            **{name: self._declare(node, entry) for name, entry in self._table.items()}
        )
        node.add_on_set_parameters_callback(self._check)
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

    def _coerce(self, given: RosParameter) -> RosParameter:
        if given.name in self._table and given.type_ is RosParameter.Type.INTEGER:
            return RosParameter(given.name, value=self._table[given.name].coerce(given.value))
        return given

    def _is_set(self, given: RosParameter) -> bool:
        if given.name in self.problems or not self._node.has_parameter(given.name):
            return False
        now = self._node.get_parameter(given.name)
        return bool(now.type_ is given.type_ and now.value == given.value)

    def _declare(self, node: Node, parameter: Parameter) -> Any:
        """Declare `parameter`; its value, or the default if what was given is not right."""
        # Declared without a type first, since a type would refuse 1 where 1.0 is meant.
        anything = ParameterDescriptor(dynamic_typing=True)
        value = node.declare_parameter(parameter.name, parameter.default, anything).value
        node.undeclare_parameter(parameter.name)
        try:
            value = parameter.check(value)
        except ValueError as reason:
            self.problems[parameter.name] = str(reason)
            value = parameter.default
        node.declare_parameter(parameter.name, value, describe(parameter), ignore_override=True)
        return value

    def _check(self, parameters: list[RosParameter]) -> SetParametersResult:
        """Whether `parameters` may be set now, with a sentence if not."""
        for given in parameters:
            known = self._table.get(given.name)
            if known is None:
                continue
            if self._is_locked() and not known.is_live:
                return SetParametersResult(
                    successful=False,
                    reason=f'{given.name} can only be changed before the node is configured; '
                    f'clean it up first',
                )
            try:
                known.check(given.value)
            except ValueError as reason:
                return SetParametersResult(successful=False, reason=str(reason))
        return SetParametersResult(successful=True)

    def _take_over(self, parameters: list[RosParameter]) -> None:
        changes = {given.name: given.value for given in parameters if given.name in self._table}
        self.values = replace(self.values, **changes)  # type: ignore[type-var]
        for name in changes:
            self.problems.pop(name, None)


def describe(parameter: Parameter) -> ParameterDescriptor:
    """What `ros2 param describe` says about `parameter`."""
    descriptor = ParameterDescriptor(
        description=parameter.description, read_only=parameter.is_read_only
    )
    if parameter.choices:
        descriptor.additional_constraints = f'One of {", ".join(parameter.choices)}.'
    if parameter.minimum is not None and parameter.maximum is not None:
        if isinstance(parameter.default, float):
            span = FloatingPointRange(from_value=parameter.minimum, to_value=parameter.maximum)
            descriptor.floating_point_range = [span]
        else:
            limits = {'from_value': int(parameter.minimum), 'to_value': int(parameter.maximum)}
            descriptor.integer_range = [IntegerRange(**limits)]
    return descriptor
