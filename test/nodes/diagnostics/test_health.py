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

"""The counts of a node, and the times between them, up to its verdict about itself."""

from __future__ import annotations

import math

import pytest

from snn_perception.nodes.diagnostics.health import Health
from snn_perception.nodes.diagnostics.latency import Latency
from snn_perception.nodes.diagnostics.verdict import Counts, Level, Limits, Report, Source

UNKNOWN = Latency(math.nan, 'the frames have no stamps')


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


def report(health: Health) -> Report:
    return health.report(Source('/image_raw', 1), Limits())


def classify(health: Health, latency: float = 0.01) -> None:
    health.received()
    with health.busy():
        health.classified(Latency(latency), {'network': latency / 2})


def take_the_place(health: Health) -> None:
    """A frame arrives and takes the place of one that waits."""
    health.received()
    health.dropped()


def test_frames_classified_in_time_are_fine(health: Health, clock: Clock) -> None:
    for latency in (0.010, 0.020, 0.030, 0.040):
        classify(health, latency)
    clock.now += 2.0
    verdict = report(health)
    assert (verdict.level, verdict.message) == (Level.OK, 'classifying the frames on /image_raw')
    assert verdict.values['rate_hz'] == '2.000'
    assert verdict.values['latency_ms'] == '25.000'
    assert verdict.values['latency_max_ms'] == '40.000'
    assert verdict.values['received'] == verdict.values['classified'] == '4'


def test_rate_is_of_the_time_since_the_last_report(health: Health, clock: Clock) -> None:
    classify(health)
    clock.now += 1.0
    report(health)
    clock.now += 1.0
    verdict = report(health)
    assert verdict.values['rate_hz'] == '0.000'
    assert 'latency_ms' not in verdict.values
    assert verdict.values['classified'] == '1'


def test_first_report_after_a_pause_is_of_the_time_since_then(
    health: Health, clock: Clock
) -> None:
    for _ in range(3):
        classify(health, 0.5)
    clock.now += 60.0
    health.resume()
    classify(health, 0.01)
    clock.now += 0.5
    verdict = report(health)
    assert verdict.level is Level.OK
    assert verdict.values['rate_hz'] == '2.000'
    assert verdict.values['latency_max_ms'] == '10.000'
    assert verdict.values['classified'] == '4'


def test_unknown_latencies_are_no_numbers_and_the_verdict_says_why(health: Health) -> None:
    health.classified(UNKNOWN, {})
    verdict = report(health)
    assert verdict.level is Level.OK
    assert verdict.message.endswith('their latency is unknown: the frames have no stamps')
    assert verdict.values['latency_ms'] == verdict.values['latency_max_ms'] == 'nan'
    assert verdict.values['classified'] == '1'


def test_unknown_latencies_do_not_spoil_the_mean_of_known_ones(health: Health) -> None:
    health.classified(UNKNOWN, {})
    health.classified(Latency(0.02), {})
    health.classified(UNKNOWN, {})
    verdict = report(health)
    assert verdict.values['latency_ms'] == '20.000'
    assert 'unknown' not in verdict.message


def test_parts_of_the_latency_are_means_by_name(health: Health) -> None:
    classify(health, 0.010)
    classify(health, 0.030)
    assert report(health).values['network_ms'] == '10.000'
    assert 'network_ms' not in report(health).values


def test_few_dropped_frames_are_counted_and_no_trouble_and_many_are(health: Health) -> None:
    for _ in range(20):
        classify(health)
    take_the_place(health)
    verdict = report(health)
    assert verdict.level is Level.OK
    assert (verdict.values['received'], verdict.values['dropped']) == ('21', '1')
    classify(health)
    take_the_place(health)
    assert report(health).message.startswith('falling behind: 1 of 2 frames dropped')


def test_what_is_odd_about_the_frames_is_said_until_it_is_over(health: Health) -> None:
    classify(health)
    health.seen('almost black')
    for _ in range(2):
        assert report(health).message == 'the frames on /image_raw are almost black'
    health.seen('')
    assert report(health).level is Level.OK


def test_every_kind_of_frame_has_its_count(health: Health) -> None:
    health.received(lost=2, has_stamp=False)
    health.duplicate()
    health.classified(UNKNOWN, {}, hurried=True)
    counts = Counts(received=2, lost=2, unstamped=1, duplicates=1, classified=1, hurried=1)
    assert health.counts == counts


def test_trouble_is_over_when_the_next_report_has_none(health: Health) -> None:
    classify(health)
    health.rejected('step is 0 bytes')
    assert report(health).level is Level.WARN
    verdict = report(health)
    assert verdict.level is Level.OK
    assert verdict.values['rejected'] == '1'
    assert verdict.values['last_error'] == 'step is 0 bytes'


def test_failures_of_the_engine_are_counted_and_named(health: Health) -> None:
    classify(health)
    health.failed('out of memory')
    verdict = report(health)
    assert (verdict.level, verdict.values['failed']) == (Level.ERROR, '1')
    assert 'out of memory' in verdict.message


def test_skipped_time_of_a_stream_is_warned_of_until_a_report_with_frames_that_skip_none(
    health: Health,
) -> None:
    for seconds in (0.25, 0.5, 0.0):
        health.skipped(seconds)
    assert report(health).level is Level.WARN
    assert report(health).level is Level.OK
    health.skipped(0.25)
    assert report(health).level is Level.WARN
    verdict = report(health)
    assert (verdict.level, verdict.values['skipped_s']) == (Level.WARN, '1.000')
    assert (
        verdict.message
        == 'the engine is too slow for the stream: 1.00 s of it were skipped so far'
    )
    health.skipped(0.0)
    verdict = report(health)
    assert (verdict.level, verdict.values['skipped_s']) == (Level.OK, '1.000')


def test_silence_lasts_until_the_next_frame(health: Health, clock: Clock) -> None:
    clock.now += 5.0
    assert report(health).level is Level.STALE
    health.received()
    assert report(health).level is Level.OK


def test_frame_that_the_engine_does_not_finish_is_an_error_until_it_does(
    health: Health, clock: Clock
) -> None:
    classify(health)
    clock.now += 100.0
    health.received()
    with health.busy():
        for _ in range(6):
            clock.now += 1.0
            take_the_place(health)
        verdict = report(health)
        assert verdict.level is Level.ERROR
        assert (
            verdict.message
            == 'nothing classified for 6 s: the engine is still busy with one frame'
        )
    assert report(health).level is Level.OK


def test_frames_that_are_never_taken_up_are_an_error(health: Health, clock: Clock) -> None:
    for _ in range(7):
        take_the_place(health)
        clock.now += 1.0
    verdict = report(health)
    assert verdict.level is Level.ERROR
    assert verdict.message == 'nothing classified for 7 s: frames wait and none is taken up'


def test_engine_that_was_slow_before_is_given_time(health: Health, clock: Clock) -> None:
    with health.busy():
        clock.now += 4.0
    with health.busy():
        health.received()
        clock.now += 11.0
        health.received()
        assert report(health).level is Level.OK
        clock.now += 2.0
        assert report(health).level is Level.ERROR


def test_disabled_node_still_names_an_engine_that_hangs(health: Health, clock: Clock) -> None:
    with health.busy():
        assert health.report(None, Limits()).message == 'disabled'
        clock.now += 6.0
        assert health.report(None, Limits()).level is Level.ERROR
    verdict = health.report(None, Limits())
    assert (verdict.level, verdict.message) == (Level.OK, 'disabled')


@pytest.mark.parametrize('forget', [Health.reset, Health.resume])
def test_hanging_engine_is_not_forgotten(health: Health, clock: Clock, forget) -> None:
    with health.busy():
        clock.now += 6.0
        forget(health)
        assert report(health).level is Level.ERROR


def test_frame_that_waited_before_a_pause_is_not_waited_for_after_it(
    health: Health, clock: Clock
) -> None:
    health.received()
    clock.now += 60.0
    health.resume()
    assert report(health).level is Level.OK


def test_reset_forgets_counts_and_errors(health: Health, clock: Clock) -> None:
    take_the_place(health)
    health.failed('out of memory')
    clock.now += 10.0
    health.reset()
    verdict = report(health)
    assert verdict.level is Level.OK
    assert verdict.values['last_error'] == ''
    assert health.counts == Counts()
