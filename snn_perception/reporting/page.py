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

"""An HTML page in a single file: pictures embedded, nothing else to load, no scripts."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from snn_perception.reporting.tables import Table

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; color: #1f2933; background: #f4f6f8; margin: 0 }
main { max-width: 56rem; margin: 0 auto; padding: 2rem 1rem }
h1 { margin: 0 } h2 { margin: 0 0 .5rem; font-size: 1.2rem }
section { background: white; border-radius: .5rem; padding: 1.2rem 1.5rem; margin: 1.2rem 0 }
dl { display: flex; flex-wrap: wrap; gap: .8rem; margin: 1.2rem 0 }
dl div { background: white; border-radius: .5rem; padding: .6rem 1rem; flex: 1 0 9rem }
dt { color: #5f6b76; font-size: .85rem } dd { margin: 0; font-size: 1.4rem; font-weight: 600 }
img { max-width: 100%; display: block; margin: .8rem auto 0 }
table { border-collapse: collapse; font-size: .9rem; margin-top: .8rem; width: 100% }
th, td { text-align: left; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid #e1e6ea }
p { margin: .3rem 0; color: #3e4c59 }
"""


@dataclass(frozen=True)
class Section:
    """A heading, a sentence or two, then a picture (a PNG file) or a table or both.

    The first row of `table` is its head.
    """

    heading: str
    text: str
    picture: Path | None = None
    table: Table = ()

    def html(self) -> str:
        """The section with its picture embedded."""
        parts = [f'<h2>{escape(self.heading)}</h2>', f'<p>{escape(self.text)}</p>']
        if self.picture:
            data = b64encode(self.picture.read_bytes()).decode()
            source = f'data:image/png;base64,{data}'
            parts.append(f'<img alt="{escape(self.heading)}" src="{source}">')
        if self.table:
            head, *rows = self.table
            parts.append(f'<table>{_row(head, "th")}{"".join(_row(row) for row in rows)}</table>')
        return '<section>\n' + '\n'.join(parts) + '\n</section>'


def page(
    title: str, introduction: str, headline: dict[str, str], sections: Sequence[Section]
) -> str:
    """The whole page; `headline` has the figures for the top, by name."""
    tiles = ''.join(
        f'<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>\n'
        for name, value in headline.items()
    )
    body = '\n'.join(section.html() for section in sections)
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f'<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n'
        f'<h1>{escape(title)}</h1>\n<p>{escape(introduction)}</p>\n<dl>\n{tiles}</dl>\n'
        f'{body}\n</main>\n</body>\n</html>\n'
    )


def _row(cells: Sequence[str], kind: str = 'td') -> str:
    return '<tr>' + ''.join(f'<{kind}>{escape(cell)}</{kind}>' for cell in cells) + '</tr>\n'
