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

"""Folders of images and the labels of a model that they stand for."""

from __future__ import annotations

import numpy as np
import pytest

from snn_perception.datasets import Dataset, DatasetError

LABELS = (
    'tench, Tinca tinca',
    'crane',
    'gas pump, gasoline pump, petrol pump',
    'crane, machine',
    'cardigan',
    'Cardigan, Cardigan Welsh corgi',
    'giant panda, panda',
    'lesser panda, panda',
)


def matched(*names: str, labels: tuple[str, ...] = LABELS) -> list[int]:
    """Indices of the labels of one image in each of the folders called `names`."""
    images = np.zeros((len(names), 1, 1, 1), np.uint8)
    return Dataset(images, np.arange(len(names)), names).matched_to(labels).labels.tolist()


def test_folders_are_matched_by_any_name_of_a_label() -> None:
    assert matched('petrol pump', 'Tinca tinca', 'machine') == [2, 0, 3]


def test_the_whole_label_is_clear_even_where_it_is_a_name_of_another() -> None:
    assert matched('crane', 'crane, machine', 'cardigan') == [1, 3, 4]
    assert matched('Cardigan, Cardigan Welsh corgi') == [5]


def test_capital_letters_and_underscores_make_no_other_name() -> None:
    assert matched('Gas_Pump', 'GIANT  PANDA', 'Crane,_machine') == [2, 6, 3]


def test_two_folders_may_hold_images_of_the_same_label() -> None:
    assert matched('petrol_pump', 'gasoline_pump') == [2, 2]


def test_the_order_of_folders_and_labels_makes_no_difference() -> None:
    assert matched('tench', 'machine', labels=LABELS[::-1]) == [7, 4]


@pytest.mark.parametrize('name', ['panda', 'Crane', 'Cardigan'])
def test_a_name_of_two_labels_is_refused_with_both(name: str) -> None:
    with pytest.raises(DatasetError, match=f"{name} is a name of '.*' and of '.*'; a whole label"):
        matched('tench', name)


def test_all_folders_of_no_label_are_named_and_some_labels() -> None:
    many = tuple(f'thing {number}, object {number}' for number in range(1000))
    with pytest.raises(DatasetError) as refused:
        matched('object 7', 'zebra', 'yak', labels=many)
    assert 'the model does not know the class zebra, yak; it knows thing 0,' in str(refused.value)
    assert 'thing 19, object 19; and 980 more' in str(refused.value)
    assert 'thing 20,' not in str(refused.value)


def test_labels_in_the_same_letters_but_for_capitals_are_told_apart() -> None:
    assert matched('a', 'A', labels=('A', 'a')) == [1, 0]
