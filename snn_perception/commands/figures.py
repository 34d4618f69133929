"""What the commands that measure have in common: counts as arguments, figures as results."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

Figures = dict[str, Any]


def count(text: str) -> int:
    """A whole number of at least 1, for argparse."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError('must be at least 1')
    return value


def add_engine(parser: argparse.ArgumentParser) -> None:
    """The options that choose an engine."""
    parser.add_argument('--backend', default='auto', help='auto, event, torch, rate or reference')
    parser.add_argument('--device', default='auto', help='auto, cpu or cuda')
    parser.add_argument('--threads', type=int, default=0, help='of event; 0: its own choice')
    parser.add_argument(
        '--precision', default='float32', help='weights of event: float32, bfloat16 or int8'
    )


def report(name: str, measure: Callable[[], Figures], target: Path | None) -> int:
    """Print what `measure` returns, and write it to `target` as JSON; the exit status.

    A ValueError or OSError is the sentence that command `name` ends with.
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
    """One `name value` line per figure, nested ones indented."""
    for name, value in figures.items():
        if isinstance(value, dict):
            if value:
                print(f'{indent}{name}')
            _print(value, indent + '  ')
        else:
            shown = f'{value:.6g}' if isinstance(value, float) else str(value)
            print(f'{indent}{name:<{26 - len(indent)}} {shown}')
