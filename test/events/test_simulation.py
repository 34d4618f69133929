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

import math

import numpy as np
import pytest

from snn_perception.events.simulation import Sensor, SimulatedSensor

PLAIN = {'threshold_spread': 0.0, 'refractory_time': 0.0, 'latency': 0.0, 'noise_rate': 0.0}
"""Pixels that are all alike, never blind, and see at once."""


def seen(levels, times=None, seed=0, size=(4, 5), **sensor):
    """Events of a sensor that sees even images of these levels, 10 ms apart."""
    images = np.array([np.full(size, level, np.uint8) for level in levels])
    if times is None:
        times = np.arange(len(levels)) * 10_000
    return SimulatedSensor(Sensor(**{**PLAIN, **sensor}), *size, seed).see(images, times)


def test_each_pixel_sends_an_event_for_each_threshold_of_the_logarithm_of_light():
    change = math.log(1 / 0.05)
    events = seen([0, 255], threshold=0.5)
    assert len(events) == 20 * math.floor(change / 0.5)
    assert events.polarity.all()
    assert np.all(np.bincount(events.y * 5 + events.x) == math.floor(change / 0.5))


def test_what_gets_darker_sends_off_events():
    events = seen([255, 0], threshold=0.5)
    assert len(events) == 20 * math.floor(math.log(1 / 0.05) / 0.5)
    assert not events.polarity.any()


def test_a_scene_that_stays_as_it_is_makes_no_events():
    assert len(seen([90, 90, 90, 90])) == 0


def test_events_come_when_the_light_has_changed_so_far_and_not_when_the_next_image_does():
    events = seen([0, 255], threshold=0.5, size=(1, 1))
    # Light rises evenly from 0.05 to 1 in 10 ms, and its logarithm by 0.5 each time.
    light = 0.05 * np.exp(0.5 * np.arange(1, len(events) + 1))
    np.testing.assert_allclose(events.t, (light - 0.05) / 0.95 * 10_000, atol=400)
    assert np.all(np.diff(events.t) > 0)


def test_a_pixel_is_blind_after_an_event():
    free = seen(range(0, 256, 5), threshold=0.05)
    blind = seen(range(0, 256, 5), threshold=0.05, refractory_time=0.02)
    assert len(blind) < len(free)
    for pixel in range(20):
        times = blind.t[blind.y * 5 + blind.x == pixel]
        assert np.diff(times).min() >= 19_999


def test_what_changed_while_a_pixel_was_blind_is_lost():
    # Up and down again within the refractory time of the event on the way up.
    levels, times = [0, 255, 0, 0], np.array([0, 1000, 2000, 100_000])
    events = seen(levels, times, threshold=2.5, refractory_time=0.01)
    assert len(events) == 20
    assert events.polarity.all()


def test_a_dark_pixel_sees_later_than_a_bright_one():
    sizes = {'threshold': 0.1, 'latency': 0.002, 'size': (1, 1)}
    times = np.array([0, 1, 50_000])
    bright = seen([128, 255, 255], times, **sizes)
    dark = seen([0, 20, 20], times, **sizes)
    assert dark.t[0] > 2 * bright.t[0] > 0


def test_thresholds_differ_between_pixels_and_not_from_time_to_time():
    levels = [0, 255, 0, 255]
    events = seen(levels, threshold=0.2, threshold_spread=0.05, size=(20, 20))
    rising = [events.between(0, 10_000), events.between(20_000, 30_000)]
    counts = [np.bincount(each.y.astype(int) * 20 + each.x, minlength=400) for each in rising]
    assert counts[0].std() > 1
    assert np.corrcoef(counts)[0, 1] > 0.9


def test_noise_comes_at_its_rate_in_both_polarities():
    events = seen([100, 100], np.array([0, 10_000_000]), noise_rate=5.0)
    assert len(events) == pytest.approx(5 * 10 * 20, rel=0.1)
    assert events.polarity.mean() == pytest.approx(0.5, abs=0.06)
    assert len(np.unique(events.y * 5 + events.x)) == 20


def test_a_leak_makes_on_events_at_its_rate():
    events = seen([100, 100], np.array([0, 10_000_000]), leak_rate=2.0)
    assert len(events) == pytest.approx(2 * 10 * 20, rel=0.06)
    assert events.polarity.all()


def test_images_one_by_one_make_the_same_events_as_all_at_once():
    random = np.random.default_rng(1)
    images = random.integers(0, 256, (30, 6, 7)).astype(np.uint8)
    times = np.cumsum(random.integers(300, 5000, 30))
    sensor = Sensor(noise_rate=0.0, refractory_time=0.002)
    at_once = SimulatedSensor(sensor, 6, 7, 3).see(images, times)
    stream = SimulatedSensor(sensor, 6, 7, 3)
    parts = [
        stream.see(image[None], np.array([time]))
        for image, time in zip(images, times, strict=True)
    ]
    singly = np.concatenate([np.stack([e.t, e.x, e.y, e.polarity]) for e in parts], axis=1)
    order = np.lexsort(singly[::-1])
    both = np.stack([at_once.t, at_once.x, at_once.y, at_once.polarity])
    assert len(at_once) > 500
    np.testing.assert_array_equal(singly[:, order], both[:, np.lexsort(both[::-1])])


def test_events_are_in_order_and_the_same_for_the_same_seed():
    sensor = {'noise_rate': 20.0, 'threshold_spread': 0.05, 'refractory_spread': 0.001}
    first, again, other = (seen(range(0, 250, 10), seed=seed, **sensor) for seed in (1, 1, 2))
    assert np.all(np.diff(first.t) >= 0)
    np.testing.assert_array_equal(first.t, again.t)
    assert len(first) != len(other) or (first.t != other.t).any()


@pytest.mark.parametrize(
    ('name', 'value'),
    [('threshold', 0.0), ('latency', -1.0), ('darkness', 0.0), ('noise_rate', math.nan)],
)
def test_a_sensor_that_cannot_be_is_refused(name, value):
    with pytest.raises(ValueError, match=name):
        Sensor(**{name: value})


def test_images_of_another_size_and_times_that_go_back_are_refused():
    sensor = SimulatedSensor(Sensor(), 4, 5)
    images = np.zeros((2, 4, 5), np.uint8)
    with pytest.raises(ValueError, match=r'\(2, 4, 5\)'):
        sensor.see(np.zeros((2, 5, 4), np.uint8), np.array([0, 1]))
    sensor.see(images, np.array([10, 20]))
    with pytest.raises(ValueError, match='ascend'):
        sensor.see(images, np.array([20, 30]))
