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
import torch
from random_models import LAYERS, random_images, random_model

from snn_perception.backends.rate import RateSimulator
from snn_perception.images import Preprocessing
from snn_perception.model import Model
from snn_perception.network import Network
from snn_perception.readout import Readout
from snn_perception.synapses import Synapse
from snn_perception.training.noise import Noise
from snn_perception.training.spiking import Presentation, SpikingNetwork
from snn_perception.training.trainable import RateNetwork


def test_normalisation_gain_amplitude_and_bias_fold_into_the_weights():
    torch.manual_seed(0)
    network = Network((11, 10, 3), LAYERS)
    module = RateNetwork(network, Noise())
    for layer in module.hidden:
        normalisation = layer.normalisation
        normalisation.running_mean.normal_()
        normalisation.running_var.uniform_(0.5, 2)
        torch.nn.init.normal_(normalisation.weight)
        torch.nn.init.normal_(normalisation.bias, 1)
    model = Model(
        'folded', ('a', 'b', 'c'), network, module.fold(), Preprocessing((11, 10, 3)), Readout(0.1)
    )
    images = random_images(model, 4)
    with torch.no_grad():
        # In float64 rates are computed and not looked up.
        expected, _ = module.double().eval()(torch.from_numpy(images).double())
    simulator = RateSimulator(model, 'cpu')
    outputs = simulator.run(simulator.reset(4), images, 1).outputs[0]
    assert np.allclose(outputs, expected.numpy(), rtol=1e-3, atol=1e-3)


def test_training_on_spikes_sees_the_outputs_that_the_engine_gives():
    from snn_perception.backends import create_simulator

    for synapse in (Synapse(), Synapse('exponential', 0.005), Synapse('alpha', 0.003)):
        model = random_model(synapse=synapse, readout_synapse=synapse)
        images = random_images(model, 3)
        module = SpikingNetwork(model.network, model.weights, Presentation(40, 10, 0.001, 0.1))
        evidence = module(torch.from_numpy(images))[0].detach().numpy()
        simulator = create_simulator(model, 'torch')
        outputs = simulator.run(simulator.reset(3), images, 40).outputs
        assert np.allclose(evidence, outputs[10:].mean(axis=0), atol=1e-3)


def test_training_on_spikes_gives_every_weight_a_gradient_and_folds_back():
    model = random_model()
    module = SpikingNetwork(model.network, model.weights, Presentation(40, 10, 0.001, 0.1))
    module(torch.from_numpy(random_images(model, 3)))[0].square().sum().backward()
    for parameter in module.parameters():
        assert parameter.grad is not None
        assert parameter.grad.abs().sum() > 0
    for before, after in zip(model.weights, module.fold(), strict=True):
        assert np.allclose(before.kernel, after.kernel, rtol=1e-6)
        assert np.array_equal(before.bias, after.bias)
