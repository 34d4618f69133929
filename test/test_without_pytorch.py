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

"""What a robot that runs the engine event does needs no PyTorch."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DIGIT = ROOT / 'resource' / 'images' / 'digits' / '7' / '01.png'

CLASSIFY = f"""
from snn_perception import create_simulator, load_model
from snn_perception.images import read_image
print(create_simulator(load_model('mnist')).classify(read_image({str(DIGIT)!r})).label)
"""
NODE = """
import rclpy
from rclpy.parameter import Parameter
from snn_perception.nodes.classifier_node import ClassifierNode
from snn_perception.nodes.process import Stop
rclpy.init()
node = ClassifierNode(Stop(), parameter_overrides=[Parameter('model', value='mnist')])
print(node.start())
node.close()
"""


def without_pytorch(program: str) -> subprocess.CompletedProcess:
    """`program` run where PyTorch cannot be imported."""
    program = f'import sys\nsys.modules["torch"] = None\n{program}'
    return subprocess.run(
        [sys.executable, '-c', program], capture_output=True, text=True, timeout=120, cwd=ROOT
    )


def test_an_image_is_classified():
    done = without_pytorch(CLASSIFY)
    assert done.stdout == '7\n', done.stderr


def test_the_node_configures_and_activates():
    pytest.importorskip('rclpy')
    pytest.importorskip('vision_msgs')
    done = without_pytorch(NODE)
    assert done.stdout == 'True\n', done.stderr


@pytest.mark.parametrize('command', ['chip', 'benchmark'])
def test_a_command_that_needs_none_runs(command):
    words = {'chip': ['mnist'], 'benchmark': ['mnist', '--warm']}[command]
    done = without_pytorch(
        f'from snn_perception.commands import {command}\nsys.exit({command}.main({words}))'
    )
    assert done.returncode == 0, done.stderr


def command(name: str, *more: str) -> subprocess.CompletedProcess:
    words = ['mnist', '--data', str(DIGIT.parents[1]), *more]
    return without_pytorch(
        f'from snn_perception.commands import {name}\nsys.exit({name}.main({words}))'
    )


def test_a_model_is_evaluated_without_the_network_in_rates(tmp_path):
    done = command('evaluate', '--limit', '10', '--json', str(tmp_path / 'figures.json'))
    assert done.returncode == 0, done.stderr
    figures = json.loads((tmp_path / 'figures.json').read_text(encoding='utf-8'))
    assert figures['accuracy'] == 1
    assert figures['rate_accuracy'] is None
    assert 'rate_accuracy needs torch, which is not installed: pip install torch' in done.stderr


def test_a_command_that_needs_it_says_so_in_a_sentence(tmp_path):
    done = command('report', '--output', str(tmp_path / 'report'))
    assert done.returncode == 1
    assert 'needs torch, which is not installed: pip install torch' in done.stderr
    assert 'Traceback' not in done.stderr
