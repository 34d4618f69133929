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

"""Going on from a model: a new last layer first, then all layers."""

from __future__ import annotations

import itertools
import shutil
import signal
from dataclasses import replace

import numpy as np
import pytest
import torch
import yaml
from tiny_training import CONTENT, tiny_dataset, tiny_recipe

from snn_perception import load_model
from snn_perception.backends.torch import TorchSimulator
from snn_perception.datasets import Dataset, split
from snn_perception.model import Model
from snn_perception.model_folder import save_model
from snn_perception.training import fingerprint
from snn_perception.training.data import Split
from snn_perception.training.objective import Labels
from snn_perception.training.pipeline import train
from snn_perception.training.recipe import RecipeError, load_recipe
from snn_perception.training.stages import run_stages

IN_TURNS = {
    'neuron': {'type': 'lif', 'tau_rc': 0.0025, 'tau_ref': 0.0, 'gamma': 0.05},
    'synapse': {'type': 'none'},
    'readout_synapse': {'type': 'none'},
    'dt': 0.00025,
    'firing_window': 0.005,
    'readout': {'presentation_time': 0.01, 'start_time': 0.00975, 'decision_interval': 0.01},
    # Rates in a window of one's own are higher.
    'rate_regularisation': {'target': 400.0},
}


@pytest.fixture(scope='module', params=[{}, IN_TURNS], ids=['all at once', 'in turns'])
def base(tmp_path_factory, request):
    """A model that is trained, but not measured: that takes longer."""
    folder, recipe = tmp_path_factory.mktemp('base'), tiny_recipe(**request.param)
    data = Split(*split(tiny_dataset(), 80, 0), recipe.preprocessing)
    weights = run_stages(recipe, data, folder)[-1].average.fold()
    how = recipe.preprocessing, recipe.readout, recipe.dt
    save_model(Model('base', ('a', 'b', 'c', 'd'), recipe.network, weights, *how), folder)
    return folder


@pytest.fixture
def recipe(base, tmp_path):
    """A recipe that goes on from `base` at rates that show."""
    content = {name: CONTENT[name] for name in ('optimisation', 'fine_tuning', 'augmentation')}
    content |= {'name': 'onward', 'base': str(base), 'validation_images': 0.25}
    content['optimisation'] = {**content['optimisation'], 'epochs': 10}
    path = tmp_path / 'onward.yaml'
    path.write_text(yaml.safe_dump(content))
    return load_recipe(str(path))[0]


def test_the_rate_network_teaches_the_one_on_spikes(tmp_path):
    tuning = {**CONTENT['fine_tuning'], 'distillation': 1.0}
    recipe = tiny_recipe(fine_tuning=tuning)
    data = Split(*split(tiny_dataset(), 80, 0), recipe.preprocessing)
    rates, spikes = run_stages(recipe, data, tmp_path)
    assert spikes.objective.teacher is rates.average
    assert spikes.progress.history[-1]['validation_accuracy'] > 0.9


def test_there_is_no_teacher_for_a_network_that_goes_on_from_another(recipe):
    taught = replace(recipe.fine_tuning, distillation=0.5)
    with pytest.raises(ValueError, match='there is no rate network'):
        replace(recipe, fine_tuning=taught)


@pytest.fixture
def top_and_bottom():
    """The quarters of the tiny data as two classes with names of their own, 20 images each."""
    whole = tiny_dataset(80)
    halves = Dataset(whole.images, (whole.labels >= 2).astype(np.int64), ('top', 'bottom'))
    return halves.first_of_each(20)


def test_the_new_layer_learns_alone_and_then_all_of_them(recipe, top_and_bottom, base, tmp_path):
    recipe = recipe.with_classes(2)
    data = Split(*split(top_and_bottom, 10, 0), recipe.preprocessing)
    readout, spikes = run_stages(recipe, data, tmp_path)
    before = load_model(base).weights
    alone, together = readout.average.fold(), spikes.average.fold()
    for index in range(len(before) - 1):
        np.testing.assert_allclose(alone[index].kernel, before[index].kernel, rtol=1e-5)
        np.testing.assert_allclose(alone[index].bias, before[index].bias, rtol=1e-5)
        assert not np.allclose(together[index].kernel, before[index].kernel, rtol=1e-3)
    assert np.abs(alone[-1].kernel).max() > 0


def test_the_model_answers_as_its_training_on_whole_spikes_did(recipe, top_and_bottom, tmp_path):
    if not recipe.firing_window:
        pytest.skip('in float32, spikes over time come a step later here and there')
    recipe = recipe.with_classes(2)
    data = Split(*split(top_and_bottom, 10, 0), recipe.preprocessing)
    trained = run_stages(recipe, data, tmp_path)[-1].average
    model = Model('mine', ('top', 'bottom'), recipe.network, trained.fold(), recipe.preprocessing,
                  recipe.readout, recipe.dt)  # fmt: skip
    images = data.normalise(data.validation.batch(torch.arange(10))[0])
    with torch.no_grad():
        expected, rates = trained(images)
    simulator = TorchSimulator(model, 'cpu')
    activity = simulator.run(simulator.reset(10), images.numpy(), 40)
    np.testing.assert_allclose(activity.outputs[-1], expected, atol=1e-5)
    neurons = [population.neurons for population in model.network.populations[:-1]]
    counts = activity.spikes.mean(axis=0)[:-1]
    np.testing.assert_allclose(counts / neurons / recipe.firing_window, rates, rtol=1e-5)


def test_a_stage_that_was_interrupted_ends_as_if_it_had_not_been(
    recipe, top_and_bottom, tmp_path, monkeypatch
):
    recipe = recipe.with_classes(2)
    data = Split(*split(top_and_bottom, 10, 0), recipe.preprocessing)
    whole = run_stages(recipe, data, tmp_path / 'whole')
    real, calls = Labels.loss, itertools.count(1)

    def interrupted(*arguments):
        if next(calls) == 11:  # the first step of the second stage
            signal.raise_signal(signal.SIGINT)
        return real(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(Labels, 'loss', interrupted)
        with pytest.raises(KeyboardInterrupt):
            run_stages(recipe, data, tmp_path / 'parts')
    resumed = run_stages(recipe, data, tmp_path / 'parts')
    for one, other in zip(whole, resumed, strict=True):
        assert fingerprint.of_module(one.average) == fingerprint.of_module(other.average)


def test_a_model_for_classes_of_ones_own(recipe, top_and_bottom, tmp_path):
    model = train(recipe, top_and_bottom, tmp_path / 'mine')
    assert model.labels == ('top', 'bottom')
    assert load_model(tmp_path / 'mine').network == model.network
    figures = yaml.safe_load((tmp_path / 'mine' / 'model.yaml').read_text())['training']
    assert figures['training_images'] == 30
    assert (figures['calibration_images'], figures['validation']['images']) == (5, 5)
    assert figures['validation']['accuracy'] >= 0.9


def test_a_stage_that_began_with_other_weights_is_refused(recipe, top_and_bottom, base, tmp_path):
    folder = shutil.copytree(base, tmp_path / 'base')
    recipe = replace(recipe, base=str(folder)).with_classes(2)
    data = Split(*split(top_and_bottom, 10, 0), recipe.preprocessing)
    run_stages(recipe, data, tmp_path)
    # Where the base lies is no matter.
    run_stages(replace(recipe, base=str(base)), data, tmp_path)
    model = load_model(folder)
    first, *rest = model.weights
    other = replace(model, weights=(replace(first, bias=first.bias + 0.01), *rest))
    save_model(other, folder)
    with pytest.raises(RecipeError, match=r'another start \(weights of the base\)'):
        run_stages(recipe, data, tmp_path)
    (tmp_path / 'readout.safetensors').unlink()
    with pytest.raises(RecipeError, match=r'another start \(weights of the stage before\)'):
        run_stages(recipe, data, tmp_path)


def test_the_steps_of_a_turn_are_part_of_the_recipe_that_a_checkpoint_is_of(
    recipe, top_and_bottom, tmp_path
):
    if not recipe.firing_window:
        pytest.skip('training has steps of its own, see time_step')
    recipe = recipe.with_classes(2)
    data = Split(*split(top_and_bottom, 10, 0), recipe.preprocessing)
    run_stages(recipe, data, tmp_path)
    with pytest.raises(RecipeError, match=r'another recipe \(dt\)'):
        run_stages(replace(recipe, dt=0.0005), data, tmp_path)
    with pytest.raises(ValueError, match='firing_window must be a multiple of dt'):
        replace(recipe, dt=0.0003)


def test_where_membranes_start_matters_to_the_stage_on_spikes_only(tmp_path):
    recipe = tiny_recipe()
    data = Split(*split(tiny_dataset(), 80, 0), recipe.preprocessing)
    run_stages(recipe, data, tmp_path)
    neuron = replace(recipe.neuron.neuron, initial_potential=0.3)
    later = replace(recipe, neuron=replace(recipe.neuron, neuron=neuron))
    with pytest.raises(RecipeError, match=r'another recipe \(neuron\.initial_potential\)'):
        run_stages(later, data, tmp_path)
    (tmp_path / 'spikes.safetensors').unlink()
    _, on_spikes = run_stages(later, data, tmp_path)
    assert on_spikes.network.neuron == neuron


def test_without_a_base_the_rates_come_first(tmp_path):
    recipe = replace(tiny_recipe(), fine_tuning=None)
    data = Split(*split(tiny_dataset(), 80, 0), recipe.preprocessing)
    [only] = run_stages(recipe, data, tmp_path)
    assert only.title == 'rates'
