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

import pytest
import torch

from snn_perception.training.augmentation import Augmentation

FIRST = torch.zeros(64, dtype=torch.int64)
"""The turn of images that are shown for the first time."""


def images(count=64, size=20):
    """A bright square in the middle of each image."""
    result = torch.zeros(count, 1, size, size)
    result[:, :, 7:13, 7:13] = 1
    return result


def centre(batch):
    """Centre of mass (batch, 2) in pixels."""
    positions = torch.arange(batch.shape[-1], dtype=torch.float32)
    total = batch.sum(dim=(1, 2, 3))
    rows = (batch.sum(dim=(1, 3)) * positions).sum(dim=1) / total
    columns = (batch.sum(dim=(1, 2)) * positions).sum(dim=1) / total
    return torch.stack([rows, columns], dim=1)


def test_no_augmentation_changes_nothing():
    assert torch.equal(Augmentation().apply(images(), FIRST), images())


def test_translation_moves_by_at_most_what_it_says_and_not_always_alike():
    torch.manual_seed(0)
    moved = centre(Augmentation(translation=3.0).apply(images(), FIRST)) - 9.5
    assert moved.abs().max() <= 3.05
    assert moved.std(dim=0).min() > 1


def test_a_shift_is_of_whole_pixels_within_its_bounds_and_mirrors_the_edge():
    torch.manual_seed(0)
    columns = torch.arange(20.0).expand(64, 3, 20, 20)
    shifted = Augmentation(shift=2).apply(columns + 100 * columns.transpose(2, 3), FIRST)
    right, down = shifted[:, 0, 9, 9] % 100 - 9, shifted[:, 0, 9, 9] // 100 - 9
    assert set(right.tolist()) == set(down.tolist()) == {-2, -1, 0, 1, 2}
    assert not torch.equal(right, down)
    expected = {-2: [2, 1, 0, 1], -1: [1, 0, 1, 2], 0: [0, 1, 2, 3], 2: [2, 3, 4, 5]}
    for image, offset in zip(shifted, right.tolist(), strict=True):
        if offset in expected:
            assert (image[:, 9, :4] % 100 == torch.tensor(expected[offset])).all()


def test_rotation_keeps_the_centre_and_the_mass():
    torch.manual_seed(0)
    turned = Augmentation(rotation=40.0).apply(images(), FIRST)
    assert not torch.allclose(turned, images())
    assert (centre(turned) - 9.5).abs().max() < 0.05
    assert torch.allclose(turned.sum(dim=(1, 2, 3)), images().sum(dim=(1, 2, 3)), rtol=0.05)


def test_scale_changes_the_area_within_its_bounds():
    torch.manual_seed(0)
    area = Augmentation(scale=0.2).apply(images(), FIRST).sum(dim=(1, 2, 3)) / 36
    assert 1 / 1.2**2 - 0.05 < area.min() < 0.9
    assert 1.1 < area.max() < 1 / 0.8**2 + 0.05


def test_flip_mirrors_each_image_every_second_time_it_is_shown():
    images = torch.rand(6, 3, 20, 20)
    turns = torch.tensor([0, 1, 2, 7, 8, 9])
    now, next_time = (Augmentation(flip=True).apply(images, turns + more) for more in (0, 1))
    for image, turn, first, second in zip(images, turns, now, next_time, strict=True):
        expected = (image.flip(2), image) if turn % 2 else (image, image.flip(2))
        assert torch.equal(first, expected[0])
        assert torch.equal(second, expected[1])


def test_erase_gives_a_square_of_its_size_the_mean_colour_of_the_image():
    torch.manual_seed(0)
    images = torch.rand(50, 3, 20, 20)
    erased = Augmentation(erase=5).apply(images, FIRST[:50])
    mean = images.mean(dim=(2, 3), keepdim=True)
    changed = (erased != images).any(dim=1)
    assert torch.all(changed.sum(dim=(1, 2)) == 25)
    assert torch.all((erased == mean)[changed[:, None].expand_as(images)])


@pytest.mark.parametrize('values', [{'rotation': -1.0}, {'scale': 1.0}, {'elastic': float('nan')}])
def test_impossible_bounds_are_refused(values):
    with pytest.raises(ValueError, match=next(iter(values))):
        Augmentation(**values)
