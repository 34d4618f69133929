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

"""The machine that a node runs on: its name, and how busy it is."""

from __future__ import annotations

import os
import platform
from pathlib import Path

import psutil

from snn_perception.backends import gpu


def hardware_name(device: str, root: Path = Path('/')) -> str:
    """Name of the processor, or of the GPU if `device` is one, as its maker calls it.

    Processors without a name are called by that of their board. `root` is where /proc is.
    """
    if device.startswith('cuda'):
        return gpu.name()
    lines = _read(root / 'proc/cpuinfo').splitlines()
    names = [line.partition(':')[2].strip() for line in lines if line.startswith('model name')]
    board = _read(root / 'proc/device-tree/model').strip('\0\n')
    return next(iter(names), '') or board or platform.machine()


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding='utf-8', errors='replace')
    except OSError:
        return ''


class Host:
    """How much of the machine this process takes, and how much all of them do."""

    def __init__(self) -> None:
        self._process = psutil.Process()
        self._process.cpu_percent()

    def read(self) -> dict[str, str]:
        """Memory and processor time since the last reading, as text by name."""
        return {
            'memory_mb': f'{self._process.memory_info().rss / 1e6:.1f}',
            'cpu_percent': f'{self._process.cpu_percent():.1f}',
            'host_load': f'{os.getloadavg()[0] / (os.cpu_count() or 1):.2f}',
        }
