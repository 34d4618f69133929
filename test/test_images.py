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

"""Camera pixels to network input."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest

from snn_perception.images import Preprocessing, fit_image, prepare, resize

GREY = Preprocessing(shape=(28, 28, 1))
COLOUR = Preprocessing(
    shape=(32, 32, 3), mean=(0.4914, 0.4822, 0.4465), deviation=(0.2470, 0.2435, 0.2616)
)


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, shape, np.uint8)


def test_colour_image_of_the_right_size_is_scaled_and_nothing_else() -> None:
    image = noise(32, 32, 3)
    mean, deviation = np.float32(COLOUR.mean), np.float32(COLOUR.deviation)
    expected = (image / np.float32(255) - mean) / deviation
    np.testing.assert_array_equal(prepare(image, COLOUR), expected)


@pytest.mark.parametrize('shape', [(28, 28), (28, 28, 1)])
def test_grey_image_of_the_right_size_is_scaled_and_nothing_else(shape: tuple[int, ...]) -> None:
    image = noise(*shape)
    prepared = prepare(image, GREY)
    assert prepared.dtype == np.float32
    np.testing.assert_array_equal(prepared[:, :, 0], image.reshape(28, 28) / np.float32(255))


@pytest.mark.parametrize('size', [(480, 640), (28, 29), (640, 480), (1080, 1920)])
def test_crop_resizes_the_largest_centred_square(size: tuple[int, int]) -> None:
    image = noise(*size)
    side = min(size)
    top, left = (size[0] - side) // 2, (size[1] - side) // 2
    square = np.ascontiguousarray(image[top : top + side, left : left + side])
    expected = cv2.resize(square, (28, 28), interpolation=cv2.INTER_AREA) / np.float32(255)
    is_halved = side >= 112
    tolerance = 5 / 255 if is_halved else 0
    np.testing.assert_allclose(prepare(image, GREY)[:, :, 0], expected, atol=tolerance)


@pytest.mark.parametrize('side', [112, 480, 1080])
def test_image_that_is_halved_first_keeps_its_levels(side: int) -> None:
    rows = np.linspace(0, 4, side)
    waves = 127.5 + 127.5 * np.sin(rows[:, None] + 2 * rows)
    image = waves.astype(np.uint8)
    expected = cv2.resize(image, (28, 28), interpolation=cv2.INTER_AREA)
    small = resize(image, 28, 28)
    np.testing.assert_allclose(small.astype(float), expected, atol=1)
    assert abs(small.mean() - image.mean()) < 1


def test_crop_to_a_wide_network_cuts_top_and_bottom() -> None:
    image = np.zeros((100, 100), np.uint8)
    image[25:75] = 255
    wide = Preprocessing(shape=(20, 40, 1))
    np.testing.assert_array_equal(prepare(image, wide), 1.0)


def test_pad_keeps_the_whole_image_between_black_borders() -> None:
    image = np.full((480, 640), 255, np.uint8)
    prepared = prepare(image, Preprocessing(shape=(28, 28, 1), fit='pad'))[:, :, 0]
    np.testing.assert_array_equal(prepared[3:24], 1.0)
    np.testing.assert_array_equal(prepared[:3], 0.0)
    np.testing.assert_array_equal(prepared[24:], 0.0)


def test_borders_stay_black_when_light_and_dark_are_swapped() -> None:
    paper = np.full((480, 640), 255, np.uint8)
    prepared = prepare(paper, Preprocessing(shape=(28, 28, 1), fit='pad', invert=True))
    np.testing.assert_array_equal(prepared, 0.0)


def test_stretch_shows_the_whole_image_without_borders() -> None:
    image = np.zeros((100, 200), np.uint8)
    image[:, 100:] = 200
    prepared = prepare(image, Preprocessing(shape=(28, 28, 1), fit='stretch'))[:, :, 0]
    np.testing.assert_allclose(prepared[:, :14], 0.0)
    np.testing.assert_allclose(prepared[:, 14:], 200 / 255, rtol=1e-6)


@pytest.mark.parametrize(
    ('size', 'fit', 'part'),
    [
        ((100, 200), 'crop', (slice(10, 90), slice(60, 140))),
        ((200, 100), 'crop', (slice(60, 140), slice(10, 90))),
        ((100, 200), 'stretch', (slice(10, 90), slice(20, 180))),
    ],
)
def test_of_what_the_fit_leaves_the_centre_alone_is_seen(size: Any, fit: str, part: Any) -> None:
    image = noise(*size)
    centre = Preprocessing(shape=(28, 28, 1), fit=fit, centre=0.8)
    stretched = Preprocessing(shape=(28, 28, 1), fit='stretch')
    expected = prepare(np.ascontiguousarray(image[part]), stretched)
    np.testing.assert_array_equal(prepare(image, centre), expected)


def test_an_image_of_the_size_of_the_network_has_been_cropped_before() -> None:
    seen = Preprocessing(shape=(28, 28, 1), centre=0.8)
    cropped = fit_image(noise(100, 200), seen)
    np.testing.assert_array_equal(fit_image(cropped, seen), cropped)
    np.testing.assert_array_equal(prepare(cropped, seen), prepare(cropped, GREY))


def test_invert_swaps_light_and_dark() -> None:
    image = noise(28, 28)
    inverted = Preprocessing(shape=(28, 28, 1), invert=True)
    np.testing.assert_array_equal(prepare(image, inverted), prepare(255 - image, GREY))


def test_colour_becomes_grey_with_the_weights_of_brightness() -> None:
    image = np.zeros((28, 28, 3), np.uint8)
    image[..., 0], image[..., 1], image[..., 2] = 100, 150, 200
    expected = round(0.299 * 100 + 0.587 * 150 + 0.114 * 200) / 255
    np.testing.assert_allclose(prepare(image, GREY), expected, rtol=1e-6)


def test_grey_becomes_three_equal_channels() -> None:
    prepared = prepare(noise(32, 32), Preprocessing(shape=(32, 32, 3)))
    np.testing.assert_array_equal(prepared[..., 0], prepared[..., 1])
    np.testing.assert_array_equal(prepared[..., 0], prepared[..., 2])


@pytest.mark.parametrize('fit', ['crop', 'pad', 'stretch'])
@pytest.mark.parametrize('size', [(1, 1), (1, 500), (500, 1), (3, 7), (27, 29)])
def test_tiny_and_thin_images_are_fitted(fit: str, size: tuple[int, int]) -> None:
    centre = 1.0 if fit == 'pad' else 0.01
    seen = Preprocessing(shape=(28, 28, 1), fit=fit, centre=centre)
    prepared = prepare(np.full(size, 255, np.uint8), seen)
    assert prepared.shape == (28, 28, 1)
    assert prepared.max() == 1.0


@pytest.mark.parametrize(
    ('image', 'sentence'),
    [
        (np.zeros((0, 0), np.uint8), 'must have pixels'),
        (np.zeros((5, 0, 3), np.uint8), 'must have pixels'),
        (np.zeros((5, 5), np.float32), 'must be of uint8 from 0 to 255, not float32'),
        (np.zeros((5, 5, 4), np.uint8), r'\(height, width, 3\) RGB, not of shape \(5, 5, 4\)'),
        (np.zeros(5, np.uint8), r'not of shape \(5,\)'),
        ([[0, 1]], 'NumPy array, not list'),
    ],
)
def test_what_is_no_image_is_refused_with_a_sentence(image: np.ndarray, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        prepare(image, GREY)


@pytest.mark.parametrize(
    ('fields', 'sentence'),
    [
        ({'shape': (28, 28)}, 'height, width and channels'),
        ({'shape': (28, 0, 1)}, 'at least 1'),
        ({'shape': (28, 28, 2)}, r'1 \(grey\) or 3 \(RGB\), not 2'),
        ({'shape': (28, 28, 3), 'mean': (0.5, 0.5)}, r'one per channel \(3\)'),
        ({'shape': (28, 28, 1), 'mean': (float('nan'),)}, 'finite'),
        ({'shape': (28, 28, 1), 'deviation': (0.0,)}, 'positive'),
        ({'shape': (28, 28, 1), 'fit': 'zoom'}, "crop, pad, stretch, not 'zoom'"),
        ({'shape': (28, 28, 1), 'centre': 0.0}, 'centre must be a share above 0 and at most 1'),
        ({'shape': (28, 28, 1), 'centre': 1.1}, 'at most 1, not 1.1'),
        ({'shape': (28, 28, 1), 'centre': float('nan')}, 'at most 1, not nan'),
        ({'shape': (28, 28, 1), 'centre': 0.9, 'fit': 'pad'}, 'must be 1 where fit is pad'),
    ],
)
def test_preprocessing_that_fits_no_network_is_refused(fields: dict, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        Preprocessing(**fields)
