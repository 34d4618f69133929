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

"""How a parameter of a node is described: what may be given for it, and when it may change.

A node's parameters are a frozen dataclass; what ROS needs to know besides type and default is
in the metadata of its fields, which `parameter` makes.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from enum import Enum
from typing import Any, TypeVar

from snn_perception.sentences import shown

T = TypeVar('T')

KINDS = {bool: 'true or false', int: 'a whole number', float: 'a number', str: 'text'}
PLURALS = {int: 'whole numbers', float: 'numbers', str: 'texts'}


class Change(Enum):
    """When a parameter may change."""

    LIVE = 'At any time, between two frames.'
    RELOADS = 'At any time; a configured node loads the model anew and then exchanges it.'
    UNCONFIGURED = 'Only while the node is unconfigured.'
    NEVER = 'Never.'


@dataclass(frozen=True)
class Parameter:
    """What ROS is told about one parameter, and what may be given for it.

    `minimum` and `maximum` are inclusive, and hold for each element of a list. Lists are tuples
    here; `length` is how many elements one must have, 0 for any number but none.
    """

    name: str
    default: Any
    description: str
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    length: int = 0
    change: Change = Change.NEVER

    @property
    def is_list(self) -> bool:
        """Whether its value is a list."""
        return isinstance(self.default, tuple)

    @property
    def kind(self) -> Any:
        """The type of its value, or of the elements of a list."""
        return type(self.default[0]) if self.is_list else type(self.default)

    def coerce(self, value: Any) -> Any:
        """`value` in the type of the default if it is a whole number, or a list, that can be that.

        Numbers where text is meant are what `-p source:=0` gives for the first webcam.
        """
        if self.is_list:
            is_list = not isinstance(value, (str, bytes)) and hasattr(value, '__len__')
            return tuple(self._coerce_one(one) for one in value) if is_list else value
        return self._coerce_one(value)

    def check(self, value: Any) -> Any:
        """`value`, coerced; raises ValueError with a sentence that says what would be right."""
        value = self.coerce(value)
        if not self.is_list:
            self._check_one(value, KINDS[self.kind])
            return value
        number = f'{self.length} ' if self.length else ''
        wanted = f'a list of {number}{PLURALS[self.kind]}'
        if not isinstance(value, tuple) or len(value) != (self.length or max(len(value), 1)):
            raise ValueError(f'{self.name} must be {wanted}, not {shown(_plain(value))}')
        for one in value:
            self._check_one(one, wanted)
        return value

    def _coerce_one(self, value: Any) -> Any:
        return self.kind(value) if type(value) is int and self.kind in (float, str) else value

    def _check_one(self, value: Any, wanted: str) -> None:
        if type(value) is not self.kind:
            raise ValueError(f'{self.name} must be {wanted}, not {shown(_plain(value))}')
        if self.choices and value not in self.choices:
            raise ValueError(
                f'{self.name} must be one of {", ".join(self.choices)}, not {shown(_plain(value))}'
            )
        if self.minimum is None or self.maximum is None:
            return
        if not (self.minimum <= value <= self.maximum and math.isfinite(value)):
            raise ValueError(
                f'{self.name} must be between {self.minimum} and {self.maximum}, not {value}'
            )


def parameter(default: T, description: str, **properties: Any) -> T:
    """Field of a dataclass of parameters; `properties` are those of `Parameter`.

    `choices` may be a function that returns them, if they are not known before the first use.
    """
    metadata = {'description': description, **properties}
    return field(default=default, metadata=metadata)


def table(kind: type) -> Iterator[Parameter]:
    """The parameters that the dataclass `kind` describes, in its order."""
    for entry in fields(kind):
        properties = dict(entry.metadata)
        if callable(properties.get('choices')):
            properties['choices'] = properties['choices']()
        yield Parameter(entry.name, entry.default, **properties)


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
