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

"""`evaluate` of a model that hears events."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from random_models import event_model
from tiny_events import tiny_recordings, written

from snn_perception.commands import evaluate
from snn_perception.layers import Convolution, Dense
from snn_perception.locations import share_directory
from snn_perception.model_folder import save_model
from snn_perception.unknown import Unknown, UnknownSection
from snn_perception.widening import features_of, with_unknown

RECORDINGS = tiny_recordings(12)


def hearing():
    model = event_model(layers=(Convolution(3, 3), Dense(4)), input_shape=(8, 8, 2))
    return replace(model, labels=RECORDINGS.class_names)


def with_score(model):
    """`model` with some score of being unknown."""
    section = UnknownSection(-1.0, -0.5, 0.0, 1.0, directions=2, groups=4)
    means = np.random.default_rng(0).normal(size=(4, 2)).astype(np.float32)
    directions = np.ones((features_of(model.network), 2), np.float32)
    return with_unknown(model, Unknown(section, means), directions)


@pytest.fixture
def data(tmp_path):
    written(tmp_path / 'data', RECORDINGS)
    return tmp_path / 'data'


def arguments(tmp_path, data, model=None):
    save_model(model or hearing(), tmp_path / 'model')
    return [str(tmp_path / 'model'), '--data', str(data), '--backend', 'reference']


def test_recordings_are_read_as_the_model_hears_them_and_measured(tmp_path, data):
    target = tmp_path / 'figures.json'
    assert evaluate.main([*arguments(tmp_path, data), '--json', str(target)]) == 0
    figures = json.loads(target.read_text())
    assert figures['images'] == 12
    assert figures['accuracy'] * 12 % 1 == pytest.approx(0, abs=1e-9)
    assert figures['synaptic_operations'] > 0
    assert figures['data_part'] == 'whole'


def test_recordings_are_also_heard_one_after_the_other(tmp_path, data):
    target = tmp_path / 'figures.json'
    options = ['--stream', '--json', str(target)]
    assert evaluate.main([*arguments(tmp_path, data), *options]) == 0
    figures = json.loads(target.read_text())
    assert figures['images'] == 12
    assert figures['stream_answers'] > 0
    assert 0 <= figures['stream_accuracy'] <= 1


def test_images_are_no_stream(capsys):
    digits = share_directory() / 'resource' / 'images' / 'digits'
    images = ['mnist', '--data', str(digits), '--limit', '2', '--stream']
    assert evaluate.main(images) == 1
    assert '--stream is for models that hear events' in capsys.readouterr().err


def test_unknown_recordings_lie_in_any_depth(tmp_path, data):
    others = tmp_path / 'others'
    written(others / 'deep', tiny_recordings(5))
    (others / 'notes.txt').write_text('none')
    next((others / 'deep' / 'nw').iterdir()).rename(others / 'flat.npz')
    target = tmp_path / 'figures.json'
    options = ['--unknown', str(others), '--json', str(target)]
    assert evaluate.main([*arguments(tmp_path, data, with_score(hearing())), *options]) == 0
    figures = json.loads(target.read_text())
    assert figures['unknown_images'] == 5
    assert 0 <= figures['unknown_auroc'] <= 1


@pytest.mark.parametrize(
    ('options', 'sentence'),
    [
        (['--deadline', '1'], '--deadline is for models of images, and this one hears events'),
        (['--damage', 'fog:3'], '--damage is for models of images, and this one hears events'),
        (['--skip-unreadable'], '--skip-unreadable is for images, and model random hears events'),
        (['--unknown', '{folder}'], 'model random has no score of being unknown'),
    ],
)
def test_what_is_not_for_events_is_refused_with_a_sentence(
    tmp_path, data, capsys, options, sentence
):
    options = [option.format(folder=tmp_path) for option in options]
    assert evaluate.main([*arguments(tmp_path, data), *options]) == 1
    error = capsys.readouterr().err
    assert sentence in error
    assert 'Traceback' not in error


def test_a_folder_without_unknown_recordings_is_refused(tmp_path, data, capsys):
    (tmp_path / 'empty').mkdir()
    options = ['--unknown', str(tmp_path / 'empty')]
    assert evaluate.main([*arguments(tmp_path, data, with_score(hearing())), *options]) == 1
    assert 'holds no recordings' in capsys.readouterr().err
