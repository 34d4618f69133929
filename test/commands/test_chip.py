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

"""`chip`: what a model takes on Loihi, with and without images and the emulator."""

from __future__ import annotations

import json
import sys

import cv2
import numpy as np
import optional
import pytest
from random_models import random_model, turn_taking_model

from snn_perception.commands import chip
from snn_perception.layers import Convolution, Dense
from snn_perception.model_folder import save_model


@pytest.fixture
def data(tmp_path):
    random = np.random.default_rng(0)
    for name in 'abc':
        (tmp_path / 'data' / name).mkdir(parents=True)
        pixels = random.integers(0, 256, (11, 10, 3)).astype(np.uint8)
        cv2.imwrite(str(tmp_path / 'data' / name / '1.png'), pixels)
    return tmp_path / 'data'


@pytest.fixture
def model(tmp_path):
    save_model(random_model(), tmp_path / 'model')
    return tmp_path / 'model'


def figures_of(tmp_path, *arguments):
    target = tmp_path / 'figures.json'
    assert chip.main([*map(str, arguments), '--json', str(target)]) == 0
    return json.loads(target.read_text())


def test_resources_need_neither_images_nor_the_emulator(model, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, 'nengo_loihi', None)
    figures = figures_of(tmp_path, model)
    assert figures['fits']
    assert figures['cores'] == 3
    assert 'comparison' not in figures
    printed = capsys.readouterr().out.splitlines()
    (head,) = (line for line in printed if line.split()[:1] == ['layer'])
    assert head.split()[1:4] == ['tile', 'cores', 'neurons']
    assert len(printed) - printed.index(head) == 4


def test_cores_are_counted_of_layers_that_take_turns_which_the_emulator_cannot_run(
    data, tmp_path, capsys
):
    save_model(turn_taking_model(0), tmp_path / 'model')
    figures = figures_of(tmp_path, tmp_path / 'model')
    assert figures['fits']
    assert figures['cores'] >= 1
    assert chip.main([str(tmp_path / 'model'), '--data', str(data)]) == 1
    assert 'the emulator cannot run random, whose layers take turns' in capsys.readouterr().err


def test_with_images_the_layers_are_compared(model, data, tmp_path, capsys):
    optional.library('nengo_loihi')
    figures = figures_of(tmp_path, model, '--data', data, '--limit', '2')
    assert len(figures['comparison']) == 3
    assert all(row['correlation'] > 0.8 for row in figures['comparison'])
    assert 'rate_error_hz' in capsys.readouterr().out


def test_what_does_not_fit_is_an_answer_too(data, tmp_path, capsys):
    large = random_model(input_shape=(64, 64, 1), layers=(Convolution(32, 1), Dense(1), Dense(2)))
    save_model(large, tmp_path / 'large')
    figures = figures_of(tmp_path, tmp_path / 'large', '--data', data)
    assert not figures['fits']
    assert 'bits of synapse memory, but a Loihi core has' in figures['reason']
    assert 'reason' in capsys.readouterr().out
    assert 'comparison' not in figures


def test_without_the_emulator_a_comparison_ends_with_the_command_that_installs_it(
    model, data, capsys, monkeypatch
):
    optional.library('nengo')
    for name in list(sys.modules):
        if name.startswith(('nengo_loihi', 'snn_perception.backends.loihi.')):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, 'nengo_loihi', None)
    assert chip.main([str(model), '--data', str(data)]) == 1
    assert 'pip install nengo-loihi' in capsys.readouterr().err


def test_a_model_that_is_not_there_is_named(capsys):
    assert chip.main(['no_such_model']) == 1
    assert "chip: model 'no_such_model' is not found" in capsys.readouterr().err
