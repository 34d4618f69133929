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

"""Frames that look like one that is kept: told by what changes, not by noise."""

from __future__ import annotations

import numpy as np
from camera_takes import picture

from snn_perception.nodes.collecting.duplicates import MOST, Likeness

LEAST = 4.0
"""The default of the parameter min_difference."""


def noisy(pixels: np.ndarray, seed: int, sigma: float = 8.0) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(0, sigma, pixels.shape)
    return np.clip(pixels + noise, 0, 255).astype(np.uint8)


def scene(shift: int = 0, light: float = 1.0) -> np.ndarray:
    """160x160 pixels as the network sees them: a thing of a third of the width on a ground."""
    shown = np.full((160, 160, 3), 110, np.uint8)
    shown[50:105, 50 + shift : 105 + shift] = (200, 60, 40)
    return (shown * light).astype(np.uint8)


def test_the_first_frame_is_like_no_other() -> None:
    assert Likeness().distance(picture('red', 0)) == float('inf')


def test_the_noise_of_a_sensor_makes_no_new_frame() -> None:
    likeness = Likeness()
    likeness.keep(noisy(scene(), 1))
    assert likeness.distance(noisy(scene(), 2)) < 0.7 * LEAST


def test_a_thing_that_moves_by_a_tenth_of_its_width_makes_a_new_frame() -> None:
    likeness = Likeness()
    likeness.keep(noisy(scene(), 1))
    assert likeness.distance(noisy(scene(shift=6), 2)) > LEAST


def test_another_light_makes_a_new_frame() -> None:
    likeness = Likeness()
    likeness.keep(scene())
    assert likeness.distance(scene(light=0.93)) > LEAST


def test_a_frame_is_compared_with_the_nearest_of_the_last() -> None:
    likeness = Likeness()
    for shift in range(0, 40, 10):
        likeness.keep(scene(shift))
    assert likeness.distance(scene(20)) == 0
    for _ in range(MOST):
        likeness.keep(scene(40))
    assert likeness.distance(scene(20)) > LEAST


def test_a_frame_that_was_deleted_may_come_again() -> None:
    likeness = Likeness()
    likeness.keep(scene())
    likeness.keep(scene(20))
    likeness.forget_last()
    assert likeness.distance(scene(20)) > LEAST
    assert likeness.distance(scene()) == 0


def test_grey_frames_are_compared_too() -> None:
    likeness = Likeness()
    likeness.keep(scene()[..., 0])
    assert likeness.distance(scene()[..., 0]) == 0
