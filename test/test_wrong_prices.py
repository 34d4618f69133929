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

"""A wrong figure in config/energy.yaml, for programs in processes of their own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec

import optional
import pytest
import yaml

from snn_perception.locations import share_directory

pytest.importorskip('ament_index_python', reason='there is no index of installed packages')
needs_ros = pytest.mark.skipif(
    not (find_spec('rclpy') and find_spec('vision_msgs')), reason='there is no ROS'
)


@pytest.fixture
def start(tmp_path):
    """Starts a command where the package is installed with a wrong price."""
    share = tmp_path / 'share' / 'snn_perception'
    shutil.copytree(share_directory() / 'config', share / 'config')
    for name in ('models', 'resource'):
        (share / name).symlink_to(share_directory() / name)
    index = tmp_path / 'share' / 'ament_index' / 'resource_index' / 'packages'
    index.mkdir(parents=True)
    (index / 'snn_perception').touch()
    prices = share / 'config' / 'energy.yaml'
    content = yaml.safe_load(prices.read_text())
    content['chips']['loihi']['update']['low'] = 1000.0
    prices.write_text(yaml.safe_dump(content))
    prefixes = os.pathsep.join([str(tmp_path), os.environ.get('AMENT_PREFIX_PATH', '')])

    def run(*arguments):
        return subprocess.run(
            [sys.executable, '-m', 'snn_perception', *arguments],
            env={**os.environ, 'AMENT_PREFIX_PATH': prefixes},
            capture_output=True,
            text=True,
            timeout=60,
        )

    return run


SENTENCE = 'config/energy.yaml: chips.loihi: low, value and high of update must be in order'


@pytest.mark.parametrize('name', ['evaluate', 'report', 'train'])
def test_commands_help_all_the_same(start, name):
    helped = start(name, '--help')
    assert (helped.returncode, helped.stderr) == (0, '')
    assert helped.stdout.startswith('usage: ')


@pytest.mark.parametrize('name', ['evaluate', 'report', 'train'])
def test_commands_that_need_prices_end_at_once_with_a_sentence(start, name, tmp_path):
    if name == 'train':
        optional.library('torch')
    ended = start(name, 'mnist', '--data', str(tmp_path / 'none'))
    assert ended.returncode == 1
    assert ended.stderr.startswith(f'{name}: ')
    assert SENTENCE in ended.stderr
    assert ended.stderr.count('\n') == 1


@needs_ros
def test_the_node_helps_all_the_same(start):
    helped = start('classifier', '--help')
    assert (helped.returncode, helped.stderr) == (0, '')
    assert 'energy_chip' in helped.stdout


@needs_ros
def test_the_node_refuses_to_configure_with_a_sentence(start):
    ended = start('classifier')
    assert ended.returncode == 1
    assert SENTENCE in ended.stderr
    assert 'Traceback' not in ended.stderr
