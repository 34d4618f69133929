"""Host power from RAPL counters, on real directory trees laid out as Linux does."""

from __future__ import annotations

import math
import os
from pathlib import Path

import pytest

from snn_perception.power import NoMeter, Reading, find_meter


def zone(root: Path, path: str, name: str, energy: int, maximum: int = 262143328850) -> Path:
    folder = root / path
    folder.mkdir(parents=True)
    (folder / 'name').write_text(name + '\n')
    (folder / 'energy_uj').write_text(f'{energy}\n')
    (folder / 'max_energy_range_uj').write_text(f'{maximum}\n')
    return folder / 'energy_uj'


def later(reading: Reading, seconds: float, counters: tuple[int, ...]) -> Reading:
    return Reading(reading.time + seconds, counters)


def test_packages_and_memory_are_added_and_parts_of_a_package_are_not(tmp_path: Path) -> None:
    zone(tmp_path, 'intel-rapl:0', 'package-0', 1_000_000)
    zone(tmp_path, 'intel-rapl:0:0', 'core', 600_000)
    zone(tmp_path, 'intel-rapl:0:1', 'dram', 200_000)
    zone(tmp_path, 'intel-rapl:1', 'package-1', 3_000_000)
    zone(tmp_path, 'intel-rapl-mmio:0', 'package-0', 1_000_000)
    meter = find_meter(tmp_path)
    start = meter.read()
    assert meter.source == 'rapl'
    assert sorted(start.counters) == [200_000, 1_000_000, 3_000_000]
    grown = tuple(counter + 5_000_000 for counter in start.counters)
    assert meter.mean_power(start, later(start, 0.5, grown)) == pytest.approx(30.0)


def test_reading_follows_the_counter(tmp_path: Path) -> None:
    counter = zone(tmp_path, 'intel-rapl:0', 'package-0', 10)
    meter = find_meter(tmp_path)
    start = meter.read()
    counter.write_text('4000010\n')
    end = meter.read()
    assert meter.mean_power(start, end) == pytest.approx(4 / (end.time - start.time))


def test_counter_that_started_over_goes_on_where_it_ended(tmp_path: Path) -> None:
    zone(tmp_path, 'intel-rapl:0', 'package-0', 999_000, maximum=999_999)
    meter = find_meter(tmp_path)
    start = meter.read()
    assert meter.mean_power(start, later(start, 1.0, (1_000,))) == pytest.approx(0.002)


def test_host_without_counters_is_unavailable_and_not_zero(tmp_path: Path) -> None:
    for meter in (find_meter(tmp_path), find_meter(tmp_path / 'missing')):
        assert meter.source == 'unavailable'
        assert math.isnan(meter.mean_power(meter.read(), meter.read()))


@pytest.mark.parametrize('damaged', ['energy_uj', 'max_energy_range_uj', 'name'])
def test_counter_that_cannot_be_read_makes_the_meter_unavailable(
    tmp_path: Path, damaged: str
) -> None:
    zone(tmp_path, 'intel-rapl:0', 'package-0', 1)
    zone(tmp_path, 'intel-rapl:1', 'package-1', 1)
    (tmp_path / 'intel-rapl:1' / damaged).unlink()
    assert isinstance(find_meter(tmp_path), NoMeter)


@pytest.mark.skipif(os.geteuid() == 0, reason='root may read everything')
def test_counter_without_permission_makes_the_meter_unavailable(tmp_path: Path) -> None:
    zone(tmp_path, 'intel-rapl:0', 'package-0', 1).chmod(0)
    assert find_meter(tmp_path).source == 'unavailable'


def test_counter_that_vanishes_later_gives_no_number(tmp_path: Path) -> None:
    counter = zone(tmp_path, 'intel-rapl:0', 'package-0', 1)
    meter = find_meter(tmp_path)
    start = meter.read()
    counter.unlink()
    assert math.isnan(meter.mean_power(start, meter.read()))


def test_no_time_between_readings_gives_no_number(tmp_path: Path) -> None:
    zone(tmp_path, 'intel-rapl:0', 'package-0', 1)
    meter = find_meter(tmp_path)
    start = meter.read()
    assert math.isnan(meter.mean_power(start, start))
