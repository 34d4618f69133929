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

"""From a trained network to a model, stage by stage."""

from __future__ import annotations

import signal
from dataclasses import replace

import numpy as np
import pytest
from analogs import STAGE, coloured_images, random_analog, tiny_conversion
from safetensors import safe_open

from snn_perception.datasets import DatasetError
from snn_perception.datasets.unlabelled import Images
from snn_perception.training.conversion import convert, plan
from snn_perception.training.loop import Trainer
from snn_perception.training.recipe import RecipeError

LABELS = ('0', '1', '2', '3')
BOTH = {'rates': STAGE, 'spikes': STAGE}


def planned(images: Images | None = None, seed: int = 0, **changes):
    conversion = tiny_conversion(**changes)
    return plan(conversion, random_analog(seed), LABELS, images or coloured_images())


def assert_equal(found, expected) -> None:
    for own, other in zip(found.weights, expected.weights, strict=True):
        assert all(map(np.array_equal, own.kernels, other.kernels))
        assert np.array_equal(own.bias, other.bias)


def test_a_conversion_without_training_takes_no_steps(tmp_path) -> None:
    converted = convert(planned(), tmp_path)
    assert [each.name for each in converted.findings] == ['original', 'without training']
    assert converted.trainers == []
    assert not any(tmp_path.iterdir())
    model = converted.model
    assert model.readout.presentation_time == pytest.approx(4 * 0.005)
    assert model.readout.start_time == pytest.approx(4 * 0.005 - 0.00025)
    assert model.labels == LABELS


def test_each_stage_is_examined_on_images_that_nothing_was_fitted_to(tmp_path) -> None:
    plan_ = planned(**BOTH)
    converted = convert(plan_, tmp_path)
    names = ['original', 'without training', 'rates', 'spikes']
    assert [each.name for each in converted.findings] == names
    training = {image.tobytes() for image in plan_.training.images}
    assert not training & {image.tobytes() for image in plan_.validation.images}
    assert (len(plan_.training), len(plan_.validation)) == (80, 20)
    original, *stages = converted.findings
    assert (original.images, original.agreement) == (20, 1.0)
    # Of every three images, two lie in a folder with the name of a label.
    assert original.labelled == converted.labelled == pytest.approx(2 * 20 / 3, abs=1)
    for stage in stages:
        assert stage.agreement > 0.5
        assert len(stage.errors) == len(stage.spikes) == 4
        assert all(0 < error < 0.5 for error in stage.errors)


def test_distillation_brings_activations_closer_to_the_original(tmp_path) -> None:
    stage = {**STAGE, 'epochs': 15, 'activations': 5.0, 'operations': 0.0}
    converted = convert(planned(coloured_images(200), most_spikes=3, spikes=stage), tmp_path)
    _, before, after = converted.findings
    assert sum(after.errors) < 0.8 * sum(before.errors)


def test_distillation_can_be_told_to_spare_operations(tmp_path) -> None:
    stage = {**STAGE, 'epochs': 15, 'operations': 10.0, 'operations_target': 0.5}
    converted = convert(planned(coloured_images(200), spikes=stage), tmp_path)
    _, before, after = converted.findings
    assert after.operations_per_mac < 0.8 * before.operations_per_mac


@pytest.mark.parametrize('stop', ['rates', 'spikes'])
def test_an_interrupted_conversion_resumes_exactly(tmp_path, monkeypatch, stop) -> None:
    undisturbed = convert(planned(**BOTH), tmp_path / 'undisturbed')
    step = Trainer._step

    def interrupted(trainer, parallel):
        if trainer.title == stop and trainer.progress.step == 6:
            signal.raise_signal(signal.SIGINT)
        return step(trainer, parallel)

    with monkeypatch.context() as patched:
        patched.setattr(Trainer, '_step', interrupted)
        with pytest.raises(KeyboardInterrupt):
            convert(planned(**BOTH), tmp_path / 'resumed')
    with safe_open(tmp_path / f'resumed/{stop}.safetensors', 'pt') as checkpoint:
        assert checkpoint.keys()
    resumed = convert(planned(**BOTH), tmp_path / 'resumed')
    assert_equal(resumed.model, undisturbed.model)
    assert resumed.findings[-1].spikes == undisturbed.findings[-1].spikes


def test_converting_twice_trains_once(tmp_path, monkeypatch) -> None:
    first = convert(planned(**BOTH), tmp_path)

    def refuse(trainer, parallel):
        raise AssertionError('there is nothing left to train')

    monkeypatch.setattr(Trainer, '_step', refuse)
    assert_equal(convert(planned(**BOTH), tmp_path).model, first.model)


@pytest.mark.parametrize(
    ('changed', 'words'),
    [
        ({'firing_window': 0.01}, 'another recipe'),
        ({'spikes': {**STAGE, 'answers': 0.5}}, 'another recipe'),
        ({'images': coloured_images(90)}, 'other data'),
        ({'seed': 1}, 'another start'),
    ],
)
def test_checkpoints_of_something_else_are_refused(tmp_path, changed, words) -> None:
    convert(planned(spikes=STAGE), tmp_path)
    with pytest.raises(RecipeError, match=words):
        convert(planned(**{'spikes': STAGE, **changed}), tmp_path)


def test_unseen_things_are_for_validation_alone(tmp_path) -> None:
    images = coloured_images(100, ('0', 'new', 'things/new', '.'))
    plan_ = planned(images, unseen=['new'])
    names = [plan_.groups[label] for label in plan_.training.labels]
    assert set(names) == {'0', '.'}
    findings = convert(plan_, tmp_path).findings
    assert findings[1].images == 20
    assert findings[1].unseen.images == 50
    assert findings[1].unseen.labelled == 0


@pytest.mark.parametrize(
    ('images', 'changes', 'sentence'),
    [
        (coloured_images(20), {}, '20 images are too few: 20 of them are for validation'),
        (coloured_images(1), {'validation_images': 0.1}, '1 images are too few'),
        (coloured_images(), {'unseen': ['cups']}, "no folder of the images is called 'cups'"),
    ],
)
def test_images_that_do_not_do_are_refused_with_a_sentence(images, changes, sentence) -> None:
    with pytest.raises(DatasetError, match=sentence):
        planned(images, **changes)


def test_a_grey_network_is_converted_as_well(tmp_path) -> None:
    analog = random_analog(shape=(8, 8, 1))
    colours = coloured_images()
    images = replace(colours, images=colours.images[..., :1])
    converted = convert(plan(tiny_conversion(), analog, LABELS, images), tmp_path)
    assert converted.model.preprocessing.shape == (8, 8, 1)


def test_accuracy_is_unknown_where_no_folder_has_the_name_of_a_label(tmp_path) -> None:
    converted = convert(planned(coloured_images(names=('any', 'thing'))), tmp_path)
    assert converted.labelled == 0
    assert all(np.isnan(each.accuracy) for each in converted.findings)
    assert converted.findings[1].agreement > 0.5
    assert converted.model.readout.temperature > 0
