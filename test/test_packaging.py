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

"""The package as colcon, rosdep and a person at a shell see it."""

import os
import re
import shutil
import subprocess
import sys
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from xml.etree import ElementTree

import pytest

from snn_perception.__main__ import COMMANDS

ROOT = Path(__file__).parents[1]
# Under share/snn_perception with the same layout as in the repository.
GENERATED = ('build', 'install', 'log', 'trained', '*.egg-info', '__pycache__')
INSTALLED_DATA = (
    *('launch/*.launch.py', 'config/**/*.*', 'models/*/*'),
    *('resource/*.html', 'resource/images/**/*'),
)


def run(*command: str, **options) -> subprocess.CompletedProcess:
    return subprocess.run(command, capture_output=True, text=True, timeout=120, **options)


def snn_perception(*arguments: str) -> subprocess.CompletedProcess:
    return run(sys.executable, '-m', 'snn_perception', *arguments, cwd=ROOT)


def colcon(directory: Path, verb: str, *arguments: str) -> subprocess.CompletedProcess:
    pytest.importorskip('colcon_core')
    # A Python of its own: colcon names the one that it runs with in the executables.
    main = 'import sys; from colcon_core.command import main; sys.exit(main())'
    return run(
        *(sys.executable, '-c', main, '--log-base', f'{directory}/log', verb),
        *('--base-paths', str(ROOT), '--build-base', f'{directory}/build'),
        *('--install-base', f'{directory}/install', *arguments),
        cwd=directory,
    )


@pytest.fixture(scope='module')
def installed(tmp_path_factory) -> Path:
    """The prefix of a plain `colcon build`, as a distribution's user would make it."""
    directory = tmp_path_factory.mktemp('colcon')
    built = colcon(directory, 'build', '--event-handlers', 'console_direct+')
    assert built.returncode == 0, built.stdout + built.stderr
    return directory / 'install' / 'snn_perception'


def test_every_data_file_of_the_repository_is_installed(installed):
    data = [path for pattern in INSTALLED_DATA for path in ROOT.glob(pattern) if path.is_file()]
    share = installed / 'share' / 'snn_perception'
    missing = [path for path in data if not (share / path.relative_to(ROOT)).is_file()]
    assert data
    assert not missing


def test_every_command_is_an_executable_that_ros2_run_finds(installed):
    directory = installed / 'lib' / 'snn_perception'
    executables = {path.name for path in directory.iterdir() if os.access(path, os.X_OK)}
    assert executables == set(COMMANDS)


def test_an_installed_executable_runs_away_from_the_repository(installed, tmp_path):
    [site_packages] = installed.glob('lib/python3*/site-packages')
    environment = os.environ | {
        'PYTHONPATH': f'{site_packages}:{os.environ.get("PYTHONPATH", "")}',
        'AMENT_PREFIX_PATH': f'{installed}:{os.environ.get("AMENT_PREFIX_PATH", "")}',
    }
    evaluate = installed / 'lib' / 'snn_perception' / 'evaluate'
    shown = run(str(evaluate), '--help', cwd=tmp_path, env=environment)
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.startswith('usage: evaluate ')


def test_colcon_test_runs_pytest(installed):
    # One quick test stands for all: this one would run itself.
    chosen = f'{__file__}::{test_an_unknown_command_is_refused_in_one_sentence.__name__}'
    colcon_directory = installed.parents[1]
    tested = colcon(
        *(colcon_directory, 'test', '--event-handlers', 'console_direct+'),
        *('--return-code-on-test-failure', '--pytest-args', chosen),
    )
    assert '1 passed' in tested.stdout, tested.stdout + tested.stderr
    assert tested.returncode == 0


@pytest.fixture(scope='module')
def wheel(tmp_path_factory) -> Path:
    """The prefix into which pip installed the wheel, without what it requires."""
    pytest.importorskip('pip')
    if version('setuptools') < '70' and not find_spec('wheel'):
        pytest.skip('a setuptools so old builds wheels with the package wheel')
    directory = tmp_path_factory.mktemp('wheel')
    pip = (sys.executable, '-m', 'pip', '--disable-pip-version-check', '--quiet')
    source = directory / 'source'
    # A copy, because setuptools builds beside the sources.
    shutil.copytree(ROOT, source, ignore=shutil.ignore_patterns('.*', *GENERATED))
    options = ('--no-deps', '--no-build-isolation', '--wheel-dir', str(directory))
    built = run(*pip, 'wheel', *options, str(source))
    assert built.returncode == 0, built.stderr
    [file] = directory.glob('*.whl')
    installed = run(*pip, 'install', '--no-deps', '--prefix', str(directory / 'prefix'), str(file))
    assert installed.returncode == 0, installed.stderr
    return directory / 'prefix'


def in_wheel(wheel: Path, *command: str) -> subprocess.CompletedProcess:
    """`command` where the wheel is installed and no workspace is sourced."""
    [site_packages] = wheel.glob('lib/python3*/site-packages')
    environment = {name: value for name, value in os.environ.items() if 'PREFIX_PATH' not in name}
    return run(*command, cwd=wheel, env=environment | {'PYTHONPATH': str(site_packages)})


def test_a_wheel_puts_one_command_on_the_path(wheel):
    assert [path.name for path in (wheel / 'bin').iterdir()] == ['snn-perception']
    shown = in_wheel(wheel, str(wheel / 'bin' / 'snn-perception'))
    assert shown.stdout.startswith('usage: snn-perception NAME')
    assert 'classifier' in shown.stdout


def test_a_wheel_brings_the_data_of_the_repository(wheel):
    code = (
        'from snn_perception import load_model; from snn_perception.locations import '
        'share_directory; print(share_directory(), load_model("mnist").name)'
    )
    shown = in_wheel(wheel, sys.executable, '-c', code)
    assert shown.stdout.split() == [f'{wheel}/share/snn_perception', 'mnist'], shown.stderr
    for pattern in INSTALLED_DATA:
        for path in filter(Path.is_file, ROOT.glob(pattern)):
            assert (wheel / 'share' / 'snn_perception' / path.relative_to(ROOT)).is_file()


def test_a_wheel_says_what_it_requires(wheel):
    [described] = wheel.glob('lib/python3*/site-packages/snn_perception-*.dist-info/METADATA')
    lines = described.read_text(encoding='utf-8').splitlines()
    required = {line.split(': ')[1] for line in lines if line.startswith('Requires-Dist: ')}
    always = {line for line in required if 'extra ==' not in line}
    assert {re.split('[<>=]', line)[0] for line in always} == {
        *('dacite', 'matplotlib', 'numba', 'numpy', 'opencv-python-headless'),
        *('pillow', 'psutil', 'pyyaml', 'safetensors', 'tornado', 'tqdm'),
    }
    assert any(line.startswith('torch>=') and 'extra ==' in line for line in required)


def test_the_commands_are_listed_with_a_line_each():
    shown = snn_perception()
    assert shown.returncode == 0
    lines = [line.split() for line in shown.stdout.splitlines() if line.startswith('  ')]
    assert [words[0] for words in lines] == list(COMMANDS)
    assert all(len(words) > 1 for words in lines)


def test_the_list_appears_without_loading_heavy_modules():
    code = (
        'import runpy, sys; sys.argv = ["snn_perception"]\n'
        'try: runpy.run_module("snn_perception", run_name="__main__")\n'
        'except SystemExit: print({"torch", "rclpy", "cv2", "matplotlib"} & set(sys.modules))'
    )
    shown = run(sys.executable, '-c', code, cwd=ROOT)
    assert shown.stdout.splitlines()[-1] == 'set()', shown.stderr


def test_an_unknown_command_is_refused_in_one_sentence():
    refused = snn_perception('clasifier')
    assert refused.returncode == 2
    assert refused.stdout == ''
    [sentence] = refused.stderr.splitlines()
    assert "'clasifier'" in sentence
    assert 'classifier' in sentence


@pytest.mark.parametrize('name', COMMANDS)
def test_every_command_explains_itself(name):
    shown = snn_perception(name, '--help')
    assert shown.returncode == 0, shown.stderr
    assert shown.stdout.startswith('usage: ')
    assert name in shown.stdout


def test_scripts_run_adds_nothing_to_the_output_of_a_command(tmp_path):
    if os.environ.get('VIRTUAL_ENV') != str(ROOT / '.environment' / 'venv'):
        pytest.skip('runs in the environment that the scripts made')
    done = run(str(ROOT / 'scripts' / 'run'), 'sh', '-c', 'pwd; exit 3', cwd=tmp_path)
    assert (done.stdout, done.stderr, done.returncode) == (f'{tmp_path}\n', '', 3)


def test_classification_has_the_layout_of_vision_msgs_4():
    messages = pytest.importorskip('vision_msgs.msg')
    assert messages.Classification.get_fields_and_field_types() == {
        'header': 'std_msgs/Header',
        'results': 'sequence<vision_msgs/ObjectHypothesis>',
    }
    assert messages.ObjectHypothesis.get_fields_and_field_types() == {
        'class_id': 'string',
        'score': 'double',
    }


def test_event_packet_has_the_layout_of_event_camera_msgs():
    messages = pytest.importorskip('event_camera_msgs.msg')
    assert messages.EventPacket.get_fields_and_field_types() == {
        'header': 'std_msgs/Header',
        'height': 'uint32',
        'width': 'uint32',
        'seq': 'uint64',
        'time_base': 'uint64',
        'encoding': 'string',
        'is_bigendian': 'boolean',
        'events': 'sequence<uint8>',
    }


def test_package_xml_and_setup_py_tell_the_same_version():
    manifest = ElementTree.parse(ROOT / 'package.xml').getroot()
    told = run(sys.executable, 'setup.py', '--version', cwd=ROOT).stdout.split()[-1]
    assert told == manifest.findtext('version')


def test_no_two_test_files_have_the_same_name():
    # A distribution's plugins of pytest import test files by name alone.
    names = [path.name for path in ROOT.glob('test/**/test_*.py')]
    assert sorted(names) == sorted(set(names))
