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

"""Networks to compare engines on are what docs/engine.md says they are."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from random_models import random_images

from snn_perception.backends import create_simulator
from snn_perception.benchmarking import networks
from snn_perception.benchmarking.networks import convolutions, firing, mobile
from snn_perception.layers import Convolution, Dense, GlobalAveragePooling, Identity, Sum
from snn_perception.loading import load_model
from snn_perception.network import Network
from snn_perception.neurons import IF, Theta
from snn_perception.synapses import Synapse


def test_they_have_the_size_that_they_are_known_for():
    # 153 million with the zeros of the padding.
    assert convolutions().macs == 137_511_680
    assert convolutions().neurons == 229_376
    connections = [each for population in mobile().populations for each in population.connections]
    kinds = [type(connection.layer) for connection in connections]
    assert kinds.count(Convolution) == 11
    assert kinds.count(Identity) == 2
    grouped = [each for each in connections if isinstance(each.layer, Convolution)][1::2]
    assert all(each.layer.groups == each.input_shape[2] for each in grouped)
    assert mobile().neurons == 401_408


def small():
    layers = (
        Convolution(16, 3, padding=1, name='stem'),
        Convolution(16, 3, padding=1, groups=16),
        Sum((Convolution(16, 1), Identity(0.002, source='stem'))),
        GlobalAveragePooling(),
        Dense(4),
    )
    return Network((12, 12, 3), layers, synapse=Synapse('exponential', 0.005))


@pytest.mark.parametrize('rate', [10, 25])
def test_all_their_layers_fire_at_about_the_rate_asked_for_and_not_in_step(rate):
    model = firing(small(), 'small', rate)
    simulator = create_simulator(model, 'reference')
    state, images = simulator.reset(2), random_images(model, 2)
    counts = [simulator.run(state, images, 10).spikes[:, :-1].mean(axis=0) for _ in range(10)]
    neurons = [population.neurons for population in model.network.populations[:-1]]
    assert np.sum(counts, axis=0) / neurons / 0.1 == pytest.approx(rate, rel=0.25)
    per_time = np.sum(counts, axis=1)[4:]
    assert per_time.max() < 2 * per_time.min()


def test_they_are_written_as_models_that_load_beside_pictures(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(networks, 'NETWORKS', {'one': small, 'other': small})
    assert networks.main([str(tmp_path), '--rate', '10']) == 0
    printed = capsys.readouterr().out
    for name in ('one', 'other'):
        assert str(tmp_path / name) in printed
        assert load_model(str(tmp_path / name)).network == small()
    pictures = sorted((tmp_path / 'pictures').rglob('*.png'))
    assert len(pictures) == 10
    assert len({picture.read_bytes() for picture in pictures}) == 10


@pytest.mark.parametrize('neuron', [IF(), Theta()])
def test_other_neurons_fire_at_about_the_rate_asked_for_too(neuron):
    model = firing(replace(small(), neuron=neuron), 'other', 25)
    simulator = create_simulator(model, 'reference')
    spikes = simulator.run(simulator.reset(2), random_images(model, 2), 100).spikes[:, :-1]
    neurons = [population.neurons for population in model.network.populations[:-1]]
    assert spikes.mean(axis=0) / neurons / 0.1 == pytest.approx(25, rel=0.3)
