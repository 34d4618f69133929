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
from hypothesis import given
from online_networks import networks, small_network

from snn_perception.online.cosines import RaisedCosines
from snn_perception.online.network import Circuits, WtaNetwork


@given(networks())
def test_every_symbol_of_every_circuit_has_its_own_rows_and_the_bias_has_one(network):
    length = network.synapse.count
    rows = [
        start + np.arange(symbols * length)
        for start, symbols in zip(network.starts[:-1], network.symbols, strict=True)
    ]
    taken = np.concatenate([*rows, [network.bias]])
    assert sorted(taken) == list(range(network.starts[-1]))


def test_a_group_has_weights_only_for_what_it_hears():
    network = WtaNetwork(
        Circuits(2, 2), Circuits(2, 1), Circuits(1, 3), RaisedCosines(1, 2), RaisedCosines(1, 2),
        recurrent=False, direct=False,
    )  # fmt: skip
    assert network.hidden_group.shape == (4 + 1 + 1, 2)  # Inputs, bias, own past.
    assert network.output_group.shape == (1 + 2, 3)  # Bias, hidden circuits.
    all_heard = small_network()
    assert all_heard.hidden_group.shape == (8 + 1 + 4 + 1, 2)
    assert all_heard.output_group.shape == (8 + 1 + 4 + 4 + 1, 2)


@pytest.mark.parametrize(
    ('inputs', 'hidden', 'outputs', 'direct', 'sentence'),
    [
        (0, 1, 1, True, 'count of inputs must be at least 1'),
        (1, 1, 0, True, 'count of outputs must be at least 1'),
        (1, 0, 1, False, 'the outputs hear nothing'),
        (100_000, 100_000, 1, True, 'weights are more than the 100000000'),
    ],
)
def test_networks_that_cannot_be_are_refused(inputs, hidden, outputs, direct, sentence):
    with pytest.raises(ValueError, match=sentence):
        WtaNetwork(
            Circuits(inputs), Circuits(hidden), Circuits(outputs), RaisedCosines(1, 2),
            direct=direct,
        )  # fmt: skip


@pytest.mark.parametrize(
    ('values', 'sentence'),
    [((-1, 1), 'count of circuits must be 0 or more'), ((1, 0), 'symbols of a circuit must be'),
     ((1, 256), 'symbols of a circuit must be from 1 to 255')],
)  # fmt: skip
def test_circuits_out_of_range_are_refused(values, sentence):
    with pytest.raises(ValueError, match=sentence):
        Circuits(*values)
