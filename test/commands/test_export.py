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

"""`export`: a model to a file of NIR and to a folder, and what is said about it."""

from __future__ import annotations

import dataclasses

import cv2
import numpy as np
import pytest
from random_models import random_model

from snn_perception import load_model
from snn_perception.commands import evaluate, export
from snn_perception.model_folder import save_model
from snn_perception.neurons import LIF, Theta

pytest.importorskip('nir', reason='NIR is not installed')


@pytest.fixture
def folder(tmp_path):
    save_model(random_model(), tmp_path / 'model')
    return tmp_path / 'model'


@pytest.fixture
def data(tmp_path):
    """Two random images of each class."""
    random = np.random.default_rng(0)
    for label in 'abc':
        (tmp_path / 'data' / label).mkdir(parents=True)
        for index in range(2):
            image = random.integers(0, 256, (11, 10, 3)).astype(np.uint8)
            cv2.imwrite(str(tmp_path / 'data' / label / f'{index}.png'), image)
    return tmp_path / 'data'


def printed(capsys):
    """The lines that the command printed, as first word and rest."""
    lines = capsys.readouterr().out.splitlines()
    return dict(line.strip().split(maxsplit=1) for line in lines if len(line.split()) > 1)


def test_an_exported_model_loads_as_the_one_it_was(folder, tmp_path, capsys):
    target = tmp_path / 'x.nir'
    assert export.main([str(folder), '--format', 'nir', '--output', str(target)]) == 0
    assert load_model(target).network == load_model(folder).network
    figures = printed(capsys)
    assert figures['file'] == str(target)
    assert figures['step_s'] == '0.001'
    assert figures['refractory'].split(maxsplit=1)[1].startswith('2 ms')


def test_the_file_is_named_after_the_model_where_no_name_is_given(folder, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert export.main([str(folder)]) == 0
    assert load_model('random.nir').name == 'random'


def test_what_the_losses_cost_is_measured_on_images(folder, data, tmp_path, capsys):
    target = str(tmp_path / 'x.nir')
    arguments = [str(folder), '--output', target, '--data', str(data), '--limit', '3']
    assert export.main(arguments) == 0
    figures = printed(capsys)
    assert figures['images'] == '3'
    here, there = float(figures['accuracy_here']), float(figures['accuracy_there'])
    assert float(figures['accuracy_change']) == pytest.approx(there - here, abs=1e-5)
    # Neurons without a refractory period fire more.
    assert float(figures['firing_rate_there_hz']) > float(figures['firing_rate_here_hz']) > 0


def test_where_nothing_is_lost_nothing_changes(data, tmp_path, capsys):
    model = random_model()
    network = dataclasses.replace(model.network, neuron=LIF(0.02, 0.0))
    save_model(dataclasses.replace(model, network=network), tmp_path / 'model')
    target = str(tmp_path / 'x.nir')
    assert export.main([str(tmp_path / 'model'), '--output', target, '--data', str(data)]) == 0
    figures = printed(capsys)
    assert float(figures['accuracy_change']) == 0
    there, here = (float(figures[f'firing_rate_{where}_hz']) for where in ('there', 'here'))
    assert there == pytest.approx(here, rel=1e-3)


def test_a_file_of_nir_is_evaluated_like_the_folder_it_came_from(folder, data, tmp_path, capsys):
    target = tmp_path / 'x.nir'
    export.main([str(folder), '--output', str(target)])
    figures = []
    for model in (folder, target):
        capsys.readouterr()
        assert evaluate.main([str(model), '--data', str(data)]) == 0
        figures.append(printed(capsys))
        figures[-1].pop('ms_per_image')
    assert figures[0] == figures[1]


def test_a_file_of_nir_becomes_a_folder(folder, tmp_path):
    target, back = tmp_path / 'x.nir', tmp_path / 'back'
    export.main([str(folder), '--output', str(target)])
    assert export.main([str(target), '--format', 'folder', '--output', str(back)]) == 0
    assert (back / 'model.yaml').read_text() == (folder / 'model.yaml').read_text()
    assert (back / 'weights.safetensors').read_bytes() == (
        folder / 'weights.safetensors'
    ).read_bytes()


def test_the_step_says_for_which_library_a_file_is_written(folder, tmp_path, capsys):
    target = str(tmp_path / 'x.nir')
    for step, words in (('0.0001', 'are 1 for one step of 0.0001 s'), ('0', 'have area 1')):
        assert export.main([str(folder), '--output', target, '--step', step]) == 0
        assert words in printed(capsys)['spikes']


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['no_such_model'], "model 'no_such_model' is not found"),
        (['no_such_model.nir'], 'does not exist'),
        (['{folder}', '--output', '{tmp}/x.nir', '--step', '-1'], 'step must be a time between 0'),
        (['{folder}', '--output', '{tmp}/x.nir', '--data', '{tmp}/none'], 'is not a folder'),
        (['{theta}', '--output', '{tmp}/x.nir'], 'which NIR does not have'),
    ],
)
def test_export_refuses_with_one_sentence(folder, tmp_path, capsys, arguments, message):
    model = random_model()
    network = dataclasses.replace(model.network, neuron=Theta())
    save_model(dataclasses.replace(model, network=network), tmp_path / 'theta')
    places = {'folder': folder, 'tmp': tmp_path, 'theta': tmp_path / 'theta'}
    assert export.main([argument.format(**places) for argument in arguments]) == 1
    errors = capsys.readouterr().err
    assert message in errors
    assert errors.startswith('export: ')
    assert errors.count('\n') == 1


def test_a_full_disk_leaves_the_file_that_was_there(folder, tmp_path, capsys, full_disk):
    target = tmp_path / 'x.nir'
    target.write_bytes(b'before')
    with full_disk():
        assert export.main([str(folder), '--output', str(target)]) == 1
    assert 'cannot be written' in capsys.readouterr().err
    assert target.read_bytes() == b'before'
    assert list(tmp_path.glob('*.unfinished')) == []
