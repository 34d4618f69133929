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

"""Energy counters of processors, on real directory trees laid out as Linux does."""

from __future__ import annotations

import math
import shutil
import tempfile
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sysfs_tree import ordinary_user, rapl_zone

from snn_perception.power import PowerMeter, Reading, Unreadable, find_meter, mean_power
from snn_perception.power.rapl import Domain, RaplCounter, find_rapl


def later(reading: Reading, seconds: float, *values: int) -> Reading:
    return replace(reading, time=reading.time + seconds, values=values)


def meter_at_once(sysfs: Path) -> PowerMeter:
    """A meter that looks for its sensor again with every reading."""
    return PowerMeter(lambda: find_rapl(sysfs / 'class/powercap'), retry=0.0)


def test_packages_and_memory_are_added_and_parts_of_a_package_are_not(tmp_path: Path) -> None:
    rapl_zone(tmp_path, 'intel-rapl:0', 'package-0', 1_000_000)
    rapl_zone(tmp_path, 'intel-rapl:0:0', 'core', 600_000)
    rapl_zone(tmp_path, 'intel-rapl:0:1', 'dram', 200_000)
    rapl_zone(tmp_path, 'intel-rapl:1', 'package-1', 3_000_000)
    rapl_zone(tmp_path, 'intel-rapl:2', 'psys', 9_000_000)
    rapl_zone(tmp_path, 'intel-rapl-mmio:0', 'package-0', 1_000_000)
    meter = find_meter('cpu', tmp_path)
    start = meter.read()
    assert meter.source == 'rapl'
    assert start.values == (1_000_000, 200_000, 3_000_000)
    grown = later(start, 0.5, 6_000_000, 5_200_000, 8_000_000)
    assert mean_power(start, grown).watts == pytest.approx(30.0)


def test_reading_follows_the_counter(tmp_path: Path) -> None:
    counter = rapl_zone(tmp_path, 'intel-rapl:0', 'package-0', 10)
    meter = find_meter('cpu', tmp_path)
    start = meter.read()
    counter.write_text('4000010\n')
    end = meter.read()
    power = mean_power(start, end)
    assert power.watts == pytest.approx(4 / (end.time - start.time))
    assert power.source == 'rapl'


@given(before=st.integers(0, 10**12), grown=st.integers(0, 10**12), largest=st.integers(1, 10**12))
def test_counter_that_started_over_goes_on_where_it_ended(
    before: int, grown: int, largest: int
) -> None:
    before, grown = before % (largest + 1), grown % (largest + 1)
    counter = RaplCounter((Domain(Path('energy_uj'), largest),))
    after = (before + grown) % (largest + 1)
    assert counter.joules((before,), (after,)) == pytest.approx(1e-6 * grown)


def test_power_over_the_end_of_a_counter_in_files(tmp_path: Path) -> None:
    counter = rapl_zone(tmp_path, 'intel-rapl:0', 'package-0', 999_000, largest=999_999)
    meter = find_meter('cpu', tmp_path)
    start = meter.read()
    counter.write_text('1000\n')
    end = later(start, 1.0, *meter.read().values)
    assert mean_power(start, end).watts == pytest.approx(0.002)


def test_counter_that_does_not_move_is_unavailable_and_not_zero(tmp_path: Path) -> None:
    rapl_zone(tmp_path, 'intel-rapl:0', 'package-0', 0)
    meter = find_meter('cpu', tmp_path)
    power = mean_power(meter.read(), meter.read())
    assert math.isnan(power.watts)
    assert power.source == 'unavailable'


def test_host_without_counters_is_unavailable_and_says_so(tmp_path: Path) -> None:
    (tmp_path / 'class/powercap').mkdir(parents=True)
    for sysfs in (tmp_path, tmp_path / 'missing'):
        meter = find_meter('cpu', sysfs)
        assert meter.source == 'unavailable'
        assert 'shows no energy counters of a processor' in meter.description
        assert math.isnan(mean_power(meter.read(), meter.read()).watts)


@pytest.mark.parametrize('damaged', ['energy_uj', 'max_energy_range_uj', 'name'])
def test_file_that_is_missing_in_one_package_makes_all_unavailable(
    tmp_path: Path, damaged: str
) -> None:
    rapl_zone(tmp_path, 'intel-rapl:0', 'package-0', 1)
    rapl_zone(tmp_path, 'intel-rapl:1', 'package-1', 1)
    (tmp_path / 'class/powercap/intel-rapl:1' / damaged).unlink()
    with pytest.raises(Unreadable, match=f'intel-rapl:1/{damaged} cannot be read: No such file'):
        find_rapl(tmp_path / 'class/powercap')


@pytest.mark.parametrize(
    ('name', 'content', 'sentence'),
    [
        ('energy_uj', b'', "must hold an integer, not ''"),
        ('energy_uj', b'many\n', "must hold an integer, not 'many'"),
        ('energy_uj', b'\xff\xfe\n', 'it is not text'),
        ('energy_uj', b'-1\n', 'must not be negative, but is -1'),
        ('max_energy_range_uj', b'0\n', 'must be positive, not 0'),
        ('max_energy_range_uj', b'-1\n', 'must be positive, not -1'),
    ],
)
def test_garbage_is_refused_with_the_file_named(
    tmp_path: Path, name: str, content: bytes, sentence: str
) -> None:
    rapl_zone(tmp_path, 'intel-rapl:0', 'package-0', 1)
    (tmp_path / 'class/powercap/intel-rapl:0' / name).write_bytes(content)
    with pytest.raises(Unreadable, match=f'intel-rapl:0/{name} .*{sentence}'):
        find_rapl(tmp_path / 'class/powercap')


def test_counter_that_only_root_may_read_is_unavailable_until_it_is_opened_to_all() -> None:
    with tempfile.TemporaryDirectory() as folder:
        sysfs = Path(folder)
        sysfs.chmod(0o755)
        counter = rapl_zone(sysfs, 'intel-rapl:0', 'package-0', 1)
        counter.chmod(0)
        with ordinary_user():
            meter = meter_at_once(sysfs)
            assert meter.source == 'unavailable'
            assert f'{counter} cannot be read: Permission denied' in meter.description
        counter.chmod(0o444)
        with ordinary_user():
            meter.read()
            assert meter.source == 'rapl'


def test_counter_that_vanishes_gives_no_number_and_is_read_again_when_it_is_back(
    tmp_path: Path,
) -> None:
    rapl_zone(tmp_path, 'intel-rapl:0', 'package-0', 1)
    meter = meter_at_once(tmp_path)
    start = meter.read()
    shutil.rmtree(tmp_path / 'class/powercap/intel-rapl:0')
    assert mean_power(start, meter.read()).source == 'unavailable'
    assert meter.source == 'unavailable'
    rapl_zone(tmp_path, 'intel-rapl:0', 'package-0', 5_000_000)
    back = meter.read()
    assert meter.source == 'rapl'
    assert mean_power(start, back).source == 'unavailable'
    assert mean_power(back, later(back, 2.0, 9_000_000)).watts == pytest.approx(2.0)
