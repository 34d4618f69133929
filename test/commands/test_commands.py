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
import shutil
import signal
import sys
from dataclasses import replace
from importlib import import_module
from pathlib import Path

import colour_model
import cv2
import numpy as np
import pytest
import yaml
from random_models import random_model
from tiny_training import CONTENT

from snn_perception import create_simulator, load_model
from snn_perception.commands import evaluate, train
from snn_perception.images import read_image
from snn_perception.layers import Dense
from snn_perception.model_folder import save_model

KEYS = {
    'images', 'accuracy', 'rate_accuracy', 'simulated_time_s', 'spikes', 'synaptic_operations',
    'macs', 'firing_rate_hz', 'energy_j', 'energy_range_j', 'rival_energy_j', 'ms_per_image',
    'synaptic_operations_per_mac', 'data_part', 'unreadable_images',
}  # fmt: skip
TIMED_KEYS = {
    'deadline_s', 'stopped_by', 'late', 'latency_ms_median', 'latency_ms_p99', 'machine',
}  # fmt: skip


@pytest.fixture
def model(tmp_path):
    save_model(random_model(), tmp_path / 'model')
    return tmp_path / 'model'


def write_folders(folder, names, count=6, size=8):
    """A folder per class; the class is the bright quarter of its images."""
    random = np.random.default_rng(0)
    for label, name in enumerate(names):
        (folder / name).mkdir(parents=True)
        for index in range(count):
            image = random.integers(0, 100, (size, size)).astype(np.uint8)
            row, column = divmod(label % 4, 2)
            half = size // 2
            image[half * row : half * (row + 1), half * column : half * (column + 1)] += 120
            cv2.imwrite(str(folder / name / f'{index}.png'), image)
    return folder


def test_evaluate_prints_and_writes_its_figures(model, tmp_path, capsys):
    data = write_folders(tmp_path / 'data', ['a', 'b', 'c'])
    target = tmp_path / 'figures.json'
    status = evaluate.main([str(model), '--data', str(data), '--json', str(target)])
    assert status == 0
    figures = json.loads(target.read_text())
    assert set(figures) == KEYS
    assert figures['images'] == 18
    assert 0 <= figures['accuracy'] <= 1
    assert figures['macs'] == load_model(model).network.macs
    for chip, joules in figures['energy_j'].items():
        low, high = figures['energy_range_j'][chip]
        assert 0 < low <= joules <= high
    assert all(joules > 0 for joules in figures['rival_energy_j'].values())
    printed = capsys.readouterr().out
    assert all(key in printed for key in KEYS)


def test_evaluate_chooses_among_all_labels_though_few_have_a_folder(tmp_path):
    model = random_model(layers=(Dense(12), Dense(7)))
    labels = ('tench, Tinca tinca', 'crane', 'crane, machine', 'gas pump, petrol pump', *'xyz')
    save_model(replace(model, labels=labels), tmp_path / 'model')
    data = write_folders(tmp_path / 'data', ['Petrol_pump', 'crane', 'tinca tinca'])
    target = tmp_path / 'figures.json'
    arguments = [str(tmp_path / 'model'), '--data', str(data), '--json', str(target)]
    assert evaluate.main(arguments) == 0
    figures = json.loads(target.read_text())
    simulator = create_simulator(load_model(tmp_path / 'model'), 'event')
    right = among_five = 0
    for folder, label in (('Petrol_pump', 3), ('crane', 1), ('tinca tinca', 0)):
        for path in (data / folder).iterdir():
            order = np.argsort(-simulator.classify(read_image(path)).scores, kind='stable')
            right, among_five = right + (order[0] == label), among_five + (label in order[:5])
    assert figures['accuracy'] == pytest.approx(right / 18)
    assert figures['top5_accuracy'] == pytest.approx(among_five / 18)
    assert right < among_five


def test_evaluate_with_a_deadline_says_what_was_right_in_time(model, tmp_path, capsys):
    data = write_folders(tmp_path / 'data', ['a', 'b', 'c'])
    target = tmp_path / 'figures.json'
    arguments = [str(model), '--data', str(data), '--json', str(target), '--deadline']
    figures = {}
    for deadline in ('1e-9', '100'):
        assert evaluate.main([*arguments, deadline]) == 0
        figures[deadline] = json.loads(target.read_text())
        assert set(figures[deadline]) == KEYS | TIMED_KEYS
        printed = capsys.readouterr()
        assert all(key in printed.out for key in TIMED_KEYS)
        assert 'depends on this machine' in printed.err
    none, plenty = figures.values()
    assert none['stopped_by'] == {'confidence': 0, 'time': 0, 'deadline': 1}
    assert none['simulated_time_s'] == pytest.approx(load_model(model).dt)
    assert none['late'] == 1
    assert plenty['stopped_by'] == {'confidence': 0, 'time': 1, 'deadline': 0}
    assert plenty['late'] == 0
    assert 0 < plenty['latency_ms_median'] <= plenty['latency_ms_p99'] < 100_000
    assert evaluate.main(arguments[:-1]) == 0
    without = json.loads(target.read_text())
    for key in ('images', 'accuracy', 'rate_accuracy', 'simulated_time_s', 'spikes', 'energy_j'):
        assert plenty[key] == pytest.approx(without[key])


@pytest.mark.parametrize('deadline', ['0', '-1', 'nan', 'inf', 'soon'])
def test_evaluate_refuses_a_deadline_that_is_no_time(model, tmp_path, capsys, deadline):
    with pytest.raises(SystemExit, match='2'):
        evaluate.main([str(model), '--data', str(tmp_path), '--deadline', deadline])
    assert '--deadline' in capsys.readouterr().err


def test_evaluate_limits_images_and_takes_any_backend(model, tmp_path):
    data = write_folders(tmp_path / 'data', ['a', 'b', 'c'])
    target = tmp_path / 'figures.json'
    results = {}
    for backend in ('event', 'torch', 'reference', 'rate'):
        arguments = [str(model), '--data', str(data), '--limit', '5', '--backend', backend]
        assert evaluate.main([*arguments, '--json', str(target)]) == 0
        results[backend] = json.loads(target.read_text())
    assert {figures['images'] for figures in results.values()} == {5}
    for backend in ('event', 'torch'):
        spikes = results['reference']['spikes']
        assert results[backend]['spikes'] == pytest.approx(spikes, rel=1e-3)
    assert results['rate']['spikes'] == 0
    assert results['rate']['accuracy'] == results['rate']['rate_accuracy']


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['no_such_model', '--data', '{data}'], "model 'no_such_model' is not found"),
        (['{model}', '--data', '{data}/none'], 'is not a folder'),
        (['{model}', '--data', './picturs'], "data './picturs': {here}/picturs is not a folder"),
        (['{model}', '--data', 'mnist'], "data 'mnist': {here}/mnist is not a folder"),
        (['{model}', '--data', '{data}'], 'does not know the class zebra'),
        (['{model}', '--data', '{good}', '--backend', 'abacus'], "unknown backend 'abacus'"),
        (['{model}', '--data', '{good}', '--device', 'tpu'], "unknown device 'tpu'"),
    ],
)
def test_evaluate_refuses_with_one_sentence(model, tmp_path, capsys, arguments, message):
    places = {
        'model': model,
        'data': write_folders(tmp_path / 'data', ['a', 'zebra']),
        'good': write_folders(tmp_path / 'good', ['a']),
    }
    assert evaluate.main([argument.format(**places) for argument in arguments]) == 1
    errors = capsys.readouterr().err
    assert message.format(here=Path.cwd()) in errors
    assert 'Traceback' not in errors


def test_evaluate_says_on_which_images_it_did(model, tmp_path, capsys, caplog):
    for part, count in (('train', 6), ('val', 2)):
        write_folders(tmp_path / 'data' / part, ['a', 'b', 'c'], count)
    target = tmp_path / 'figures.json'
    arguments = [str(model), '--json', str(target), '--data']
    assert evaluate.main([*arguments, str(tmp_path / 'data')]) == 0
    figures = json.loads(target.read_text())
    assert (figures['data_part'], figures['images']) == ('validation', 6)
    shutil.rmtree(tmp_path / 'data' / 'val')
    caplog.clear()
    assert evaluate.main([*arguments, str(tmp_path / 'data')]) == 0
    figures = json.loads(target.read_text())
    assert (figures['data_part'], figures['images']) == ('training', 18)
    assert 'no images for testing, so those for training are used' in caplog.text


@pytest.mark.parametrize(
    ('command', 'arguments', 'status', 'message'),
    [
        # What comes after the images are read, in these words or as a figure.
        ('evaluate', ['mnist'], 1, 'does not know the class zebra'),
        ('report', ['mnist'], 1, 'does not know the class zebra'),
        ('export', ['mnist'], 1, 'does not know the class zebra'),
        ('train', ['mnist'], 1, 'has 2 classes, but the last layer'),
        ('benchmark', ['mnist', '--start'], 0, 'seconds'),
        ('chip', ['mnist', '--limit', '5'], 0, 'layers'),
    ],
)
def test_an_unreadable_image_ends_every_command_unless_it_is_skipped(
    tmp_path, capsys, monkeypatch, command, arguments, status, message
):
    data = write_folders(tmp_path / 'data', ['0', 'zebra'], count=2)
    (data / '0' / 'cut.jpg').write_bytes(b'\xff\xd8\xff\xc0\x00\x02')
    monkeypatch.chdir(tmp_path)
    arguments = [*arguments, '--data', 'data']
    command = import_module(f'snn_perception.commands.{command}')
    assert command.main(arguments) == 1
    assert 'cut.jpg is not an image that can be read' in capsys.readouterr().err
    assert command.main([*arguments, '--skip-unreadable']) == status
    printed = capsys.readouterr()
    assert message in (printed.err if status else printed.out)


def test_evaluate_counts_the_images_that_it_could_not_read(model, tmp_path):
    data = write_folders(tmp_path / 'data', ['a', 'b', 'c'])
    (data / 'a' / 'cut.jpg').touch()
    target = tmp_path / 'figures.json'
    arguments = [str(model), '--data', str(data), '--json', str(target), '--skip-unreadable']
    assert evaluate.main(arguments) == 0
    figures = json.loads(target.read_text())
    assert (figures['images'], figures['unreadable_images']) == (18, 1)


def test_train_makes_a_model_from_a_folder_per_class(tmp_path, capsys):
    data = write_folders(tmp_path / 'data', ['nw', 'ne', 'sw', 'se'], count=40)
    recipe = tmp_path / 'mine.yaml'
    recipe.write_text(yaml.safe_dump({**CONTENT, 'validation_images': 40}))
    output = tmp_path / 'out'
    assert train.main([str(recipe), '--data', str(data), '--output', str(output)]) == 0
    assert load_model(output).labels == ('ne', 'nw', 'se', 'sw')


@pytest.mark.parametrize(
    ('recipe', 'data', 'message'),
    [
        ('epochs: [', 'data', 'is not valid YAML'),
        ('name: x', 'data', 'is missing'),
        (None, 'nowhere', 'is not a folder'),
        (None, 'data', 'has 2 classes, but the last layer'),
    ],
)
def test_train_refuses_with_one_sentence_and_writes_nothing(
    tmp_path, capsys, recipe, data, message
):
    write_folders(tmp_path / 'data', ['only', 'two'], count=60)
    path = tmp_path / 'mine.yaml'
    path.write_text(yaml.safe_dump(CONTENT) if recipe is None else recipe)
    output = tmp_path / 'out'
    arguments = [str(path), '--data', str(tmp_path / data), '--output', str(output)]
    assert train.main(arguments) == 1
    assert message in capsys.readouterr().err
    assert not output.exists()


def test_train_draws_what_the_augmentation_does_and_trains_nothing(tmp_path, capsys):
    data = write_folders(tmp_path / 'data', ['nw', 'ne', 'sw', 'se'], count=40)
    recipe = tmp_path / 'mine.yaml'
    camera = {'share': 0.5, 'read_noise': 20.0}
    recipe.write_text(yaml.safe_dump({**CONTENT, 'augmentation': {'camera': camera}}))
    picture, output = tmp_path / 'augmentation.png', tmp_path / 'out'
    arguments = [str(recipe), '--data', str(data), '--output', str(output)]
    assert train.main([*arguments, '--show-augmentation', str(picture)]) == 0
    assert capsys.readouterr().out == f'wrote {picture}\n'
    assert cv2.imread(str(picture)).std() > 10
    assert not output.exists()


def test_train_refuses_an_impossible_augmentation_with_one_sentence(tmp_path, capsys):
    data = write_folders(tmp_path / 'data', ['nw', 'ne', 'sw', 'se'], count=40)
    recipe = tmp_path / 'mine.yaml'
    for camera, said in (
        ({'share': 2.0}, 'share of the camera in the augmentation must be between 0 and 1, not 2'),
        ({'jpeg': 'bad'}, 'augmentation.camera.jpeg'),
        ({'exposuer': 1.0}, 'unknown exposuer'),
    ):
        recipe.write_text(yaml.safe_dump({**CONTENT, 'augmentation': {'camera': camera}}))
        assert train.main([str(recipe), '--data', str(data)]) == 1
        error = capsys.readouterr().err
        assert said in error
        assert error.count('\n') == 1


class SignalAtImport:
    """An importer that sends this process SIGTERM when the module `name` is looked for."""

    def __init__(self, name):
        self.name = name

    def find_spec(self, name, *_):
        if name == self.name:
            signal.raise_signal(signal.SIGTERM)


def test_train_interrupted_while_it_imports_says_so_in_one_sentence(monkeypatch, capsys):
    name = 'snn_perception.training.pipeline'
    monkeypatch.delitem(sys.modules, name, raising=False)
    monkeypatch.setattr(sys, 'meta_path', [SignalAtImport(name), *sys.meta_path])
    assert train.main(['mnist', '--data', 'images']) == 128 + signal.SIGTERM
    assert capsys.readouterr().err == 'train: interrupted; the same command resumes\n'


@pytest.mark.parametrize(
    ('command', 'arguments'),
    [
        (evaluate, ['mnist', '--data', 'images', '--limit', '0']),
        (train, ['mnist', '--data', 'images', '--images-per-class', '0']),
    ],
)
def test_a_number_of_images_below_one_is_refused(capsys, command, arguments):
    with pytest.raises(SystemExit):
        command.main(arguments)
    assert 'must be at least 1' in capsys.readouterr().err


def test_evaluate_tells_how_well_the_unknown_is_told_from_the_known(tmp_path, capsys):
    model = colour_model.save(tmp_path / 'model', colour_model.with_unknown_score())
    for label in colour_model.LABELS:
        write_picture(tmp_path / 'data' / label / '0.png', colour_model.COLOURS[label])
    write_picture(tmp_path / 'other' / 'deep' / 'yellow.png', (255, 255, 0))
    write_picture(tmp_path / 'other' / 'cyan.png', (0, 255, 255))
    target = tmp_path / 'figures.json'
    command = [str(model), '--data', str(tmp_path / 'data'), '--json', str(target)]
    assert evaluate.main([*command, '--unknown', str(tmp_path / 'other')]) == 0
    figures = json.loads(target.read_text())
    found = {name: value for name, value in figures.items() if name.startswith('unknown')}
    assert found == {
        'unknown_images': 2,
        'unknown_auroc': 1.0,
        'unknown_fpr95': 0.0,
        'unknown_rejected': 1.0,
    }


def test_evaluate_refuses_unknown_images_for_a_model_that_cannot_tell(model, tmp_path, capsys):
    data = write_folders(tmp_path / 'data', ['a', 'b', 'c'], 1)
    assert evaluate.main([str(model), '--data', str(data), '--unknown', str(data)]) == 1
    assert 'model random has no score of being unknown' in capsys.readouterr().err


def write_picture(path, colour):
    """A picture all of one `colour` (RGB)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((8, 8, 3), colour[::-1], np.uint8))
