"""Simulated time that follows the stamps of a video."""

from __future__ import annotations

import pytest

from snn_perception.nodes.timing import StreamClock

MILLISECOND = 1_000_000
FIRST, GAP = 0.06, 1.0


def advance(clock: StreamClock, milliseconds: float):
    return clock.advance(round(milliseconds * MILLISECOND), FIRST, GAP)


def test_first_frame_is_shown_from_rest_for_the_presentation_time() -> None:
    step = advance(StreamClock(0.001), 5000)
    assert (step.duration, step.restart, step.reason) == (FIRST, True, '')


def test_later_frames_advance_by_the_time_between_stamps() -> None:
    clock = StreamClock(0.001)
    advance(clock, 1000)
    step = advance(clock, 1040)
    assert (step.duration, step.restart) == (pytest.approx(0.040), False)


def test_whole_time_steps_do_not_drift_from_the_stamps() -> None:
    clock = StreamClock(0.001)
    advance(clock, 0)
    durations = [advance(clock, frame * 1000 / 30).duration for frame in range(1, 301)]
    assert {round(duration, 6) for duration in durations} == {0.033, 0.034}
    assert sum(durations) == pytest.approx(10.0, abs=0.0011)


def test_frame_within_one_time_step_still_advances_one() -> None:
    clock = StreamClock(0.001)
    advance(clock, 0)
    assert advance(clock, 0.2).duration == pytest.approx(0.001)


@pytest.mark.parametrize('later', [0, -1, -60_000])
def test_time_that_does_not_go_on_starts_from_rest(later: int) -> None:
    clock = StreamClock(0.001)
    advance(clock, 100_000)
    step = advance(clock, 100_000 + later)
    assert (step.duration, step.restart) == (FIRST, True)
    assert 'before the last' in step.reason


def test_long_gap_starts_from_rest_and_a_short_one_does_not() -> None:
    clock = StreamClock(0.001)
    advance(clock, 0)
    assert not advance(clock, 1000).restart
    step = advance(clock, 2001)
    assert step.restart
    assert step.reason == 'the stamp is 1.001 s after the last'


def test_frames_after_a_restart_go_on_from_its_stamp() -> None:
    clock = StreamClock(0.001)
    advance(clock, 100_000)
    advance(clock, 1000)
    step = advance(clock, 1020)
    assert (step.duration, step.restart) == (pytest.approx(0.020), False)


def test_reset_makes_the_next_frame_the_first() -> None:
    clock = StreamClock(0.001)
    advance(clock, 0)
    clock.reset()
    step = advance(clock, 10)
    assert (step.restart, step.reason) == (True, '')
