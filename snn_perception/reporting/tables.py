"""Tables, which are rows of text with the head first, and ways to show them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

Table: TypeAlias = Sequence[Sequence[str]]


def markdown(table: Table) -> str:
    """`table` as Markdown, one row per line."""
    head, *rows = ('| ' + ' | '.join(row) + ' |' for row in table)
    return '\n'.join((head, '|' + '---|' * len(table[0]), *rows))


def from_figures(rows: Sequence[dict[str, Any]]) -> Table:
    """A table of `rows`, figures by name; all rows have the same names, which become the head."""
    return [list(rows[0]), *([shown(value) for value in row.values()] for row in rows)]


def aligned(table: Table) -> list[str]:
    """`table` for a screen, one line per row."""
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return [
        '  '.join(f'{cell:<{width}}' for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in table
    ]


def shown(value: Any) -> str:
    """A figure as tables and screens show it."""
    return f'{value:.6g}' if isinstance(value, float) else str(value)
