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

"""Which of the installed fonts has a character; needs no figure."""

from __future__ import annotations

from functools import cache

from matplotlib.font_manager import FontEntry, FontProperties, findfont, fontManager, get_font

PLACEHOLDERS = 'Last Resort'
"""A family of fonts, which Matplotlib brings along, that has a box for every character."""

USUAL = 'DejaVu Sans'
"""The family that Matplotlib brings along, and by which text is drawn where that can be."""


def usual_font(bold: bool = False) -> str:
    """The path of the usual font."""
    weight = 'bold' if bold else 'normal'
    return str(findfont(FontProperties(family=[USUAL], weight=weight)))


@cache
def font_with(character: str) -> FontEntry | None:
    """An installed font that has `character`; None if there is none."""
    for entry in sorted(fontManager.ttflist, key=lambda entry: (entry.name, entry.fname)):
        is_plain = (entry.style, entry.weight) == ('normal', 400)
        if is_plain and PLACEHOLDERS not in entry.name and ord(character) in codes(entry.fname):
            return entry
    return None


@cache
def codes(path: str) -> frozenset[int]:
    """The numbers of all characters in the font file `path`; none if it cannot be read."""
    try:
        return frozenset(get_font(path).get_charmap())
    except (OSError, RuntimeError):
        return frozenset()


def number_of(character: str) -> str:
    """What stands for a `character` that no font has, for example U+732B."""
    return f'U+{ord(character):04X}'
