"""YAML files as typed, validated dataclasses."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import dacite
import yaml

T = TypeVar('T')

MAXIMUM_YAML_BYTES = 1_000_000


def read_yaml(path: Path, error: type[ValueError] = ValueError) -> dict[str, Any]:
    """The mapping in the YAML file `path`; raises `error` with a sentence if there is none."""
    try:
        if path.stat().st_size > MAXIMUM_YAML_BYTES:
            raise error(f'{path} is larger than the {MAXIMUM_YAML_BYTES} bytes a YAML file may be')
        content = yaml.safe_load(path.read_text(encoding='utf-8'))
    except FileNotFoundError:
        raise error(f'{path} does not exist') from None
    except (OSError, UnicodeDecodeError) as reason:
        raise error(f'{path} cannot be read: {reason}') from None
    except (yaml.YAMLError, RecursionError) as reason:
        raise error(f'{path} is not valid YAML: {" ".join(str(reason).split())}') from None
    if not isinstance(content, dict):
        raise error(f'{path} must hold a mapping of names to values')
    return content


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
    config = dacite.Config(
        type_hooks={float: _number, int: _integer, **(hooks or {})}, cast=[tuple], strict=True
    )
    try:
        return dacite.from_dict(kind, content, config)
    except dacite.MissingValueError as reason:
        raise error(f'{source}: {reason.field_path} is missing') from None
    except dacite.UnexpectedDataError as reason:
        unknown = ', '.join(sorted(map(str, reason.keys)))
        raise error(f'{source}: unknown {unknown}') from None
    except dacite.WrongTypeError as reason:
        wanted = getattr(reason.field_type, '__name__', reason.field_type)
        raise error(
            f'{source}: {reason.field_path} must be of type {wanted}, not {reason.value!r}'
        ) from None
    except (ValueError, TypeError) as reason:
        raise error(f'{source}: {reason}') from None


def _number(value: Any) -> Any:
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _integer(value: Any) -> Any:
    if isinstance(value, bool):
        raise ValueError(f'a whole number is needed, not {value}')
    return value
