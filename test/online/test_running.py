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

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from online_networks import (
    large_weights,
    log_chances,
    networks,
    random_symbols,
    small_network,
)

from snn_perception.online.network import Circuits
from snn_perception.online.running import known, random_weights, rest, run


def potentials(network, weights, history, circuit, said_before):
    """What the neurons of a `circuit` reach, by the equation in `network`, term by term."""
    group, matrix = network.hidden_group, weights.hidden
    if circuit >= network.inputs.count + network.hidden.count:
        group, matrix = network.output_group, weights.outputs
    reached = []
    for neuron in range(group.symbols):
        column = (circuit - group.first) * group.symbols + neuron
        rows = dict(zip(range(group.begin, group.end), matrix[:, column], strict=False))
        value = rows[network.bias]
        for source, delay in itertools.product(
            range(network.circuits), range(1, len(said_before) + 1)
        ):
            said = said_before[-delay, source]
            if not said:
                continue
            for kernel in range(network.synapse.count):
                row = network.starts[source] + (said - 1) * network.synapse.count + kernel
                if row in rows and source != circuit and delay <= network.synapse.length:
                    value += rows[row] * network.synapse.values[kernel, delay - 1]
            if source == circuit and said == neuron + 1 and delay <= network.feedback.length:
                for kernel in range(group.feedback):
                    weight = matrix[group.end - group.begin + kernel, column]
                    value += weight * network.feedback.values[kernel, delay - 1]
        reached.append(value)
    return np.array(reached)


@settings(max_examples=25, deadline=None)
@given(networks(), st.integers(0, 1000))
def test_neurons_fire_as_probably_as_the_equation_says(network, seed):
    weights = large_weights(network, seed)
    inputs = random_symbols(network, network.inputs, 6, seed)
    done = run(
        network, weights, rest(network), known(network, inputs), np.random.default_rng(seed)
    )
    for step in (0, 1, 5):
        firing = []
        for circuit in range(network.inputs.count, network.circuits):
            reached = potentials(network, weights, None, circuit, done.symbols[:step])
            chances = np.exp(reached) / (1 + np.exp(reached).sum())
            firing.extend(chances)
            said = done.symbols[step, circuit]
            chance = chances[said - 1] if said else 1 - chances.sum()
            np.testing.assert_allclose(np.exp(done.log_chances[step, circuit]), chance)
        np.testing.assert_allclose(done.firing[step], firing)


@settings(max_examples=25, deadline=None)
@given(networks(), st.integers(0, 1000))
def test_each_circuit_says_one_of_its_symbols_or_is_silent(network, seed):
    inputs = random_symbols(network, network.inputs, 20, seed)
    generator = np.random.default_rng(seed)
    weights = large_weights(network, seed)
    symbols = run(network, weights, rest(network), known(network, inputs), generator).symbols
    assert symbols.shape == (20, network.circuits)
    assert np.all((symbols >= 0) & (symbols <= network.symbols))
    np.testing.assert_array_equal(symbols[:, : network.inputs.count], inputs)


@settings(max_examples=10, deadline=None)
@given(st.booleans(), st.booleans(), st.booleans(), st.integers(0, 1000))
def test_the_probabilities_of_all_that_may_be_said_sum_to_one(recurrent, direct, history, seed):
    network = small_network(recurrent=recurrent, direct=direct, history=history)
    weights = large_weights(network, seed)
    inputs = random_symbols(network, network.inputs, 2, seed)
    learns = network.symbols[network.inputs.count :]
    total = 0.0
    for said in itertools.product(*(range(count + 1) for count in [*learns, *learns])):
        symbols = known(network, inputs)
        symbols[:, network.inputs.count :] = np.reshape(said, (2, len(learns)))
        total += np.exp(log_chances(network, weights, symbols).sum())
    assert total == pytest.approx(1)


def test_symbols_are_drawn_as_often_as_they_are_probable():
    network = small_network(Circuits(1, 3), recurrent=False)
    weights = random_weights(network, 0, np.random.default_rng(0))
    weights.hidden[network.bias] = np.log([1, 2, 3])  # Chances of 1, 2 and 3 in 7.
    inputs = np.zeros((20000, 2), int)
    done = run(network, weights, rest(network), known(network, inputs), np.random.default_rng(1))
    often = np.bincount(done.symbols[:, 2], minlength=4) / len(inputs)
    np.testing.assert_allclose(often, np.array([1, 1, 2, 3]) / 7, atol=0.01)


def test_nothing_depends_on_inputs_of_the_same_step_or_later():
    network = small_network()
    weights = large_weights(network)
    inputs = random_symbols(network, network.inputs, 8)
    other = inputs.copy()
    other[4:] = 2 - other[4:]
    first, second = (
        run(network, weights, rest(network), known(network, each), np.random.default_rng(0))
        for each in (inputs, other)
    )
    np.testing.assert_array_equal(first.firing[:5], second.firing[:5])
    assert not np.allclose(first.firing[5], second.firing[5])


def test_a_run_in_pieces_is_the_run_as_a_whole():
    network = small_network()
    weights = large_weights(network)
    symbols = known(network, random_symbols(network, network.inputs, 9))
    whole = run(network, weights, rest(network), symbols, np.random.default_rng(0))
    state, generator = rest(network), np.random.default_rng(0)
    pieces = [
        run(network, weights, state, piece, generator) for piece in (symbols[:4], symbols[4:])
    ]
    for name in ('symbols', 'log_chances', 'firing'):
        joined = np.concatenate([getattr(piece, name) for piece in pieces])
        np.testing.assert_array_equal(joined, getattr(whole, name))


def test_large_potentials_neither_overflow_nor_lose_their_order():
    network = small_network(Circuits(1, 2), recurrent=False)
    weights = random_weights(network, 0, np.random.default_rng(0))
    weights.hidden[network.bias] = 2000, 1998
    done = run(
        network, weights, rest(network), known(network, np.zeros((5, 2), int)),
        np.random.default_rng(0),
    )  # fmt: skip
    np.testing.assert_allclose(
        done.firing[:, :2], np.tile([0.880797, 0.119203], (5, 1)), atol=1e-6
    )


def test_a_symbol_that_is_given_may_be_all_but_impossible():
    network = small_network(Circuits(1, 2), recurrent=False)
    weights = random_weights(network, 0, np.random.default_rng(0))
    weights.hidden[network.bias] = 5000, 0
    symbols = known(network, np.zeros((1, 2), int))
    symbols[:, 2] = 2
    assert -1000 < log_chances(network, weights, symbols)[0, 2] < -600


@pytest.mark.parametrize(
    ('inputs', 'sentence'),
    [
        (np.zeros((3, 5), int), 'inputs must be 3 steps of 2 circuits, not of shape'),
        (np.full((3, 2), 3), 'symbols of inputs must be from 0 to 2'),
        (np.full((3, 2), -1), 'symbols of inputs must be from 0 to 2'),
    ],
)
def test_inputs_that_do_not_fit_are_refused(inputs, sentence):
    with pytest.raises(ValueError, match=sentence):
        known(small_network(), inputs)
