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
import pytest

from snn_perception.evaluation.made_images import KINDS, grey_wall, made_images
from snn_perception.images import Preprocessing


@pytest.mark.parametrize('shape', [(32, 32, 3), (28, 28, 1), (9, 16, 3)])
def test_every_kind_has_the_size_and_the_channels_of_the_network(shape):
    made = made_images(Preprocessing(shape), 7)
    assert list(made) == ['noise', 'textures', 'blank', 'dark'] == list(KINDS)
    for images in made.values():
        assert (images.shape, images.dtype) == ((7, *shape), np.uint8)


def test_images_are_always_the_same_however_many_there_are():
    few, many = (made_images(Preprocessing((8, 8, 3)), count) for count in (5, 12))
    for kind in KINDS:
        np.testing.assert_array_equal(few[kind], many[kind][:5])
        assert len(np.unique(many[kind].reshape(12, -1), axis=0)) == 12


def test_dark_is_dark_and_blank_is_smooth_and_noise_is_rough():
    made = {
        kind: images.astype(float)
        for kind, images in made_images(Preprocessing((32, 32, 3))).items()
    }
    assert made['dark'].max() < 40
    roughness = {
        kind: np.abs(np.diff(images, axis=2)).mean(axis=(1, 2, 3)) for kind, images in made.items()
    }
    assert roughness['blank'].max() < 12 < roughness['noise'].min()


def test_a_wall_is_as_bright_as_asked_for_and_darker_in_the_corners():
    random = np.random.default_rng(3)
    for brightness in (40, 120, 200):
        walls = np.mean([grey_wall(random, 32, 32, brightness) for _ in range(50)], axis=(0, 3))
        assert walls[12:20, 12:20].mean() == pytest.approx(brightness, rel=0.06)
        corners = walls[[0, 0, -1, -1], [0, -1, 0, -1]]
        assert (corners < 0.85 * brightness).all()
