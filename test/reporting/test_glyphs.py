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

"""Class names in any script: drawn without a warning, and nothing of them lost without a trace."""

from __future__ import annotations

import warnings

import matplotlib
import pytest
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.text import Text

from snn_perception.reporting.style import save_picture

UNASSIGNED = '\u0378'
"""A character that no font has, as there is none of this number."""


def codes(family):
    return set(get_font(findfont(FontProperties(family=[family]))).get_charmap())


ELSEWHERE = chr(min(codes('STIXGeneral') - codes('DejaVu Sans')))
"""A character that the usual font does not have, but another one that comes with Matplotlib."""


def picture_of(name):
    """A figure with `name` wherever a picture of ours may have the name of a class."""
    figure = Figure(layout='constrained')
    axes = figure.add_subplot()
    axes.plot([0, 1], label=f'{name} in a legend')
    axes.set_title(f'{name} as a title')
    axes.set_xticks([0, 1], [name, 'cat'], rotation=90)
    axes.annotate(f'{name}\nbeside', (0.5, 0.5))
    figure.legend()
    return figure


def with_name(name):
    return {name, f'{name} in a legend', f'{name} as a title', f'{name}\nbeside'}


def texts(figure):
    return {text.get_text() for text in figure.findobj(Text)}


@pytest.mark.parametrize('name', ['cat', '猫', 'кошка', 'قطة', ELSEWHERE, f'a{UNASSIGNED}', '🐈'])
def test_a_name_in_any_script_is_drawn_without_a_warning(tmp_path, name):
    settings = dict(matplotlib.rcParams)
    with warnings.catch_warnings():
        warnings.simplefilter('error')
        save_picture(picture_of(name), tmp_path / 'x.png')
    assert (tmp_path / 'x.png').stat().st_size > 1000
    assert dict(matplotlib.rcParams) == settings


def test_a_character_that_no_font_has_is_shown_as_its_number(tmp_path):
    figure = picture_of(f'a{UNASSIGNED}b')
    save_picture(figure, tmp_path / 'x.png')
    assert with_name('aU+0378b') <= texts(figure)
    assert not any(UNASSIGNED in text for text in texts(figure))


def test_a_character_of_another_font_is_drawn_by_that_one(tmp_path):
    figure = picture_of(ELSEWHERE)
    save_picture(figure, tmp_path / 'x.png')
    assert with_name(ELSEWHERE) <= texts(figure)
    for text in figure.findobj(Text):
        assert ELSEWHERE not in text.get_text() or any(
            ord(ELSEWHERE) in codes(family) for family in text.get_fontfamily()
        )
