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

"""How commands end: what was measured is printed and written, whatever becomes of the files."""

from __future__ import annotations

import json
import math
from importlib import import_module
from pathlib import Path

import cv2
import numpy as np
import optional
import pytest
from random_models import random_model

from snn_perception.commands.figures import deliver, to_json
from snn_perception.model_folder import save_model

FULL = Path('/dev/full')
needs_full = pytest.mark.skipif(not FULL.exists(), reason='there is no file that is always full')


@pytest.fixture
def places(tmp_path):
    """A model, labelled images, and a file."""
    save_model(random_model(), tmp_path / 'model')
    for label in 'abc':
        (tmp_path / 'data' / label).mkdir(parents=True)
        pixels = np.random.default_rng(0).integers(0, 256, (11, 10, 3)).astype(np.uint8)
        cv2.imwrite(str(tmp_path / 'data' / label / '0.png'), pixels)
    (tmp_path / 'file').touch()
    return {name: tmp_path / name for name in ('model', 'data', 'file')} | {'here': tmp_path}


def main(name, *arguments):
    return import_module(f'snn_perception.commands.{name}').main(list(arguments))


@pytest.mark.parametrize(
    ('name', 'option'),
    [
        ('evaluate', '--json'),
        ('chip', '--json'),
        ('chip', '--picture'),
        ('benchmark', '--json'),
        ('benchmark', '--picture'),
    ],
)
@pytest.mark.parametrize(
    ('target', 'message'),
    [
        ('{here}/nosuch/x', '{here}/nosuch/x cannot be written: {here}/nosuch is not a folder'),
        ('{file}/x', '{file}/x cannot be written: {file} is not a folder'),
        ('{data}', '{data} is a folder; a file is needed'),
    ],
)
def test_a_file_that_cannot_be_written_is_refused_before_the_work(
    places, capsys, name, option, target, message
):
    data = () if name == 'chip' else ('--data', 'nosuch')
    with pytest.raises(SystemExit):
        main(name, 'no_such_model', *data, option, target.format(**places))
    assert f'argument {option}: {message.format(**places)}' in capsys.readouterr().err


@pytest.mark.parametrize(
    ('format_', 'target', 'message'),
    [
        ('nir', '{here}/nosuch/x.nir', 'x.nir cannot be written: {here}/nosuch is not a folder'),
        ('nir', '{here}/x.h5', 'the name of the file must end in .nir, unlike {here}/x.h5'),
        ('folder', '{file}', '{file} cannot be written: {file} is not a folder'),
    ],
)
def test_where_a_model_is_exported_to_is_checked_before_it_is_read(
    places, capsys, format_, target, message
):
    options = ('--format', format_, '--output', target.format(**places))
    with pytest.raises(SystemExit):
        main('export', 'no_such_model', *options)
    errors = capsys.readouterr().err
    assert 'argument --output: ' in errors
    assert message.format(**places) in errors


@pytest.mark.parametrize('name', ['report', 'train'])
@pytest.mark.parametrize('target', ['{file}', '{file}/deep/x'])
def test_a_folder_that_cannot_be_made_is_refused_before_the_work(places, capsys, name, target):
    target = target.format(**places)
    with pytest.raises(SystemExit):
        main(name, 'no_such_model', '--data', 'nosuch', '--output', target)
    message = f'argument --output: {target} cannot be written: {places["file"]} is not a folder'
    assert message in capsys.readouterr().err


@needs_full
def test_figures_are_printed_even_if_the_disk_is_full_in_the_end(places, capsys):
    optional.library('torch')
    arguments = (str(places['model']), '--data', str(places['data']))
    assert main('evaluate', *arguments, '--json', str(FULL)) == 1
    output, errors = capsys.readouterr()
    assert 'accuracy' in output
    assert 'energy_j' in output
    assert errors.startswith('evaluate: /dev/full cannot be written: ')
    assert errors.count('\n') == 1


@needs_full
def test_figures_are_printed_and_written_even_if_the_picture_is_not(places, capsys):
    target = places['here'] / 'figures.json'
    arguments = (str(places['model']), '--picture', str(FULL), '--json', str(target))
    assert main('chip', *arguments) == 1
    output, errors = capsys.readouterr()
    assert 'cores' in output
    assert json.loads(target.read_text())['cores'] > 0
    assert errors.startswith('chip: /dev/full cannot be written: ')


def test_figures_are_printed_even_if_the_report_cannot_be_written(places, capsys):
    optional.library('torch')
    output = places['here'] / 'out'
    (output / 'report.html').mkdir(parents=True)
    arguments = (str(places['model']), '--data', str(places['data']), '--output', str(output))
    assert main('report', *arguments) == 1
    printed, errors = capsys.readouterr()
    assert 'expected_calibration_error' in printed
    assert errors.startswith(f'report: {output} cannot be written: ')


def no_json(name):
    raise AssertionError(f'{name} is not JSON')


def test_what_is_not_finite_is_null_in_json(tmp_path, capsys):
    figures = {
        'a': math.nan,
        'b': {'c': [1.5, math.inf], 'd': (-math.inf, 'NaN')},
        'e': [{'f': math.nan, 'g': 2}],
    }
    expected = {'a': None, 'b': {'c': [1.5, None], 'd': [None, 'NaN']}, 'e': [{'f': None, 'g': 2}]}
    assert json.loads(to_json(figures), parse_constant=no_json) == expected
    assert deliver('measure', lambda: figures, tmp_path / 'x.json') == 0
    text = (tmp_path / 'x.json').read_text()
    assert json.loads(text, parse_constant=no_json) == expected
    assert 'nan' in capsys.readouterr().out


@pytest.mark.parametrize(
    'rows',
    [
        {'rain': {'right': 0.5}, 'hail': {'right': 1}},
        [{'weather': 'rain', 'right': 0.5}, {'weather': 'hail', 'right': 1}],
    ],
)
def test_figures_of_several_things_are_printed_as_a_table(capsys, rows):
    assert deliver('measure', lambda: {'weather': rows}, None) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines == ['weather', '  weather  right', '  rain     0.5', '  hail     1']
