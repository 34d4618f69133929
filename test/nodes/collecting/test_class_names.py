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

"""Which names a class may have."""

from __future__ import annotations

import pytest

from snn_perception.nodes.collecting.class_names import checked_name


@pytest.mark.parametrize('name', ['mug', 'box of tea', 'Tasse für Tee', '碗', 'a.b', '100', 'a,b'])
def test_a_name_that_is_a_folder_is_taken_as_it_is(name: str) -> None:
    assert checked_name(name, ()) == name


def test_spaces_around_a_name_are_not_part_of_it() -> None:
    assert checked_name('  mug\n', ()) == 'mug'


def test_a_name_is_the_same_however_its_accents_are_written() -> None:
    assert checked_name('cafe\u0301', ()) == 'caf\u00e9'


@pytest.mark.parametrize(
    ('name', 'reason'),
    [
        ('', 'it needs a name'),
        ('   ', 'it needs a name'),
        ('a/b', 'slash'),
        ('..\\x', 'slash'),
        ('.', 'begins with a dot'),
        ('..', 'begins with a dot'),
        ('.hidden', 'begins with a dot'),
        ('__MACOSX', 'systems leave behind'),
        ('a\tb', 'control character'),
        ('a\x00b', 'control character'),
        ('a\u202eb', 'control character'),
        ('a\udcffb', 'cannot be shown'),
        ('Train', 'part of a data set'),
        ('é' * 51, 'it has 102 bytes, and may have 100'),
    ],
)
def test_a_name_that_cannot_be_is_refused_with_the_reason(name: str, reason: str) -> None:
    with pytest.raises(ValueError, match='a class cannot be called') as refused:
        checked_name(name, ())
    assert reason in str(refused.value)
    assert str(refused.value).isprintable()


@pytest.mark.parametrize('name', ['Mug cup', 'MUG CUP', 'mug_cup', 'mug  cup'])
def test_a_name_that_differs_only_in_how_it_is_written_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="there is 'mug cup', and names that differ only in"):
        checked_name(name, ['spoon', 'mug cup'])


def test_a_class_that_is_there_keeps_its_name_whatever_the_others_are_called() -> None:
    assert checked_name('Mug', ['mug', 'Mug']) == 'Mug'
