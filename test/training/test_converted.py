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

"""A converted network computed as it was, in softened rates and on whole spikes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from analogs import LAYERS, inputs, random_analog, tiny_conversion
from hypothesis import given, settings
from hypothesis import strategies as st

from snn_perception.backends import create_simulator
from snn_perception.images import Preprocessing
from snn_perception.layers import Convolution, Dense
from snn_perception.model import Model
from snn_perception.readout import Readout
from snn_perception.training.conversion_network import network_of
from snn_perception.training.converted import MODES, ConvertedNetwork
from snn_perception.training.fitting import fit

LIF = {'type': 'lif', 'tau_rc': 0.0025, 'tau_ref': 0.0, 'gamma': 0.05}
IF = {**LIF, 'type': 'if'}


def fitted(seed: int = 0, layers=LAYERS, **changes) -> ConvertedNetwork:
    """A random network with scales and biases for normal images."""
    conversion = tiny_conversion(**changes)
    analog = random_analog(seed, layers)
    network, weights = network_of(conversion, analog)
    made = ConvertedNetwork(network, weights, analog.ceilings, conversion.dt)
    fit(made, torch.from_numpy(inputs(analog, 64)), conversion.most_spikes)
    return made.eval()


def model_of(network: ConvertedNetwork) -> Model:
    """What is made of `network` in the end."""
    time = network.network.synaptic_delay
    return Model(
        'converted',
        tuple('abcd'),
        network.network,
        network.fold(),
        Preprocessing(network.network.input_shape),
        Readout(time, time - network.dt, time),
        network.dt,
    )


@settings(max_examples=10)
@given(
    seed=st.integers(0, 1000),
    kernel=st.integers(1, 3),
    stride=st.integers(1, 2),
    padding=st.tuples(*[st.integers(0, 2)] * 4),
)
def test_activations_are_those_of_the_original(seed, kernel, stride, padding) -> None:
    layers = (Convolution(4, kernel, stride, padding, name='a'), *LAYERS[1:2], Dense(4))
    layers = (layers[0], replace(layers[1], channels=4, groups=4), layers[2])
    analog = random_analog(seed, layers, ceiling=1.0)
    network, weights = network_of(tiny_conversion(), analog)
    made = ConvertedNetwork(network, weights, analog.ceilings, 0.00025)
    images = inputs(analog)
    outputs, values = made.in_mode('activations').watch(torch.from_numpy(images))
    assert np.allclose(outputs.detach(), analog.answer(images), atol=1e-4)
    for value, expected in zip(values, analog.activations(images), strict=True):
        assert np.allclose(value.detach(), expected, atol=1e-4)
        assert value.max() <= 1.0


@pytest.mark.parametrize('neuron', [LIF, IF, {**LIF, 'tau_ref': 0.00005}], ids=str)
def test_the_model_fires_the_spikes_that_training_saw(neuron) -> None:
    network = fitted(neuron=neuron)
    images = inputs(random_analog())
    with torch.no_grad():
        outputs, spikes = network.in_mode('spikes').watch(torch.from_numpy(images))
    model = model_of(network)
    steps = round(model.presentation_time / model.dt)
    for name in ('reference', 'torch', 'event'):
        engine = create_simulator(model, name, 'cpu')
        activity = engine.run(engine.reset(len(images)), images, steps)
        counted = [float(each.sum()) for each in spikes]
        # Folding rounds: where a current is just a threshold, there may be a spike more or less.
        assert np.allclose(activity.spikes.sum(axis=0)[:-1], counted, rtol=2e-3, atol=2)
        assert np.abs(activity.outputs[-1] - outputs.numpy()).mean() < 0.02 * outputs.std()


def test_the_model_in_rates_is_the_network_in_rates() -> None:
    network = fitted()
    images = inputs(random_analog())
    with torch.no_grad():
        outputs, _ = network.in_mode('rates').watch(torch.from_numpy(images))
    engine = create_simulator(model_of(network), 'rate', 'cpu')
    found = engine.run(engine.reset(len(images)), images, 1).outputs[0]
    assert np.allclose(found, outputs, atol=1e-3 * float(outputs.std()))


@pytest.mark.parametrize('mode', MODES[1:])
def test_all_that_is_trained_has_a_gradient(mode) -> None:
    network = fitted().in_mode(mode)
    outputs, _ = network.watch(torch.from_numpy(inputs(random_analog())))
    outputs.square().mean().backward()
    for name, value in network.named_parameters():
        assert value.grad is not None, name
        assert value.grad.abs().sum() > 0, name


def test_noise_changes_rates_in_training_alone_and_wakes_nothing_that_is_silent() -> None:
    network = fitted().in_mode('rates')
    images = torch.from_numpy(inputs(random_analog()))
    with torch.no_grad():
        _, (plain, *_) = network.watch(images)
        network.noise = 1.0
        _, (evaluated, *_) = network.watch(images)
        _, (trained, *_) = network.train().watch(images, torch.Generator().manual_seed(0))
    assert torch.equal(plain, evaluated)
    difference = trained - plain
    assert 0.4 < difference.abs().max() <= 0.5
    assert (difference[plain == 0] == 0).all()
