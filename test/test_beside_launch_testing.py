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

"""The tests beside upstream's launch_testing, a plugin of pytest that `ros_core` brings.

It imports every test file itself, before pytest does: files of equal names then collide, and one
that skips itself takes others with it. Our settings keep it, and its like, away.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
TIMEOUT = 120

LIKE_UPSTREAM = """
import importlib, sys

def pytest_pycollect_makemodule(module_path, parent):
    sys.path.insert(0, str(module_path.parent))
    module = importlib.import_module(module_path.stem)
    if module.__file__ != str(module_path):
        raise ImportError(f'{module_path} has the name of {module.__file__}')
"""

PROBE = r"""
import logging, sys

def pytest_collection_finish(session):
    print(*(item.nodeid for item in session.items), sep='\n', file=sys.stderr)
    assert logging.getLoggerClass() is logging.Logger, 'a test file has changed how all log'
"""


@pytest.fixture
def beside_launch(tmp_path: Path) -> dict[str, str]:
    """Environment with the plugin: the distribution's own, or else one that does the same."""
    folder = tmp_path / 'plugins'
    folder.mkdir()
    (folder / 'probe.py').write_text(PROBE)
    if not entry_points(group='pytest11', name='launch_testing'):
        information = folder / 'launch_testing-1.0.dist-info'
        information.mkdir()
        (information / 'METADATA').write_text('Name: launch_testing\nVersion: 1.0\n')
        (information / 'entry_points.txt').write_text('[pytest11]\nlaunch_testing = eager\n')
        (folder / 'eager.py').write_text(LIKE_UPSTREAM)
    places = os.pathsep.join([str(folder), os.environ.get('PYTHONPATH', '')])
    return {**os.environ, 'PYTHONPATH': places}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A package with our settings, and three files of tests: two of one name, one that skips."""
    folder = tmp_path / 'project'
    for place in ('one/test_same.py', 'two/test_same.py'):
        path = folder / 'test' / place
        path.parent.mkdir(parents=True)
        path.write_text('def test_nothing(): pass\n')
    (folder / 'test' / 'test_absent.py').write_text('import pytest\npytest.importorskip("absent")')
    shutil.copy(ROOT / 'pyproject.toml', folder)
    return folder


def collect(folder: Path, environment: dict[str, str], *options: str) -> tuple[int, list[str]]:
    """Exit status of pytest, and the tests that it finds in `folder`."""
    command = [sys.executable, '-m', 'pytest', '--collect-only', '-q', '-p', 'no:cacheprovider']
    done = subprocess.run(
        [*command, '-p', 'probe', *options],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=TIMEOUT,
    )
    return done.returncode, sorted(line for line in done.stderr.splitlines() if '::' in line)


def test_files_of_one_name_and_files_that_skip_do_not_hide_others_from_our_settings(
    project: Path, beside_launch: dict[str, str]
) -> None:
    status, found = collect(project, beside_launch)
    assert status == 0
    assert found == [
        'test/one/test_same.py::test_nothing',
        'test/two/test_same.py::test_nothing',
    ]


def test_without_our_settings_they_do(project: Path, beside_launch: dict[str, str]) -> None:
    status, found = collect(project, beside_launch, '-o', 'addopts=')
    assert status != 0
    assert len(found) < 2


@pytest.mark.slow
def test_launch_testing_hides_no_test_of_this_package(beside_launch: dict[str, str]) -> None:
    everything = ['-p', 'no:launch_testing', '-p', 'no:launch_ros', '-p', 'no:launch_pytest']
    without = collect(ROOT, beside_launch, *everything)
    assert without[0] == 0
    assert len(without[1]) > 1000
    assert collect(ROOT, beside_launch) == without
