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

import json

import pytest
import yaml
from online_recordings import RECIPE, write_recordings

from snn_perception.commands import evaluate, train


@pytest.fixture
def data(tmp_path):
    return str(write_recordings(tmp_path / 'data', count=10))


@pytest.fixture
def recipe(tmp_path):
    path = tmp_path / 'halves.yaml'
    path.write_text(yaml.safe_dump(RECIPE))
    return str(path)


def test_what_train_makes_by_an_online_recipe_evaluate_measures(recipe, data, tmp_path, capsys):
    output, figures = tmp_path / 'model', tmp_path / 'figures.json'
    assert train.main([recipe, '--data', data, '--output', str(output)]) == 0
    assert f'wrote {output}' in capsys.readouterr().out
    epochs = yaml.safe_load((output / 'model.yaml').read_text())['training']['epochs']
    assert len(epochs) == RECIPE['epochs']
    arguments = [str(output), '--data', data, '--limit', '6', '--json', str(figures)]
    assert evaluate.main(arguments) == 0
    found = json.loads(figures.read_text())
    assert found['recordings'] == 6
    assert found['accuracy'] == 1
    assert set(found) >= {'spikes', 'synaptic_operations', 'energy_j', 'simulated_time_s'}
    assert 'accuracy' in capsys.readouterr().out


def test_train_says_in_a_sentence_what_is_wrong(recipe, data, tmp_path, capsys):
    assert train.main([recipe, '--data', str(tmp_path / 'none')]) == 1
    assert 'train: ' in capsys.readouterr().err
    picture = str(tmp_path / 'a.png')
    assert train.main([recipe, '--data', data, '--show-augmentation', picture]) == 1
    assert 'has no use for --show-augmentation' in capsys.readouterr().err


def test_evaluate_refuses_options_that_are_for_images(recipe, data, tmp_path, capsys):
    output = str(tmp_path / 'model')
    assert train.main([recipe, '--data', data, '--images-per-class', '3', '--output', output]) == 0
    assert evaluate.main([output, '--data', data, '--damage', 'fog:3', '--deadline', '1']) == 1
    assert 'no use for --deadline, --damage: leave it out' in capsys.readouterr().err
