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

"""Pictures on the disk: whole or not at all, and nobody's overwritten."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from camera_takes import picture

from snn_perception.datasets import load_dataset
from snn_perception.images import Preprocessing, read_image
from snn_perception.nodes.collecting.picture_folder import Count, PictureFolder


@pytest.fixture
def folder(tmp_path: Path) -> PictureFolder:
    return PictureFolder(tmp_path / 'new' / 'collected')


def test_a_picture_is_read_back_as_it_was(folder: PictureFolder) -> None:
    shown = picture('red', 1)
    path = folder.write(folder.begin_take('mug'), 1, shown)
    np.testing.assert_array_equal(read_image(path), shown)


def test_what_is_written_is_a_data_set_with_takes(folder: PictureFolder) -> None:
    for name in ('mug', 'spoon'):
        for _ in range(2):
            take = folder.begin_take(name)
            for number in range(1, 4):
                folder.write(take, number, picture('red', number))
    dataset = load_dataset(folder.path, Preprocessing((8, 8, 3)))
    assert dataset.class_names == ('mug', 'spoon')
    assert np.unique(dataset.takes, return_counts=True)[1].tolist() == [3, 3, 3, 3]
    assert folder.counts() == {'mug': Count(6, 2), 'spoon': Count(6, 2)}


def test_two_writers_never_write_into_the_same_take(folder: PictureFolder) -> None:
    other = PictureFolder(folder.path)
    takes = [writer.begin_take('mug') for writer in (folder, other, folder, other)]
    assert len(set(takes)) == 4


def test_nothing_is_left_of_a_picture_when_the_disk_is_full(
    folder: PictureFolder, full_disk
) -> None:
    noise = np.random.default_rng(0).integers(0, 255, (100, 100, 3), np.uint8)
    take = folder.begin_take('mug')
    with full_disk(), pytest.raises(OSError, match=r'0001.png cannot be written: .*too large'):
        folder.write(take, 1, noise)
    assert list(folder.path.iterdir()) == []


def test_pictures_in_no_take_are_counted_one_by_one(folder: PictureFolder) -> None:
    (folder.path / 'mug').mkdir()
    for name in ('a.png', 'b.JPG', 'notes.txt', '.hidden.png'):
        cv2.imwrite(str(folder.path / 'mug' / 'x.png'), picture('red', 0))
        (folder.path / 'mug' / 'x.png').rename(folder.path / 'mug' / name)
    assert folder.counts() == {'mug': Count(2, 2)}


def test_the_last_picture_takes_its_empty_folders_with_it(folder: PictureFolder) -> None:
    take = folder.begin_take('mug')
    paths = [folder.write(take, number, picture('red', number)) for number in (1, 2)]
    folder.delete(paths[1])
    assert list(take.iterdir()) == [paths[0]]
    folder.delete(paths[0])
    assert list(folder.path.iterdir()) == []


def test_a_folder_that_cannot_be_written_to_is_refused(tmp_path: Path) -> None:
    (tmp_path / 'file').touch()
    with pytest.raises(ValueError, match=r'folder .*file/in it cannot be written to'):
        PictureFolder(tmp_path / 'file' / 'in it')


def test_a_folder_of_parts_of_a_data_set_is_refused(tmp_path: Path) -> None:
    for part in ('train', 'test'):
        PictureFolder(tmp_path / part).begin_take('mug')
    with pytest.raises(ValueError, match=r'divided into parts .* for example .*train'):
        PictureFolder(tmp_path)
