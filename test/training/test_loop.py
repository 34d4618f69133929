from __future__ import annotations

import dataclasses

import pytest
import torch
from tiny_training import tiny_dataset, tiny_recipe

from snn_perception.datasets import split
from snn_perception.training.checkpoint import random_seed
from snn_perception.training.loop import Split, Trainer
from snn_perception.training.network import RateNetwork
from snn_perception.training.recipe import FineTuning, RecipeError


class Stopped(Exception):
    """Somebody pulled the plug."""


def make_trainer(folder, recipe=None, count=400):
    recipe = recipe or tiny_recipe()
    training, validation = split(tiny_dataset(count), recipe.validation_images, recipe.seed)
    torch.manual_seed(random_seed(recipe.seed, -1))
    network = RateNetwork(recipe.network, recipe.noise)
    data = Split(training, validation, recipe.preprocessing)
    path = folder / 'checkpoint.safetensors'
    return Trainer('rates', network, recipe.optimisation, recipe, data, path)


def parameters(trainer):
    return torch.cat([p.detach().flatten() for p in trainer.average.parameters()])


def stop_after(trainer, steps, monkeypatch):
    """Let `trainer` run, save after `steps` steps and be stopped in the next one."""
    real = trainer._step

    def step(number):
        if number == steps:
            trainer.save()
            raise Stopped
        return real(number)

    monkeypatch.setattr(trainer, '_step', step)
    with pytest.raises(Stopped):
        trainer.run()


def test_training_learns_and_keeps_a_history(tmp_path):
    trainer = make_trainer(tmp_path)
    trainer.run()
    history = trainer.progress.history
    assert [row['epoch'] for row in history] == [1, 2, 3]
    assert history[-1]['loss'] < history[0]['loss']
    assert history[-1]['validation_accuracy'] > 0.9


@pytest.mark.parametrize('distillation', [0.25, 1.0])
@pytest.mark.parametrize('flip', [True, False])
def test_a_teacher_has_its_part_in_what_is_learned(tmp_path, distillation, flip):
    recipe = tiny_recipe(
        fine_tuning={'epochs': 1, 'label_smoothing': 0.1, 'distillation': distillation},
        augmentation={'flip': flip},
    )
    recipe = dataclasses.replace(recipe, optimisation=recipe.fine_tuning)
    trainer = make_trainer(tmp_path, recipe)
    images, labels = torch.rand(5, 8, 8, 1), torch.tensor([0, 1, 2, 3, 0])
    smoothed = torch.full((5, 4), 0.025) + 0.9 * torch.eye(4)[labels]
    torch.testing.assert_close(trainer._targets(images, labels, 4), smoothed)
    trainer.teacher = trainer.average
    with torch.no_grad():
        views = [trainer.average(view)[0] for view in (images, images.flip(2))]
    seen = torch.stack(views).mean(dim=0) if flip else views[0]
    expected = distillation * seen.softmax(1) + (1 - distillation) * smoothed
    torch.testing.assert_close(trainer._targets(images, labels, 4), expected)


@pytest.fixture
def two_threads():
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    yield
    torch.set_num_threads(before)


@pytest.mark.usefixtures('two_threads')
@pytest.mark.parametrize('steps', [1, 10, 17])
def test_a_resumed_run_ends_exactly_as_an_uninterrupted_one(tmp_path, monkeypatch, steps):
    (tmp_path / 'whole').mkdir()
    (tmp_path / 'parts').mkdir()
    whole = make_trainer(tmp_path / 'whole')
    whole.run()
    stop_after(make_trainer(tmp_path / 'parts'), steps, monkeypatch)
    resumed = make_trainer(tmp_path / 'parts')
    assert resumed.progress.step == steps
    resumed.run()
    assert torch.equal(parameters(resumed), parameters(whole))
    for row, expected in zip(resumed.progress.history, whole.progress.history, strict=True):
        assert row['loss'] == pytest.approx(expected['loss'], abs=0)


def test_a_finished_run_is_not_run_again(tmp_path):
    make_trainer(tmp_path).run()
    again = make_trainer(tmp_path)
    before = parameters(again).clone()
    again.run()
    assert torch.equal(parameters(again), before)


def test_a_checkpoint_of_another_recipe_or_of_other_data_is_refused(tmp_path):
    make_trainer(tmp_path).save()
    with pytest.raises(RecipeError, match='another recipe or other data'):
        make_trainer(tmp_path, tiny_recipe(seed=5))
    with pytest.raises(RecipeError, match='another recipe or other data'):
        make_trainer(tmp_path, count=404)


def test_a_checkpoint_does_not_depend_on_what_comes_after_its_stage(tmp_path):
    make_trainer(tmp_path).save()
    later = {'description': 'Rewritten', 'fine_tuning': FineTuning(epochs=1)}
    recipe = dataclasses.replace(tiny_recipe(), **later)
    make_trainer(tmp_path, recipe)


def test_a_full_disk_keeps_the_last_checkpoint(tmp_path, full_disk):
    trainer = make_trainer(tmp_path)
    trainer.save()
    before = trainer.checkpoint.read_bytes()
    with full_disk(), pytest.raises(OSError, match=r'checkpoint.* cannot be written'):
        trainer.run()
    assert trainer.checkpoint.read_bytes() == before
    make_trainer(tmp_path)


def test_a_damaged_checkpoint_is_refused(tmp_path):
    trainer = make_trainer(tmp_path)
    trainer.save()
    content = trainer.checkpoint.read_bytes()
    trainer.checkpoint.write_bytes(content[:-100])
    with pytest.raises(RecipeError, match='damaged'):
        make_trainer(tmp_path)


def test_a_loss_that_is_not_finite_stops_and_keeps_the_last_checkpoint(tmp_path, monkeypatch):
    trainer = make_trainer(tmp_path)
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
        make_trainer(tmp_path)


def test_rate_regularisation_lowers_the_firing_rates(tmp_path):
    free, quiet = (tmp_path / name for name in ('free', 'quiet'))
    rates = []
    for folder, weight in ((free, 0.0), (quiet, 1.0)):
        folder.mkdir()
        recipe = tiny_recipe(rate_regularisation={'target': 5.0, 'weight': weight})
        trainer = make_trainer(folder, recipe)
        trainer.run()
        rates.append(trainer.progress.history[-1]['firing_rate_hz'])
    assert rates[1] < 0.7 * rates[0]


def test_mixed_precision_learns_too(tmp_path):
    recipe = tiny_recipe()
    optimisation = dataclasses.replace(recipe.optimisation, precision='bfloat16')
    trainer = make_trainer(tmp_path, dataclasses.replace(recipe, optimisation=optimisation))
    trainer.run()
    assert trainer.progress.history[-1]['validation_accuracy'] > 0.9
