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

"""The examples of the README and of docs/network.md that need no ROS, as pasted."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from snn_perception.model_file import layer_from_mapping
from snn_perception.network import Network

ROOT = Path(__file__).parents[1]


def blocks(page: str, language: str) -> list[str]:
    """The blocks in `language` on a page."""
    return re.findall(rf'```{language}\n(.*?)```', (ROOT / page).read_text(), re.DOTALL)


def run(marker: str, page: str = 'README.md') -> list[str]:
    """The lines that the one Python block of `page` with `marker` prints."""
    (example,) = [block for block in blocks(page, 'python') if marker in block]
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


def test_the_layers_on_the_page_of_networks_are_networks():
    for example in blocks('docs/network.md', 'yaml'):
        layers = map(layer_from_mapping, yaml.safe_load(example)['layers'])
        assert Network((32, 32, 3), tuple(layers)).classes == 10


def test_the_network_in_python_prints_its_populations():
    *populations, counts = run('population.neurons', 'docs/network.md')
    assert [line.split()[1] for line in populations] == [
        'stem',
        'convolution',
        'convolution',
        'dense',
    ]
    assert counts.startswith('3 ')
