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

"""Small text on a dark ground, in any script and fast: what was written once is kept."""

from __future__ import annotations

import math
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import groupby

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

Colour = tuple[int, int, int]

GROUND: Colour = (20, 23, 28)
"""The colour on which all text stands."""


@dataclass(frozen=True)
class Style:
    """How text looks: `size` in pixels, RGB `colour`, weight."""

    size: int
    colour: Colour
    bold: bool = False


@lru_cache(maxsize=1024)
def words(text: str, style: Style) -> NDArray[np.uint8]:
    """`text` that comes again and again, as an RGB picture (line, width, 3) on the ground.

    It is drawn by fonts that have its characters; one that no font has becomes its number.
    """
    height, baseline = _line(style)
    runs = list(_runs(unicodedata.normalize('NFC', text), style))
    widths = [math.ceil(font.getlength(run)) for font, run in runs]
    image = Image.new('L', (sum(widths), height))
    pen = ImageDraw.Draw(image)
    x = 0
    for (font, run), width in zip(runs, widths, strict=True):
        pen.text((x, baseline), run, fill=255, font=font, anchor='ls')
        x += width
    cover = np.asarray(image, np.float32)[:, :, None] / 255
    ground = np.array(GROUND, np.float32)
    return np.rint(ground + cover * (np.array(style.colour) - ground)).astype(np.uint8)


def figures(text: str, style: Style) -> NDArray[np.uint8]:
    """`text` that hardly comes twice, such as a number, put together from its characters."""
    return np.concatenate([words(character, style) for character in text], axis=1)


@lru_cache(maxsize=1024)
def fitting(text: str, width: int, *styles: Style) -> NDArray[np.uint8]:
    """`words` in the first of `styles` in which `text` takes at most `width` pixels.

    If it is too long in all of them, its beginning and an ellipsis in the last.
    """
    # Few characters are narrower than a pixel; of a text of thousands no more is drawn.
    start = text[: width + 1]
    for style in styles:
        picture = words(start, style)
        if picture.shape[1] <= width:
            return picture

    def shortened(length: int) -> NDArray[np.uint8]:
        return words(start[:length].rstrip() + '…', styles[-1])

    fitting_lengths = bisect_right(
        range(len(start)), width, key=lambda length: shortened(length).shape[1]
    )
    return shortened(max(0, fitting_lengths - 1))[:, :width]


def put(
    picture: NDArray[np.uint8], text: NDArray[np.uint8], x: int, top: int, right: bool = False
) -> None:
    """Put `text` onto `picture`, its upper left corner, or with `right` the right one, there."""
    height, width = text.shape[:2]
    left = x - width if right else x
    picture[top : top + height, left : left + width] = text


def _line(style: Style) -> tuple[int, int]:
    """Height of a line in pixels, and how far below its top the letters stand."""
    ascent, descent = _font('', style.size, style.bold).getmetrics()
    return ascent + descent, ascent


def _runs(text: str, style: Style) -> Iterator[tuple[ImageFont.FreeTypeFont, str]]:
    """Pieces of `text`, each with the font that draws it."""
    characters = [_drawable(character, style) for character in text]
    for path, group in groupby(characters, key=lambda one: one[0]):
        yield _font(path, style.size, style.bold), ''.join(shown for _, shown in group)


def _drawable(character: str, style: Style) -> tuple[str, str]:
    """The font file that has `character`, empty for the usual one, and what it is to draw."""
    # Imported once something is drawn: a node that nobody watches saves 18 MB and 0.2 s.
    from snn_perception.reporting.fonts import codes, font_with, number_of, usual_font

    if ord(character) in codes(usual_font(style.bold)):
        return '', character
    entry = font_with(character)
    if entry is None or not _is_usable(entry.fname, style.size):
        return '', number_of(character)
    return entry.fname, character


def _is_usable(path: str, size: int) -> bool:
    """Whether Pillow can draw with the font file `path`; with bitmaps in it it often cannot."""
    try:
        _font(path, size, False)
    except OSError:
        return False
    return True


@lru_cache(maxsize=64)
def _font(path: str, size: int, bold: bool) -> ImageFont.FreeTypeFont:
    """The font in the file `path`, or the usual one if that is empty."""
    from snn_perception.reporting.fonts import usual_font

    return ImageFont.truetype(path or usual_font(bold), size)
