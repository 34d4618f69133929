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

"""The README's examples that need no ROS, as pasted."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def run(marker: str) -> list[str]:
    """The lines that the one Python block of the README with `marker` prints."""
    blocks = re.findall(r'```python\n(.*?)```', (ROOT / 'README.md').read_text(), re.DOTALL)
    (example,) = [block for block in blocks if marker in block]
    done = subprocess.run(
        [sys.executable, '-c', example], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_the_example_in_python_reads_its_digit():
    decision, counts = run('simulator.classify')
    assert decision.startswith('7 ')
    assert counts


def test_the_example_in_nengo_reads_its_digit_and_counts_spikes():
    pytest.importorskip('nengo')
    # Nengo tells of its progress before.
    *_, label, spikes = run('build_network(model)')
    assert label == '7'
    assert re.fullmatch(r'[1-9]\d* spikes in the first layer', spikes)
