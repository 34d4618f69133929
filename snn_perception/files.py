"""Files: YAML into typed, validated dataclasses, where things lie, and writing them whole."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlparse

import dacite
import yaml
from safetensors import SafetensorError

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


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """A path to write to meanwhile; in the end its file takes the place of `path`, or not at all.

    Raises OSError with a sentence if it cannot be written, as on a full disk.
    """
    unfinished = path.with_name(f'{path.name}.unfinished')
    try:
        yield unfinished
        os.replace(unfinished, path)
    except (OSError, SafetensorError) as reason:
        raise OSError(
            f'{path} cannot be written: {reason}; what was there before is kept'
        ) from None
    finally:
        unfinished.unlink(missing_ok=True)


def share_directory(package: str = 'snn_perception') -> Path:
    """Where `package` installed its data: models, configuration, images.

    Without an ament index that knows this package, its source tree. Raises ValueError if
    another package is not found.
    """
    try:
        from ament_index_python.packages import get_package_share_directory

        return Path(get_package_share_directory(package))
    # OSError: there is an index, but no workspace is sourced.
    except (ImportError, LookupError, OSError):
        if package != 'snn_perception':
            raise ValueError(
                f'package {package} is not found; is its workspace sourced?'
            ) from None
    return Path(__file__).resolve().parents[1]


def resolve(location: str, shipped: str) -> Path:
    """Path of a shipped name, a file path, or a `package://PACKAGE/PATH` URI.

    A plain word that is no existing path is a name in the folder `shipped` of this package,
    for example 'mnist' in 'models'. The path need not exist.
    """
    if location.startswith('package://'):
        uri = urlparse(location)
        return share_directory(uri.netloc) / uri.path.lstrip('/')
    path = Path(location).expanduser()
    if path.exists() or len(path.parts) != 1:
        return path
    return share_directory() / shipped / location
