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

from dataclasses import replace

import numpy as np
import pytest
from random_models import random_images, random_model

from snn_perception.backends import create_simulator
from snn_perception.evaluation import agreement
from snn_perception.neurons import LIF
from snn_perception.readout import Readout
from snn_perception.synapses import Synapse


def test_equal_rates_agree_wholly():
    rates = [np.random.default_rng(0).random((2, 3, 3, 4)) * 20]
    [layer] = agreement.compare(rates, rates)
    assert layer.error == 0
    assert layer.correlation == pytest.approx(1)
    assert layer.expected == layer.found == pytest.approx(rates[0].mean())


def test_the_difference_and_the_correlation_are_those_of_the_neurons():
    expected, found = np.array([1.0, 2.0, 3.0, 4.0]), np.array([2.0, 1.0, 4.0, 5.0])
    [layer] = agreement.compare([expected], [found])
    assert layer.error == pytest.approx(1)
    assert layer.correlation == pytest.approx(np.corrcoef(expected, found)[0, 1])


def test_a_silent_layer_has_no_correlation():
    [layer] = agreement.compare([np.ones(4)], [np.zeros(4)])
    assert np.isnan(layer.correlation)
    assert layer.error == 1


def test_rates_on_spikes_are_what_the_engine_counts_after_the_start():
    model = replace(random_model(), readout=Readout(0.05, start_time=0.02))
    images = random_images(model, 3)
    simulator = create_simulator(model, 'reference')
    state = simulator.reset(3)
    simulator.run(state, images, 20)
    activity = simulator.run(state, images, 30)
    rates = agreement.spiking_rates(model, images)
    for layer, found in enumerate(rates):
        counted = (found * 0.03).sum(axis=(1, 2, 3))
        assert counted == pytest.approx(activity.spikes[:, layer])


def test_rates_of_layers_that_take_turns_are_those_in_their_windows():
    none = Synapse()
    model = random_model(synapse=none, readout_synapse=none)
    network = replace(model.network, firing_window=0.02, neuron=LIF(0.02, 0.0))
    time = network.turns[-1] * 0.02
    model = replace(model, network=network, readout=Readout(time, time - model.dt))
    images = random_images(model, 2)
    simulator = create_simulator(model, 'reference')
    activity = simulator.run(simulator.reset(2), images, round(time / model.dt))
    for layer, found in enumerate(agreement.spiking_rates(model, images)):
        counted = (found * 0.02).sum(axis=(1, 2, 3))
        assert counted == pytest.approx(activity.spikes[:, layer])
        assert counted.all()


def test_in_the_long_run_spikes_come_at_the_rates_of_the_first_layer():
    model = replace(random_model(drive=3), readout=Readout(1.0, start_time=0.1))
    # The rate network is the softened one; nearly without softening the two are the same.
    model = replace(model, network=replace(model.network, gamma=1e-4))
    first, *_ = agreement.spikes_with_rates(model, random_images(model, 2))
    assert first.expected > 5
    assert first.found == pytest.approx(first.expected, rel=0.03)
    assert first.correlation > 0.99
