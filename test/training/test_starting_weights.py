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

import numpy as np
import pytest
import torch
from tiny_training import CONTENT, tiny_dataset, tiny_recipe

from snn_perception.datasets import Dataset, split
from snn_perception.graph import IMAGE
from snn_perception.training.data import Split
from snn_perception.training.initialisation import Initialisation
from snn_perception.training.noise import Noise
from snn_perception.training.stages import run_stages
from snn_perception.training.starting_weights import FAINTEST, initialise
from snn_perception.training.trainable import RateNetwork

LAYERS = [
    {'type': 'convolution', 'channels': 12, 'kernel': 3, 'padding': 1},
    {'type': 'convolution', 'channels': 8, 'kernel': 3, 'padding': 1},
    {'type': 'convolution', 'channels': 16, 'kernel': 4, 'stride': 2, 'padding': 1},
    {'type': 'dense', 'units': 4},
]
ALL = {'current_deviation': 4.0, 'whitening': True, 'identity': True}


def network(recipe):
    return RateNetwork(recipe.network, Noise(), torch.Generator().manual_seed(2))


def natural_images():
    """Images in which neighbouring pixels are alike, as in photographs."""
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(400, 1, 4, 4, generator=generator)
    smooth = torch.nn.functional.interpolate(coarse, (8, 8), mode='bilinear')
    smooth += 0.02 * torch.randn(smooth.shape, generator=generator)
    pixels = (smooth.clamp(0, 1) * 255).byte().permute(0, 2, 3, 1).numpy()
    return Dataset(pixels, np.arange(400) % 4, ('a', 'b', 'c', 'd'))


def data(recipe, dataset=None):
    return Split(*split(dataset or natural_images(), 80, 0), recipe.preprocessing)


def test_without_a_section_weights_are_as_drawn():
    recipe = tiny_recipe(layers=LAYERS)
    changed, plain = network(recipe), network(recipe)
    initialise(changed, recipe.initialisation, data(recipe).sample())
    for name, value in plain.state_dict().items():
        assert torch.equal(changed.state_dict()[name], value)
    assert all(parameter.requires_grad for parameter in changed.parameters())


def test_currents_have_the_deviation_that_the_recipe_asks_for():
    recipe = tiny_recipe(layers=LAYERS, initialisation={'current_deviation': 3.0})
    module = network(recipe).train()
    initialise(module, recipe.initialisation, data(recipe).sample())
    images = next(data(recipe).sample())
    with torch.no_grad():
        currents = module.hidden[0].total({IMAGE: images})
    assert currents.std() == pytest.approx(3, rel=0.05)


def test_whitening_makes_the_first_currents_of_patches_independent_of_each_other():
    recipe = tiny_recipe(layers=LAYERS, initialisation={'whitening': True})
    module = network(recipe)
    split_data = data(recipe)
    initialise(module, recipe.initialisation, split_data.sample())
    layer = module.hidden[0]
    weight = layer.weight
    assert not weight.requires_grad
    assert torch.equal(weight[:6], -weight[6:])
    assert torch.allclose(weight[:6] @ weight[:6].T, torch.eye(6), atol=1e-5)
    images = torch.cat(list(split_data.sample())).permute(0, 3, 1, 2)
    patches = torch.nn.functional.unfold(images, 3, stride=3)
    patches = patches.transpose(1, 2).reshape(-1, 9)
    sums = patches @ weight[:6].T
    covariance = sums.T @ sums / len(sums)
    variances = covariance.diagonal()
    between = covariance - torch.diag(variances)
    assert between.abs().max() < 1e-4 * variances.max()
    assert torch.equal(variances.argsort(descending=True), torch.arange(6))
    faint = (variances / (variances + FAINTEST * variances[0])).sqrt()
    assert torch.allclose(layer.normalisation.weight[:6], faint, atol=1e-3)


@torch.no_grad()
def test_an_identity_passes_on_what_comes_in_also_through_even_kernels():
    recipe = tiny_recipe(layers=LAYERS, initialisation={'identity': True})
    changed, plain = network(recipe), network(recipe)
    initialise(changed, recipe.initialisation, data(recipe).sample())
    second, plain_second = changed.hidden[1], plain.hidden[1]
    added = (second.weight - plain_second.weight * 0.5).view(8, 3, 3, 12)
    expected = torch.zeros(8, 3, 3, 12)
    for channel in range(8):
        expected[channel, 1, 1, channel] = 1
    assert torch.allclose(added, expected, atol=1e-6)
    third, plain_third = changed.hidden[2].weight, plain.hidden[2].weight
    added = (third[:8] - plain_third[:8] * 0.5).view(8, 4, 4, 8)
    assert torch.allclose(added[3, :, :, 3][1:3, 1:3], torch.full((2, 2), 0.25), atol=1e-6)
    assert added.sum() == pytest.approx(8, abs=1e-4)
    assert torch.equal(third[8:], plain_third[8:])
    assert torch.equal(changed.hidden[0].weight, plain.hidden[0].weight)


def test_a_network_learns_from_such_a_start_and_keeps_the_whitened_weights(tmp_path):
    neuron = {**CONTENT['neuron'], 'tau_rc': 0.06, 'gamma': 0.08}
    recipe = tiny_recipe(layers=LAYERS, initialisation=ALL, fine_tuning=None, neuron=neuron)
    split_data = data(recipe, tiny_dataset())
    (stage,) = run_stages(recipe, split_data, tmp_path)
    assert stage.progress.history[-1]['validation_accuracy'] > 0.9
    start = network(recipe)
    initialise(start, recipe.initialisation, split_data.sample())
    assert torch.equal(stage.average.hidden[0].weight, start.hidden[0].weight)


@pytest.mark.parametrize('value', [0.0, -1.0, float('nan'), float('inf')])
def test_an_impossible_deviation_is_refused(value):
    with pytest.raises(ValueError, match='current_deviation must be positive, not'):
        Initialisation(current_deviation=value)


@pytest.mark.parametrize(
    ('first', 'message'),
    [
        ({'channels': 11, 'kernel': 3}, 'even number of channels up to 18, not 11'),
        ({'channels': 20, 'kernel': 3}, 'even number of channels up to 18, not 20'),
        ({'type': 'dense', 'units': 12}, 'a convolution without groups'),
    ],
)
def test_a_first_layer_that_cannot_be_whitened_is_refused(first, message):
    layers = [{'type': 'convolution', **first}, {'type': 'dense', 'units': 4}]
    with pytest.raises(ValueError, match=message):
        tiny_recipe(layers=layers, initialisation={'whitening': True})
