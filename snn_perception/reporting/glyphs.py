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

"""Names in any script in pictures: by a font that has their glyphs, or by the numbers of those."""

from __future__ import annotations

from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont
from matplotlib.text import Text
from matplotlib.ticker import FixedLocator

from snn_perception.reporting.fonts import codes, font_with, number_of


def make_drawable(figure: Figure) -> None:
    """Have every text in `figure` drawn by fonts that have its glyphs.

    A character that no installed font has becomes its number, such as U+732B.
    """
    for text in figure.findobj(Text):
        _make_text_drawable(text)
    for axes in figure.axes:
        for axis in (axes.xaxis, axes.yaxis):
            _make_ticks_drawable(axis)


def _make_text_drawable(text: Text) -> None:
    missing = _missing(text)
    if missing:
        found = {font.name for character in missing if (font := font_with(character))}
        text.set_fontfamily([*text.get_fontfamily(), *sorted(found)])
        text.set_text(_numbered(text.get_text(), missing))


def _make_ticks_drawable(axis: Axis) -> None:
    """Names at ticks: an axis writes them anew whenever it is drawn."""
    if isinstance(axis.get_major_locator(), FixedLocator):
        labels = axis.get_ticklabels()
        missing = set().union(*map(_missing, labels))
        if missing:
            names = [_numbered(label.get_text(), missing) for label in labels]
            for label in labels:
                _make_text_drawable(label)
            axis.set_ticklabels(names)


def _missing(text: Text) -> set[str]:
    """The characters of `text` that its font does not have."""
    characters = set(text.get_text()) - {'\n'}
    return {
        each for each in characters if ord(each) not in codes(findfont(text.get_fontproperties()))
    }


def _numbered(name: str, missing: set[str]) -> str:
    """`name` with a number for each of the `missing` characters that no font has."""
    return ''.join(
        number_of(each) if each in missing and not font_with(each) else each for each in name
    )
