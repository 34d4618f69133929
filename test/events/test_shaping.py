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

"""Shaping and counting of events, against what they should do said in NumPy."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from event_encoders import HEIGHT, WIDTH, streams
from hypothesis import given
from hypothesis import strategies as st

from snn_perception.events.binning import binned
from snn_perception.events.shaping import EventShaping
from snn_perception.events.stream import Events, Triggers, concatenate


def columns_of(events):
    return [events.t.tolist(), events.x.tolist(), events.y.tolist(), events.polarity.tolist()]


def at_one_pixel(t, x=3, y=2, width=WIDTH, height=HEIGHT):
    size = len(t)
    return Events.of(t, [x] * size, [y] * size, [1] * size, width, height)


@given(streams())
def test_a_network_of_the_size_of_the_sensor_sees_all_as_it_is(events):
    shaping = EventShaping((HEIGHT, WIDTH, 2))
    shaped = shaping.apply(shaping.rest(WIDTH, HEIGHT), events)
    assert columns_of(shaped) == columns_of(events)


@given(streams())
def test_pixels_are_cropped_and_pooled_around_the_middle_of_the_crop(events):
    # 31 x 21 pixels have room for 3 x 3 for each of 10 x 5, and 1 + 6 are left over.
    shaping = EventShaping((5, 10, 2), crop=(4, 2, 31, 21))
    state = shaping.rest(WIDTH, HEIGHT)
    shaped = shaping.apply(state, events)
    x, y = (events.x.astype(int) - 4) // 3, (events.y.astype(int) - 5) // 3
    seen = (x >= 0) & (x < 10) & (y >= 0) & (y < 5)
    expected = [events.t[seen], x[seen], y[seen], events.polarity[seen]]
    assert columns_of(shaped) == [column.tolist() for column in expected]
    assert (shaped.width, shaped.height) == (10, 5)
    assert state.outside == np.count_nonzero(~seen)


def test_a_sensor_that_is_smaller_than_the_network_is_in_its_middle():
    shaping = EventShaping((34, 34, 2))
    shaped = shaping.apply(shaping.rest(WIDTH, HEIGHT), at_one_pixel([7], x=0, y=0))
    assert columns_of(shaped) == [[], [], [], []]
    shaped = shaping.apply(shaping.rest(30, 30), at_one_pixel([7], 0, 0, 30, 30))
    assert columns_of(shaped) == [[7], [2], [2], [1]]


@given(streams(largest_gap=2000), st.integers(0, 2000))
def test_the_refractory_filter_keeps_events_of_a_pixel_apart(events, refractory):
    shaping = EventShaping((HEIGHT, WIDTH, 2), refractory=refractory)
    state = shaping.rest(WIDTH, HEIGHT)
    shaped = shaping.apply(state, events)
    last, kept = {}, []
    for t, x, y, polarity in zip(*columns_of(events), strict=True):
        if t - last.get((x, y), -(10**9)) >= refractory:
            last[x, y] = t
            kept.append((t, x, y, polarity))
    assert list(zip(*columns_of(shaped), strict=True)) == kept
    assert state.too_soon == len(events) - len(kept)


def test_a_hot_pixel_at_a_megahertz_is_silenced_and_its_neighbour_is_not():
    shaping = EventShaping((HEIGHT, WIDTH, 2), hot_pixel_rate=1000)
    state = shaping.rest(WIDTH, HEIGHT)
    hot = at_one_pixel(np.arange(1_000_000))
    calm = at_one_pixel(np.arange(0, 1_000_000, 2000), x=4)
    order = np.argsort(np.concatenate([hot.t, calm.t]), kind='stable')
    columns = zip(
        *((hot.t, hot.x, hot.y, hot.polarity), (calm.t, calm.x, calm.y, calm.polarity)),
        strict=True,
    )
    both = Events.of(*(np.concatenate(each)[order] for each in columns), WIDTH, HEIGHT)
    shaped = shaping.apply(state, both)
    assert np.count_nonzero(shaped.x == 4) == len(calm)
    # As many as are allowed in the tenth of a second before it is silenced.
    assert np.count_nonzero(shaped.x == 3) <= 101
    assert state.hot == len(both) - len(shaped)


def test_a_pixel_that_has_calmed_down_is_heard_again():
    shaping = EventShaping((HEIGHT, WIDTH, 2), hot_pixel_rate=1000)
    state = shaping.rest(WIDTH, HEIGHT)
    shaping.apply(state, at_one_pixel(np.arange(0, 500_000, 10)))
    quiet = at_one_pixel(np.arange(500_000, 1_500_000, 2000))
    shaped = shaping.apply(state, quiet)
    assert shaped.t[0] <= 702_000
    assert shaped.t[-1] == quiet.t[-1]
    assert np.all(np.diff(shaped.t) == 2000)


def test_a_slow_pixel_is_no_hot_one_however_low_the_rate_that_is_allowed():
    shaping = EventShaping((HEIGHT, WIDTH, 2), hot_pixel_rate=2)
    slow = at_one_pixel(np.arange(0, 10_000_000, 1_000_000))
    assert len(shaping.apply(shaping.rest(WIDTH, HEIGHT), slow)) == len(slow)
    fast = at_one_pixel(np.arange(0, 10_000_000, 50_000))
    assert len(shaping.apply(shaping.rest(WIDTH, HEIGHT), fast)) <= 2


def test_a_short_burst_of_a_pixel_passes_the_filter_for_hot_ones():
    shaping = EventShaping((HEIGHT, WIDTH, 2), hot_pixel_rate=1000)
    burst = at_one_pixel(np.arange(0, 5000, 100))
    assert len(shaping.apply(shaping.rest(WIDTH, HEIGHT), burst)) == len(burst)


@given(streams(largest_gap=5000), st.lists(st.integers(0, 60), max_size=3))
def test_a_stream_in_parts_is_shaped_as_the_whole(events, cuts):
    shaping = EventShaping((10, 10, 2), hot_pixel_rate=100, refractory=500)
    whole = shaping.apply(shaping.rest(WIDTH, HEIGHT), events)
    state = shaping.rest(WIDTH, HEIGHT)
    edges = [0, *sorted(cuts), len(events)]
    parts = [events[a:b] for a, b in pairwise(edges)]
    shaped = concatenate([shaping.apply(state, part) for part in parts])
    assert columns_of(shaped) == columns_of(whole)


@pytest.mark.parametrize(
    ('options', 'sentence'),
    [
        ({'shape': (34, 34, 1)}, '2 for off and on'),
        ({'crop': (0, 0, 0, 5)}, 'left, top, width and height'),
        ({'pooling': -1}, 'pooling'),
        ({'hot_pixel_rate': float('nan')}, 'hot_pixel_rate'),
        ({'refractory': -5}, 'refractory'),
    ],
)
def test_values_that_do_not_fit_are_refused(options, sentence):
    with pytest.raises(ValueError, match=sentence):
        EventShaping(**{'shape': (34, 34, 2), **options})


def test_a_crop_over_the_edge_and_events_of_another_sensor_are_refused():
    shaping = EventShaping((5, 5, 2), crop=(30, 0, 20, 20))
    with pytest.raises(ValueError, match='reaches over the sensor of 40 x 30'):
        shaping.rest(WIDTH, HEIGHT)
    state = shaping.rest(80, 60)
    with pytest.raises(ValueError, match='40 x 30 pixels, and those before of one of 80 x 60'):
        shaping.apply(state, at_one_pixel([1]))


@given(streams(largest_gap=3000), st.sampled_from([1e-4, 1e-3, 1e-3 / 3, 0.01]))
def test_steps_count_their_own_events(events, dt):
    counts = binned(events, dt)
    t = events.t - events.t[0] if len(events) else events.t
    edges = np.rint(np.arange(len(counts) + 1) * dt * 1e6)
    steps = np.searchsorted(edges, t, side='right') - 1
    places = (steps, events.y, events.x, events.polarity)
    expected = np.zeros_like(counts)
    np.add.at(expected, places, 1)
    np.testing.assert_array_equal(counts, expected)
    assert counts.sum() == len(events)


def test_events_before_and_after_the_steps_do_not_count():
    counts = binned(at_one_pixel([900, 1000, 2999, 3000]), 1e-3, steps=2, start=1000)
    assert counts[:, 2, 3].tolist() == [[0, 1], [0, 1]]
    assert counts.sum() == 2


def test_a_count_that_does_not_fit_is_the_largest():
    counts = binned(at_one_pixel(np.arange(1000)), 1e-3)
    assert counts[:, 2, 3, 1].tolist() == [255]


def test_no_events_make_no_steps_unless_some_are_wanted():
    nothing = Events.none(WIDTH, HEIGHT)
    assert binned(nothing, 1e-3).shape == (0, HEIGHT, WIDTH, 2)
    assert not binned(nothing, 1e-3, steps=3).any()
    with pytest.raises(ValueError, match='microsecond'):
        binned(nothing, 0.0)


def test_a_part_of_a_stream_is_found_by_its_times():
    events = at_one_pixel([1, 2, 2, 5])
    assert events.between(2, 5).t.tolist() == [2, 2]
    assert np.shares_memory(events.between(2, 5).t, events.t)
    assert len(Triggers.none()) == 0


def test_parts_out_of_order_or_of_other_sensors_are_no_stream():
    with pytest.raises(ValueError, match='must not follow'):
        concatenate([at_one_pixel([5]), at_one_pixel([4])])
    with pytest.raises(ValueError, match='different sizes'):
        concatenate([at_one_pixel([5]), Events.none(3, 3)])


@pytest.mark.parametrize(
    ('columns', 'sentence'),
    [
        (([1, 2], [0], [0], [0]), 'equally long'),
        (([2, 1], [0, 0], [0, 0], [0, 0]), 'descend'),
        (([1], [WIDTH], [0], [0]), f'columns {WIDTH} to {WIDTH}'),
        (([1], np.array([2**16 + 3]), [0], [0]), 'columns 65539'),
        (([1], [0], [-1], [0]), 'rows -1'),
        (([1.5], [0], [0], [0]), 'must be integers, not float64'),
        (([1], [0], [0], [2]), 'polarity'),
    ],
)
def test_columns_that_are_no_stream_are_refused(columns, sentence):
    with pytest.raises(ValueError, match=sentence):
        Events.of(*columns, WIDTH, HEIGHT)
