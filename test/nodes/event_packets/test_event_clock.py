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

"""Which events belong to which time step of a network that hears them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snn_perception.events.binning import binned
from snn_perception.events.stream import Events
from snn_perception.nodes.event_packets.stream_clock import MOST_STEPS, EventClock, Stretch


def events(*times: int) -> Events:
    return Events.of(times, [0] * len(times), [0] * len(times), [1] * len(times), 1, 1)


def hear(
    clock: EventClock, *times: int, longest_gap: float = 0.1, follows_gap: bool = False
) -> list[Stretch]:
    return list(clock.advance(events(*times), times[0], times[-1], longest_gap, follows_gap))


def counts(stretches: list[Stretch]) -> list[int]:
    return [int(count) for one in stretches for count in one.counts[:, 0, 0, 1]]


def test_first_event_begins_the_first_step_and_the_last_step_waits_for_more() -> None:
    clock = EventClock(0.001)
    assert counts(hear(clock, 5_500, 5_600, 6_499, 6_500, 7_600)) == [3, 1]
    assert counts(hear(clock, 8_499, 8_500)) == [2]


def test_time_without_events_passes_for_the_network_too() -> None:
    clock = EventClock(0.001)
    hear(clock, 0)
    assert counts(hear(clock, 50_000)) == [1] + [0] * 49


def test_long_silence_is_a_gap_after_which_a_step_begins_with_the_next_event() -> None:
    clock = EventClock(0.001)
    hear(clock, 0, 1_500)
    stretches = hear(clock, 201_700, 202_700)
    assert stretches[0].gap == 'no events for 0.200 s'
    assert counts(stretches) == [1]


def test_time_of_packets_that_are_missing_is_skipped() -> None:
    clock = EventClock(0.001)
    hear(clock, 0, 1_500)
    [stretch] = hear(clock, 51_500, 52_500, follows_gap=True)
    assert stretch.skipped == pytest.approx(0.05)
    assert not stretch.gap
    assert counts([stretch]) == [1]


@pytest.mark.parametrize('follows_gap', [False, True])
def test_clock_of_another_camera_that_is_behind_is_a_gap(follows_gap: bool) -> None:
    clock = EventClock(0.001)
    hear(clock, 900_000, 1_000_000)
    stretches = hear(clock, 2_000, 4_500, longest_gap=10.0, follows_gap=follows_gap)
    assert stretches[0].gap == 'the time went back by 0.998 s'
    assert stretches[0].skipped == 0
    assert counts(stretches) == [1, 0]


def test_gap_and_what_was_skipped_are_said_even_if_no_step_is_whole() -> None:
    clock = EventClock(0.001)
    hear(clock, 0)
    [stretch] = hear(clock, 500_000)
    assert stretch.gap
    assert len(stretch.counts) == 0


@given(
    gaps=st.lists(st.integers(0, 9_000), min_size=1, max_size=60),
    cuts=st.lists(st.integers(1, 59), max_size=5),
    tick=st.sampled_from([250, 1000, 1000 / 3]),
)
@settings(deadline=None)
def test_in_how_many_packets_events_come_makes_no_difference(
    gaps: list[int], cuts: list[int], tick: float
) -> None:
    times = np.cumsum(gaps)
    clock = EventClock(tick * 1e-6)
    found = []
    for part in np.split(times, sorted(cuts)):
        if len(part):
            found += hear(clock, *part.tolist())
    whole = binned(events(*times.tolist()), tick * 1e-6)[:, 0, 0, 1]
    assert all(len(one.counts) <= MOST_STEPS for one in found)
    heard = counts(found)
    assert heard == whole[: len(heard)].tolist()
    assert len(heard) >= len(whole) - 1
