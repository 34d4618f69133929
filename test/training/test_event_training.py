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

import re
import shutil
from dataclasses import replace

import numpy as np
import pytest
import torch
import yaml
from tiny_events import event_recipe, tiny_recordings
from tiny_training import CONTENT

from snn_perception.backends.torch import TorchSimulator
from snn_perception.datasets import DatasetError, split
from snn_perception.datasets.simulated import Simulation
from snn_perception.evaluation.made_recordings import KINDS
from snn_perception.loading import load_model
from snn_perception.model import Model
from snn_perception.model_file import read_description
from snn_perception.model_folder import save_model
from snn_perception.training.event_data import EventSplit, mixed
from snn_perception.training.pipeline import train
from snn_perception.training.recipe import RecipeError
from snn_perception.training.results import learn_again, measure_again
from snn_perception.training.stages import on_spikes, run_stages
from snn_perception.training.trainable import RateNetwork
from snn_perception.widening import without_unknown

PATIENT = {**CONTENT['optimisation'], 'epochs': 6}
RECIPE = event_recipe(validation_images=40, optimisation=PATIENT)
REAL, SIMULATED = tiny_recordings(120), tiny_recordings(200)


@pytest.fixture(scope='module')
def trained(tmp_path_factory):
    """The recipe, its data and its stages."""
    recipe = event_recipe()
    data = EventSplit(*split(tiny_recordings(), 80, 0), recipe)
    return recipe, data, run_stages(recipe, data, tmp_path_factory.mktemp('stages'))


def test_both_stages_learn_from_events(trained):
    _, _, (rates, spikes) = trained
    assert rates.progress.history[-1]['validation_accuracy'] > 0.9
    assert spikes.progress.history[-1]['validation_accuracy'] > 0.9


def test_a_stage_in_rates_hears_the_mean_rates_of_the_presentation():
    recipe = event_recipe()
    data = EventSplit(*split(tiny_recordings(), 80, 0), recipe)
    inputs, labels = data.held_out(torch.arange(80))
    assert inputs.shape == (80, 8, 8, 2)
    assert inputs.mean() == pytest.approx((30 + 150 / 4) / 2, rel=0.1)
    assert labels.tolist() == data.validation.recordings.labels.tolist()


def test_a_stage_on_spikes_hears_the_same_events_step_by_step():
    recipe = event_recipe()
    data = EventSplit(*split(tiny_recordings(), 80, 0), recipe)
    rates, _ = data.held_out(torch.arange(7))
    counts, _ = data.in_steps(25, 0.002).held_out(torch.arange(7))
    assert counts.shape == (25, 7, 8, 8, 2)
    torch.testing.assert_close(counts.sum(dim=0) / 0.05, rates)


def test_the_evidence_in_training_is_that_of_an_engine(trained):
    recipe, data, (_, spikes) = trained
    network = spikes.average.float()
    steps, dt = recipe.fine_tuning.presentation_time, recipe.fine_tuning.time_step
    counts, _ = data.in_steps(round(steps / dt), dt).held_out(torch.arange(20))
    with torch.no_grad():
        evidence, rates = network(counts)
    model = Model('mine', ('a', 'b', 'c', 'd'), recipe.network, network.fold(), recipe.input,
                  recipe.readout, dt)  # fmt: skip
    simulator = TorchSimulator(model, 'cpu')
    given = counts.numpy().astype(np.uint8)
    activity = simulator.run(simulator.reset(20), given, len(given))
    expected = activity.outputs[round(recipe.fine_tuning.start_time / dt) :].mean(axis=0)
    # A spike may come a step later in sums of another order.
    np.testing.assert_allclose(evidence, expected, atol=0.02 * np.abs(expected).max())
    neurons = [population.neurons for population in model.network.populations[:-1]]
    counted = activity.spikes.mean(axis=0)[:-1] / neurons / steps
    np.testing.assert_allclose(rates[0], counted[0], rtol=0.01)


def test_the_gradient_knows_when_a_neuron_was_driven():
    recipe = event_recipe()
    start = RateNetwork(recipe.network, recipe.noise, torch.Generator().manual_seed(0))
    # A current that makes a spike in a fifth of the time, and whose mean would make none.
    counts = torch.zeros(25, 1, 8, 8, 2)
    counts[:3] = 2
    slopes = []
    for parts in (1, 5):
        tuning = replace(recipe.fine_tuning, parts=parts, gamma=0.02)
        network = on_spikes(replace(recipe, fine_tuning=tuning), start.fold())
        with torch.no_grad():
            network.layers[0].weight.fill_(0.04)
            network.layers[0].bias.fill_(0.0)
        _, rates = network(counts)
        assert rates[0] > 1
        (slope,) = torch.autograd.grad(rates[0], network.layers[0].weight)
        slopes.append(float(slope.abs().sum()))
    assert slopes[1] > 1.5 * slopes[0]


def test_what_was_simulated_from_the_image_of_a_recording_held_out_is_left_out():
    recordings = tiny_recordings(40)
    training, held_out = split(recordings, 8, 0)
    numbered = mixed(training, held_out, recordings, Simulation(numbered=True, repeats=3))
    assert len(numbered) == 3 * 32 + 32
    assert not set(numbered.names) & set(held_out.names)
    unnumbered = mixed(training, held_out, recordings, Simulation())
    assert len(unnumbered) == 32 + 40
    last = numbered.recording(len(numbered) - 1)
    expected = training.recording(len(training) - 1)
    np.testing.assert_array_equal(last.t, expected.t)


def test_a_checkpoint_of_other_recordings_is_refused(trained, tmp_path):
    recipe = event_recipe(fine_tuning=None)
    training, validation = split(tiny_recordings(), 80, 0)
    run_stages(recipe, EventSplit(training, validation, recipe), tmp_path)
    other = replace(training, t=training.t + np.uint32(1))
    with pytest.raises(RecipeError, match=r'other data \(training images\)'):
        run_stages(recipe, EventSplit(other, validation, recipe), tmp_path)
    shorter = replace(recipe, readout=replace(recipe.readout, presentation_time=0.04))
    with pytest.raises(RecipeError, match=r'another recipe \(presentation_time\)'):
        run_stages(shorter, EventSplit(training, validation, shorter), tmp_path)


@pytest.mark.parametrize(
    ('changes', 'words'),
    [
        ({'augmentation': {'flip': True}}, 'event_augmentation'),
        ({'fine_tuning': {'epochs': 1, 'distillation': 0.5}}, 'distillation must be 0'),
        ({'fine_tuning': {'epochs': 1, 'parts': 4}}, 'parts of the fine_tuning must divide'),
    ],
)
def test_sections_that_are_not_for_events_are_refused(changes, words):
    with pytest.raises(ValueError, match=words):
        event_recipe(**changes)


@pytest.fixture(scope='module')
def finished(tmp_path_factory):
    """The folder of a finished training on real and simulated recordings."""
    folder = tmp_path_factory.mktemp('finished')
    assert train(RECIPE, REAL, folder, simulated=SIMULATED) is not None
    return folder


def test_training_on_real_and_simulated_recordings_makes_a_model_with_its_card(finished):
    figures = yaml.safe_load((finished / 'model.yaml').read_text())['training']
    assert figures['training_images'] == 80 + 200
    assert figures['validation']['images'] == 20
    assert figures['validation']['accuracy'] > 0.8
    card = (finished / 'README.md').read_text()
    assert '280 recordings for training' in card
    assert 'none: analog' not in card
    for name in re.findall(r'\]\((\w+\.png)\)', card):
        assert (finished / name).is_file()
    again = load_model(finished)
    assert again.network.hears_events
    assert again.shaping == RECIPE.input


def test_the_model_knows_which_recordings_it_does_not_know(finished):
    assert load_model(finished).unknown.section.groups == 4
    figures = yaml.safe_load((finished / 'model.yaml').read_text())['training']['validation']
    assert list(figures['unknown']) == list(KINDS)
    assert min(each['auroc'] for each in figures['unknown'].values()) > 0.85
    assert 'a lamp that flickers' in (finished / 'README.md').read_text()


def test_a_finished_model_is_measured_again_without_training(finished, tmp_path):
    folder = shutil.copytree(finished, tmp_path / 'copy')
    before = (folder / 'model.yaml').read_text()
    (folder / 'README.md').unlink()
    shutil.rmtree(folder / 'checkpoints')
    (folder / 'model.yaml').write_text(re.sub(r'accuracy: [01]\.\d+', 'accuracy: 0.5', before))
    measure_again(folder, RECIPE, REAL, simulated=SIMULATED)
    assert (folder / 'model.yaml').read_text() == before
    cards = ((each / 'README.md').read_text() for each in (folder, finished))
    again, first = (card.split('## Validation')[1] for card in cards)
    assert again == first
    with pytest.raises(DatasetError, match='was trained on other data'):
        measure_again(folder, RECIPE, REAL)


def test_the_score_of_being_unknown_is_fitted_again_by_one_call(finished, tmp_path):
    folder, model = tmp_path / 'copy', load_model(finished)
    known = read_description(finished / 'model.yaml').training
    save_model(without_unknown(model), folder, known)
    again = learn_again(folder, RECIPE, REAL, simulated=SIMULATED)
    assert again.unknown.section == model.unknown.section
    assert load_model(folder).unknown.section == model.unknown.section
