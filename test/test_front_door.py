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

"""What every command says where something that it needs is missing or too old."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import optional
import pytest

from snn_perception.__main__ import COMMANDS

ROOT = Path(__file__).parents[1]
DIGITS = str(ROOT / 'resource' / 'images' / 'digits')


def run(words: list[str], before: str = '') -> subprocess.CompletedProcess:
    """The program called with `words`, where the Python code `before` has run."""
    code = f'import sys, runpy\n{before}\nsys.argv = {words}\n'
    code += 'runpy.run_module("snn_perception", run_name="__main__")'
    command = [sys.executable, '-c', code]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, cwd=ROOT)


def without(library: str, *words: str) -> str:
    """The line with which `words`, an executable of ROS and its options, end without `library`."""
    done = run(
        [f'/opt/lib/snn_perception/{words[0]}', *words[1:]], f'sys.modules[{library!r}] = None'
    )
    assert done.returncode == 1, done.stderr
    *_, line = done.stderr.splitlines()
    assert 'Traceback' not in done.stderr
    assert line.startswith(f'{words[0]}: ')
    return line


@pytest.mark.parametrize(
    ('library', 'package', 'words'),
    [
        ('numpy', 'numpy', ['classifier']),
        ('dacite', 'dacite', ['evaluate', 'mnist', '--data', DIGITS]),
        ('safetensors', 'safetensors', ['benchmark']),
        ('cv2', 'opencv-python-headless', ['export', 'mnist', '--format', 'folder']),
        ('yaml', 'pyyaml', ['chip', 'mnist']),
        ('torch', 'torch', ['train', 'mnist', '--data', DIGITS]),
        ('numba', 'numba', ['train', 'mnist', '--data', DIGITS]),
    ],
)
def test_a_missing_library_is_named_with_what_installs_it_in_a_line(library, package, words):
    if 'train' in words and library != 'torch':
        optional.library('torch')
    line = without(library, *words)
    assert f'needs {library}, which is not installed: pip install {package} ' in line


def test_a_node_without_a_library_ends_like_the_other_commands():
    pytest.importorskip('rclpy')
    assert 'it needs dacite, which is not installed: pip install dacite ' in without(
        'dacite', 'classifier'
    )


@pytest.mark.parametrize('name', ['camera', 'classifier', 'collect', 'demo'])
def test_where_there_is_no_ros_a_line_says_what_to_source(name):
    assert 'it needs ROS 2, and rclpy is not there: source a distribution' in without(
        'rclpy', name
    )


def test_a_numpy_that_is_too_old_is_refused_before_anything_is_imported():
    older = 'from importlib import metadata\nmetadata.version = lambda name: "1.21.5"'
    done = run(['snn-perception', 'chip', 'mnist'], older)
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert line.startswith(
        'snn-perception chip: it needs numpy 1.23 or newer, and 1.21.5 is installed: pip install '
    )


def test_training_names_the_pytorch_that_it_needs():
    optional.library('torch')
    older = (
        'from importlib import metadata; real = metadata.version\n'
        'metadata.version = lambda name: "1.13.1" if name == "torch" else real(name)'
    )
    done = run(['train', 'mnist', '--data', DIGITS], older)
    assert done.returncode == 1
    [line] = done.stderr.splitlines()
    assert line.startswith('train: training needs torch 2.9 or newer, and 1.13.1 is installed: ')


def test_what_is_wrong_in_the_package_itself_is_not_taken_for_a_missing_library():
    before = 'import snn_perception\nsys.modules["snn_perception.commands.chip"] = None'
    done = run(['chip', 'mnist'], before)
    assert 'Traceback' in done.stderr


@pytest.mark.parametrize('name', COMMANDS)
def test_an_executable_of_ros_is_the_command_of_its_name(name):
    shown = run([f'/opt/lib/snn_perception/{name}', '--help'])
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.startswith(f'usage: {name} ')
