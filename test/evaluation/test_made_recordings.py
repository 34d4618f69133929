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

"""Recordings of nothing, made here."""

from __future__ import annotations

import numpy as np

from snn_perception.evaluation.made_recordings import KINDS, made_recordings
from snn_perception.events.shaping import EventShaping

SHAPING = EventShaping((6, 7, 2))


def test_every_kind_is_made_for_the_network_and_always_the_same():
    made = made_recordings(SHAPING, 0.1, 3)
    again = made_recordings(SHAPING, 0.1, 5)
    assert list(made) == list(KINDS)
    for kind, recordings in made.items():
        counts = recordings.counts(np.arange(3), SHAPING, 0.001, 100)
        assert counts.shape == (100, 3, 6, 7, 2)
        other = again[kind].counts(np.arange(3), SHAPING, 0.001, 100)
        assert np.array_equal(counts, other)


def test_the_kinds_differ_in_where_and_when_events_come():
    made = made_recordings(SHAPING, 0.1, 40)
    counts = {
        kind: each.counts(np.arange(40), SHAPING, 0.001, 100).sum(axis=4)
        for kind, each in made.items()
    }
    totals = {kind: each.sum(axis=(0, 2, 3)) for kind, each in counts.items()}
    assert totals['silence'].max() < 10
    assert (totals['silence'] == 0).any()
    assert np.ptp(totals['noise']) > 100
    firing = (counts['hot pixels'].sum(axis=0) > 0).sum(axis=(1, 2))
    assert 1 <= firing.min() <= firing.max() <= 10
    # All at once, and then none for a while.
    at_once = counts['flicker'].sum(axis=(2, 3))
    assert (at_once.max(axis=0) > 42 / 8).all()
    assert ((at_once == 0).mean(axis=0) > 0.2).all()


def test_a_filter_of_the_network_silences_hot_pixels_here_too():
    strict = EventShaping((6, 7, 2), hot_pixel_rate=100.0)
    plain, filtered = (
        len(made_recordings(each, 0.5, 4)['hot pixels'].t) for each in (SHAPING, strict)
    )
    assert filtered < plain / 4
