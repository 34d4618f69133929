"""Tables as Markdown; a table is rows of text, the first of which is its head."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

Table: TypeAlias = Sequence[Sequence[str]]


def markdown(table: Table) -> str:
    """`table` as Markdown, every row on a line."""
    head, *rows = ('| ' + ' | '.join(row) + ' |' for row in table)
    return '\n'.join((head, '|' + '---|' * len(table[0]), *rows))
