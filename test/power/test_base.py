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

"""The meter, on counters made for the purpose: what it reads, and what becomes of it."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest

from snn_perception.power import Power, PowerMeter, Reading, Unreadable, mean_power


class Counter:
    """A counter of joules that the test moves, or breaks."""

    def __init__(self, source: str = 'rapl') -> None:
        self.source = source
        self.count = 0.0
        self.works = True
        self.closed = False

    def read(self) -> Reading:
        if not self.works:
            raise Unreadable('it broke')
        return Reading(10 + self.count, self, (self.count,))

    def joules(self, before: tuple[float, ...], after: tuple[float, ...]) -> float:
        return after[0] - before[0]

    def close(self) -> None:
        self.closed = True


def missing(reason: str) -> Callable[[], Counter]:
    def find() -> Counter:
        raise Unreadable(reason)

    return find


def reading(counter: Counter | None, time: float, joules: float) -> Reading:
    return Reading(time, counter, (joules,))


def test_mean_power_is_energy_by_time_with_the_source_of_the_counter() -> None:
    counter = Counter('ina')
    start, end = reading(counter, 1.0, 20.0), reading(counter, 1.5, 26.0)
    assert mean_power(start, end) == Power(12.0, 'ina')


def test_power_is_unavailable_where_nothing_was_counted() -> None:
    one, other = Counter(), Counter()
    start = reading(one, 1.0, 5.0)
    for end in (
        reading(one, 2.0, 5.0),  # the counter did not move
        reading(one, 2.0, 4.0),  # it went back
        reading(one, 1.0, 6.0),  # no time between
        reading(other, 2.0, 6.0),  # another counter
        reading(None, 2.0, 6.0),  # none any more
    ):
        power = mean_power(start, end)
        assert math.isnan(power.watts)
        assert power.source == 'unavailable'
    assert mean_power(reading(None, 1.0, 5.0), reading(one, 2.0, 6.0)).source == 'unavailable'


def test_meter_takes_the_first_sensor_that_is_found() -> None:
    meter = PowerMeter(missing('no RAPL'), lambda: Counter('ina'), lambda: Counter('nvml'))
    assert meter.source == meter.description == 'ina'


def test_meter_without_a_sensor_is_unavailable_and_says_why() -> None:
    meter = PowerMeter(missing('no RAPL'), missing('no INA'))
    assert meter.source == 'unavailable'
    assert meter.description == 'unavailable (no RAPL; no INA)'
    assert mean_power(meter.read(), meter.read()).source == 'unavailable'
    assert PowerMeter().description == 'unavailable'


def test_sensor_that_vanishes_is_closed_and_the_power_unavailable_until_one_is_found() -> None:
    found: list[Counter] = []

    def find() -> Counter:
        found.append(Counter())
        return found[-1]

    meter = PowerMeter(find, retry=0.0)
    start = meter.read()
    found[0].count, found[0].works = 1.0, False
    broken = meter.read()
    assert found[0].closed
    assert (meter.source, meter.description) == ('unavailable', 'unavailable (it broke)')
    assert mean_power(start, broken).source == 'unavailable'
    again = meter.read()
    found[1].count = 3.0
    assert mean_power(again, meter.read()) == Power(1.0, 'rapl')
    assert mean_power(start, again).source == 'unavailable'


def test_sensor_that_appears_later_is_found() -> None:
    sensors: list[Counter] = []

    def find() -> Counter:
        if not sensors:
            raise Unreadable('not yet')
        return sensors[0]

    meter = PowerMeter(find, retry=0.0)
    assert meter.read().counter is None
    sensors.append(Counter())
    assert meter.read().counter is sensors[0]
    assert meter.description == 'rapl'


def test_search_is_not_repeated_with_every_reading() -> None:
    searches: list[int] = []

    def find() -> Counter:
        searches.append(1)
        raise Unreadable('nothing')

    meter = PowerMeter(find, retry=3600.0)
    for _ in range(5):
        meter.read()
    assert len(searches) == 1


def test_closed_meter_lets_go_of_its_sensor_and_looks_for_no_other() -> None:
    counter = Counter()
    meter = PowerMeter(lambda: counter, retry=0.0)
    meter.close()
    assert counter.closed
    assert meter.read().counter is None
    assert meter.source == 'unavailable'


@pytest.mark.parametrize('watts', [0.5, 25.0, 700.0])
def test_power_is_that_of_the_time_between_two_readings(watts: float) -> None:
    counter = Counter()
    end = reading(counter, 4.004, 7.0 + 0.004 * watts)
    assert mean_power(reading(counter, 4.0, 7.0), end).watts == pytest.approx(watts)
