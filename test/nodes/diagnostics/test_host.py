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

"""The machine that a node runs on."""

from __future__ import annotations

import os
import platform
import time
from pathlib import Path

import pytest

from snn_perception.nodes.diagnostics.host import Host, hardware_name


@pytest.mark.parametrize(
    ('files', 'name'),
    [
        ({'cpuinfo': 'processor : 0\nmodel name\t: Fast CPU @ 3 GHz\n'}, 'Fast CPU @ 3 GHz'),
        ({'cpuinfo': 'processor : 0\n', 'device-tree/model': 'Small Board 5\0'}, 'Small Board 5'),
        ({}, platform.machine()),
    ],
)
def test_hardware_has_the_name_that_its_maker_gave_it(
    tmp_path: Path, files: dict[str, str], name: str
) -> None:
    for path, text in files.items():
        (tmp_path / 'proc' / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / 'proc' / path).write_text(text)
    assert hardware_name('cpu', tmp_path) == name


def test_load_of_the_host_is_told_in_numbers() -> None:
    host = Host()
    # The system counts in steps of 10 ms.
    begun = time.process_time()
    while time.process_time() < begun + 0.05:
        sum(range(10**4))
    values = {name: float(text) for name, text in host.read().items()}
    assert 10 < values['memory_mb'] < 100_000
    assert 0 < values['cpu_percent'] < 100 * (os.cpu_count() or 1) + 50
    assert values['host_load'] >= 0
