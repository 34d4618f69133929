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

"""`evaluate --damage`: how often a model is right on damaged images, beside the clean ones."""

from __future__ import annotations

import json
from dataclasses import replace

import cv2
import numpy as np
import pytest
from random_models import random_model

from snn_perception.backends import create_simulator
from snn_perception.commands import evaluate
from snn_perception.datasets import load_dataset
from snn_perception.evaluation import accuracy
from snn_perception.evaluation.damage import KINDS, damage_images
from snn_perception.loading import load_model
from snn_perception.model_folder import save_model


def places(folder, channels: int = 3) -> list[str]:
    """A random model with its images, as arguments."""
    model = random_model(input_shape=(11, 10, channels))
    save_model(model, folder / 'model')
    random = np.random.default_rng(0)
    for name in 'abc':
        (folder / 'data' / name).mkdir(parents=True)
        for index in range(4):
            image = random.integers(0, 256, (11, 10, 3)).astype(np.uint8)
            cv2.imwrite(str(folder / 'data' / name / f'{index}.png'), image)
    return [str(folder / 'model'), '--data', str(folder / 'data'), '--backend', 'reference']


@pytest.fixture
def arguments(tmp_path):
    return places(tmp_path)


def figures_of(arguments, folder):
    assert evaluate.main([*arguments, '--json', str(folder / 'figures.json')]) == 0
    return json.loads((folder / 'figures.json').read_text())


def test_each_damage_has_its_figures_beside_the_clean_ones(arguments, tmp_path, capsys):
    wanted = ('--damage', 'gaussian_noise:5', '--damage', 'darkness:4')
    clean, figures = figures_of(arguments, tmp_path), figures_of([*arguments, *wanted], tmp_path)
    assert set(figures) - set(clean) == {'damage', 'damage_accuracy', 'damage_rate_accuracy'}
    for name in ('images', 'accuracy', 'rate_accuracy', 'spikes', 'energy_j'):
        assert figures[name] == clean[name]
    assert list(figures['damage']) == ['gaussian_noise:5', 'darkness:4']
    model = load_model(tmp_path / 'model')
    dataset = load_dataset(tmp_path / 'data', model.preprocessing, held_out=True)
    engines = create_simulator(model, 'reference'), create_simulator(model, 'rate')
    for name, found in figures['damage'].items():
        kind, severity = name.split(':')
        images = damage_images(dataset.images, kind, int(severity))
        expected = accuracy.evaluate(*engines, replace(dataset, images=images)).summary()
        assert found == {key: expected[key] for key in found}
        assert set(found) == {'accuracy', 'rate_accuracy', 'simulated_time_s'}
    for mean, each in (('damage_accuracy', 'accuracy'), ('damage_rate_accuracy', 'rate_accuracy')):
        values = [found[each] for found in figures['damage'].values()]
        assert figures[mean] == pytest.approx(np.mean(values))
    lines = capsys.readouterr().out.splitlines()
    [line] = [line for line in lines if line.split()[:1] == ['darkness:4']]
    assert float(line.split()[1]) == pytest.approx(figures['damage']['darkness:4']['accuracy'])


@pytest.mark.parametrize('channels', [1, 3])
def test_all_is_every_kind_that_images_of_the_network_can_have(tmp_path, channels):
    figures = figures_of([*places(tmp_path, channels), '--damage', 'all:1'], tmp_path)
    expected = set(KINDS) - ({'saturate'} if channels == 1 else set())
    assert set(figures['damage']) == {f'{kind}:1' for kind in expected}


def test_the_same_damage_twice_is_measured_once(arguments, tmp_path):
    twice = ('--damage', 'fog:2', '--damage', 'fog:2')
    assert list(figures_of([*arguments, *twice], tmp_path)['damage']) == ['fog:2']


def test_damaged_images_have_the_same_deadline(arguments, tmp_path):
    late = ('--damage', 'fog:2', '--deadline', '1e-9')
    figures = figures_of([*arguments, *late], tmp_path)
    one_step = load_model(tmp_path / 'model').dt
    assert figures['damage']['fog:2']['simulated_time_s'] == pytest.approx(one_step)


@pytest.mark.parametrize(
    ('damage', 'message'),
    [
        ('dust:3', "unknown kind of damage 'dust'; known are gaussian_noise, shot_noise"),
        ('fog:9', 'with a severity from 1 to 5'),
        ('fog', 'damage must be KIND:SEVERITY'),
    ],
)
def test_unknown_damage_is_refused_in_a_sentence_before_the_model_is_read(
    tmp_path, capsys, damage, message
):
    assert evaluate.main(['no_such_model', '--data', str(tmp_path), '--damage', damage]) == 1
    [sentence] = capsys.readouterr().err.splitlines()
    assert sentence.startswith('evaluate: ')
    assert message in sentence
