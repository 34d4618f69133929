"""What commands that measure end with: figures, printed and written, or an error sentence."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from snn_perception.reporting import tables

Figures = dict[str, Any]


def report(name: str, measure: Callable[[], Figures], target: Path | None) -> int:
    """Print what `measure` returns and write it to `target` as JSON; returns the exit status.

    A ValueError or OSError is printed as the error of command `name`.
    """
    try:
        figures = measure()
        if target:
            target.write_text(json.dumps(figures, indent=2) + '\n', encoding='utf-8')
    except (ValueError, OSError) as reason:
        print(f'{name}: {reason}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    _print(figures)
    return 0


def _print(figures: Figures, indent: str = '') -> None:
    """Print one `name value` line per figure, nested figures indented, lists as tables."""
    for name, value in figures.items():
        if isinstance(value, dict):
            if value:
                print(f'{indent}{name}')
            _print(value, indent + '  ')
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            print(f'{indent}{name}')
            for line in tables.aligned(tables.from_figures(value)):
                print(f'{indent}  {line}')
        else:
            values = value if isinstance(value, list) else [value]
            print(f'{indent}{name:<{26 - len(indent)}} {" ".join(map(tables.shown, values))}')
