"""The counts of a node and the verdict that it publishes about itself."""

from __future__ import annotations

import math

import pytest

from snn_perception.nodes.health import Health, Level, Report


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def health(clock: Clock) -> Health:
    return Health(clock)


def report(health: Health, warning: str = '') -> Report:
    return health.report('/image_raw', 1, warning)


def test_frames_classified_in_time_are_fine(health: Health, clock: Clock) -> None:
    for latency in (0.010, 0.020, 0.030, 0.040):
        health.received(overwritten=False)
        health.classified(latency)
    clock.now += 2.0
    verdict = report(health)
    assert verdict.level is Level.OK
    assert verdict.values['rate_hz'] == '2.000'
    assert verdict.values['latency_ms'] == '25.000'
    assert verdict.values['latency_max_ms'] == '40.000'
    assert verdict.values['received'] == verdict.values['classified'] == '4'


def test_rate_is_of_the_time_since_the_last_report(health: Health, clock: Clock) -> None:
    health.classified(0.01)
    clock.now += 1.0
    report(health)
    clock.now += 1.0
    verdict = report(health)
    assert verdict.values['rate_hz'] == '0.000'
    assert 'latency_ms' not in verdict.values
    assert verdict.values['classified'] == '1'


def test_frames_without_a_stamp_are_counted_without_a_latency(health: Health) -> None:
    health.classified(math.nan)
    verdict = report(health)
    assert verdict.values['classified'] == '1'
    assert 'latency_ms' not in verdict.values


def test_dropped_frames_are_counted_and_no_trouble(health: Health) -> None:
    health.received(overwritten=False)
    health.received(overwritten=True)
    health.classified(0.01)
    verdict = report(health)
    assert verdict.level is Level.OK
    assert (verdict.values['received'], verdict.values['dropped']) == ('2', '1')


def test_rejected_frames_between_good_ones_are_a_warning_that_names_the_last(
    health: Health,
) -> None:
    health.classified(0.01)
    health.rejected('step is 0 bytes')
    verdict = report(health)
    assert verdict.level is Level.WARN
    assert verdict.message == '1 frames rejected: step is 0 bytes'
    assert verdict.values['rejected'] == '1'
    assert report(health).level is Level.OK


def test_last_error_stays_readable_after_the_trouble(health: Health) -> None:
    health.rejected('step is 0 bytes')
    report(health)
    assert report(health).values['last_error'] == 'step is 0 bytes'


def test_nothing_but_rejected_frames_is_an_error(health: Health) -> None:
    health.rejected('step is 0 bytes')
    assert report(health).level is Level.ERROR


def test_failure_of_the_engine_is_an_error(health: Health) -> None:
    health.classified(0.01)
    health.failed('out of memory')
    verdict = report(health)
    assert verdict.level is Level.ERROR
    assert verdict.message == '1 frames failed: out of memory'
    assert verdict.values['failed'] == '1'


def test_silence_is_stale_once_patience_ends(health: Health, clock: Clock) -> None:
    clock.now += 1.9
    assert report(health).level is Level.OK
    clock.now += 3.0
    verdict = report(health)
    assert verdict.level is Level.STALE
    assert verdict.message == 'no frame for 5 s on /image_raw, which has 1 publishers'
    health.received(overwritten=False)
    assert report(health).level is Level.OK


def test_lasting_trouble_is_a_warning(health: Health, clock: Clock) -> None:
    clock.now += 10.0
    verdict = report(health, 'a publisher cannot be heard')
    assert (verdict.level, verdict.message) == (Level.WARN, 'a publisher cannot be heard')


def test_reset_forgets_counts_and_errors(health: Health, clock: Clock) -> None:
    health.received(overwritten=True)
    health.failed('out of memory')
    clock.now += 10.0
    health.reset()
    verdict = report(health)
    assert verdict.level is Level.OK
    assert verdict.values['last_error'] == ''
    assert vars(health.counts) == dict.fromkeys(vars(health.counts), 0)
