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

"""What a network takes on chips and what they change, as figures."""

from __future__ import annotations

import numpy as np
import optional
import pytest
from random_models import random_graph_model, random_images, random_model

from snn_perception.backends.loihi.mapping import place
from snn_perception.evaluation import agreement
from snn_perception.evaluation.on_chip import LIMITS, resources, study_chip
from snn_perception.layers import Convolution, Dense
from snn_perception.network import Network


def test_totals_are_sums_over_layers_and_copies():
    placement = place(load(), copies=2)
    figures = resources(placement)
    assert figures['fits']
    assert 'reason' not in figures
    assert figures['copies'] == 2
    for name in ('cores', 'neurons', 'synapse_kib'):
        assert figures[name] == 2 * sum(layer[name] for layer in figures['layers'])
    assert figures['chips'] == -(-figures['cores'] // 128)


def load() -> Network:
    return Network((16, 16, 1), (Convolution(50, 3), Convolution(60, 3, padding=1), Dense(3)))


def test_a_layer_is_on_enough_cores_none_of_which_is_overfull():
    for layer in resources(place(load()))['layers']:
        assert layer['neurons'] <= layer['cores'] * layer['core_neurons']
        assert layer['synapse_kib'] <= layer['cores'] * layer['core_synapse_kib']
        for name, limit in LIMITS.items():
            assert layer[name] <= limit
    first, second = resources(place(load()))['layers']
    assert (first['layer'], second['layer']) == ('0 convolution', '1 convolution')
    assert first['synapse_kib'] == first['core_axons_in'] == 0
    # 9 x 50 x 60 weights of 8 bits and an index of at least 6, in a core at least once.
    assert second['synapse_kib'] > 9 * 50 * 60 * 14 / 8 / 1024


def test_why_a_network_does_not_fit_is_said_and_shown_beside_the_limit():
    figures = resources(place(Network((64, 64, 1), (Convolution(32, 1), Dense(1), Dense(2)))))
    assert not figures['fits']
    assert 'needs 2097152 bits of synapse memory' in figures['reason']
    assert figures['layers'][1]['core_synapse_kib'] == 256 > LIMITS['core_synapse_kib']


def test_layers_are_compared_with_spikes_in_floating_point():
    optional.library('nengo_loihi')
    from snn_perception.backends.loihi.simulator import LoihiSimulator

    model = random_model(drive=3)
    simulator, images = LoihiSimulator(model), random_images(model, 2)
    figures = study_chip(simulator, images)
    assert figures['overflows'] == 0
    assert figures.items() >= resources(place(model.network)).items()
    rows = figures['comparison']
    assert [row['layer'] for row in rows] == ['0 convolution', '1 convolution', '2 dense']
    expected = agreement.spiking_rates(simulator.model, images)
    found = simulator.firing_rates(images)
    for row, one, other in zip(rows, expected, found, strict=True):
        assert row['floating_point_hz'] == pytest.approx(one.mean())
        assert row['chip_hz'] == pytest.approx(other.mean())
        assert row['rate_error_hz'] == pytest.approx(np.sqrt(np.mean((one - other) ** 2)))
        assert 0 <= row['weight_error'] < 0.02
    assert rows[0]['weight_error'] == 0 < rows[1]['weight_error']


def test_layers_of_a_graph_are_compared_by_their_names():
    optional.library('nengo_loihi')
    from snn_perception.backends.loihi.simulator import LoihiSimulator

    model = random_graph_model(3, populations=4)
    figures = study_chip(LoihiSimulator(model), random_images(model, 4))
    names = [str(population) for population in model.network.populations[:-1]]
    assert [row['layer'] for row in figures['comparison']] == names
    assert [row['layer'] for row in figures['layers']] == names
    for row in figures['comparison']:
        assert row['chip_hz'] == pytest.approx(row['floating_point_hz'], rel=0.15)
        assert row['correlation'] > 0.8
