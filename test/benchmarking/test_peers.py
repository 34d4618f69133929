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

"""Other libraries run the same network as ours, and are compared fairly."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from itertools import cycle

import numpy as np
import pytest
from random_models import random_graph_model, random_images, random_model, with_random_weights

from snn_perception.backends import create_simulator
from snn_perception.benchmarking import peers
from snn_perception.benchmarking.in_pytorch import in_pytorch
from snn_perception.layers import (
    AveragePooling,
    Convolution,
    Dense,
    GlobalAveragePooling,
    Identity,
    Sum,
)
from snn_perception.model import Weights
from snn_perception.network import Network
from snn_perception.neurons import LIF
from snn_perception.synapses import Synapse

CHAIN = (Convolution(6, 3, padding=1), AveragePooling(2), Convolution(8, 3), Dense(9), Dense(4))
MOBILE = (
    Convolution(8, 3, 2, padding=(0, 1, 0, 1), name='stem'),
    Convolution(8, 3, padding=1, groups=8),
    Sum((Convolution(8, 1), Identity(0.01, source='stem')), name='block'),
    Convolution(12, (1, 3), padding=(0, 0, 1, 1), groups=4),
    Sum(((GlobalAveragePooling(), Dense(4)), (AveragePooling((2, 1), source='block'), Dense(4)))),
)
PYTORCH = sorted(set(peers.PEERS) - {'nengo'})


def present(simulator, image, steps):
    return simulator.run(simulator.reset(), image[None], steps).outputs.mean(axis=(0, 1))


def without_synapses(layers, neuron=LIF(tau_ref=0.0)):  # noqa: B008 (immutable)
    """A model of `layers` without what most libraries do not have, with small weights.

    What large ones do depends on when the spikes come.
    """
    network = Network((11, 10, 3), layers, neuron, Synapse(), Synapse())
    model = with_random_weights(network, drive=2)
    weights = [
        Weights(tuple(kernel / 5 for kernel in part.kernels), part.bias) for part in model.weights
    ]
    return replace(model, weights=tuple(weights))


@pytest.mark.parametrize('layers', [CHAIN, MOBILE])
@pytest.mark.parametrize('name', PYTORCH)
def test_libraries_on_pytorch_run_the_same_network(name, layers):
    pytest.importorskip(name)
    model = without_synapses(layers)
    image = random_images(model, 1)[0]
    expected = present(create_simulator(model, 'reference'), image, 300) - model.weights[-1].bias
    for setting in peers.SETTINGS:
        outputs = peers.PEERS[name](model, *setting)(image, 300) - model.weights[-1].bias
        # Their spikes are at the ends of steps, which costs a neuron half a step per spike.
        assert np.abs(outputs - expected).max() < 0.2 * np.abs(expected).max()


@pytest.mark.parametrize('seed', range(4))
def test_libraries_with_the_same_neuron_have_the_same_spikes(seed):
    # Norse solves the equation of its neuron less exactly.
    names = [name for name in PYTORCH if name != 'norse']
    for name in names:
        pytest.importorskip(name)
    model = random_graph_model(seed, LIF(tau_ref=0.0), Synapse(), Synapse())
    image = random_images(model, 1)[0]
    first, *others = (peers.PEERS[name](model, *peers.SETTINGS[0])(image, 100) for name in names)
    for outputs in others:
        assert np.allclose(outputs, first, rtol=0, atol=1e-4)


def our_neurons(model):
    """Our LIF neurons, as `in_pytorch` wants them."""
    import torch

    from snn_perception.backends.population_state import PopulationState
    from snn_perception.backends.torch import integrate

    neuron, like = model.network.neuron, torch.zeros(())

    def forward(currents):
        state = PopulationState.rest(tuple(currents.shape[1:]), Synapse(), neuron, like)
        steps, bias = len(currents), torch.zeros(1)
        return integrate(currents.contiguous(), bias, steps, state, Synapse(), neuron, model.dt)

    return lambda: forward


@pytest.mark.parametrize('setting', peers.SETTINGS[:2])
@pytest.mark.parametrize('seed', range(8))
def test_around_our_neurons_the_network_in_pytorch_is_our_engine(seed, setting):
    model = random_graph_model(seed, LIF(), Synapse(), Synapse(), populations=3 + seed % 4)
    image = random_images(model, 1)[0]
    outputs = in_pytorch(our_neurons)(model, *setting)(image, 60)
    expected = present(create_simulator(model, 'torch'), image, 60)
    assert np.allclose(outputs, expected, rtol=0, atol=1e-3)


@pytest.mark.parametrize('seed', range(4))
def test_in_nengo_every_neuron_is_ours(seed):
    pytest.importorskip('nengo')
    model = random_graph_model(seed, LIF(), Synapse(), Synapse(), populations=3 + seed)
    image = random_images(model, 1)[0]
    outputs = peers.PEERS['nengo'](model)(image, 60)
    expected = present(create_simulator(model, 'reference'), image, 60)
    assert np.allclose(outputs, expected, rtol=0, atol=1e-3)


def test_the_comparison_is_of_medians_with_the_fastest_peer(monkeypatch):
    def taking(*milliseconds):
        times = cycle(milliseconds)
        return lambda image, steps: next(times) / 1000

    def failing(reason):
        def run(image, steps):
            raise reason

        return run

    def fast(model, *setting):
        return taking(1, 4, 4, 4, 30) if setting == ('bfloat16', 'contiguous') else taking(2)

    monkeypatch.setattr(peers, '_seconds', lambda run, image, steps: run(image, steps))
    monkeypatch.setattr(peers, 'PEERS', {
        'slow': lambda model, *setting: taking(5, 8, 8, 8, 9),
        'fast': fast,
        'absent': lambda model, *setting: import_module('no_such_library'),
        'broken': lambda model, *setting: failing(RuntimeError('no such\nkernel')),
        'hungry': lambda model, *setting: failing(MemoryError()),
    })  # fmt: skip
    model = random_model()
    ours = {'ours': taking(1, 2, 2, 2, 90), 'coarse': taking(0.5)}
    figures = peers.compare(model, random_images(model, 2), ours)
    assert figures['ms'] == pytest.approx({'ours': 2, 'coarse': 0.5, 'slow': 8, 'fast': 4})
    assert figures['settings'] == {'slow': 'float32 contiguous', 'fast': 'bfloat16 contiguous'}
    assert figures['ratio'] == pytest.approx({'ours': 2, 'coarse': 8})
    assert list(figures['skipped']) == ['absent', 'broken', 'hungry']
    assert 'no_such_library' in figures['skipped']['absent']
    assert figures['skipped']['broken'] == 'no such kernel'
    assert figures['skipped']['hungry'] == 'MemoryError'
