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

"""Layers that fire more or less often and say the same."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_models import random_graph_model, random_images, random_model
from tiny_training import tiny_dataset, tiny_recipe

from snn_perception.backends import create_simulator
from snn_perception.datasets import split
from snn_perception.network import Network
from snn_perception.neurons import IF
from snn_perception.training.data import Split
from snn_perception.training.rate_scales import check_scales, scaled
from snn_perception.training.recipe import RecipeError
from snn_perception.training.stages import run_stages

STRAIGHT = IF(tau_rc=0.02, tau_ref=0.0)
"""Its rates are proportional to currents above 0."""
GAMMA = 0.005
"""A soft curve is not straight where it begins: there rates are off by up to half a Hz."""
scales = st.floats(0.1, 1.5)
"""No current of the model in the test becomes higher than rate curves are computed for."""


@given(some=st.tuples(scales, scales, scales))
@settings(max_examples=20)
def test_on_a_straight_curve_rates_are_scaled_and_outputs_stay(some):
    model = random_model(drive=0.5)
    network = replace(model.network, neuron=STRAIGHT, gamma=GAMMA)
    model = replace(model, network=network)
    other = replace(model, weights=scaled(network, model.weights, some))
    images = random_images(model, 2)
    one, two = create_simulator(model, 'rate'), create_simulator(other, 'rate')
    rates = zip(one.firing_rates(images), two.firing_rates(images), some, strict=True)
    for before, after, scale in rates:
        assert before.max() > 0
        np.testing.assert_allclose(after, before * scale, rtol=1e-2, atol=1.0)
    before, after = (each.run(each.reset(2), images, 1).outputs for each in (one, two))
    np.testing.assert_allclose(after, before, atol=0.02 * np.abs(before).max())


def test_neurons_at_their_threshold_stay_there():
    model = random_model()
    resting = model.weights[0].bias * 0 + model.network.neuron.rheobase
    weights = (replace(model.weights[0], bias=resting), *model.weights[1:])
    np.testing.assert_array_equal(scaled(model.network, weights, (4.0, 1.0, 1.0))[0].bias, resting)


def test_without_scales_weights_stay_as_they_are():
    model = random_model()
    assert scaled(model.network, model.weights, ()) is model.weights


@pytest.mark.parametrize(
    ('some', 'sentence'),
    [((1.0, 2.0), 'must be 3 numbers'), ((1.0, 0.0, 1.0), 'must be positive, not 0')],
)
def test_scales_that_do_not_fit_are_refused(some, sentence):
    with pytest.raises(ValueError, match=sentence):
        check_scales(random_model().network, some)


def test_a_layer_that_an_identity_reads_keeps_its_rates():
    network: Network = random_graph_model(0).network
    hidden = len(network.populations) - 1
    check_scales(network, (1.0,) * hidden)
    with pytest.raises(ValueError, match='which an identity reads'):
        check_scales(network, (2.0,) * hidden)


def test_scales_without_a_stage_on_spikes_are_refused():
    recipe = tiny_recipe()
    count = len(recipe.network.populations) - 1
    with pytest.raises(ValueError, match='rate_scales are for a recipe with both stages'):
        replace(recipe, fine_tuning=None, rate_scales=(2.0,) * count)


def test_the_second_stage_begins_with_scaled_rates_and_the_first_does_not_mind(tmp_path):
    recipe = tiny_recipe()
    data = Split(*split(tiny_dataset(), 80, 0), recipe.preprocessing)
    rates, before = run_stages(recipe, data, tmp_path)
    (tmp_path / 'spikes.safetensors').unlink()
    count = len(recipe.network.populations) - 1
    assert recipe.fine_tuning is not None
    still = replace(recipe.fine_tuning, learning_rate=1e-12)
    scaled_recipe = replace(recipe, rate_scales=(3.0,) * count, fine_tuning=still)
    same, after = run_stages(scaled_recipe, data, tmp_path)
    assert same.progress.step == rates.progress.step
    expected = scaled(recipe.network, rates.average.fold(), scaled_recipe.rate_scales)
    for one, two in zip(after.average.fold(), expected, strict=True):
        np.testing.assert_allclose(one.bias, two.bias, rtol=1e-4, atol=1e-5)
    with pytest.raises(RecipeError, match='rate_scales'):
        run_stages(replace(scaled_recipe, rate_scales=()), data, tmp_path)
    assert before.progress.step > 0
