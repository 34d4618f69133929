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

"""Images without classes, from whatever folders they lie in."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from snn_perception.datasets import DatasetError, folders
from snn_perception.datasets.unlabelled import load_images
from snn_perception.images import Preprocessing

SMALL = Preprocessing((8, 8, 3))


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Five grey pictures at several depths, in the order of their levels."""
    names = (
        'birds/owl/1.png',
        'birds/owl/2.png',
        'birds/3.png',
        'shop/deep/down/4.jpg',
        'top.png',
    )
    for level, name in zip(range(10, 60, 10), sorted(names), strict=True):
        path = tmp_path / 'pictures' / name
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), np.full((12, 10), level, np.uint8))
    return tmp_path / 'pictures'


def test_images_are_found_at_any_depth_and_grouped_by_the_folder_they_lie_in(pictures) -> None:
    found = load_images(pictures, SMALL)
    assert found.images.shape == (5, 8, 8, 3)
    assert found.images.dtype == np.uint8
    assert found.images.mean(axis=(1, 2, 3)).tolist() == pytest.approx([10, 20, 30, 40, 50], abs=1)
    assert found.groups == ('birds', 'birds/owl', 'birds/owl', 'shop/deep/down', '.')


def test_no_folder_is_taken_for_a_part_of_the_data(pictures) -> None:
    for part in ('train', 'test'):
        (pictures / part / 'owl').mkdir(parents=True)
        cv2.imwrite(str(pictures / part / 'owl' / 'a.png'), np.zeros((9, 9), np.uint8))
    assert {'train/owl', 'test/owl', 'birds'} < set(load_images(pictures, SMALL).groups)


def test_unreadable_images_are_skipped_with_one_sentence_that_counts_them(
    pictures, caplog
) -> None:
    for number in range(10):
        (pictures / 'birds' / f'cut{number}.jpg').write_bytes(b'\xff\xd8\xff\xc0\x00\x02')
    found = load_images(pictures, SMALL)
    assert (len(found), len(found.groups), found.unreadable) == (5, 5, 10)
    [record] = caplog.records
    assert '10 of the 15 images in' in record.getMessage()
    assert 'cut2.jpg' in record.getMessage()
    assert 'and 7 more' in record.getMessage()


def test_a_limit_takes_images_from_all_folders(pictures) -> None:
    assert load_images(pictures, SMALL, limit=2).groups == ('birds/owl', 'shop/deep/down')


def test_files_of_another_kind_are_skipped_with_a_word(pictures, caplog) -> None:
    (pictures / 'birds' / 'notes.txt').write_text('an owl')
    assert len(load_images(pictures, SMALL)) == 5
    assert 'skipped 1 of no known image format (notes.txt)' in caplog.text


def test_a_folder_without_an_image_that_can_be_read_is_refused(tmp_path) -> None:
    with pytest.raises(DatasetError, match='none is not a folder'):
        load_images(tmp_path / 'none', SMALL)
    (tmp_path / 'notes.txt').write_text('an owl')
    with pytest.raises(DatasetError, match=r'holds no images, but 1 of no known .* \(notes.txt\)'):
        load_images(tmp_path, SMALL)
    (tmp_path / 'cut.jpg').write_bytes(b'\xff\xd8\xff\xc0\x00\x02')
    with pytest.raises(DatasetError, match=r'none of the 1 images in .* can be read: .*cut\.jpg'):
        load_images(tmp_path, SMALL)


def test_more_images_than_memory_holds_are_refused_before_they_are_read(
    pictures, monkeypatch
) -> None:
    monkeypatch.setattr(folders, 'MAXIMUM_BYTES', 5 * 8 * 8 * 3 - 1)
    with pytest.raises(DatasetError, match=r'5 images of \(8, 8, 3\) are too large to read'):
        load_images(pictures, SMALL, progress=pytest.fail)
    assert len(load_images(pictures, SMALL, limit=4)) == 4
