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

"""`report`: one file with every figure of a real run, and its pictures."""

from __future__ import annotations

import re
from base64 import b64decode
from dataclasses import replace

import cv2
import numpy as np
import optional
import pytest
from random_models import event_model, random_model
from tiny_events import tiny_recordings, written

from snn_perception.commands import evaluate, report
from snn_perception.datasets.event_set import EventSet
from snn_perception.layers import Convolution, Dense
from snn_perception.model import Model
from snn_perception.model_folder import save_model
from snn_perception.readout import Readout

# What a report compares with is the rate network.
optional.library('torch')

PICTURES = (
    *('time', 'operations', 'layers', 'calibration', 'energies', 'confusion'),
    *('raster', 'examples', 'robustness'),
)


def write(folder, model: Model, names: str = 'abc') -> list[str]:
    """Arguments for `model` on two random images per class."""
    random = np.random.default_rng(0)
    save_model(model, folder / 'model')
    for name in names:
        (folder / 'data' / name).mkdir(parents=True)
        for index in range(2):
            image = random.integers(0, 256, (11, 10, 3)).astype(np.uint8)
            cv2.imwrite(str(folder / 'data' / name / f'{index}.png'), image)
    return [str(folder / 'model'), '--data', str(folder / 'data')]


def write_recordings(folder, recordings: EventSet) -> list[str]:
    """Arguments for a model of events on `recordings`."""
    model = event_model(layers=(Convolution(4, 3), Dense(4)), input_shape=(8, 8, 2))
    save_model(replace(model, labels=recordings.class_names), folder / 'model')
    written(folder / 'data', recordings)
    return [str(folder / 'model'), '--data', str(folder / 'data')]


def printed(capsys) -> dict[str, str]:
    lines = capsys.readouterr().out.splitlines()
    return dict(line.split(maxsplit=1) for line in lines if len(line.split()) > 1)


def test_the_page_holds_the_pictures_and_the_figures(tmp_path, capsys):
    arguments = write(tmp_path, random_model())
    output = tmp_path / 'deep' / 'out'
    assert report.main([*arguments, '--output', str(output)]) == 0
    figures = printed(capsys)
    assert figures['page'] == str(output / 'report.html')
    assert figures['pictures'].split() == [str(output / f'{name}.png') for name in PICTURES]
    text = (output / 'report.html').read_text()
    embedded = re.findall(r'<img [^>]*src="data:image/png;base64,([^"]+)"', text)
    assert len(embedded) == text.count('<img') == len(PICTURES)
    files = [(output / f'{name}.png').read_bytes() for name in PICTURES]
    assert {b64decode(data) for data in embedded} == set(files)
    assert all(cv2.imread(str(output / f'{name}.png')).std() > 0 for name in PICTURES)
    assert not re.search(r'https?:|url\(|<script|<link', text)
    for key in ('accuracy', 'rate_accuracy', 'expected_calibration_error'):
        assert f'{100 * float(figures[key]):.2f} %' in text
    for chip in ('Intel Loihi', 'SpiNNaker 2', '45 nm, fp32, without spikes'):
        assert chip in text
    for author in ('Guo', 'Davies', 'Horowitz'):
        assert author in text


@pytest.mark.parametrize(
    ('training', 'similar', 'never'),
    [({}, [], 0), ({'seen_damages': ['fog', 'snow']}, ['fog', 'snow'], 17)],
    ids=['not known', 'known'],
)
def test_the_page_says_which_damage_training_had_if_the_model_does(
    tmp_path, training, similar, never
):
    model = random_model(layers=(Dense(3),))
    arguments = write(tmp_path, model)
    save_model(model, tmp_path / 'model', training)
    output = tmp_path / 'out'
    assert report.main([*arguments, '--backend', 'reference', '--output', str(output)]) == 0
    text = (output / 'report.html').read_text()
    assert re.findall(r'<tr><td>(\w+)</td>(?:(?!</tr>).)*<td>similar</td>', text) == similar
    assert text.count('<td>never</td>') == never


def test_the_page_of_a_model_that_hears_events_shows_recordings(tmp_path, capsys):
    arguments = [*write_recordings(tmp_path, tiny_recordings(8)), '--backend', 'reference']
    assert report.main([*arguments, '--output', str(tmp_path / 'out')]) == 0
    figures = printed(capsys)
    names = [name for name in PICTURES if name != 'robustness']
    assert figures['pictures'].split() == [str(tmp_path / 'out' / f'{name}.png') for name in names]
    text = (tmp_path / 'out' / 'report.html').read_text()
    assert text.count('<img') == len(names)
    assert '8 recordings, shown for up to 50 ms' in text
    assert f'{100 * float(figures["accuracy"]):.2f} %' in text
    words = re.sub(r'<img [^>]*>|<style>.*</style>', '', text, flags=re.DOTALL)
    assert not re.search(r'\b(images?|pixels|Damaged)\b', words)


@pytest.mark.slow
def test_the_figures_are_those_of_evaluate(tmp_path, capsys):
    model = replace(random_model(), readout=Readout(0.05, 0.01, 0.01, 0.6))
    arguments = [*write(tmp_path, model), '--backend', 'event']
    assert evaluate.main(arguments) == 0
    expected = printed(capsys)
    assert report.main([*arguments, '--output', str(tmp_path / 'out')]) == 0
    figures = printed(capsys)
    assert expected.pop('ms_per_image')
    assert {key: figures[key] for key in expected} == expected


@pytest.mark.slow
def test_on_an_emulated_chip_the_page_says_what_the_layers_take_there(tmp_path):
    optional.library('nengo_loihi')
    arguments = [*write(tmp_path, random_model(drive=3)), '--backend', 'loihi']
    assert report.main([*arguments, '--output', str(tmp_path / 'out')]) == 0
    text = (tmp_path / 'out' / 'report.html').read_text()
    assert text.count('<img') == len(PICTURES) + 1
    assert (tmp_path / 'out' / 'chip.png').is_file()
    for word in (
        'need 3 cores in all (chips: 1)',
        'core_axons_out',
        'rate_error_hz',
        'weight_error',
    ):
        assert word in text


@pytest.mark.slow
def test_the_folder_is_named_after_the_model(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    arguments = write(tmp_path, random_model())
    assert report.main([*arguments, '--limit', '1', '--backend', 'reference']) == 0
    assert (tmp_path / 'report-random' / 'report.html').is_file()


@pytest.mark.slow
@pytest.mark.parametrize(
    'model',
    [
        random_model(layers=(Dense(3),)),
        random_model(input_shape=(11, 10, 1)),
        random_model(layers=(Dense(6), Dense(3)), drive=-50),
        replace(random_model(), readout=Readout(0.02, decision_interval=0.5)),
    ],
    ids=['no neurons', 'grey', 'no spikes', 'one check'],
)
def test_unusual_networks_are_drawn_too(tmp_path, model):
    arguments = [*write(tmp_path, model), '--backend', 'reference']
    assert report.main([*arguments, '--output', str(tmp_path / 'out')]) == 0
    assert (tmp_path / 'out' / 'report.html').is_file()


@pytest.mark.parametrize(
    ('arguments', 'message'),
    [
        (['no_such_model', '--data', '{data}'], "model 'no_such_model' is not found"),
        (['{model}', '--data', '{data}/none'], 'is not a folder'),
        (['{model}', '--data', '{data}', '--backend', 'abacus'], "unknown backend 'abacus'"),
        (['{model}', '--data', '{data}', '--backend', 'rate'], 'has no spikes to report on'),
    ],
)
def test_what_cannot_be_reported_is_said_in_a_sentence(tmp_path, capsys, arguments, message):
    write(tmp_path, random_model())
    places = {'model': tmp_path / 'model', 'data': tmp_path / 'data'}
    assert report.main([argument.format(**places) for argument in arguments]) == 1
    [sentence] = capsys.readouterr().err.splitlines()
    assert sentence.startswith('report: ')
    assert message in sentence
