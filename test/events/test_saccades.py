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

from snn_perception.events.saccades import SACCADES, Motion, moved
from snn_perception.events.simulation import Sensor, SimulatedSensor

TO_THE_RIGHT = Motion((0.0, 0.02), (-2.0, 3.0), (0.0, 0.0))


def bar(level: int, ground: int) -> np.ndarray:
    image = np.full((8, 8), ground, np.uint8)
    image[:, 3:5] = level
    return image


def test_an_image_moves_by_whole_pixels_without_a_change():
    random = np.random.default_rng(0)
    image = random.integers(0, 256, (10, 10)).astype(np.uint8)
    images, times = moved(image, Motion((0.0, 0.01), (0.0, 5.0), (0.0, 0.0)), 14, 14)
    np.testing.assert_array_equal(times, np.arange(6) * 2000)
    for shift, shown in enumerate(images[:3]):
        np.testing.assert_array_equal(shown[2:12, 2 + shift : 12 + shift], image)


def test_around_an_image_it_looks_as_at_its_edges():
    images, _ = moved(np.full((4, 4), 77, np.uint8), SACCADES, 12, 12)
    assert (images == 77).all()


@pytest.mark.parametrize(('level', 'ground', 'leading'), [(255, 0, 1), (0, 255, 0)])
def test_the_leading_edge_of_something_light_sends_on_and_of_something_dark_off_events(
    level, ground, leading
):
    images, times = moved(bar(level, ground), TO_THE_RIGHT, 8, 8)
    sensor = Sensor(threshold_spread=0.0, noise_rate=0.0)
    events = SimulatedSensor(sensor, 8, 8).see(images, times)
    first, last = (
        events.x[events.polarity == kind].astype(float) for kind in (leading, 1 - leading)
    )
    assert first.mean() > last.mean() + 1


def test_the_three_saccades_go_around_a_triangle_in_a_hundred_milliseconds_each():
    x, y = SACCADES.at(np.array([0.0, 0.1, 0.21, 0.3]))
    assert SACCADES.duration == pytest.approx(0.3)
    sides = np.hypot(np.diff(x), np.diff(y))
    assert (sides > 4).all()
    assert np.hypot(x[-1] - x[0], y[-1] - y[0]) < 1


@pytest.mark.parametrize(
    ('times', 'x', 'words'),
    [((0.0, 1.0), (0.0,), 'an x and a y'), ((0.0, 0.0), (0.0, 1.0), 'ascend')],
)
def test_a_motion_that_is_none_is_refused(times, x, words):
    with pytest.raises(ValueError, match=words):
        Motion(times, x, (0.0,) * len(times))
