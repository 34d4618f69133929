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

import dataclasses
import itertools
import logging
import re
import signal
import threading

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from tiny_training import tiny_dataset, tiny_recipe

from snn_perception.datasets import split
from snn_perception.training.checkpoint import random_seed
from snn_perception.training.data import Split, divide
from snn_perception.training.interruption import SIGNALS
from snn_perception.training.optimisation import FineTuning
from snn_perception.training.recipe import RecipeError
from snn_perception.training.stages import make_trainer
from snn_perception.training.trainable import RateNetwork


def trainer_in(folder, recipe=None, parts=None, start=None):
    recipe = recipe or tiny_recipe()
    training, validation = parts or divide(tiny_dataset(), recipe)
    torch.manual_seed(random_seed(recipe.seed, -1))
    network = RateNetwork(recipe.network, recipe.noise)
    data = Split(training, validation, recipe.preprocessing)
    path = folder / 'checkpoint.safetensors'
    return make_trainer('rates', network, recipe, data, path, start)


def parameters(trainer):
    return torch.cat([p.detach().flatten() for p in trainer.average.parameters()])


def interrupt_at(trainer, place, number, monkeypatch):
    """Let `trainer` run and be interrupted by Ctrl-C when `place` is called for the nth time."""
    real, calls = getattr(trainer.objective, place), itertools.count(1)

    def called(*arguments):
        # From the second of two threads that call it the signal goes to the first thread, too.
        if next(calls) == number:
            signal.raise_signal(signal.SIGINT)
        return real(*arguments)

    monkeypatch.setattr(trainer.objective, place, called)
    with pytest.raises(KeyboardInterrupt):
        trainer.run()


def test_training_learns_and_keeps_a_history(tmp_path):
    trainer = trainer_in(tmp_path)
    trainer.run()
    history = trainer.progress.history
    assert [row['epoch'] for row in history] == [1, 2, 3]
    assert history[-1]['loss'] < history[0]['loss']
    assert history[-1]['validation_accuracy'] > 0.9


@pytest.fixture(scope='module')
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope='module')
def whole(tmp_path_factory, two_threads):
    """A stage that was never interrupted: 30 steps, an epoch each ten, on two threads."""
    trainer = trainer_in(tmp_path_factory.mktemp('whole'))
    trainer.run()
    return trainer


@pytest.mark.parametrize(
    ('place', 'number', 'step', 'rows'),
    [('loss', 1, 1, 0), ('loss', 20, 10, 0), ('loss', 34, 17, 1), ('validate', 4, 20, 1)],
)
def test_after_ctrl_c_a_run_ends_exactly_as_one_without(
    tmp_path, whole, monkeypatch, place, number, step, rows
):
    interrupt_at(trainer_in(tmp_path), place, number, monkeypatch)
    resumed = trainer_in(tmp_path)
    assert (resumed.progress.step, len(resumed.progress.history)) == (step, rows)
    resumed.run()
    assert torch.equal(parameters(resumed), parameters(whole))
    for row, expected in zip(resumed.progress.history, whole.progress.history, strict=True):
        for figure in ('loss', 'validation_accuracy', 'firing_rate_hz'):
            assert row[figure] == expected[figure]


def test_a_finished_run_is_not_run_again(tmp_path):
    trainer_in(tmp_path).run()
    again = trainer_in(tmp_path)
    before = parameters(again).clone()
    again.run()
    assert torch.equal(parameters(again), before)


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({'seed': 5}, r'another recipe \(seed\) and other data'),
        ({'noise': {'type': 'none'}}, r'of another recipe \(noise\.type\); remove the folder'),
        ({'validation_images': 84}, r'another recipe \(validation_images\) and other data'),
    ],
)
def test_a_checkpoint_of_another_recipe_is_refused(tmp_path, changes, message):
    trainer_in(tmp_path).save()
    with pytest.raises(RecipeError, match=message):
        trainer_in(tmp_path, tiny_recipe(**changes))


@pytest.mark.parametrize('kind', [0, 1])
@pytest.mark.parametrize('values', ['images', 'labels'])
def test_a_checkpoint_of_as_many_other_images_is_refused(tmp_path, kind, values):
    trainer_in(tmp_path).save()
    parts = list(divide(tiny_dataset(), tiny_recipe()))
    changed = np.roll(getattr(parts[kind], values), 1, axis=0)
    parts[kind] = dataclasses.replace(parts[kind], **{values: changed})
    name = f'{("training", "validation")[kind]} {values}'
    message = rf'is of other data \({name}\); remove the folder .* or choose another output'
    with pytest.raises(RecipeError, match=message):
        trainer_in(tmp_path, parts=parts)


def test_a_checkpoint_of_other_class_names_is_refused(tmp_path):
    trainer_in(tmp_path).save()
    renamed = dataclasses.replace(tiny_dataset(), class_names=('a', 'b', 'c', 'd'))
    with pytest.raises(RecipeError, match=r'is of other data \(class names\)'):
        trainer_in(tmp_path, parts=divide(renamed, tiny_recipe()))


def test_a_checkpoint_that_does_not_know_its_data_is_refused(tmp_path):
    trainer = trainer_in(tmp_path)
    save_file({'any': torch.zeros(1)}, trainer.checkpoint, {'recipe': 'b0b', 'progress': '{}'})
    with pytest.raises(RecipeError, match='is of an earlier version, which did not note the data'):
        trainer_in(tmp_path)


def test_a_checkpoint_does_not_depend_on_what_comes_after_its_stage(tmp_path):
    trainer_in(tmp_path).save()
    later = {'description': 'Rewritten', 'fine_tuning': FineTuning(epochs=1)}
    recipe = dataclasses.replace(tiny_recipe(), **later)
    trainer_in(tmp_path, recipe)


def test_a_full_disk_keeps_the_last_checkpoint(tmp_path, full_disk):
    trainer = trainer_in(tmp_path)
    trainer.save()
    before = trainer.checkpoint.read_bytes()
    with full_disk(), pytest.raises(OSError, match=r'checkpoint.* cannot be written'):
        trainer.run()
    assert trainer.checkpoint.read_bytes() == before
    trainer_in(tmp_path)


def test_a_damaged_checkpoint_is_refused(tmp_path):
    trainer = trainer_in(tmp_path)
    trainer.save()
    content = trainer.checkpoint.read_bytes()
    trainer.checkpoint.write_bytes(content[:-100])
    with pytest.raises(RecipeError, match='damaged'):
        trainer_in(tmp_path)


def test_a_loss_that_is_not_finite_stops_and_keeps_the_last_checkpoint(tmp_path, monkeypatch):
    trainer = trainer_in(tmp_path)
    trainer.save()
    before = trainer.checkpoint.read_bytes()
    with torch.no_grad():
        trainer.network.readout.bias.fill_(float('nan'))
    with pytest.raises(FloatingPointError, match='not finite at step 0'):
        trainer.run()
    assert trainer.checkpoint.read_bytes() == before


def test_a_pytorch_without_its_optimiser_is_refused(tmp_path, monkeypatch):
    monkeypatch.delattr(torch.optim, 'Muon')
    with pytest.raises(RecipeError, match=r'needs PyTorch 2\.9 or newer'):
        trainer_in(tmp_path)


def test_rate_regularisation_lowers_the_firing_rates(tmp_path):
    free, quiet = (tmp_path / name for name in ('free', 'quiet'))
    rates = []
    for folder, weight in ((free, 0.0), (quiet, 1.0)):
        folder.mkdir()
        recipe = tiny_recipe(rate_regularisation={'target': 5.0, 'weight': weight})
        trainer = trainer_in(folder, recipe)
        trainer.run()
        rates.append(trainer.progress.history[-1]['firing_rate_hz'])
    assert rates[1] < 0.7 * rates[0]


def test_mixed_precision_learns_too(tmp_path):
    recipe = tiny_recipe()
    optimisation = dataclasses.replace(recipe.optimisation, precision='bfloat16')
    trainer = trainer_in(tmp_path, dataclasses.replace(recipe, optimisation=optimisation))
    trainer.run()
    assert trainer.progress.history[-1]['validation_accuracy'] > 0.9


def test_the_images_a_second_are_those_that_there_are(tmp_path, caplog):
    # A batch is 32 images, but there are 14.
    trainer = trainer_in(tmp_path, parts=split(tiny_dataset(20), 6, 0))
    with caplog.at_level(logging.INFO, 'snn_perception.training'):
        trainer.run()
    seconds = trainer.progress.history[-1]['seconds']
    rate = re.findall(r'epoch 3 of 3.* (\d+) images/s', caplog.text)
    assert float(rate[0]) == pytest.approx(3 * 14 / seconds, abs=1)
    assert trainer._bar().total == 3 * 14


def test_a_run_gives_the_process_back_as_it_was(tmp_path):
    def state():
        handlers = [signal.getsignal(number) for number in SIGNALS]
        return torch.get_num_threads(), torch.get_rng_state().tolist(), handlers

    before = state()
    trainer_in(tmp_path).run()
    assert state() == before
    assert not [thread for thread in threading.enumerate() if 'training' in thread.name]
