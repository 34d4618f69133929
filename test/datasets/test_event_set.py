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

from dataclasses import replace

import numpy as np
import pytest
from tiny_events import CLASSES, same, tiny_recordings, written

from snn_perception.datasets import DatasetError, split
from snn_perception.datasets.event_set import joined, load_event_set, packed
from snn_perception.events.binning import binned
from snn_perception.events.shaping import EventShaping
from snn_perception.events.stream import Events

SHAPING = EventShaping((8, 8, 2))


def test_recordings_come_out_as_they_went_in_but_for_the_time_of_their_beginning():
    events = Events.of([70, 75, 90], [0, 7, 3], [1, 2, 299], [1, 0, 1], 8, 300)
    other = Events.none(8, 300)
    both = packed([events, other, events], np.array([0, 1, 1]), ['a', 'b', 'c'], ('x', 'y'))
    assert same(both.recording(2), replace(events, t=events.t - 70))
    assert len(both.recording(1)) == 0
    assert (both.recording(0).width, both.recording(0).height) == (8, 300)


def test_a_recording_that_is_too_long_is_refused_instead_of_beginning_anew():
    longest = Events.of([5, 5 + 2**32 - 1], [0, 1], [0, 1], [1, 0], 8, 8)
    kept = packed([longest], np.array([0]), ['a'], ('x',)).recording(0)
    assert kept.t.tolist() == [0, 2**32 - 1]
    longer = Events.of([5, 5 + 2**32], [0, 1], [0, 1], [1, 0], 8, 8)
    with pytest.raises(DatasetError, match='must not be longer than 71 minutes'):
        packed([longer], np.array([0]), ['a'], ('x',))


def test_a_subset_and_what_is_joined_are_the_recordings_themselves():
    recordings = tiny_recordings(20)
    chosen = np.array([17, 3, 3, 8])
    some = recordings.subset(chosen)
    whole = joined([some, recordings])
    assert len(whole) == 24
    for place, index in enumerate([*chosen, *range(20)]):
        assert same(whole.recording(place), recordings.recording(index))
    assert whole.names.tolist() == [*recordings.names[chosen], *recordings.names]
    assert whole.labels.tolist() == [*recordings.labels[chosen], *recordings.labels]


def test_the_counts_of_recordings_are_those_of_each_one():
    recordings = tiny_recordings(6)
    counts = recordings.counts(np.array([4, 2]), SHAPING, 0.01, 9)
    assert counts.shape == (9, 2, 8, 8, 2)
    for place, index in enumerate((4, 2)):
        alone = binned(recordings.recording(index), 0.01, 9, 0)
        np.testing.assert_array_equal(counts[:, place], alone)
    assert not counts[6:].any()
    with pytest.raises(ValueError, match='not of 9 and 8'):
        recordings.counts(np.array([0]), EventShaping((9, 8, 2)), 0.01, 9)


def test_recordings_are_held_out_evenly_by_class():
    training, validation = split(tiny_recordings(40), 8, 1)
    assert np.bincount(validation.labels).tolist() == [2, 2, 2, 2]
    assert not set(training.names) & set(validation.names)
    assert len(training) == 32


def test_a_folder_of_recordings_per_class_is_read(tmp_path):
    recordings = tiny_recordings(12)
    written(tmp_path, recordings)
    found = load_event_set(tmp_path, SHAPING)
    assert found.class_names == tuple(sorted(CLASSES))
    assert len(found) == 12
    for index in range(12):
        name, label = found.names[index], found.class_names[found.labels[index]]
        original = int(np.flatnonzero(recordings.names == name)[0])
        assert CLASSES[recordings.labels[original]] == label
        assert same(found.recording(index), recordings.recording(original))


def test_recordings_are_shaped_as_the_network_hears_them(tmp_path):
    written(tmp_path, tiny_recordings(4))
    found = load_event_set(tmp_path, EventShaping((4, 4, 2)))
    assert (found.height, found.width) == (4, 4)
    assert found.x.max() == 3
    assert len(load_event_set(tmp_path, SHAPING, limit=2)) == 2


def test_a_crop_that_a_sensor_has_not_is_named_with_its_file(tmp_path):
    written(tmp_path, tiny_recordings(4))
    with pytest.raises(DatasetError, match=r'0000\d.npz cannot be used: crop'):
        load_event_set(tmp_path, EventShaping((4, 4, 2), crop=(6, 0, 8, 8)))


def test_sets_that_do_not_fit_are_not_joined():
    recordings = tiny_recordings(4)
    with pytest.raises(DatasetError, match='9 x 8 pixels do not go together'):
        joined([recordings, replace(recordings, width=9)])
    with pytest.raises(DatasetError, match='classes a, b do not go together'):
        joined([recordings, replace(recordings, class_names=('a', 'b'))])
