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

"""Folders and files laid out as Linux shows power sensors below /sys."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

NOBODY = 65534


def write(folder: Path, **files: object) -> Path:
    """`folder` with one line in each of `files`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, value in files.items():
        (folder / name).write_text(f'{value}\n')
    return folder


def rapl_zone(
    sysfs: Path, zone: str, name: str, energy_uj: int, largest: int = 262143328850
) -> Path:
    """A power zone of a processor; its counter."""
    folder = sysfs / 'class/powercap' / zone
    write(folder, name=name, energy_uj=energy_uj, max_energy_range_uj=largest)
    return folder / 'energy_uj'


def ina3221(
    sysfs: Path, number: int, rails: dict[str, tuple[int, int]], update_interval: int = 7
) -> Path:
    """A monitor of three rails, by their labels: mV and mA. Its folder."""
    folder = sysfs / f'class/hwmon/hwmon{number}'
    write(folder, name='ina3221', update_interval=update_interval, samples=1)
    for channel, (label, (millivolts, milliamperes)) in enumerate(rails.items(), 1):
        channel_files = {
            f'in{channel}_label': label,
            f'in{channel}_enable': 1,
            f'in{channel}_input': millivolts,
            f'curr{channel}_input': milliamperes,
            # The voltage over the shunt, in uV, and no rail of its own.
            f'in{channel + 3}_input': 5 * milliamperes,
        }
        write(folder, **channel_files)
    total = sum(milliamperes for _, milliamperes in rails.values())
    return write(folder, in7_label='sum of shunt voltages', in7_input=5 * total, curr4_input=total)


def ina226(sysfs: Path, number: int, millivolts: int, milliamperes: int, **files: object) -> Path:
    """A monitor of one rail. Its folder."""
    folder = sysfs / f'class/hwmon/hwmon{number}'
    write(folder, name='ina226', shunt_resistor=10000, update_interval=35)
    write(folder, in0_input=5, in1_input=millivolts, curr1_input=milliamperes)
    return write(folder, power1_input=1000 * abs(millivolts * milliamperes) // 1000, **files)


def ina3221x(sysfs: Path, address: str, number: int, rails: dict[str, int]) -> Path:
    """A monitor as JetPack 4 shows it: labels and mW. Its folder."""
    folder = sysfs / f'bus/i2c/drivers/ina3221x/{address}/iio:device{number}'
    write(folder, name='ina3221x')
    for channel, (label, milliwatts) in enumerate(rails.items()):
        write(folder, **{f'rail_name_{channel}': label, f'in_power{channel}_input': milliwatts})
    return folder


@contextmanager
def ordinary_user() -> Iterator[None]:
    """Read files as somebody whom they do not belong to, even where root runs the tests."""
    if os.geteuid() != 0:
        yield
        return
    try:
        os.seteuid(NOBODY)
    except PermissionError:
        pytest.skip('root may not become another user here')
    try:
        yield
    finally:
        os.seteuid(0)
