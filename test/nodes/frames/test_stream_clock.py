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

"""Simulated time that follows the stamps of a video."""

from __future__ import annotations

import pytest

from snn_perception.nodes.frames.stream_clock import Step, StreamClock

MILLISECOND = 1_000_000
LONGEST, GAP, DT = 0.06, 1.0, 0.001


def arrive(clock: StreamClock, milliseconds: float):
    return clock.arrive(round(milliseconds * MILLISECOND), GAP)


def advance(clock: StreamClock, milliseconds: float) -> Step:
    """The step for a frame that is shown as soon as it is received."""
    return clock.advance(arrive(clock, milliseconds), LONGEST, DT)


def test_first_frame_is_shown_from_rest_for_the_longest_time() -> None:
    step = advance(StreamClock(), 5000)
    assert (step.duration, step.restart, step.reason) == (LONGEST, True, '')


@pytest.mark.parametrize('elapsed', [1, 40, 200, 1000])
def test_later_frames_advance_by_the_time_between_stamps(elapsed: int) -> None:
    clock = StreamClock()
    advance(clock, 1000)
    step = advance(clock, 1000 + elapsed)
    assert step == Step(pytest.approx(elapsed / 1000), restart=False)


def test_whole_time_steps_do_not_drift_from_the_stamps() -> None:
    clock = StreamClock()
    advance(clock, 0)
    durations = [advance(clock, frame * 1000 / 30).duration for frame in range(1, 301)]
    assert {round(duration, 6) for duration in durations} == {0.033, 0.034}
    assert sum(durations) == pytest.approx(10.0, abs=0.0011)


def test_frame_within_one_time_step_still_advances_one() -> None:
    clock = StreamClock()
    advance(clock, 0)
    assert advance(clock, 0.2).duration == pytest.approx(0.001)


@pytest.mark.parametrize('later', [-1, -60_000])
def test_time_that_does_not_go_on_starts_from_rest(later: int) -> None:
    clock = StreamClock()
    advance(clock, 100_000)
    step = advance(clock, 100_000 + later)
    assert (step.duration, step.restart) == (LONGEST, True)
    assert 'before the last' in step.reason


def test_duplicate_stamp_is_told_and_changes_nothing() -> None:
    clock = StreamClock()
    advance(clock, 100)
    first = arrive(clock, 120)
    again = arrive(clock, 120)
    assert (first.is_duplicate, again.is_duplicate) == (False, True)
    assert clock.advance(first, LONGEST, DT) == Step(pytest.approx(0.02), restart=False)
    assert advance(clock, 140) == Step(pytest.approx(0.02), restart=False)


def test_long_gap_starts_from_rest_and_a_short_one_does_not() -> None:
    clock = StreamClock()
    advance(clock, 0)
    assert not advance(clock, 1000).restart
    step = advance(clock, 2001)
    assert step.restart
    assert step.reason == 'the stamp is 1.001 s after the last'


def test_frames_after_a_restart_go_on_from_its_stamp() -> None:
    clock = StreamClock()
    advance(clock, 100_000)
    advance(clock, 1000)
    step = advance(clock, 1020)
    assert (step.duration, step.restart) == (pytest.approx(0.020), False)


def test_reset_makes_the_next_frame_the_first() -> None:
    clock = StreamClock()
    advance(clock, 0)
    clock.reset()
    step = advance(clock, 10_000)
    assert (step.restart, step.reason) == (True, '')


def test_time_of_few_dropped_frames_is_made_up_for() -> None:
    clock = StreamClock()
    advance(clock, 0)
    arrive(clock, 20)
    assert advance(clock, 40) == Step(pytest.approx(0.040), restart=False)


def test_time_of_many_dropped_frames_is_skipped_and_told() -> None:
    clock = StreamClock()
    advance(clock, 0)
    for milliseconds in range(20, 300, 20):
        arrive(clock, milliseconds)
    step = advance(clock, 300)
    assert step == Step(pytest.approx(LONGEST), False, skipped=pytest.approx(0.240))


def test_frame_of_a_slow_camera_is_shown_for_its_own_time_even_if_one_was_dropped() -> None:
    clock = StreamClock()
    advance(clock, 0)
    arrive(clock, 200)
    step = advance(clock, 400)
    assert step == Step(pytest.approx(0.200), restart=False, skipped=pytest.approx(0.200))


def test_time_of_a_refused_frame_is_made_up_for() -> None:
    clock = StreamClock()
    advance(clock, 0)
    arrive(clock, 200)
    clock.refuse()
    assert advance(clock, 400) == Step(pytest.approx(0.400), restart=False)


def test_frames_dropped_for_longer_than_the_gap_are_no_gap() -> None:
    clock = StreamClock()
    advance(clock, 0)
    for milliseconds in range(100, 60_000, 100):
        arrive(clock, milliseconds)
    step = advance(clock, 60_000)
    assert step == Step(pytest.approx(0.1), restart=False, skipped=pytest.approx(59.9))


def test_jump_among_dropped_frames_starts_from_rest() -> None:
    clock = StreamClock()
    advance(clock, 0)
    arrive(clock, 5000)
    step = advance(clock, 5020)
    assert step == Step(LONGEST, restart=True, reason='the stamp is 5.000 s after the last')


@pytest.mark.parametrize('slowness', [0.1, 0.9, 1.0, 1.5, 3.0, 100.0])
@pytest.mark.parametrize('interval', [5.0, 33.0, 200.0])
def test_no_engine_is_so_slow_that_answers_take_ever_longer(
    slowness: float, interval: float
) -> None:
    """Newest frame wins, and simulating a second takes `slowness` seconds."""
    clock = StreamClock()
    simulated = skipped = now = 0.0
    received = 0
    for answer in range(50):
        newest = max(received + 1, int(now / interval + 1e-9))
        while received < newest:
            received += 1
            arrival = arrive(clock, received * interval)
        step = clock.advance(arrival, LONGEST, DT)
        now = max(now, received * interval) + 1000 * slowness * step.duration
        assert step.restart == (answer == 0)
        assert step.duration <= max(LONGEST, interval / 1000) + 0.001
        if not step.restart:
            simulated += step.duration
            skipped += step.skipped
    elapsed = (received - 1) * interval / 1000
    assert simulated + skipped == pytest.approx(elapsed, abs=0.002)
    assert (skipped == 0) == (slowness <= 1)
