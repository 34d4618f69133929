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

"""INA power monitors (INA3221, INA226, INA219 and the like), such as on Jetson boards.

They measure voltage and current of a supply rail. Linux shows them as hardware monitors:
`in1_input` in mV, `curr1_input` in mA, `power1_input` in uW, `in1_label` the name of the rail,
`update_interval` in ms (Documentation/hwmon/ of the kernel: sysfs-interface, ina3221, ina2xx).
The kernel of JetPack 4 has a driver of its own, ina3221x: `rail_name_0`, `in_power0_input` in mW.

Power is computed as voltage times current where both are shown: the chips' own product has no
sign and coarser steps.
"""

from __future__ import annotations

import math
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from snn_perception.power.base import Unreadable
from snn_perception.power.sampled import SampledCounter
from snn_perception.power.sysfs import read_integer, read_text

INPUTS = (
    ('VDD_IN',),  # Orin NX, Orin Nano, Xavier NX, TX2, TX1
    ('POM_5V_IN',),  # Nano
    ('VIN',),  # AGX Thor developer kit
    ('VDD_GPU_SOC', 'VDD_CPU_CV', 'VIN_SYS_5V0'),  # AGX Orin
    ('GPU', 'CPU', 'SOC', 'CV', 'VDDRQ', 'SYS5V'),  # AGX Xavier
)
"""Rails that together carry all that enters a Jetson, with nothing counted twice.

The other rails are parts of these. From NVIDIA's developer guides and device trees
(tegra234-p3701, tegra234-p3767); AGX Orin and AGX Xavier have no single rail for everything.
"""

CHANNELS = 3
NOT_CONNECTED = 'NC'

SHORTEST_INTERVAL = 0.01
LONGEST_INTERVAL = 1.0
"""Seconds between samples are kept between these two, whatever the sensors say."""


@dataclass(frozen=True)
class Rail:
    """A supply rail: its power in W is `unit` times the product of the integers in `files`.

    `interval`: seconds between measurements of the sensor, 0 if it does not say.
    """

    label: str
    files: tuple[Path, ...]
    unit: float
    interval: float = 0.0

    def power(self) -> float:
        """Power in W now, negative if the current flows backwards; raises Unreadable."""
        return self.unit * math.prod(read_integer(file) for file in self.files)


def find_ina(sysfs: Path) -> SampledCounter:
    """The supply of this host, found below `sysfs`; raises Unreadable if it cannot be told."""
    rails = [
        rail
        for monitor in sorted(sysfs.glob('class/hwmon/hwmon*'))
        for rail in _hwmon_rails(monitor)
    ]
    rails = rails or [
        rail
        for monitor in sorted(sysfs.glob('bus/i2c/drivers/ina3221x/*/iio:device*'))
        for rail in _ina3221x_rails(monitor)
    ]
    supply = supply_of(rails)
    interval = max(SHORTEST_INTERVAL, *(rail.interval for rail in supply))
    return SampledCounter('ina', lambda: _total_power(supply), min(interval, LONGEST_INTERVAL))


def supply_of(rails: list[Rail]) -> list[Rail]:
    """The rails that add up to what the host draws: one set of INPUTS, or the only rail.

    Raises Unreadable if there are no rails, or several and it is unknown which feed the host.
    """
    if not rails:
        raise Unreadable('there are no INA power monitors')
    for labels in INPUTS:
        found = [rail for rail in rails if rail.label in labels]
        if sorted(rail.label for rail in found) == sorted(labels):
            return found
    if len(rails) > 1:
        names = ', '.join(rail.label or 'without a name' for rail in rails)
        raise Unreadable(f'it is unknown which of the rails {names} feed the host')
    return rails


def _total_power(rails: list[Rail]) -> float:
    """Power in W of all `rails` now; raises Unreadable."""
    watts = sum(rail.power() for rail in rails)
    if watts <= 0:
        raise Unreadable(f'the INA power monitors read {watts:g} W, which no host can run on')
    return watts


def _hwmon_rails(monitor: Path) -> Iterator[Rail]:
    """Connected rails of a hardware monitor; none if it is not an INA."""
    if not re.fullmatch(r'ina\d+\w*', _text(monitor / 'name')):
        return
    interval = _milliseconds(monitor / 'update_interval')
    for channel in range(1, CHANNELS + 1):
        label = _text(monitor / f'in{channel}_label') or _text(monitor / 'label')
        if label == NOT_CONNECTED or _text(monitor / f'in{channel}_enable') == '0':
            continue
        pair = (monitor / f'in{channel}_input', monitor / f'curr{channel}_input')
        power = monitor / f'power{channel}_input'
        if all(os.path.exists(file) for file in pair):
            yield Rail(label, pair, 1e-6, interval)
        elif os.path.exists(power):
            yield Rail(label, (power,), 1e-6, interval)


def _ina3221x_rails(monitor: Path) -> Iterator[Rail]:
    """Connected rails of a monitor as the driver of JetPack 4 shows it."""
    for channel in range(CHANNELS):
        label = _text(monitor / f'rail_name_{channel}')
        power = monitor / f'in_power{channel}_input'
        if label and label != NOT_CONNECTED and os.path.exists(power):
            yield Rail(label, (power,), 1e-3)


def _text(path: Path) -> str:
    """The line in a file, empty if there is none."""
    try:
        return read_text(path)
    except Unreadable:
        return ''


def _milliseconds(path: Path) -> float:
    """Seconds, from the milliseconds in a file; 0 if there is none."""
    try:
        return 1e-3 * read_integer(path)
    except Unreadable:
        return 0.0
