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

"""What a name or a path means, whatever lies in the working directory."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from snn_perception.locations import MODELS, RECIPES, resolve, resolve_path, share_directory

SHIPPED = share_directory() / 'models' / 'mnist'


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory: empty, and not the one with the source tree."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_plain_word_is_a_shipped_name(here: Path) -> None:
    assert resolve('mnist', MODELS) == SHIPPED
    assert resolve('mnist', RECIPES) == share_directory() / 'config' / 'train' / 'mnist.yaml'


def test_a_folder_of_data_here_does_not_hide_a_shipped_name(
    here: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (here / 'mnist').mkdir()
    assert resolve('mnist', MODELS) == SHIPPED
    assert resolve('mnist', RECIPES).name == 'mnist.yaml'
    assert not caplog.records


def test_a_model_or_recipe_here_under_a_shipped_name_is_pointed_out(
    here: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (here / 'mnist').mkdir()
    (here / 'mnist' / 'model.yaml').touch()
    (here / 'mnist.yaml').touch()
    assert resolve('mnist', MODELS) == SHIPPED
    assert resolve('mnist', RECIPES) == share_directory() / 'config' / 'train' / 'mnist.yaml'
    assert [(record.levelno, record.getMessage()) for record in caplog.records] == [
        (logging.WARNING, 'mnist is the shipped model; for the one here write ./mnist'),
        (logging.WARNING, 'mnist is the shipped recipe; for the one here write ./mnist.yaml'),
    ]


@pytest.mark.parametrize(
    'location', ['./mnist', 'mnist/', 'models/mnist', '../mnist', '/data/mnist', Path('mnist')]
)
def test_what_says_where_it_lies_is_a_path(here: Path, location: str | Path) -> None:
    assert resolve(location, MODELS) == Path(location)


def test_a_tilde_is_the_home_folder(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv('HOME', str(here))
    assert resolve('~/mnist', MODELS) == resolve_path('~/mnist') == here / 'mnist'
    assert resolve('~', MODELS) == here


@pytest.mark.parametrize('word', ['my_model', 'theirs.nir', '.', '..', ''])
def test_a_plain_word_that_is_no_shipped_name_is_here(here: Path, word: str) -> None:
    assert resolve(word, MODELS) == Path(word)


def test_a_place_of_data_is_never_a_shipped_name(here: Path) -> None:
    assert resolve_path('mnist') == Path('mnist')
    assert resolve_path('digits') == Path('digits')


def test_a_package_uri_is_below_the_share_directory(here: Path) -> None:
    uri = 'package://snn_perception/config/classify.yaml'
    expected = share_directory() / 'config' / 'classify.yaml'
    assert resolve(uri, MODELS) == resolve_path(uri) == expected
    with pytest.raises(ValueError, match='package no_such_package is not found'):
        resolve_path('package://no_such_package/models')


def test_what_is_not_found_is_told_with_the_other_reading() -> None:
    assert MODELS.not_found('./mnist', Path('mnist/model.yaml')) == (
        f"model './mnist' is not found: mnist/model.yaml does not exist in {Path.cwd()}; "
        'for the shipped model write mnist'
    )
    assert '/a/mnist/model.yaml does not exist; ' in MODELS.not_found(
        'x', Path('/a/mnist/model.yaml')
    )
    assert 'shipped recipes: cifar10, ' in RECIPES.not_found('mine', Path('mine.yaml'))


def test_a_name_is_looked_for_in_the_folders_of_the_users_models_last(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = here / 'first', here / 'second'
    monkeypatch.setenv('SNN_PERCEPTION_MODELS', ':'.join(map(str, folders)))
    assert resolve('my_model', MODELS) == Path('my_model')
    for folder in reversed(folders):
        (folder / 'my_model').mkdir(parents=True)
        (folder / 'my_model' / 'model.yaml').touch()
        assert resolve('my_model', MODELS) == folder / 'my_model'
    (folders[0] / 'mnist').mkdir()
    (folders[0] / 'mnist' / 'model.yaml').touch()
    assert resolve('mnist', MODELS) == SHIPPED
    (here / 'my_model').mkdir()
    assert resolve('my_model', MODELS) == Path('my_model')


def test_only_models_are_looked_for_there(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / 'folder').mkdir()
    (here / 'folder' / 'my_recipe.yaml').touch()
    monkeypatch.setenv('SNN_PERCEPTION_MODELS', str(here / 'folder'))
    assert resolve('my_recipe.yaml', RECIPES) == Path('my_recipe.yaml')
