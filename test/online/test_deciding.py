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
from online_networks import large_weights, random_symbols, small_network

from snn_perception.energy import prices
from snn_perception.online.deciding import count, decide, energies, targets
from snn_perception.online.network import Circuits
from snn_perception.online.running import Run, known, rest, run

LABELS = ('a', 'b', 'c', 'd')


def said(network, outputs):
    """A run in which the outputs (steps, circuits) said this, and nobody else anything."""
    outputs = np.array(outputs)
    symbols = np.zeros((len(outputs), network.circuits), np.int16)
    symbols[:, -network.outputs.count :] = outputs
    return Run(symbols, np.zeros(symbols.shape), np.zeros((len(outputs), network.neurons)))


@pytest.mark.parametrize('outputs', [Circuits(1, 4), Circuits(4, 1), Circuits(2, 2)], ids=str)
def test_the_target_of_a_class_is_decided_as_that_class(outputs):
    network = small_network(outputs=outputs)
    for number, label in enumerate(LABELS):
        decision = decide(network, said(network, targets(network, number, 5)), LABELS, 0.01)
        assert decision.label == label
        assert decision.scores.tolist() == [float(each == number) for each in range(4)]
        assert decision.simulated_time == pytest.approx(0.05)


def test_scores_are_shares_of_the_spikes_and_equal_without_any():
    network = small_network(outputs=Circuits(1, 4))
    decision = decide(network, said(network, [[2], [0], [2], [1]]), LABELS, 0.01)
    np.testing.assert_allclose(decision.scores, [1 / 3, 2 / 3, 0, 0])
    silent = decide(network, said(network, [[0], [0]]), LABELS, 0.01)
    np.testing.assert_allclose(silent.scores, 0.25)


@pytest.mark.parametrize(
    'kind', [{}, {'recurrent': False}, {'direct': False}, {'history': False}], ids=str
)
def test_every_spike_counts_once_for_each_weight_that_it_meets(kind):
    network = small_network(hidden=Circuits(3, 2), outputs=Circuits(2, 2), **kind)
    symbols = run(
        network, large_weights(network), rest(network),
        known(network, random_symbols(network, network.inputs, 20)), np.random.default_rng(0),
    )  # fmt: skip
    expected = [0, 0]
    for place, group in enumerate((network.hidden_group, network.output_group)):
        rows = np.arange(group.begin, group.end)
        for circuit in range(network.circuits):
            for spoken in symbols.symbols[:, circuit]:
                if not spoken:
                    continue
                first = network.starts[circuit] + (spoken - 1) * network.synapse.count
                heard = np.isin(first + np.arange(network.synapse.count), rows).sum()
                own = group.first <= circuit < group.first + group.circuits
                others = group.circuits - 1 if own else group.circuits
                expected[place] += heard * others * group.symbols
                expected[place] += group.feedback if own else 0
    activity = count(network, symbols)
    assert activity.synaptic_operations.tolist() == expected
    fired = symbols.symbols > 0
    assert activity.spikes.tolist() == [fired[:, 2:5].sum(), fired[:, 5:].sum()]
    assert activity.neuron_updates.tolist() == [20 * 6, 20 * 4]


def test_energy_is_operations_and_updates_at_the_prices_of_the_table():
    network = small_network(outputs=Circuits(1, 4))
    decision = decide(network, said(network, [[1], [1]]), LABELS, 0.01)
    chip = prices().chips['loihi']
    operations = decision.activity.synaptic_operations.sum()
    expected = 1e-12 * (operations * chip.operation.value + 2 * 6 * chip.update.value)
    expected += 0.02 * chip.static.value if chip.static else 0
    assert energies(decision)['loihi'].value == pytest.approx(expected)
    assert set(energies(decision)) == set(prices().chips)
