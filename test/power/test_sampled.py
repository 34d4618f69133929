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

"""Energy from powers of the moment: the arithmetic, and the thread that asks."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snn_perception.power import PowerMeter, Unreadable, mean_power
from snn_perception.power.sampled import HeldPower, SampledCounter

PATIENCE = 20.0


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.002)


@pytest.fixture
def opened() -> Iterator[list[SampledCounter]]:
    """What is put in here is closed after the test."""
    counters: list[SampledCounter] = []
    yield counters
    for counter in counters:
        counter.close()


def test_power_is_held_from_each_reading_to_the_next() -> None:
    power = HeldPower()
    power.hold(10.0, 4.0)
    power.hold(12.0, 6.0)
    assert power.joules(13.0) == pytest.approx(2 * 4.0 + 1 * 6.0)
    power.hold(15.0, 1.0)
    assert power.joules(15.0) == pytest.approx(2 * 4.0 + 3 * 6.0)


def test_no_energy_is_known_before_the_first_power() -> None:
    assert math.isnan(HeldPower().joules(3.0))


@given(
    st.lists(st.tuples(st.floats(1e-3, 2.0), st.floats(0.1, 500.0)), min_size=1, max_size=12),
    st.lists(st.floats(0.0, 1.0), min_size=2, max_size=8),
)
def test_mean_lies_between_powers_that_were_read_and_parts_add_up(
    steps: list[tuple[float, float]], fractions: list[float]
) -> None:
    """However readings fall between the samples."""
    power, now, counts = HeldPower(), 0.0, []
    for (gap, watts), fraction in zip(steps, fractions * len(steps), strict=False):
        power.hold(now, watts)
        counts.append((now + fraction * gap, power.joules(now + fraction * gap)))
        now += gap
    powers = [watts for _, watts in steps]
    means = []
    for (start, before), (end, after) in pairwise(counts):
        if end - start > 1e-6:
            mean = (after - before) / (end - start)
            assert min(powers) * (1 - 1e-6) <= mean <= max(powers) * (1 + 1e-6)
            means.append(mean * (end - start))
    assert sum(means) == pytest.approx(counts[-1][1] - counts[0][1], rel=1e-6, abs=1e-3)


def test_sensor_is_asked_again_and_again_and_its_power_read(
    opened: list[SampledCounter],
) -> None:
    asked: list[float] = []

    def sensor() -> float:
        asked.append(time.monotonic())
        return 7.0

    counter = SampledCounter('ina', sensor, 0.001)
    opened.append(counter)
    start = counter.read()
    wait_until(lambda: len(asked) > 20)
    power = mean_power(start, counter.read())
    assert power.watts == pytest.approx(7.0)
    assert power.source == 'ina'


def test_power_between_readings_follows_the_sensor(opened: list[SampledCounter]) -> None:
    watts, asked = [3.0], threading.Event()

    def sensor() -> float:
        asked.set()
        return watts[0]

    counter = SampledCounter('ina', sensor, 0.001)
    opened.append(counter)
    watts[0] = 11.0
    for _ in range(3):
        asked.clear()
        assert asked.wait(PATIENCE)
    start = counter.read()
    asked.clear()
    assert asked.wait(PATIENCE)
    assert mean_power(start, counter.read()).watts == pytest.approx(11.0)


def test_nothing_is_counted_before_the_sensor_knows_a_power(
    opened: list[SampledCounter],
) -> None:
    answer: list[float | None] = [None]
    counter = SampledCounter('nvml', lambda: answer[0], 0.001)
    opened.append(counter)
    early = counter.read()
    assert early.counter is None
    answer[0] = 5.0
    wait_until(lambda: counter.read().counter is not None)
    start = counter.read()
    answer[0] = None  # no news: the power goes on
    time.sleep(0.01)
    end = counter.read()
    assert mean_power(start, end).watts == pytest.approx(5.0)
    assert mean_power(early, end).source == 'unavailable'


def test_sensor_that_cannot_be_read_from_the_beginning_is_refused() -> None:
    def sensor() -> float:
        raise Unreadable('there is none')

    threads = threading.active_count()
    with pytest.raises(Unreadable, match='there is none'):
        SampledCounter('ina', sensor, 0.001)
    assert threading.active_count() == threads


def test_sensor_that_fails_later_makes_the_meter_unavailable_until_it_is_back() -> None:
    works = [True]

    def sensor() -> float:
        if not works[0]:
            raise Unreadable('it was unplugged')
        return 2.0

    meter = PowerMeter(lambda: SampledCounter('ina', sensor, 0.001), retry=0.0)
    start = meter.read()
    works[0] = False
    wait_until(lambda: meter.read().counter is None)
    assert meter.description == 'unavailable (it was unplugged)'
    assert mean_power(start, meter.read()).source == 'unavailable'
    works[0] = True
    again = meter.read()
    assert meter.source == 'ina'
    assert mean_power(start, again).source == 'unavailable'
    time.sleep(0.005)
    assert mean_power(again, meter.read()).watts == pytest.approx(2.0)
    meter.close()


def test_sensor_that_no_longer_answers_is_not_taken_for_the_power_of_the_moment(
    opened: list[SampledCounter], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr('snn_perception.power.sampled.STALE', 0.05)
    hang, release = threading.Event(), threading.Event()

    def sensor() -> float:
        if hang.is_set():
            release.wait(PATIENCE)
        return 2.0

    counter = SampledCounter('ina', sensor, 0.001)
    opened.append(counter)
    assert counter.read().counter is counter
    hang.set()
    time.sleep(0.1)
    with pytest.raises(Unreadable, match='has not answered'):
        counter.read()
    release.set()


def test_closing_ends_the_thread_and_then_lets_go_of_the_sensor() -> None:
    threads = threading.active_count()
    alive: list[int] = []
    counter = SampledCounter(
        'nvml', lambda: 1.0, 0.001, lambda: alive.append(threading.active_count())
    )
    assert threading.active_count() == threads + 1
    counter.close()
    assert alive == [threads]
