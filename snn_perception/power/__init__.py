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

"""What the host really draws while it classifies: measured by its own sensors, or unavailable.

A meter is read before and after a decision, and `mean_power` gives the power between the two
readings. Nothing here is estimated: if no sensor measured it, the power is NaN and its source is
'unavailable'.

| source | measures | by |
|---|---|---|
| `rapl` | all processor packages and their memory | energy counters of the processor |
| `nvml` | the whole board of the GPU that computes | NVIDIA's management library |
| `ina` | all that enters the module (Jetson), or the only such sensor | INA power monitors |

A number comes from one source, never from a sum of several.
"""

from __future__ import annotations

from functools import partial
from pathlib import Path

from snn_perception.power.base import (
    UNAVAILABLE,
    Power,
    PowerMeter,
    Reading,
    Unreadable,
    mean_power,
)
from snn_perception.power.hwmon import find_ina
from snn_perception.power.nvml import find_nvml
from snn_perception.power.rapl import find_rapl

__all__ = [
    'UNAVAILABLE',
    'Power',
    'PowerMeter',
    'Reading',
    'Unreadable',
    'find_meter',
    'mean_power',
]

SYSFS = Path('/sys')


def find_meter(device: str = 'cpu', sysfs: Path = SYSFS) -> PowerMeter:
    """The meter for a network that runs on `device`, 'cpu' or 'cuda'.

    For the CPU it uses RAPL, else INA sensors. For a GPU it uses INA sensors, which on a Jetson
    include the GPU, else NVML; never RAPL, which would leave out the GPU that computes. Close it
    after use.
    """
    rapl = partial(find_rapl, sysfs / 'class/powercap')
    ina = partial(find_ina, sysfs)
    return PowerMeter(ina, find_nvml) if device == 'cuda' else PowerMeter(rapl, ina)
