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

"""YAML files as typed, validated dataclasses."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import is_dataclass
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

import dacite
import yaml

from snn_perception.sentences import sentence, shown

T = TypeVar('T')

MAXIMUM_YAML_BYTES = 1_000_000
MAXIMUM_YAML_VALUES = 1_000_000
WORDS = {
    str: ('text', 'texts'),
    int: ('a whole number', 'whole numbers'),
    float: ('a number', 'numbers'),
    bool: ('true or false', 'entries that are true or false'),
}
"""What values of a type are called, one and several."""
QUOTES = 'put quotes around what YAML reads as something else, as in "0" and "yes"'


def read_yaml(path: Path, error: type[ValueError] = ValueError) -> dict[str, Any]:
    """The mapping in the YAML file `path`; raises `error` with a sentence if there is none."""
    try:
        if path.stat().st_size > MAXIMUM_YAML_BYTES:
            raise error(f'{path} is larger than the {MAXIMUM_YAML_BYTES} bytes a YAML file may be')
        text = path.read_text(encoding='utf-8')
    except FileNotFoundError:
        raise error(f'{path} does not exist') from None
    except (OSError, UnicodeDecodeError) as reason:
        raise error(f'{path} cannot be read: {reason}') from None
    return parse_yaml(text, path, error)


def parse_yaml(text: str, source: object, error: type[ValueError] = ValueError) -> dict[str, Any]:
    """The mapping in the YAML `text`, which messages call `source`; raises `error`."""
    try:
        content = yaml.load(text, _Loader)
    except yaml.YAMLError as reason:
        raise error(f'{source} is not valid YAML: {sentence(reason)}') from None
    except Exception as reason:  # What PyYAML meets in a value that does not fit its own tag.
        said = f'{type(reason).__name__}: {sentence(reason)}'
        raise error(f'{source} is not valid YAML: {said}') from None
    if not isinstance(content, dict):
        raise error(f'{source} must hold a mapping of names to values')
    return content


class _Loader(yaml.SafeLoader):
    """Refuses what cannot be text, and values that refer to each other until they are endless."""

    def get_single_node(self) -> Any:
        node = super().get_single_node()
        if node is not None:
            _count(node, {})
        return node


def _count(node: yaml.Node, counted: dict[yaml.Node, int]) -> int:
    """How many values `node` stands for, those that it refers to included; raises YAMLError.

    In `counted`, what holds a node that is being counted has no values yet.
    """
    if node in counted:
        if counted[node] == 0:
            raise yaml.YAMLError('a value holds itself')
        return counted[node]
    counted[node] = 0
    parts: list[yaml.Node] = []
    if isinstance(node, yaml.MappingNode):
        parts = [part for pair in node.value for part in pair]
    elif isinstance(node, yaml.SequenceNode):
        parts = node.value
    elif any('\ud800' <= letter <= '\udfff' for letter in node.value):
        raise yaml.YAMLError(f'{node.value[:40]!a} holds half of a letter')
    counted[node] = 1 + sum(_count(part, counted) for part in parts)
    if counted[node] > MAXIMUM_YAML_VALUES:
        raise yaml.YAMLError(f'it stands for more than {MAXIMUM_YAML_VALUES} values')
    return counted[node]


def build(
    kind: type[T],
    content: dict[str, Any],
    source: object,
    error: type[ValueError] = ValueError,
    hooks: dict[Any, Callable] | None = None,
) -> T:
    """Dataclass `kind` from the nested mapping `content`, every field checked.

    `source` names where the content came from, in messages; `hooks` maps a field's type to
    what makes a value of that type from the raw one. Raises `error` for an unknown or missing
    field, a value of the wrong type, and what the dataclasses themselves refuse.
    """
    lists = {hint: _list_for(hint) for hint in _tuples_in(kind)}
    config = dacite.Config(
        type_hooks={float: _number, int: _integer, **lists, **(hooks or {})}, strict=True
    )
    try:
        return dacite.from_dict(kind, content, config)
    except dacite.MissingValueError as reason:
        raise error(f'{source}: {reason.field_path} is missing') from None
    except dacite.UnexpectedDataError as reason:
        unknown = ', '.join(sorted(map(str, reason.keys)))
        raise error(f'{source}: unknown {sentence(unknown)}') from None
    except dacite.WrongTypeError as reason:
        wanted = _wanted(reason.field_type, reason.value)
        raise error(f'{source}: {reason.field_path} must be {wanted}') from None
    except (ValueError, TypeError) as reason:
        raise error(f'{source}: {sentence(reason)}') from None


def _number(value: Any) -> Any:
    if isinstance(value, bool):  # which Python, and dacite, take for a number
        raise dacite.WrongTypeError(float, value)
    try:
        return float(value) if isinstance(value, int) else value
    except OverflowError:
        raise dacite.WrongTypeError(float, value) from None


def _integer(value: Any) -> Any:
    if isinstance(value, bool):
        raise dacite.WrongTypeError(int, value)
    return value


def _list_for(hint: Any) -> Callable[[Any], tuple]:
    """A function that makes a tuple of what stands where `hint` is, which must be a list."""

    def as_tuple(value: Any) -> tuple:
        # Python would make a tuple of any text, too: of its letters.
        if not isinstance(value, list | tuple) or len(value) != (_length(hint) or len(value)):
            raise dacite.WrongTypeError(hint, value)
        return tuple(value)

    return as_tuple


def _length(hint: Any) -> int | None:
    """How many entries a tuple of type `hint` has, None if any number will do."""
    return None if get_args(hint)[-1] is ... else len(get_args(hint))


def _tuples_in(hint: Any) -> frozenset[Any]:
    """The types of tuples in `hint`, also in the fields of a dataclass."""
    found = {hint} if get_origin(hint) is tuple else set()
    inner = get_type_hints(hint).values() if is_dataclass(hint) else get_args(hint)
    return frozenset(found.union(*map(_tuples_in, inner)))


def _wanted(hint: Any, value: Any) -> str:
    """What a field of type `hint` must be, where `value` stands."""
    if isinstance(hint, UnionType):
        return f'{" or ".join(map(_noun, get_args(hint)))}, not {shown(value)}'
    if get_origin(hint) is tuple:
        entry = get_args(hint)[0]
        if entry is not str or not isinstance(value, tuple):
            written = list(value) if isinstance(value, tuple) else value
            return f'{_noun(hint)}, not {shown(written)}'
        odd = ', '.join([shown(each) for each in value if not isinstance(each, str)][:3])
        return f'a list of texts, not of {odd}: {QUOTES}'
    return f'{_noun(hint)}, not {shown(value)}' + (f': {QUOTES}' if hint is str else '')


def _noun(hint: Any) -> str:
    """What a value of type `hint` is called."""
    if get_origin(hint) is tuple:
        count = f'{_length(hint)} ' if _length(hint) else ''
        return f'a list of {count}{WORDS.get(get_args(hint)[0], ("", "entries"))[1]}'
    return WORDS[hint][0] if hint in WORDS else f'of type {getattr(hint, "__name__", hint)}'
