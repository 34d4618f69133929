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

from __future__ import annotations

import numpy as np

from snn_perception.datasets import Dataset
from snn_perception.reporting.augmentation_picture import save_augmentation
from snn_perception.training.augmentation import Augmentation
from snn_perception.training.camera_augmentation import CameraAugmentation
from snn_perception.training.preview import DRAWS, IMAGES, preview

AUGMENTATION = Augmentation(
    shift=2, flip=True, camera=CameraAugmentation(share=0.5, haze=0.6, jpeg=20)
)


def dataset(count=30):
    pixels = np.random.default_rng(0).integers(0, 256, (count, 16, 12, 3), np.uint8)
    return Dataset(pixels, np.arange(count) % 3, ('a', 'b', 'c'))


def test_a_preview_has_a_row_for_each_effect_and_some_of_all_together():
    rows = preview(AUGMENTATION, dataset(), seed=1)
    effects = ['as they are', 'shift 2', 'flip 1', 'haze 0.6', 'jpeg 20']
    together = [f'in training, {number + 1}' for number in range(DRAWS)]
    assert list(rows) == effects + together
    assert {row.shape for row in rows.values()} == {(IMAGES, 16, 12, 3)}
    before = rows['as they are']
    for name in effects[1:]:
        differs = [not np.array_equal(*pair) for pair in zip(rows[name], before, strict=True)]
        # No image is mirrored the first time that it is shown.
        assert any(differs) or name == 'flip 1'
    again = preview(AUGMENTATION, dataset(), seed=1)
    assert all(np.array_equal(rows[name], again[name]) for name in rows)


def test_a_preview_of_few_images_has_few_columns(tmp_path):
    rows = preview(AUGMENTATION, dataset(3), seed=1)
    assert {len(row) for row in rows.values()} == {3}
    path = tmp_path / 'augmentation.png'
    save_augmentation(rows, path)
    assert path.read_bytes().startswith(b'\x89PNG')
