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

"""INA power monitors, on real directory trees laid out as Linux does."""

from __future__ import annotations

import math
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from sysfs_tree import ina226, ina3221, ina3221x, rapl_zone, write

from snn_perception.power import PowerMeter, Unreadable, find_meter, mean_power
from snn_perception.power.hwmon import find_ina

PATIENCE = 20.0
NANO = {'POM_5V_IN': 4200, 'POM_5V_GPU': 1000, 'POM_5V_CPU': 1500}
ORIN_NX = {'VDD_IN': (5000, 2000), 'VDD_CPU_GPU_CV': (5000, 800), 'VDD_SOC': (5000, 500)}


@pytest.fixture
def meter(tmp_path: Path) -> Iterator[PowerMeter]:
    """A meter on an Orin NX that looks for its sensor again with every reading."""
    ina3221(tmp_path, 3, ORIN_NX)
    meter = PowerMeter(lambda: find_ina(tmp_path), retry=0.0)
    yield meter
    meter.close()


def watts(sysfs: Path) -> float:
    """Power that is measured below `sysfs`."""
    meter = find_meter('cpu', sysfs)
    start = meter.read()
    time.sleep(0.002)
    power = mean_power(start, meter.read())
    meter.close()
    assert power.source == ('unavailable' if math.isnan(power.watts) else 'ina')
    return power.watts


def refusal(sysfs: Path) -> str:
    with pytest.raises(Unreadable) as refused:
        find_ina(sysfs).close()
    return str(refused.value)


def test_power_is_voltage_times_current(tmp_path: Path) -> None:
    ina226(tmp_path, 0, 12_000, 1_500)
    assert watts(tmp_path) == pytest.approx(18.0)


def test_power_is_read_directly_where_there_is_no_current(tmp_path: Path) -> None:
    write(tmp_path / 'class/hwmon/hwmon0', name='ina219', power1_input=4_500_000)
    assert watts(tmp_path) == pytest.approx(4.5)


def test_input_of_the_module_is_not_counted_twice_with_its_parts(tmp_path: Path) -> None:
    ina3221(tmp_path, 3, ORIN_NX)
    assert watts(tmp_path) == pytest.approx(10.0)


def test_rails_that_enter_the_module_side_by_side_are_added(tmp_path: Path) -> None:
    """AGX Orin: two monitors; the memory's rail is fed by the 5 V one."""
    rails = {'VDD_GPU_SOC': (800, 6000), 'VDD_CPU_CV': (800, 3000), 'VIN_SYS_5V0': (5000, 1000)}
    ina3221(tmp_path, 3, rails)
    memory = {'NC': (0, 0), 'VDDQ_VDD2_1V8AO': (5000, 300)}
    ina3221(tmp_path, 4, memory)
    assert watts(tmp_path) == pytest.approx(4.8 + 2.4 + 5.0)


def test_all_rails_of_agx_xavier_are_added(tmp_path: Path) -> None:
    ina3221(tmp_path, 1, {'GPU': (5000, 100), 'CPU': (5000, 200), 'SOC': (5000, 300)})
    ina3221(tmp_path, 2, {'CV': (5000, 0), 'VDDRQ': (5000, 100), 'SYS5V': (5000, 400)})
    assert watts(tmp_path) == pytest.approx(5.5)


def test_monitor_named_as_the_input_counts_for_the_whole(tmp_path: Path) -> None:
    """AGX Thor: the label is that of the chip, whose name is another."""
    rails = {'VDD_GPU': (800, -490), 'VDD_CPU_SOC_MSS': (800, 8000), 'VIN_SYS_5V0': (5000, 1300)}
    ina3221(tmp_path, 1, rails)
    ina226(tmp_path, 2, 20_000, 1_100, name='ina238', label='VIN')
    assert watts(tmp_path) == pytest.approx(22.0)


def test_driver_of_jetpack_4_is_read_in_milliwatts(tmp_path: Path) -> None:
    ina3221x(tmp_path, '6-0040', 0, NANO)
    assert watts(tmp_path) == pytest.approx(4.2)


def test_only_monitor_is_taken_for_the_supply_whatever_its_name(tmp_path: Path) -> None:
    rails = {'battery': (12_000, 500), 'NC': (0, 0), 'spare': (0, 0)}
    folder = ina3221(tmp_path, 0, rails)
    write(folder, in3_enable=0)
    assert watts(tmp_path) == pytest.approx(6.0)


def test_rails_that_may_be_parts_of_each_other_are_refused_with_their_names(
    tmp_path: Path,
) -> None:
    ina3221(tmp_path, 0, {'motors': (12_000, 500), 'logic': (5000, 700)})
    ina226(tmp_path, 1, 12_000, 900)
    sentence = 'it is unknown which of the rails motors, logic, without a name feed the host'
    assert sentence in refusal(tmp_path)
    assert math.isnan(watts(tmp_path))


def test_other_hardware_monitors_are_no_supply(tmp_path: Path) -> None:
    monitors = tmp_path / 'class/hwmon'
    write(monitors / 'hwmon0', name='coretemp', temp1_input=40_000)
    write(monitors / 'hwmon1', name='amdgpu', power1_input=90_000_000, in1_input=900)
    write(monitors / 'hwmon2', in1_input=5000, curr1_input=100)
    assert refusal(tmp_path) == 'there are no INA power monitors'
    assert 'there are no INA power monitors' in find_meter('cuda', tmp_path).description


@pytest.mark.parametrize(('millivolts', 'milliamperes'), [(5000, 0), (0, 900), (5000, -900)])
def test_supply_that_reads_nothing_or_less_is_unavailable_and_not_zero(
    tmp_path: Path, millivolts: int, milliamperes: int
) -> None:
    """A current that flows backwards charges something; the chip's own product has no sign."""
    ina226(tmp_path, 0, millivolts, milliamperes)
    assert 'which no host can run on' in refusal(tmp_path)
    assert math.isnan(watts(tmp_path))


@pytest.mark.parametrize('content', [b'', b'high\n', b'4.5\n', b'\xff\n'])
def test_garbage_in_a_rail_makes_the_sum_unavailable(tmp_path: Path, content: bytes) -> None:
    folder = ina3221(tmp_path, 0, ORIN_NX)
    (folder / 'curr1_input').write_bytes(content)
    assert 'hwmon0/curr1_input' in refusal(tmp_path)


def test_rail_that_is_missing_from_a_sum_is_not_left_out_of_it(tmp_path: Path) -> None:
    rails = {'VDD_GPU_SOC': (800, 6000), 'VDD_CPU_CV': (800, 3000), 'VIN_SYS_5V0': (5000, 1000)}
    folder = ina3221(tmp_path, 3, rails)
    write(folder, in2_enable=0)
    assert 'it is unknown which' in refusal(tmp_path)


@pytest.mark.parametrize(
    ('update_interval', 'seconds'),
    [(0, 0.01), (35, 0.035), (50_653, 1.0), ('soon', 0.01), (-5, 0.01)],
)
def test_sensor_is_asked_as_often_as_it_has_news_within_limits(
    tmp_path: Path, update_interval: object, seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[float] = []
    monkeypatch.setattr(
        'snn_perception.power.hwmon.SampledCounter',
        lambda source, sensor, interval: asked.append(interval),
    )
    ina226(tmp_path, 0, 5000, 1000, update_interval=update_interval)
    find_ina(tmp_path)
    assert asked == [pytest.approx(seconds)]


def test_processor_counters_go_first_on_the_cpu_and_are_not_used_on_a_gpu(
    tmp_path: Path,
) -> None:
    rapl_zone(tmp_path, 'intel-rapl:0', 'package-0', 1)
    ina226(tmp_path, 0, 12_000, 1_500)
    for device, source in (('cpu', 'rapl'), ('cuda', 'ina')):
        meter = find_meter(device, tmp_path)
        assert meter.source == source
        meter.close()


def test_power_follows_the_files(tmp_path: Path, meter: PowerMeter) -> None:
    write(tmp_path / 'class/hwmon/hwmon3', curr1_input=3000)
    end = time.monotonic() + PATIENCE
    while True:
        start = meter.read()
        time.sleep(0.002)
        if mean_power(start, meter.read()).watts == pytest.approx(15.0):
            break
        assert time.monotonic() < end


def test_monitor_that_vanishes_gives_no_number_and_is_found_again_under_another_number(
    tmp_path: Path, meter: PowerMeter
) -> None:
    start = meter.read()
    assert meter.source == 'ina'
    shutil.rmtree(tmp_path / 'class/hwmon/hwmon3')
    end = time.monotonic() + PATIENCE
    while meter.read().counter is not None:
        assert time.monotonic() < end
        time.sleep(0.002)
    assert meter.source == 'unavailable'
    assert mean_power(start, meter.read()).source == 'unavailable'
    ina3221(tmp_path, 5, {**ORIN_NX, 'VDD_IN': (5000, 1000)})
    again = meter.read()
    time.sleep(0.002)
    assert mean_power(again, meter.read()).watts == pytest.approx(5.0)
