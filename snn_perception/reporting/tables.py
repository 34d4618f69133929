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
