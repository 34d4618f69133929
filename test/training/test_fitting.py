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

"""Conversion without training: scales and biases, counted on images."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from analogs import inputs, random_analog, tiny_conversion
from hypothesis import given, settings
from hypothesis import strategies as st

from snn_perception.layers import Convolution, Dense
from snn_perception.network import Network
from snn_perception.training.conversion_network import network_of
from snn_perception.training.converted import ConvertedNetwork
from snn_perception.training.distillation import relative_error
from snn_perception.training.fitting import fit, heard_by_few, usual_maximum


def fitted(analog, window: float, neuron: str = 'lif') -> ConvertedNetwork:
    """`analog` with a `window` (s) of as many spikes as fit into it."""
    section = {'type': neuron, 'tau_rc': 0.0025, 'tau_ref': 0.0, 'gamma': 0.05}
    conversion = tiny_conversion(neuron=section, firing_window=window, most_spikes=10_000)
    network, weights = network_of(conversion, analog)
    made = ConvertedNetwork(network, weights, analog.ceilings, conversion.dt)
    fit(made, torch.from_numpy(inputs(analog, 64)), conversion.most_spikes)
    return made


@torch.no_grad()
def errors(network: ConvertedNetwork, analog) -> list[float]:
    """What activations are off by on other images, of each layer, and outputs at the end."""
    images = inputs(analog, 16, seed=5)
    outputs, spikes = network.in_mode('spikes').watch(torch.from_numpy(images))
    found = [count * scale for count, scale in zip(spikes, network.scales.values(), strict=True)]
    wanted = [*analog.activations(images), analog.answer(images)]
    pairs = zip([*found, outputs], wanted, strict=True)
    return [float(relative_error(value, torch.from_numpy(want))) for value, want in pairs]


@pytest.mark.parametrize('neuron', ['lif', 'if'])
@settings(max_examples=5)
@given(seed=st.integers(0, 1000))
def test_errors_shrink_as_a_window_has_more_steps(neuron: str, seed: int) -> None:
    analog = random_analog(seed)
    few, many = (errors(fitted(analog, window, neuron), analog) for window in (0.002, 0.064))
    assert max(many) < 0.02
    assert sum(many) < sum(few) / 3


def test_the_mean_sum_of_each_channel_stays_what_it_was() -> None:
    analog = random_analog()
    images = inputs(analog, 64)
    network = fitted(analog, 0.002)
    with torch.no_grad():
        outputs, _ = network.in_mode('spikes').watch(torch.from_numpy(images))
    difference = outputs.numpy().mean(0) - analog.answer(images).mean(0)
    assert np.abs(difference).max() < 1e-3


@settings(max_examples=20)
@given(
    scale=st.floats(0.01, 100),
    values=st.lists(st.floats(0, 1), min_size=8, max_size=40),
)
def test_a_usual_maximum_grows_with_its_activations(scale: float, values: list[float]) -> None:
    activations = torch.tensor(values).view(-1, 1, 1, 1)
    found = usual_maximum(activations)
    assert found.shape == (1,)
    assert 0.99e-6 <= float(found) <= max(*values, 1e-6) * 1.00001
    if max(values) > 0.001:
        assert np.isclose(float(usual_maximum(activations * scale)), scale * float(found))


def test_outliers_have_no_say_in_a_usual_maximum() -> None:
    activations = torch.rand(10, 20, 20, 2, generator=torch.Generator().manual_seed(0))
    activations[0, 0, 0, 0] = 1000.0
    assert usual_maximum(activations).max() <= 1


def test_a_channel_that_hardly_says_anything_has_no_finer_scale_than_is_of_use() -> None:
    activations = torch.ones(4, 8, 8, 2)
    activations[..., 1] = 1e-9
    assert torch.allclose(usual_maximum(activations), torch.tensor([1.0, 0.01]))


def test_populations_whose_spikes_cost_little_may_fire_as_often_as_fits() -> None:
    layers = (
        Convolution(8, 1),
        Convolution(8, 3, padding=1, groups=8),
        Convolution(64, 1),
        Dense(3),
    )
    assert heard_by_few(Network((8, 8, 3), layers)) == {0, 2}
