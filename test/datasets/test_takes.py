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

"""Frames of a take stay on one side of a split."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from snn_perception.datasets import Dataset, DatasetError, drawn, load_dataset, split
from snn_perception.datasets.takes import is_take
from snn_perception.images import Preprocessing

SMALL = Preprocessing((8, 8, 3))


def write(folder: Path, *places: str) -> None:
    """Pictures at `places`, each of another brightness."""
    for level, place in enumerate(places):
        (folder / place).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(folder / place), np.full((12, 10, 3), level, np.uint8))


def of_takes(**takes: list[int]) -> Dataset:
    """A data set with classes of takes of so many images each."""
    labels, numbers = [], []
    for label, sizes in enumerate(takes.values()):
        for size in sizes:
            numbers += [max(numbers, default=-1) + 1] * size
            labels += [label] * size
    images = np.zeros((len(labels), 8, 8, 3), np.uint8)
    images[:, 0, 0, 0] = np.arange(len(labels))
    return Dataset(images, np.array(labels), tuple(takes), takes=np.array(numbers))


def sizes(dataset: Dataset) -> dict[str, list[int]]:
    """How many images of each take there are, by class."""
    return {
        name: np.unique(dataset.takes[dataset.labels == label], return_counts=True)[1].tolist()
        for label, name in enumerate(dataset.class_names)
    }


@pytest.mark.parametrize('name', ['take-1', 'Take 2', 'take03', 'TAKE_20261126-101500-2'])
def test_a_folder_with_a_number_is_a_take(name: str) -> None:
    assert is_take(name)


@pytest.mark.parametrize('name', ['takeaway', 'take', 'retake-1', 'summer', '1'])
def test_any_other_folder_is_no_take(name: str) -> None:
    assert not is_take(name)


def test_pictures_know_their_takes_and_one_without_is_a_take_of_its_own(tmp_path: Path) -> None:
    write(
        tmp_path,
        *('can/take-1/1.png', 'can/take-1/2.png', 'can/take-2/1.png', 'can/alone.png'),
        *('cup/take-1/1.png', 'cup/take-1/deeper/take-5/2.png'),
    )
    takes = load_dataset(tmp_path, SMALL).takes
    assert takes is not None
    # In order of the paths: alone.png comes first.
    assert [len(np.unique(takes[:4])), takes[1] == takes[2], takes[4] == takes[5]] == [3, 1, 1]
    assert not set(takes[:4].tolist()) & set(takes[4:].tolist())


def test_pictures_in_no_take_are_divided_as_ever(tmp_path: Path) -> None:
    write(tmp_path, *(f'{name}/summer/{n}.png' for name in ('can', 'cup') for n in range(20)))
    dataset = load_dataset(tmp_path, SMALL)
    assert dataset.takes is None
    for ours, theirs in zip(split(dataset, 6, 3), drawn(dataset, 6, 3), strict=True):
        np.testing.assert_array_equal(ours.images, theirs.images)


def test_the_takes_of_the_only_class_are_no_classes(tmp_path: Path) -> None:
    write(tmp_path, 'can/take-1/1.png', 'can/take-2/1.png')
    assert load_dataset(tmp_path, SMALL).class_names == ('can',)


def test_pictures_that_cannot_be_read_leave_the_takes_of_the_others(tmp_path: Path) -> None:
    write(tmp_path, *(f'{name}/take-{n}/1.png' for name in ('can', 'cup') for n in range(3)))
    (tmp_path / 'can' / 'take-0' / '0.png').write_bytes(b'nothing')
    dataset = load_dataset(tmp_path, SMALL, skip_unreadable=True)
    assert sizes(dataset) == {'can': [1, 1, 1], 'cup': [1, 1, 1]}


@pytest.mark.parametrize('seed', range(5))
def test_a_split_holds_out_whole_takes_of_every_class(seed: int) -> None:
    dataset = of_takes(can=[10] * 6, cup=[7, 20, 5, 9], key=[30, 30])
    training, validation = split(dataset, 30, seed)
    assert not set(training.takes) & set(validation.takes)
    assert sizes(validation)['can'] == [10]
    assert sizes(validation)['key'] == [30]
    assert len(sizes(training)['cup']) >= 2
    assert 5 <= sum(sizes(validation)['cup']) <= 12
    assert len(training) + len(validation) == len(dataset)


def test_a_split_by_takes_depends_on_its_seed_and_nothing_else() -> None:
    dataset = of_takes(can=[5] * 9, cup=[5] * 9)
    held_out = [split(dataset, 15, seed)[1].takes.tolist() for seed in (1, 1, 2)]
    assert held_out[0] == held_out[1] != held_out[2]


def test_the_end_of_the_only_take_is_held_out() -> None:
    training, validation = split(of_takes(can=[20], cup=[10, 10]), 8, seed=1)
    assert validation.images[validation.labels == 0, 0, 0, 0].tolist() == [16, 17, 18, 19]
    assert sizes(training) == {'can': [16], 'cup': [10]}


@pytest.mark.parametrize('held_out', [2, 10, 23])
def test_each_class_keeps_a_take_to_learn_from(held_out: int) -> None:
    training, _ = split(of_takes(can=[9, 1], cup=[2, 2], key=[10]), held_out, seed=1)
    assert all(sizes(training).values())


def test_a_split_by_takes_that_holds_out_nothing_keeps_everything() -> None:
    training, validation = split(of_takes(can=[3, 3]), 0, seed=1)
    assert (len(training), len(validation)) == (6, 0)
    with pytest.raises(DatasetError, match='cannot be held out'):
        split(of_takes(can=[3, 3]), 6, seed=1)
