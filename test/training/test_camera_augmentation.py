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

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from snn_perception.training import camera_effects as effects
from snn_perception.training.camera_augmentation import BOUNDS, CameraAugmentation

STRONG = {
    'haze': 0.6, 'defocus': 2.0, 'motion': 6.0, 'exposure': 2.0, 'white_balance': 0.5,
    'shot_noise': 30.0, 'read_noise': 25.0, 'contrast': 0.7, 'saturation': 0.6,
    'shrinking': 0.5, 'jpeg': 20.0,
}  # fmt: skip
COLOURED = {'white_balance', 'saturation'}


def photographs(count=8, channels=3, height=32, width=32):
    """Smooth coloured images with an edge in each."""
    generator = torch.Generator().manual_seed(5)
    coarse = torch.rand(count, channels, 5, 5, generator=generator)
    images = torch.nn.functional.interpolate(coarse, (height, width), mode='bicubic').clamp(0, 1)
    images[:, :, height // 2 :, width // 2 :] *= 0.3
    return images


def each(images, value):
    return torch.full((len(images),), float(value))


def seeded(seed=3):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize('name', STRONG)
@pytest.mark.parametrize('channels', [1, 3])
@pytest.mark.parametrize('size', [(32, 32), (21, 40), (3, 2), (1, 1)])
def test_every_effect_keeps_the_shape_and_the_range_and_changes_what_it_can(name, channels, size):
    images = photographs(channels=channels, height=size[0], width=size[1])
    before = images.clone()
    camera = CameraAugmentation(share=1.0, chance=1.0, **{name: STRONG[name]})
    changed = camera.apply(images, seeded())
    assert changed.shape == images.shape
    assert changed.dtype == images.dtype
    assert 0 <= changed.min() <= changed.max() <= 1
    assert torch.equal(images, before)
    if size == (32, 32):
        is_touched = (changed - images).abs().amax(dim=(1, 2, 3)) > 1e-4
        assert is_touched.any() == (channels == 3 or name not in COLOURED)


def test_without_strengths_or_share_images_stay_as_they_are():
    images = photographs()
    assert torch.equal(CameraAugmentation(share=1.0, chance=1.0).apply(images), images)
    assert torch.equal(CameraAugmentation(share=0.0, **STRONG).apply(images), images)


def test_the_same_random_numbers_do_the_same():
    camera = CameraAugmentation(share=0.7, mixing=0.5, **STRONG)
    first, again, other = (camera.apply(photographs(), seeded(seed)) for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


def test_as_many_images_are_damaged_as_share_and_chance_say():
    images = photographs(count=2000, height=4, width=4)
    camera = CameraAugmentation(share=0.5, chance=0.4, haze=0.5)
    is_touched = (camera.apply(images, seeded()) != images).flatten(1).any(dim=1)
    assert is_touched.float().mean() == pytest.approx(0.2, abs=0.04)


def test_mixing_keeps_a_share_of_the_image_as_it_was():
    images = photographs(count=500)
    camera = CameraAugmentation(share=1.0, chance=1.0, contrast=1.0)
    mixed = CameraAugmentation(share=1.0, chance=1.0, contrast=1.0, mixing=1.0)
    size = [(each.apply(images, seeded()) - images).abs().mean() for each in (camera, mixed)]
    assert size[1] / size[0] == pytest.approx(0.5, abs=0.05)


def test_a_stop_more_is_twice_the_light():
    images = photographs() * 0.5
    exposed = effects.expose(images, each(images, 1))
    assert torch.allclose(exposed**effects.GAMMA, 2 * images**effects.GAMMA, atol=1e-5)
    assert effects.expose(torch.ones(1, 3, 4, 4), torch.ones(1)).max() == 1


def test_white_balance_and_saturation_leave_grey_scales_alone_where_they_should():
    images = photographs()
    shifted = effects.balance_white(images, each(images, 0.5), each(images, -0.5))
    assert torch.equal(shifted[:, 1], images[:, 1])
    assert (shifted[:, 0] >= images[:, 0]).all()
    assert (shifted[:, 2] <= images[:, 2]).all()
    grey = effects.change_saturation(images, each(images, 0))
    weights = torch.tensor(effects.LUMINANCE).view(1, 3, 1, 1)
    assert torch.allclose(grey, (images * weights).sum(1, keepdim=True).expand_as(images))


@given(factor=st.floats(0, 2))
@settings(max_examples=20, deadline=None)
def test_contrast_keeps_the_mean_and_scales_the_deviation(factor):
    images = photographs(count=2)
    changed = effects.change_contrast(images, each(images, factor))
    assert torch.allclose(changed.mean(dim=(1, 2, 3)), images.mean(dim=(1, 2, 3)), atol=1e-5)
    assert torch.allclose(
        changed.std(dim=(1, 2, 3)), factor * images.std(dim=(1, 2, 3)), atol=1e-5
    )


@pytest.mark.parametrize('value', [0.2, 0.8])
def test_noise_has_the_variance_of_photons_and_of_reading(value):
    images = torch.full((4, 3, 64, 64), value)
    noisy = effects.add_noise(images, each(images, 0.1), each(images, 0.05), seeded())
    assert noisy.mean() == pytest.approx(value, abs=0.005)
    assert noisy.var() == pytest.approx(0.1**2 * value + 0.05**2, rel=0.05)


def test_a_point_out_of_focus_becomes_a_disk_of_the_radius_and_keeps_its_light():
    images = torch.zeros(2, 1, 21, 21)
    images[:, :, 10, 10] = 1
    for_each = effects.defocus(images, torch.tensor([0.0, 4.0]))
    assert torch.allclose(for_each[0], images[0])
    disk = for_each[1, 0]
    assert disk.sum() == pytest.approx(1, abs=1e-5)
    lit = torch.nonzero(disk > 0.5 * disk.max()) - 10
    assert torch.hypot(*lit.float().T).max() == pytest.approx(4, abs=0.6)
    assert disk[disk > 0].numel() == pytest.approx(np.pi * 4.5**2, rel=0.2)


@pytest.mark.parametrize('angle', [0.0, np.pi / 2, np.pi / 4])
def test_a_point_that_moves_becomes_a_line_of_the_length_at_the_angle(angle):
    images = torch.zeros(1, 1, 21, 21)
    images[:, :, 10, 10] = 1
    moved = effects.move(images, torch.tensor([8.0]), torch.tensor([angle]))[0, 0]
    assert moved.sum() == pytest.approx(1, abs=1e-5)
    rows, columns = (torch.nonzero(moved > 0.01) - 10).T.float()
    across = rows * np.cos(angle) - columns * np.sin(angle)
    along = rows * np.sin(angle) + columns * np.cos(angle)
    assert across.abs().max() <= 1
    assert along.max() - along.min() == pytest.approx(8, abs=1.5)


@pytest.mark.parametrize('filters', range(effects.FILTERS))
def test_shrinking_keeps_flat_images_and_loses_detail(filters):
    flat = torch.full((2, 3, 32, 24), 0.4)
    number = torch.full((2,), filters)
    assert torch.allclose(effects.shrink(flat, each(flat, 1.7), number), flat, atol=1e-5)
    images = torch.rand(2, 3, 32, 24, generator=seeded())
    assert torch.allclose(effects.shrink(images, each(images, 1), number), images, atol=1e-5)
    shrunk = effects.shrink(images, each(images, 4), number)
    detail = [(each[..., 1:] - each[..., :-1]).abs().mean() for each in (images, shrunk)]
    assert detail[1] < 0.5 * detail[0]


@pytest.mark.parametrize('quality', [10, 30, 50, 80])
@pytest.mark.parametrize('channels', [1, 3])
def test_compression_does_to_an_image_what_libjpeg_does(quality, channels):
    images = photographs(count=4, channels=channels, height=48, width=40)
    images = (images + 0.1 * torch.rand(images.shape, generator=seeded())).clamp(0, 1)
    ours = effects.compress(images, each(images, quality))
    difference = damage = 0.0
    for image, mine in zip(images, ours, strict=True):
        pixels = (image.permute(1, 2, 0).numpy()[:, :, ::-1] * 255).round().astype(np.uint8)
        options = [cv2.IMWRITE_JPEG_QUALITY, quality]
        _, content = cv2.imencode('.jpg', np.ascontiguousarray(pixels), options)
        decoded = cv2.imdecode(content, cv2.IMREAD_UNCHANGED).reshape(pixels.shape)[:, :, ::-1]
        theirs = torch.from_numpy(decoded.copy()).permute(2, 0, 1).float() / 255
        difference += float((mine - theirs).square().mean())
        damage += float((image - theirs).square().mean())
    assert difference < 0.15 * damage


@pytest.mark.parametrize('name', BOUNDS)
@pytest.mark.parametrize('value', [-0.1, 1e6, float('nan')])
def test_impossible_strengths_are_refused_with_what_is_possible(name, value):
    with pytest.raises(ValueError, match=f'{name} of the camera .* between 0 and'):
        CameraAugmentation(**{name: value})


def test_only_effects_that_happen_count_as_seen():
    assert CameraAugmentation(share=0.0, haze=0.5).seen_damages == set()
    assert CameraAugmentation(share=0.5, haze=0.5).seen_damages == {'fog'}
