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

"""The rule against exact gradients: all that hidden circuits may say is enumerated."""

from __future__ import annotations

import numpy as np
import pytest
from online_networks import (
    is_used,
    large_weights,
    log_chances,
    moved,
    random_symbols,
    sequences,
    small_network,
)

from snn_perception.online.learning import Rule, learn, new_memory
from snn_perception.online.network import Circuits
from snn_perception.online.running import Weights, known, rest

STEP = 1e-9
"""So small a rate that the weights do not change noticeably while they learn."""
EXACT = Rule(STEP, STEP, kappa=1, beta=1, alpha=0.7, silence=0.6)
KINDS = [
    {},
    {'recurrent': False, 'history': False},
    {'direct': False, 'outputs': Circuits(2, 1)},
    {'hidden': Circuits(1, 2)},
]


def example(network, steps=3, seed=0):
    """Symbols (steps, circuits) of which only the hidden ones are unknown."""
    inputs = random_symbols(network, network.inputs, steps, seed)
    return known(network, inputs, random_symbols(network, network.outputs, steps, seed + 1))


def hidden_part(network, values):
    return values[:, network.inputs.count : network.inputs.count + network.hidden.count]


def output_part(network, values):
    return values[:, network.inputs.count + network.hidden.count :]


def update(network, weights, symbols, rule=EXACT, memory=None):
    """What the weights learn from `symbols`, per unit of the rate, and the log-probabilities."""
    learned = Weights(weights.hidden.copy(), weights.outputs.copy())
    memory = memory or new_memory(network)
    chances = learn(
        network, learned, memory, rest(network), symbols, rule, np.random.default_rng(0)
    )
    change = Weights(
        (learned.hidden - weights.hidden) / STEP, (learned.outputs - weights.outputs) / STEP
    )
    return change, chances


def bound(network, weights, symbols, rule=EXACT):
    """The variational bound that is to rise, exactly.

    That is the mean, over what the hidden circuits may say, of the log-probability of the outputs
    less alpha times the distance of the hidden ones from the reference.
    """
    reference = rule.log_reference(network.hidden.symbols)
    total = 0.0
    for said in sequences(network, symbols):
        chances = log_chances(network, weights, said)
        hidden = hidden_part(network, chances)
        distance = (hidden - reference[hidden_part(network, said)]).sum()
        gain = output_part(network, chances).sum() - rule.alpha * distance
        total += np.exp(hidden.sum()) * gain
    return total


def expected_update(network, weights, symbols, memory=new_memory):
    hidden, outputs = np.zeros_like(weights.hidden), np.zeros_like(weights.outputs)
    for said in sequences(network, symbols):
        change, chances = update(network, weights, said, memory=memory(network))
        chance = np.exp(hidden_part(network, chances).sum())
        hidden += chance * change.hidden
        outputs += chance * change.outputs
    return Weights(hidden, outputs)


def directions(network, weights, count=4):
    """Random directions that leave alone what is not used."""
    generator = np.random.default_rng(5)
    for _ in range(count):
        yield Weights(
            generator.normal(size=weights.hidden.shape) * is_used(network.hidden_group, network),
            generator.normal(size=weights.outputs.shape) * is_used(network.output_group, network),
        )


def slope(function, weights, direction, size=1e-4):
    """The derivative of `function` of weights along `direction`."""
    ahead, behind = (function(moved(weights, direction, sign * size)) for sign in (1, -1))
    return (ahead - behind) / (2 * size)


@pytest.mark.parametrize('kind', KINDS, ids=str)
def test_the_expected_update_is_the_gradient_of_the_variational_bound(kind):
    network = small_network(**kind)
    weights, symbols = large_weights(network), example(network)
    expected = expected_update(network, weights, symbols)
    for direction in directions(network, weights):
        along = (expected.hidden * direction.hidden).sum()
        along += (expected.outputs * direction.outputs).sum()
        exact = slope(lambda each: bound(network, each, symbols), weights, direction)
        assert along == pytest.approx(exact, rel=1e-5, abs=1e-5)


def test_what_is_usual_takes_nothing_from_the_expected_update_but_its_variance():
    network = small_network()
    weights, symbols = large_weights(network), example(network)

    def with_usual(network):
        """A memory of signals that were -3 on the average, which beta = 1 keeps."""
        memory = new_memory(network)
        memory.weight[:] = 2
        memory.moment[:] = -6
        return memory

    plain = expected_update(network, weights, symbols)
    compared = expected_update(network, weights, symbols, with_usual)
    np.testing.assert_allclose(compared.hidden, plain.hidden, atol=1e-5)
    said = next(sequences(network, symbols))
    one = update(network, weights, said, memory=with_usual(network))[0]
    assert not np.allclose(one.hidden, update(network, weights, said)[0].hidden)


@pytest.mark.parametrize('direct', [{'outputs': Circuits(2, 2)}, {'history': False}], ids=str)
def test_visible_circuits_climb_the_exact_gradient_of_the_log_likelihood(direct):
    network = small_network(hidden=Circuits(0, 1), **direct)
    weights, symbols = large_weights(network), example(network, steps=6)
    learned = update(network, weights, symbols)[0].outputs
    used = is_used(network.output_group, network)
    for place in np.ndindex(weights.outputs.shape):
        direction = Weights(np.zeros_like(weights.hidden), np.zeros_like(weights.outputs))
        direction.outputs[place] = used[place]
        exact = slope(lambda each: log_chances(network, each, symbols).sum(), weights, direction)
        assert learned[place] == pytest.approx(exact, abs=1e-5)


@pytest.mark.parametrize('kappa', [1.0, 0.6, 0.0])
def test_updates_of_all_steps_sum_to_signals_times_discounted_sums_of_gradients(kappa):
    network = small_network(outputs=Circuits(2, 2))
    weights = large_weights(network)
    symbols = next(sequences(network, example(network, steps=7)))
    first = network.inputs.count
    symbols[:, first : first + 2] = random_symbols(network, network.hidden, 7, seed=3)
    rule = Rule(STEP, STEP, kappa=kappa, beta=1, alpha=0.7, silence=0.6)

    def until(step):
        """The gradient of the log-probabilities of hidden symbols in steps before `step`.

        It is what visible circuits would learn that say the same.
        """

        def said_until(moved_weights):
            chances = log_chances(network, moved_weights, symbols)
            return hidden_part(network, chances)[:step].sum()

        gradients = np.zeros_like(weights.hidden)
        for place in np.ndindex(weights.hidden.shape):
            direction = Weights(np.zeros_like(weights.hidden), np.zeros_like(weights.outputs))
            direction.hidden[place] = is_used(network.hidden_group, network)[place]
            gradients[place] = slope(said_until, weights, direction)
        return gradients

    chances = log_chances(network, weights, symbols)
    reference = rule.log_reference(network.hidden.symbols)
    distance = hidden_part(network, chances) - reference[hidden_part(network, symbols)]
    signals = output_part(network, chances).sum(axis=1) - 0.7 * distance.sum(axis=1)
    sums = np.array([until(step) for step in range(8)])
    eligibility, total = 0.0, 0.0
    for signal, gradient in zip(signals, np.diff(sums, axis=0), strict=True):
        eligibility = kappa * eligibility + gradient
        total = total + signal * eligibility
    np.testing.assert_allclose(
        update(network, weights, symbols, rule)[0].hidden, total, atol=1e-5, rtol=1e-5
    )


def test_what_is_usual_is_the_mean_of_signals_by_the_square_of_the_eligibility():
    network = small_network()
    weights = large_weights(network)
    symbols = next(sequences(network, example(network, steps=1)))
    memory = new_memory(network)
    change, _ = update(network, weights, symbols, Rule(STEP, STEP, kappa=0, beta=0.9), memory)
    heard = memory.eligibility != 0
    assert heard.any()
    np.testing.assert_allclose(memory.weight, 0.1 * memory.eligibility**2)
    # In the first step nothing is usual yet, so that the update is signal times eligibility.
    signal = change.hidden[heard] / memory.eligibility[heard]
    np.testing.assert_allclose(memory.moment[heard] / memory.weight[heard], signal, rtol=1e-4)


def test_a_circuit_never_learns_to_hear_itself_but_through_its_own_past():
    network = small_network(hidden=Circuits(2, 2), outputs=Circuits(2, 2))
    weights = large_weights(network)
    learn(
        network, weights, new_memory(network), rest(network), example(network, steps=30),
        Rule(0.1, 0.1), np.random.default_rng(0),
    )  # fmt: skip
    for group, matrix in (
        (network.hidden_group, weights.hidden), (network.output_group, weights.outputs),
    ):  # fmt: skip
        unused = ~is_used(group, network)
        assert unused.any()
        np.testing.assert_array_equal(matrix[unused], 0)


def test_rest_forgets_the_eligibility_and_keeps_what_is_usual():
    network = small_network()
    memory = new_memory(network)
    update(network, large_weights(network), example(network), Rule(STEP, STEP), memory)
    moment = memory.moment.copy()
    assert memory.eligibility.any()
    memory.rest()
    assert not memory.eligibility.any()
    np.testing.assert_array_equal(memory.moment, moment)


def test_the_reference_is_a_distribution():
    assert np.exp(Rule(0, 0, silence=0.7).log_reference(3)).tolist() == pytest.approx(
        [0.7, 0.1, 0.1, 0.1]
    )


@pytest.mark.parametrize(
    ('values', 'sentence'),
    [
        ({'output_rate': -1}, 'output_rate must be 0 or more'),
        ({'hidden_rate': float('nan')}, 'hidden_rate must be 0 or more'),
        ({'kappa': 1.1}, 'kappa must be from 0 to 1'),
        ({'beta': -0.1}, 'beta must be from 0 to 1'),
        ({'silence': 1}, 'silence must be between 0 and 1'),
    ],
)
def test_a_rule_out_of_range_is_refused(values, sentence):
    with pytest.raises(ValueError, match=sentence):
        Rule(**{'output_rate': 0.1, 'hidden_rate': 0.1} | values)
