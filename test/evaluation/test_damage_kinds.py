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

"""Kinds of damage are those of the literature, always alike, and worse with their severity."""

from __future__ import annotations

import colour_model
import numpy as np
import pytest

from snn_perception.evaluation.damage import KINDS, SEVERITIES, damage_images
from snn_perception.evaluation.damage.published import PUBLISHED, published_for

SHAPES = pytest.mark.parametrize('shape', [(3, 28, 28, 1), (3, 32, 24, 3)], ids=['grey', 'RGB'])
NOT_FOR_GREY = {'saturate'}
# With their severities the first takes colour away and then adds some, the second tilts images
# less and less but ripples them more, the third has fewer but longer flakes, and the last is first
# blurred more and then shuffled more often.
DIFFERENT_RATHER_THAN_WORSE = {'saturate', 'elastic_transform', 'snow', 'glass_blur'}


def scenes(shape: tuple[int, ...]) -> np.ndarray:
    """Images of something: smooth shades with a sharp edge, and with darkest and lightest."""
    count, height, width, channels = shape
    rows, columns = np.mgrid[:height, :width]
    waves = [
        np.sin(rows / (3 + index + channel)) + np.cos(columns / (4 + channel))
        for index in range(count)
        for channel in range(channels)
    ]
    images = np.reshape(waves, (count, channels, height, width)).transpose(0, 2, 3, 1)
    images = images + (columns > width / 2)[..., None]
    least, most = images.min(), images.max()
    return np.rint(255 * (images - least) / (most - least)).astype(np.uint8)


def flat(level: int, channels: int = 1, size: int = 32) -> np.ndarray:
    return np.full((2, size, size, channels), level, np.uint8)


def change(images: np.ndarray, kind: str, severity: int) -> float:
    return float(np.abs(damage_images(images, kind, severity).astype(int) - images).mean())


@SHAPES
@pytest.mark.parametrize('kind', KINDS)
def test_images_stay_images_and_are_damaged_always_alike(shape, kind):
    images = scenes(shape)
    before = images.copy()
    damaged = damage_images(images, kind, 3)
    assert (damaged.shape, damaged.dtype) == (shape, np.uint8)
    np.testing.assert_array_equal(damaged, damage_images(images, kind, 3))
    np.testing.assert_array_equal(images, before)
    assert np.array_equal(damaged, images) == (shape[3] == 1 and kind in NOT_FOR_GREY)


@pytest.mark.parametrize('kind', KINDS)
def test_what_becomes_of_an_image_does_not_depend_on_those_after_it(kind):
    images = scenes((4, 32, 32, 3))
    few, all_of_them = (damage_images(images[:count], kind, 5) for count in (2, 4))
    np.testing.assert_array_equal(few, all_of_them[:2])


@pytest.mark.parametrize('kind', KINDS)
def test_any_images_that_a_network_may_take_can_be_damaged(kind):
    for shape in ((1, 3, 3, 3), (1, 5, 9, 1), (1, 1, 1, 1), (0, 32, 32, 3)):
        assert damage_images(np.full(shape, 200, np.uint8), kind, 5).shape == shape


@SHAPES
@pytest.mark.parametrize('kind', sorted(set(KINDS) - DIFFERENT_RATHER_THAN_WORSE))
def test_the_severer_is_the_worse(shape, kind):
    changes = [change(scenes(shape), kind, severity) for severity in SEVERITIES]
    assert changes == sorted(changes)
    assert changes[0] < changes[-1]


@pytest.mark.parametrize('size', [96, 224])
@pytest.mark.parametrize('kind', sorted(set(KINDS) - DIFFERENT_RATHER_THAN_WORSE))
def test_the_severer_is_the_worse_for_large_images(size, kind):
    images = scenes((1, size, size, 3))
    assert change(images, kind, 1) < change(images, kind, 5)


@pytest.mark.parametrize(
    ('size', 'published'),
    [(8, 32), (28, 32), (45, 32), (46, 64), (64, 64), (96, 64), (128, 224), (640, 224)],
)
def test_severities_are_those_published_for_the_nearest_size(size, published):
    assert published_for(size) is PUBLISHED[published]


def test_every_size_has_every_published_kind_at_every_severity():
    for rows in PUBLISHED.values():
        assert list(rows) == [kind for kind in KINDS if kind not in ('darkness', 'camera')]
        assert {len(row) for row in rows.values()} == {len(SEVERITIES)}


@pytest.mark.parametrize(('severity', 'deviation'), [(1, 0.04), (3, 0.08), (5, 0.10)])
def test_normal_noise_has_the_published_deviation_and_another_value_everywhere(
    severity, deviation
):
    first, second = damage_images(flat(128, 3), 'gaussian_noise', severity) / 255 - 128 / 255
    assert first.std() == pytest.approx(deviation, rel=0.05)
    assert first.mean() == pytest.approx(0, abs=0.1 * deviation)
    for one, other in ((first, second), (first[..., 0], first[..., 1])):
        assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < 0.1


@pytest.mark.parametrize('level', [40, 160])
def test_shot_noise_is_that_of_counting(level):
    # At severity 5 white is 50 photons, and the variance of a count is its mean.
    damaged = damage_images(flat(level, 3), 'shot_noise', 5) / 255
    assert damaged.mean() == pytest.approx(level / 255, rel=0.02)
    assert damaged.var() == pytest.approx(level / 255 / 50, rel=0.1)


@pytest.mark.parametrize('level', [40, 120])
def test_speckles_are_a_share_of_the_value(level):
    assert damage_images(flat(level, 3), 'speckle_noise', 3).std() == pytest.approx(
        0.12 * level, rel=0.05
    )


def test_impulses_are_black_or_white_as_often():
    damaged = damage_images(flat(100, 3, 64), 'impulse_noise', 5)  # As published for 64 pixels.
    assert (damaged == 0).mean() == pytest.approx(0.07, abs=0.01)
    assert (damaged == 255).mean() == pytest.approx(0.07, abs=0.01)
    assert (damaged == 100).mean() == pytest.approx(0.86, abs=0.01)


@pytest.mark.parametrize(('severity', 'deviation'), [(2, 0.6), (5, 1.0)])
def test_a_normal_blur_spreads_an_edge_by_its_deviation(severity, deviation):
    images = flat(0)
    images[:, :, 16:] = 255
    slope = np.diff(damage_images(images, 'gaussian_blur', severity)[0, 16, :, 0] / 255.0)
    places = np.arange(31) + 0.5
    assert np.sqrt((slope * (places - 15.5) ** 2).sum()) == pytest.approx(deviation, rel=0.1)


@pytest.mark.parametrize('kind', ['defocus_blur', 'gaussian_blur', 'motion_blur'])
@pytest.mark.parametrize('size', [32, 224])
def test_blur_keeps_the_light_of_a_point(kind, size):
    images = flat(0, size=size)
    images[:, size // 2, size // 2] = 255
    # A point that is spread over 300 pixels would be rounded away.
    images = 255 - images if size > 100 else images
    for severity in (1, 3):
        damaged = damage_images(images, kind, severity).astype(float)
        assert damaged.sum() == pytest.approx(images.sum(dtype=float), rel=0.05)


def test_blur_out_of_focus_is_a_disk():
    images = flat(0, size=224)
    images[:, 100:125, 100:125] = 255  # Large enough to see the rim of the disk, 3 pixels away.
    row = damage_images(images, 'defocus_blur', 1)[0, 112, :, 0]
    assert (row[:97] == 0).all()
    assert row[98] > 0
    assert (row[103:122] == 255).all()


def test_a_moving_camera_draws_trails_sideways():
    images = flat(0)
    images[:, 16, 16] = 255
    damaged = damage_images(images, 'motion_blur', 5)[0, :, :, 0]
    rows, columns = np.nonzero(damaged > 10)
    assert np.ptp(columns) >= 3
    assert np.ptp(rows) <= np.ptp(columns)


def test_a_zoom_leaves_the_middle_sharp():
    images = scenes((1, 33, 33, 3))
    changes = np.abs(damage_images(images, 'zoom_blur', 5).astype(int) - images)[0].mean(axis=2)
    assert changes[15:18, 15:18].mean() < 0.3 * changes.mean()


@pytest.mark.parametrize(('severity', 'amount'), [(1, 0.05), (3, 0.15)])
def test_brightness_raises_the_largest_part_of_a_colour(severity, amount):
    colour = np.uint8([[[[40, 80, 120]]]]).repeat(8, 1).repeat(8, 2)
    damaged = damage_images(colour, 'brightness', severity)[0, 0, 0].astype(float)
    assert damaged[2] == pytest.approx(120 + 255 * amount, abs=1)
    # Hue and saturation are ratios of the parts.
    np.testing.assert_allclose(damaged[:2] / damaged[2], [1 / 3, 2 / 3], atol=0.01)
    grey = damage_images(flat(120), 'brightness', severity)
    assert grey[0, 0, 0, 0] == pytest.approx(120 + 255 * amount, abs=1)


def test_saturation_is_a_factor_and_grey_stays_grey():
    colour = np.uint8([[[[80, 100, 120]]]]).repeat(8, 1).repeat(8, 2)
    [red, green, blue] = damage_images(colour, 'saturate', 1)[0, 0, 0].astype(float)
    assert blue == 120
    assert 1 - red / blue == pytest.approx(0.3 * (1 - 80 / 120), abs=0.01)
    assert 1 - green / blue == pytest.approx(0.3 * (1 - 100 / 120), abs=0.01)
    np.testing.assert_array_equal(damage_images(flat(90, 3), 'saturate', 3), flat(90, 3))


@pytest.mark.parametrize(('severity', 'factor'), [(1, 0.75), (5, 0.15)])
def test_contrast_shrinks_about_the_mean_of_each_channel(severity, factor):
    images = scenes((2, 32, 32, 3))
    mean = images.mean(axis=(1, 2), keepdims=True)
    expected = np.rint(mean + factor * (images - mean))
    assert np.abs(damage_images(images, 'contrast', severity) - expected).max() <= 1


def test_fog_keeps_the_brightest_value_and_lifts_black():
    images = scenes((3, 32, 32, 3))
    damaged = damage_images(images, 'fog', 3)
    assert damaged.max() <= images.max()
    assert damaged[images < 5].mean() > 30


def test_snow_is_white_and_whitens():
    damaged = damage_images(flat(60, 3, 64), 'snow', 2)
    assert 60 < np.median(damaged) < 150
    assert damaged.max() > np.median(damaged) + 60
    # Grey images of the same look become the same.
    np.testing.assert_array_equal(damaged[..., :1], damage_images(flat(60, 1, 64), 'snow', 2))


def test_elastic_pictures_have_the_colours_they_had():
    image = np.zeros((1, 32, 32, 1), np.uint8)
    image[:, 8:24, 8:24] = 255
    for severity in SEVERITIES:
        damaged = damage_images(image, 'elastic_transform', severity)
        assert damaged.max() > 200
        assert damaged.mean() == pytest.approx(image.mean(), rel=0.5)


def test_pixelated_images_have_fewer_pixels():
    images = scenes((1, 64, 64, 1))
    halved = damage_images(images, 'pixelate', 5)[0, :, :, 0]
    np.testing.assert_array_equal(halved[::2], halved[1::2])
    np.testing.assert_array_equal(halved[:, ::2], halved[:, 1::2])
    expected = images[0, :, :, 0].reshape(32, 2, 32, 2).mean(axis=(1, 3))
    assert np.abs(halved[::2, ::2] - expected).max() <= 1


@pytest.mark.parametrize('colour', colour_model.LABELS)
@pytest.mark.parametrize('kind', ['jpeg_compression', 'camera'])
def test_red_stays_red(kind, colour):
    image = colour_model.image(colour, 32, 32)
    damaged = damage_images(image[None], kind, 1)[0].mean(axis=(0, 1))
    assert damaged.argmax() == image.mean(axis=(0, 1)).argmax()
    assert np.abs(damaged - image.mean(axis=(0, 1))).max() < 40


@pytest.mark.parametrize(
    ('kind', 'severity', 'said'),
    [
        ('dust', 3, "unknown kind of damage 'dust'; known are gaussian_noise, .*, camera"),
        ('fog', 0, 'severity of damage must be from 1 to 5, not 0'),
        ('fog', 6, 'severity of damage must be from 1 to 5, not 6'),
    ],
)
def test_what_there_is_not_is_said_in_a_sentence(kind, severity, said):
    with pytest.raises(ValueError, match=said):
        damage_images(flat(0), kind, severity)
