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
from functools import partial

import numpy as np
import pytest

from snn_perception import create_simulator, load_model
from snn_perception.datasets import load_dataset
from snn_perception.datasets.event_sources import load_events
from snn_perception.evaluation.accuracy import evaluate
from snn_perception.evaluation.made_images import covered_lens, grey_wall
from snn_perception.locations import CONVERSIONS, MODELS, RECIPES, share_directory
from snn_perception.model_file import input_of, read_description
from snn_perception.training.conversion_recipe import load_conversion
from snn_perception.training.recipe import load_recipe
from snn_perception.widening import without_unknown

FOLDER = share_directory() / 'models'
MAXIMUM_BYTES = {
    'mnist': 5_000_000,
    'cifar10': 25_000_000,
    'everyday': 20_000_000,
    'nmnist': 5_000_000,
}
VALIDATION_IMAGES = {'mnist': 6000, 'cifar10': 2500, 'everyday': 694, 'nmnist': 150}
TRAINED = [name for name in MODELS.names() if name in RECIPES.names()]
ON_EVENTS = [name for name in TRAINED if load_recipe(name)[0].hears_events]
ON_IMAGES = [name for name in MODELS.names() if name not in ON_EVENTS]
CONVERTED = [name for name in MODELS.names() if name in CONVERSIONS.names()]


def test_every_shipped_model_has_its_recipe():
    assert sorted([*TRAINED, *CONVERTED]) == sorted(MODELS.names())


@pytest.mark.parametrize('name', MODELS.names())
def test_every_shipped_model_has_a_card_with_its_pictures(name):
    card = (FOLDER / name / 'README.md').read_text()
    for heading in ('Data', 'Recipe', 'Validation', 'Intended use', 'Limits'):
        assert f'## {heading}\n' in card
    pictures = set(re.findall(r'\]\((\w+\.png)\)', card))
    drawn = (
        {'time.png', 'operations.png', 'calibration.png'} if name in TRAINED else {'stages.png'}
    )
    assert {'curves.png', *drawn} <= pictures
    assert pictures == {path.name for path in (FOLDER / name).glob('*.png')}


@pytest.mark.parametrize('name', CONVERTED)
def test_every_converted_model_is_what_its_recipe_says(name):
    conversion, _ = load_conversion(name)
    model = load_model(name)
    assert model.network.neuron == conversion.neuron.neuron
    assert model.network.gamma == conversion.neuron.gamma
    assert model.network.firing_window == conversion.firing_window
    assert model.dt == conversion.dt
    assert model.preprocessing.centre == conversion.input.centre
    assert model.preprocessing.fit == conversion.input.fit


@pytest.mark.parametrize('name', ON_IMAGES)
def test_a_covered_lens_and_a_grey_wall_are_unknown_to_every_shipped_model(name):
    model = load_model(name)
    simulator = create_simulator(model)
    random, (height, width, _) = np.random.default_rng(5), model.network.input_shape
    scenes = [partial(grey_wall, brightness=level) for level in (25, 60, 110, 160, 230)]
    for paint in (covered_lens, covered_lens, *scenes):
        # As a camera sends it, and the network's size is made of it.
        levels = paint(random, 4 * height, 4 * width)
        picture = np.clip(np.rint(levels), 0, 255).astype(np.uint8)
        assert simulator.classify(picture).is_unknown, paint


def test_labels_of_everyday_are_those_of_imagenet():
    labels = load_model('everyday').labels
    assert len(labels) == 1000
    assert labels[0] == 'tench, Tinca tinca'
    assert 'background' not in labels
    assert {'crane', 'crane, machine'} <= set(labels)


def test_everyday_names_most_of_the_shipped_photographs_with_few_operations():
    model = load_model('everyday')
    folder = share_directory() / 'resource' / 'images' / 'everyday'
    dataset = load_dataset(folder, model.preprocessing).matched_to(model.labels)
    figures = evaluate(create_simulator(model), None, dataset).summary()
    assert figures['images'] == 21
    assert figures['accuracy'] >= 16 / 21
    assert figures['simulated_time_s'] <= 0.2
    assert figures['synaptic_operations_per_mac'] <= 2


@pytest.mark.parametrize('name', TRAINED)
def test_every_shipped_model_is_what_its_recipe_says(name):
    recipe, _ = load_recipe(name)
    model = load_model(name)
    assert without_unknown(model).network == recipe.network
    assert model.input == input_of(recipe.input)
    assert model.dt == recipe.dt
    for field in ('presentation_time', 'start_time', 'decision_interval', 'mirror'):
        assert getattr(model.readout, field) == getattr(recipe.readout, field)


@pytest.mark.parametrize('name', MODELS.names())
def test_every_shipped_model_is_small(name):
    size = sum(path.stat().st_size for path in (FOLDER / name).iterdir())
    assert size < MAXIMUM_BYTES[name]


@pytest.mark.parametrize(
    ('name', 'images', 'allowed_errors', 'time_s'),
    [('mnist', 'digits', 1, 0.045), ('cifar10', 'photos', 2, 0.05)],
)
def test_a_shipped_model_reads_the_shipped_images_soon_and_with_few_operations(
    name, images, allowed_errors, time_s
):
    model = load_model(name)
    folder = share_directory() / 'resource' / 'images' / images
    dataset = load_dataset(folder, model.preprocessing).matched_to(model.labels)
    evaluation = evaluate(create_simulator(model), create_simulator(model, 'rate'), dataset)
    figures = evaluation.summary()
    assert figures['accuracy'] >= 1 - allowed_errors / figures['images']
    assert figures['simulated_time_s'] <= time_s
    assert figures['synaptic_operations'] < figures['macs']


@pytest.mark.parametrize('name', ON_EVENTS)
def test_a_shipped_model_reads_recordings_simulated_from_the_shipped_digits(name):
    recipe, model = load_recipe(name)[0], load_model(name)
    folder = share_directory() / 'resource' / 'images' / 'digits'
    recordings, _ = load_events([folder], recipe.shaping, recipe.simulation, 0)
    assert recordings.class_names == model.labels
    figures = evaluate(create_simulator(model), None, recordings).summary()
    assert figures['accuracy'] >= 1 - 2 / figures['images']
    assert figures['simulated_time_s'] <= 0.1
    of_images = read_description(FOLDER / 'mnist' / 'model.yaml').training['validation']
    assert figures['synaptic_operations'] < of_images['synaptic_operations']


@pytest.mark.parametrize('name', MODELS.names())
def test_every_card_states_the_figures_that_training_measured(name):
    figures = read_description(FOLDER / name / 'model.yaml').training['validation']
    card = (FOLDER / name / 'README.md').read_text()
    assert f'| accuracy on spikes | {100 * figures["accuracy"]:.2f} % |' in card
    assert f'| 99 % decided within | {1000 * figures["simulated_time_p99_s"]:.1f} ms |' in card
    assert figures['images'] == VALIDATION_IMAGES[name]


@pytest.mark.parametrize('name', MODELS.names())
def test_every_card_says_on_which_images_its_readout_was_fitted(name):
    training = read_description(FOLDER / name / 'model.yaml').training
    card = (FOLDER / name / 'README.md').read_text()
    if training.get('calibration_images'):
        things = 'recordings' if name in ON_EVENTS else 'images'
        assert f'were fitted on the {training["calibration_images"]} {things}' in card
    else:
        assert f'fitted on the same {training["validation"]["images"]} images' in card


@pytest.mark.parametrize('backend', ['event', 'torch'])
def test_engines_in_float32_and_the_float64_reference_read_a_digit_alike(backend):
    model = load_model('mnist')
    image = np.zeros((28, 28), np.uint8)
    image[5:23, 13:16] = 255
    fast = create_simulator(model, backend).classify(image)
    slow = create_simulator(model, 'reference').classify(image)
    assert fast.label == slow.label == '1'
    difference = np.abs(fast.activity.spikes - slow.activity.spikes).sum()
    assert difference <= 0.01 * slow.activity.spikes.sum()
