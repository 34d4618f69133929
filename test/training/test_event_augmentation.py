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
from tiny_events import tiny_recordings

from snn_perception.datasets.event_set import packed
from snn_perception.events.stream import Events
from snn_perception.training.event_augmentation import EventAugmentation, binned

RECORDINGS = tiny_recordings(40)
ALL = np.arange(40)


def one(t, x, y, polarity, copies=1, size=9):
    """The same recording `copies` times; an event at the start, in the corner, keeps the time."""
    events = Events.of([0, *t], [0, *x], [0, *y], [0, *polarity], size, size)
    return packed([events] * copies, np.zeros(copies, np.int64), ['a'] * copies, ('thing',))


def counts_of(recordings, augmentation, steps=10, dt=0.005, seed=0):
    """(steps, recordings, height, width, 2), without what `one` adds in the corner."""
    random = np.random.default_rng(seed)
    indices = np.arange(len(recordings))
    return binned(recordings, indices, steps, dt, EventAugmentation(**augmentation), random)


def test_without_changes_the_events_of_each_step_and_pixel_are_counted():
    counts = binned(RECORDINGS, ALL[5:9], 6, 0.01)
    expected = np.zeros((6, 4, 8, 8, 2))
    for place, index in enumerate(range(5, 9)):
        events = RECORDINGS.recording(index)
        at = events.t // 10_000, place, events.y, events.x, events.polarity
        np.add.at(expected, at, 1)
    np.testing.assert_array_equal(counts, expected)
    assert counts.dtype == np.uint8


def test_what_comes_after_the_last_step_is_left_out():
    assert binned(RECORDINGS, ALL, 2, 0.01).sum() < 0.5 * binned(RECORDINGS, ALL, 6, 0.01).sum()


def test_no_count_is_above_what_a_byte_can_hold():
    recordings = one([1] * 300, [4] * 300, [4] * 300, [1] * 300)
    assert counts_of(recordings, {})[0, 0, 4, 4, 1] == 255


def test_translation_moves_all_events_of_a_recording_together():
    recordings = one([1000] * 50, [4] * 50, [4] * 50, [1] * 50, copies=60)
    counts = counts_of(recordings, {'translation': 2.0}).sum(axis=0)[..., 1]
    assert (counts.sum(axis=(1, 2)) == 50).all()
    places = [np.argwhere(each).mean(axis=0) for each in counts]
    assert all(np.ptp(np.argwhere(each), axis=0).max() <= 1 for each in counts)
    assert np.abs(np.array(places) - 4).max() <= 2.5
    assert np.std(places) > 0.7


def test_rotation_turns_events_around_the_middle():
    recordings = one([1000] * 200, [4, 8] * 100, [4, 4] * 100, [1] * 200, copies=40)
    counts = counts_of(recordings, {'rotation': 45.0}).sum(axis=0)[..., 1]
    rows = np.arange(9)[:, None] - 4
    assert (counts[:, 3:6, 3:6].sum(axis=(1, 2)) == 100).all()
    away = counts * (np.hypot(rows, rows.T) > 2)
    # The others are four pixels away from it, by half a turn at most above or below.
    heights = (away * rows).sum(axis=(1, 2)) / np.maximum(away.sum(axis=(1, 2)), 1)
    assert np.abs(heights).max() < 3.4
    assert heights.std() > 1


def test_scale_changes_the_distance_from_the_middle():
    recordings = one([1000] * 100, [7] * 100, [4] * 100, [1] * 100, copies=60)
    counts = counts_of(recordings, {'scale': 0.4}).sum(axis=0)[..., 1]
    columns = (counts * (np.arange(9) - 4)).sum(axis=(1, 2)) / counts.sum(axis=(1, 2))
    assert columns.min() < 2.5
    assert columns.max() > 3.5


def test_events_that_leave_the_sensor_are_left_out():
    recordings = one([1000] * 50, [8] * 50, [4] * 50, [1] * 50, copies=40)
    totals = counts_of(recordings, {'translation': 3.0})[..., 1].sum(axis=(0, 2, 3))
    assert totals.min() == 0
    assert totals.max() == 50


def test_a_recording_may_begin_earlier_or_later():
    recordings = one([20_000], [4], [4], [1], copies=200)
    counts = counts_of(recordings, {'latest_start': 0.01, 'delay': 0.005}, steps=50, dt=0.001)
    steps = counts[:, :, 4, 4, 1].argmax(axis=0)
    assert 10 <= steps.min() <= 11
    assert 23 <= steps.max() <= 25


def test_a_share_of_the_recordings_is_seen_from_the_beginning_on():
    recordings = one([20_000], [4], [4], [1], copies=400)
    starts = {'latest_start': 0.01, 'delay': 0.005, 'beginnings': 0.75}
    counts = counts_of(recordings, starts, steps=50, dt=0.001)
    steps = counts[:, :, 4, 4, 1].argmax(axis=0)
    assert 10 <= steps.min() <= 11
    assert 23 <= steps.max() <= 25
    assert 0.65 < (steps >= 20).mean() < 0.85


def test_speed_moves_events_nearer_to_the_beginning_or_further_away():
    recordings = one([20_000], [4], [4], [1], copies=200)
    counts = counts_of(recordings, {'speed': 0.2}, steps=50, dt=0.001)
    steps = counts[:, :, 4, 4, 1].argmax(axis=0)
    assert 16 <= steps.min() <= 17
    assert 23 <= steps.max() <= 25


def test_jitter_moves_each_event_by_itself():
    recordings = one([20_000] * 200, [4] * 200, [4] * 200, [1] * 200)
    counts = counts_of(recordings, {'jitter': 0.003}, steps=40, dt=0.001)[:, 0, 4, 4, 1]
    moments = np.repeat(np.arange(40) + 0.5, counts)
    assert len(moments) == 200
    assert moments.mean() == pytest.approx(20, abs=1)
    assert moments.std() == pytest.approx(3, rel=0.2)


def test_events_get_lost_up_to_a_share():
    before, after = (
        counts_of(RECORDINGS, {'drop': each}).sum(axis=(0, 2, 3, 4)) for each in (0, 0.6)
    )
    kept = after / before
    assert kept.min() > 0.3
    assert kept.min() < 0.6
    assert kept.max() > 0.85


def test_noise_comes_on_top():
    recordings = one([], [], [], [], copies=100)
    totals = counts_of(recordings, {'noise_rate': 20.0}).sum(axis=(0, 2, 3, 4))
    assert totals.mean() == pytest.approx(10 * 0.05 * 81 + 1, rel=0.15)
    assert totals.max() < 20 * 0.05 * 81 * 1.5


def test_half_of_the_recordings_have_light_and_dark_swapped():
    recordings = one([1000] * 9, [4] * 9, [4] * 9, [1] * 9, copies=200)
    counts = counts_of(recordings, {'flip_polarity': True}).sum(axis=0)[:, 4, 4]
    assert set(map(tuple, counts.tolist())) == {(0, 9), (9, 0)}
    assert (counts[:, 0] == 9).mean() == pytest.approx(0.5, abs=0.12)


def test_the_same_random_numbers_make_the_same_changes():
    changes = {'rotation': 10.0, 'jitter': 0.001, 'drop': 0.2, 'noise_rate': 5.0}
    first, again, other = (counts_of(RECORDINGS, changes, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


@pytest.mark.parametrize(
    ('name', 'value'), [('rotation', -1.0), ('speed', 1.0), ('beginnings', 1.5)]
)
def test_changes_out_of_range_are_refused(name, value):
    with pytest.raises(ValueError, match=f'{name} of the event_augmentation'):
        EventAugmentation(**{name: value})
