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
from online_recordings import write_recording, write_recordings

from snn_perception.datasets.recordings import find_recordings
from snn_perception.online.coding import Coding
from snn_perception.online.recordings import (
    divided,
    encoded,
    evenly,
    first_of_each,
    require_labels,
)


def names(recordings):
    return [f'{path.parent.name} {path.stem[-1]}' for path in recordings.paths]


@pytest.fixture
def recordings(tmp_path):
    return find_recordings(write_recordings(tmp_path, count=5))


def test_the_last_of_each_class_are_held_out(recordings):
    taught, kept = divided(recordings, 0.4)
    assert names(kept) == ['left 3', 'left 4', 'right 3', 'right 4']
    assert kept.labels.tolist() == [0, 0, 1, 1]
    assert len(taught) == 6
    assert not set(taught.paths) & set(kept.paths)


def test_fewer_are_the_first_of_each_class_or_evenly_spread(recordings):
    assert names(first_of_each(recordings, 1)) == ['left 0', 'right 0']
    assert names(evenly(recordings, 3)) == ['left 0', 'left 4', 'right 4']
    assert evenly(recordings, 11) == recordings


def test_a_class_with_a_single_recording_cannot_be_divided(tmp_path):
    recordings = find_recordings(write_recordings(tmp_path, count=1))
    with pytest.raises(ValueError, match='of class left there are 1 recordings, too few to hold'):
        divided(recordings, 0.2)


def test_what_circuits_say_is_of_the_recordings_in_their_order(recordings):
    halves = Coding((34, 34), (1, 2), 17, 1, 0.1, 'binary')
    said = encoded(recordings, halves, np.random.default_rng(0))
    assert [each.tolist() for each in said] == [[[1, 0]]] * 5 + [[[0, 1]]] * 5


def test_an_empty_recording_is_silence(tmp_path):
    write_recording(tmp_path / 'nothing' / '0.bin', [])
    (said,) = encoded(
        find_recordings(tmp_path), Coding((34, 34), (2, 2), 16, 3, 0.01), np.random.default_rng(0)
    )
    assert not said.any()


def test_recordings_of_other_classes_are_refused(recordings):
    require_labels(recordings, ['left', 'right'])
    with pytest.raises(ValueError, match=r'the model knows .* and the recordings are of'):
        require_labels(recordings, ['up', 'down'])
