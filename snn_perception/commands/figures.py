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

"""What commands that measure end with: figures, printed and written, or an error sentence."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from snn_perception.reporting import tables

Figures = dict[str, Any]


class Unwritten(OSError):
    """A command has its `figures`, but could not write them, or a picture of them, to `path`."""

    def __init__(self, figures: Figures, path: Path, reason: OSError) -> None:
        super().__init__(f'{path} cannot be written: {reason}')
        self.figures = figures


@contextmanager
def keeping(figures: Figures, path: Path) -> Iterator[None]:
    """While `path` is written: raises Unwritten with `figures` instead of an OSError."""
    try:
        yield
    except OSError as reason:
        raise Unwritten(figures, path, reason) from None


def deliver(name: str, measure: Callable[[], Figures], target: Path | None) -> int:
    """Print what `measure` returns and write it to `target` as JSON; returns the exit status.

    A ValueError or OSError is printed as the error of command `name`. Figures that were
    measured are printed even if they, or a picture of them, cannot be written.
    """
    problems = []
    try:
        figures = measure()
    except Unwritten as unwritten:
        figures = unwritten.figures
        problems.append(unwritten)
    except (ValueError, OSError) as reason:
        print(f'{name}: {reason}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    if target:
        try:
            with keeping(figures, target):
                target.write_text(to_json(figures), encoding='utf-8')
        except Unwritten as unwritten:
            problems.append(unwritten)
    _print(figures)
    for problem in problems:
        print(f'{name}: {problem}', file=sys.stderr)
    return 1 if problems else 0


def to_json(figures: Figures) -> str:
    """`figures` as JSON, in which numbers that are not finite are null."""
    return json.dumps(_finite(figures), indent=2, allow_nan=False) + '\n'


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _finite(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(each) for each in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _print(figures: Figures, indent: str = '') -> None:
    """Print one `name value` line per figure, nested figures indented, lists as tables."""
    for name, value in figures.items():
        rows = _rows(name, value)
        if rows:
            print(f'{indent}{name}')
            for line in tables.aligned(tables.from_figures(rows)):
                print(f'{indent}  {line}')
        elif isinstance(value, dict):
            if value:
                print(f'{indent}{name}')
            _print(value, indent + '  ')
        else:
            values = value if isinstance(value, list) else [value]
            print(f'{indent}{name:<{28 - len(indent)}} {" ".join(map(tables.shown, values))}')


def _rows(name: str, value: Any) -> list[Figures]:
    """The rows of `value` if it is a table: a list of figures, or such by what they are of."""
    rows: list[Any] = []
    if isinstance(value, list):
        rows = value
    elif isinstance(value, dict):
        rows = [{name: key, **row} if isinstance(row, dict) else row for key, row in value.items()]
    return rows if rows and all(isinstance(row, dict) for row in rows) else []
