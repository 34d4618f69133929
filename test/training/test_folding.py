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

"""A trained network and the model that it folds into answer the same."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from random_models import (
    LAYERS,
    random_graph_model,
    random_images,
    turn_taking_model,
    with_random_weights,
)
from torch import nn

from snn_perception.backends.rate import RateSimulator
from snn_perception.backends.torch import TorchSimulator
from snn_perception.images import Preprocessing
from snn_perception.layers import (
    AveragePooling,
    Convolution,
    Dense,
    GlobalAveragePooling,
    Identity,
    Sum,
)
from snn_perception.model import Model
from snn_perception.network import Network
from snn_perception.neurons import NEURON_TYPES
from snn_perception.readout import Readout
from snn_perception.synapses import Synapse
from snn_perception.training.noise import Noise
from snn_perception.training.spiking import Presentation, SpikingNetwork, TurnTakingNetwork
from snn_perception.training.trainable import RateNetwork

IDENTITIES = (
    Convolution(4, 3, padding=1, name='stem'),
    Sum((Identity(0.02), (AveragePooling(1, source='stem'), Identity(-0.01))), name='mixed'),
    Convolution(4, 1, groups=4),
    Identity(0.03),
    Sum((Dense(7), (GlobalAveragePooling(source='stem'), Dense(7)), Dense(7, source='input'))),
    Sum((Dense(3), (AveragePooling((3, 2), source='mixed'), Dense(3)))),
)
"""Populations with no weights of their own, and dense ones that hear several others."""


NETWORKS = {
    'chain': Network((11, 10, 3), LAYERS),
    'identities': Network((9, 8, 3), IDENTITIES),
    **{
        f'{kind}-{seed}': random_graph_model(seed, neuron()).network
        for kind, neuron in NEURON_TYPES.items()
        for seed in range(4)
    },
}


@pytest.mark.parametrize('network', NETWORKS.values(), ids=NETWORKS)
def test_normalisation_gain_amplitude_and_bias_fold_into_the_weights(network):
    torch.manual_seed(0)
    module = RateNetwork(network, Noise())
    with torch.no_grad():
        for each in module.modules():
            if isinstance(each, nn.BatchNorm2d):
                each.running_mean.normal_()
                each.running_var.uniform_(0.5, 2)
                each.weight.normal_()
                each.bias.normal_(0.5)
    shown = Preprocessing(network.input_shape)
    model = Model('folded', ('a', 'b', 'c'), network, module.fold(), shown, Readout(0.1))
    images = random_images(model, 4)
    with torch.no_grad():
        # In float64 rates are computed and not looked up.
        expected, _ = module.double().eval()(torch.from_numpy(images).double())
    simulator = RateSimulator(model, 'cpu')
    outputs = simulator.run(simulator.reset(4), images, 1).outputs[0]
    assert expected.std() > 0.01
    assert np.allclose(outputs, expected.numpy(), rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize('kind', NEURON_TYPES)
@pytest.mark.parametrize(
    'synapse', [Synapse(), Synapse('exponential', 0.005), Synapse('alpha', 0.003)]
)
def test_training_on_spikes_sees_the_outputs_that_the_engine_gives(kind, synapse):
    graphs = [random_graph_model(seed, NEURON_TYPES[kind](), synapse, synapse) for seed in (0, 1)]
    chain, deep = (
        with_random_weights(Network(shape, layers, NEURON_TYPES[kind](), synapse, synapse))
        for shape, layers in (((11, 10, 3), LAYERS), ((9, 8, 3), IDENTITIES))
    )
    for model in (chain, deep, *graphs):
        images = random_images(model, 3)
        module = SpikingNetwork(model.network, model.weights, Presentation(40, 10, 0.001, 0.1))
        # In float64 no spike comes a step later on one machine than on another.
        evidence = module.double()(torch.from_numpy(images).double())[0].detach().numpy()
        simulator = TorchSimulator(model, 'cpu', torch.float64)
        outputs = simulator.run(simulator.reset(3), images, 40).outputs
        assert np.allclose(evidence, outputs[10:].mean(axis=0), atol=1e-3)


@pytest.mark.parametrize('seed', range(4))
def test_training_in_turns_sees_the_spikes_and_outputs_that_the_engine_gives(seed):
    model = turn_taking_model(seed)
    images, steps = random_images(model, 3), round(model.presentation_time / model.dt)
    module = TurnTakingNetwork(model.network, model.weights, model.dt).double()
    outputs, rates = (each.detach().numpy() for each in module(torch.from_numpy(images).double()))
    simulator = TorchSimulator(model, 'cpu', torch.float64)
    activity = simulator.run(simulator.reset(3), images, steps)
    assert np.allclose(outputs, activity.outputs[-1], atol=1e-4)
    neurons = np.array([each.neurons for each in model.network.populations[:-1]])
    spikes = activity.spikes.mean(axis=0)[:-1]
    assert spikes.all()
    assert np.allclose(rates * neurons * model.network.firing_window, spikes)


def test_the_readout_learns_from_the_rates_that_are_evidence():
    """Without a filter the evidence is linear in its weights, also if others hear its sources."""
    network = Network((9, 8, 3), IDENTITIES, readout_synapse=Synapse())
    heard = [{each.source for each in other.connections} for other in network.populations]
    assert heard[2] & heard[-1]
    model = with_random_weights(network)
    module = SpikingNetwork(network, model.weights, Presentation(40, 30, 0.001, 0.1)).double()
    images = torch.from_numpy(random_images(model, 3)).double()
    evidence = module(images)[0].sum()
    readout = list(module.layers[-1].parameters())
    gradients = torch.autograd.grad(evidence, readout)
    products = [
        (gradient * value).sum() for gradient, value in zip(gradients, readout, strict=True)
    ]
    assert sum(products).item() == pytest.approx(evidence.item(), rel=1e-5)


@pytest.mark.parametrize('seed', range(4))
@pytest.mark.parametrize('in_turns', [False, True])
def test_training_on_spikes_gives_every_weight_a_gradient_and_folds_back(seed, in_turns):
    model = turn_taking_model(seed) if in_turns else random_graph_model(seed)
    module = (
        TurnTakingNetwork(model.network, model.weights, model.dt)
        if in_turns
        else SpikingNetwork(model.network, model.weights, Presentation(40, 10, 0.001, 0.1))
    )
    module(torch.from_numpy(random_images(model, 3)))[0].square().sum().backward()
    for parameter in module.parameters():
        assert parameter.grad is not None
        assert parameter.grad.abs().sum() > 0
    for before, after in zip(model.weights, module.fold(), strict=True):
        for kernel, folded in zip(before.kernels, after.kernels, strict=True):
            assert np.allclose(kernel, folded, rtol=1e-6)
        assert np.array_equal(before.bias, after.bias)
