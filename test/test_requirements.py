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

from __future__ import annotations

import sys
import sysconfig
from importlib import metadata

import pytest
from random_models import random_model

from snn_perception.backends import BACKENDS, LIBRARIES, create_simulator
from snn_perception.requirements import MINIMUM, MissingLibrary, how_to_install, require


def installed(monkeypatch, **versions):
    """Let the packages in `versions` be of those versions."""
    real = metadata.version
    monkeypatch.setattr(metadata, 'version', lambda name: versions.get(name) or real(name))


def test_what_is_there_and_new_enough_is_silently_accepted():
    require('this test', 'numpy', *MINIMUM)


@pytest.fixture
def own_python(monkeypatch):
    """Let this Python be that of a virtual environment."""
    monkeypatch.setattr(sys, 'base_prefix', f'{sys.prefix}/elsewhere')


@pytest.fixture
def system_python(monkeypatch, tmp_path):
    """Let this Python be a distribution's, which keeps pip from installing into it."""
    monkeypatch.setattr(sys, 'base_prefix', sys.prefix)
    monkeypatch.setattr(sysconfig, 'get_path', lambda name: str(tmp_path))
    (tmp_path / 'EXTERNALLY-MANAGED').touch()


@pytest.mark.usefixtures('own_python')
def test_a_missing_library_is_named_with_what_installs_it(monkeypatch):
    monkeypatch.setitem(sys.modules, 'nengo_loihi', None)
    with pytest.raises(MissingLibrary) as caught:
        require('the chip', 'numpy', 'nengo_loihi')
    assert str(caught.value) == (
        'the chip needs nengo_loihi, which is not installed: pip install nengo-loihi '
        '(in a clone: scripts/run pip install nengo-loihi)'
    )


@pytest.mark.usefixtures('system_python')
def test_for_the_python_of_a_distribution_pip_is_given_the_option_it_asks_for():
    assert how_to_install('dacite', 'yaml') == (
        'pip install dacite pyyaml --break-system-packages '
        '(in a clone: scripts/run pip install dacite pyyaml)'
    )


def test_a_use_may_need_a_newer_version_than_the_others(monkeypatch):
    installed(monkeypatch, torch='2.8.0')
    require('the engine', 'torch')
    with pytest.raises(
        MissingLibrary, match=r'^training needs torch 2\.9 or newer, and 2\.8\.0 is'
    ):
        require('training', 'torch>=2.9')


@pytest.mark.parametrize('found', ['0.55.2', '0.9', '0.55.1rc2'])
def test_a_library_that_is_too_old_is_named_with_the_version_that_would_do(monkeypatch, found):
    installed(monkeypatch, numba=found)
    with pytest.raises(MissingLibrary, match=rf"numba 0\.56 or newer, and {found} is .*'numba>="):
        require('the engine', 'numba')


@pytest.mark.parametrize('found', ['0.56.0', '0.56', '0.100.0', '1.0.0+local'])
def test_newer_versions_are_compared_as_numbers(monkeypatch, found):
    installed(monkeypatch, numba=found)
    require('the engine', 'numba')


def test_a_library_whose_version_is_unknown_is_given_the_benefit_of_the_doubt(monkeypatch):
    def unknown(name):
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, 'version', unknown)
    require('the engine', 'numba')


def test_an_engine_on_a_distribution_that_is_too_old_is_refused_in_a_sentence(monkeypatch):
    installed(monkeypatch, numba='0.55.2')
    with pytest.raises(ValueError, match=r'^backend event needs numba 0\.56 or newer, and 0\.55'):
        create_simulator(random_model(), 'event')


def test_the_libraries_of_every_engine_are_known():
    assert LIBRARIES.keys() == BACKENDS.keys()
