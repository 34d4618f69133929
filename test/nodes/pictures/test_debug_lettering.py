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

"""Text in pictures of answers: in any script, and never wider than its room."""

from __future__ import annotations

import numpy as np
import pytest

from snn_perception.nodes.pictures.debug_lettering import (
    GROUND,
    Style,
    figures,
    fitting,
    put,
    words,
)

STYLE = Style(12, (255, 255, 255))
LARGE = Style(24, (255, 255, 255), bold=True)
UNASSIGNED = '\u0378'
"""A character that no font has, as there is none of this number."""


def is_drawn(text: np.ndarray) -> bool:
    return bool((text != np.array(GROUND, np.uint8)).any())


@pytest.mark.parametrize('style', [STYLE, LARGE])
@pytest.mark.parametrize('name', ['cat', '猫', 'кошка', 'قطة', 'Straße', '🐈', 'a\tb', '\ud800'])
def test_name_in_any_script_leaves_a_trace(name: str, style: Style) -> None:
    assert is_drawn(words(name, style))
    assert words(name, style).shape[0] == words('a', style).shape[0]


def test_character_that_no_font_has_is_written_as_its_number() -> None:
    assert np.array_equal(words(f'a{UNASSIGNED}b', STYLE), words('aU+0378b', STYLE))


def test_accent_of_its_own_is_written_on_its_letter() -> None:
    assert np.array_equal(words('e\u0301', STYLE), words('é', STYLE))


def test_text_of_nothing_takes_no_room() -> None:
    assert words('', STYLE).shape == (*words('a', STYLE).shape[:1], 0, 3)


def test_number_is_put_together_from_its_characters() -> None:
    number = figures('12.3 ms', STYLE)
    assert number.shape[1] == sum(words(each, STYLE).shape[1] for each in '12.3 ms')
    assert np.array_equal(number[:, : words('1', STYLE).shape[1]], words('1', STYLE))


def test_name_is_written_in_the_largest_style_that_has_room() -> None:
    width = words('automobile', STYLE).shape[1]
    assert width < words('automobile', LARGE).shape[1]
    smaller = fitting('automobile', width, LARGE, STYLE)
    assert np.array_equal(smaller, words('automobile', STYLE))
    assert np.array_equal(fitting('automobile', 500, LARGE, STYLE), words('automobile', LARGE))


@pytest.mark.parametrize('width', [20, 61, 200])
@pytest.mark.parametrize('name', ['a very long fire engine', 'W' * 100_000, 'i' * 300, '猫' * 50])
def test_name_without_room_is_cut_as_late_as_can_be(name: str, width: int) -> None:
    cut = [words(f'{name[:length].rstrip()}…', STYLE) for length in range(width)]
    longest = [text for text in cut if text.shape[1] <= width][-1]
    whole = words(name, STYLE) if len(name) < 1000 else longest
    expected = whole if whole.shape[1] <= width else longest
    assert np.array_equal(fitting(name, width, LARGE, STYLE), expected)


@pytest.mark.parametrize('width', [0, 1, 5])
def test_even_the_ellipsis_takes_no_more_than_its_room(width: int) -> None:
    assert fitting('fire engine', width, LARGE, STYLE).shape[1] <= width


def test_text_is_put_where_its_left_or_its_right_corner_should_be() -> None:
    text = words('cat', STYLE)
    height, width = text.shape[:2]
    picture = np.zeros((50, 100, 3), np.uint8)
    put(picture, text, 3, 4)
    put(picture, text, 100, 30, right=True)
    assert np.array_equal(picture[4 : 4 + height, 3 : 3 + width], text)
    assert np.array_equal(picture[30 : 30 + height, 100 - width :], text)
