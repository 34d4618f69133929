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

"""What holds for every kind of neuron."""

from __future__ import annotations

import dataclasses
from itertools import count

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from snn_perception.neurons import IF, LIF, NEURON_TYPES, AdaptiveLIF, Softened, Theta

KINDS = [LIF(), AdaptiveLIF(), IF(), IF(tau_ref=0.0), Theta(), IF(initial_potential=0.4)]
LEAKY = [LIF(initial_potential=0.4), AdaptiveLIF(initial_potential=0.4)]
every_kind = pytest.mark.parametrize('neuron', KINDS, ids=repr)
GAMMAS = st.floats(0.005, 0.5)


def count_spikes(neuron, current, dt, seconds, settling=0.0):
    """Spikes of each neuron in `seconds`, after some that do not count."""
    state = neuron.rest(current.shape)
    for _ in range(round(settling / dt)):
        neuron.step(current, state, dt)
    return sum(neuron.step(current, state, dt).astype(int) for _ in range(round(seconds / dt)))


@every_kind
@pytest.mark.parametrize('dt', [0.0005, 0.001, 0.002])
def test_spikes_come_at_the_rate_of_the_curve(neuron, dt):
    # Near the rheobase an adaptation falls off between two spikes, and is no mean any more.
    lowest = 1.0 if isinstance(neuron, AdaptiveLIF) else 0.05
    current = neuron.rheobase + np.linspace(lowest, 8, 150)
    seconds = 4
    counts = count_spikes(neuron, current, dt, seconds, settling=1)
    error = np.abs(counts / seconds - neuron.rate(current))
    # One spike more or less in the time that was simulated; the adaptation ripples, too.
    tolerance = 1 / seconds + (0.01 * neuron.rate(current) if len(neuron.names) > 2 else 0)
    assert np.all(error <= tolerance)


@every_kind
def test_the_current_for_a_rate_is_the_inverse_of_the_curve(neuron):
    for rate in (5.0, 20.0, 80.0):
        assert neuron.rate(neuron.current_at(rate)) == pytest.approx(rate, rel=1e-4)
    with pytest.raises(ValueError, match=r'rate of a .* neuron must be between'):
        neuron.current_at(-1.0)


@every_kind
def test_at_or_below_the_rheobase_neurons_are_silent(neuron):
    current = neuron.rheobase - np.array([3.0, 0.5, 0.001, 0.0])
    assert count_spikes(neuron, current, 0.001, 1).sum() == 0
    assert np.all(neuron.rate(current) == 0)


@every_kind
def test_without_a_current_neurons_stay_at_rest(neuron):
    state, rest = neuron.rest((3,)), neuron.rest((3,))
    for _ in range(20):
        neuron.step(np.zeros(3), state, 0.001)
    at = dict(zip(neuron.names, zip(state, rest, strict=True), strict=True))
    at.pop('refractory_time', None)
    assert at
    for now, before in at.values():
        assert now == pytest.approx(before)


@pytest.mark.parametrize('neuron', LEAKY, ids=repr)
@given(current=st.floats(1.1, 6))
@settings(max_examples=20)
def test_the_first_spike_comes_when_the_membrane_has_gone_from_its_initial_potential_to_1(
    neuron, current
):
    state, fine = neuron.rest((1,)), 0.0002
    steps = next(step for step in count(1) if neuron.step(np.array([current]), state, fine))
    expected = neuron.tau_rc * np.log((current - 0.4) / (current - 1))
    assert steps * fine == pytest.approx(expected, abs=1.01 * fine)


@given(phase=st.floats(0, 0.999), current=st.floats(0.2, 6))
@settings(max_examples=20)
def test_without_a_leak_a_first_interval_is_shorter_by_the_initial_potential(phase, current):
    neuron, fine = IF(initial_potential=phase), 0.0002
    state = neuron.rest((1,))
    steps = next(step for step in count(1) if neuron.step(np.array([current]), state, fine))
    expected = neuron.tau_rc * (1 - phase) / current
    assert steps * fine == pytest.approx(expected, abs=1.01 * fine)


@pytest.mark.parametrize('kind', [LIF, AdaptiveLIF, IF])
@pytest.mark.parametrize('potential', [1.0, -0.1, float('nan')])
def test_a_potential_at_which_no_neuron_can_start_is_refused(kind, potential):
    with pytest.raises(ValueError, match=r'initial_potential of an? .* must be at least 0 and'):
        kind(initial_potential=potential)


@every_kind
@given(start=st.integers(1, 40), seed=st.integers(0, 1000))
@settings(max_examples=10)
def test_a_state_is_all_that_is_remembered(neuron, start, seed):
    currents = np.random.default_rng(seed).uniform(-2, 12, (60, 4))
    whole, part = neuron.rest((4,)), neuron.rest((4,))
    expected = [neuron.step(current, whole, 0.001) for current in currents]
    for current in currents[:start]:
        neuron.step(current, part, 0.001)
    resumed = tuple(values.copy() for values in part)
    for current, spiked in zip(currents[start:], expected[start:], strict=True):
        assert np.array_equal(neuron.step(current, resumed, 0.001), spiked)


@every_kind
@pytest.mark.parametrize('dtype', [torch.float64, torch.float32])
def test_tensors_spike_as_arrays_do(neuron, dtype):
    random = np.random.default_rng(3)
    base = random.uniform(-1, 20, 500)
    ours, theirs = neuron.rest((500,)), neuron.rest((500,))
    tensors = tuple(torch.from_numpy(values).to(dtype) for values in theirs)
    differences = spikes = 0
    for _ in range(200):
        current = base + random.normal(0, 1, 500)
        spiked = neuron.step(current, ours, 0.001)
        again = neuron.step(torch.from_numpy(current).to(dtype), tensors, 0.001)
        differences += int((spiked != again.numpy()).sum())
        spikes += int(spiked.sum())
    assert spikes > 500
    # In float32 a spike may come a step earlier or later.
    assert differences <= (0 if dtype == torch.float64 else 0.01 * spikes)


@every_kind
def test_a_current_too_strong_spikes_once_a_step_and_keeps_the_state_finite(neuron):
    if hasattr(neuron, 'tau_ref'):
        neuron = dataclasses.replace(neuron, tau_ref=0.0005)
    state = neuron.rest((1,))
    counts = sum(int(neuron.step(np.array([1e9]), state, 0.001).sum()) for _ in range(50))
    assert 25 <= counts <= 50
    assert all(np.isfinite(values).all() for values in state)


@every_kind
@given(current=st.floats(-50, 50), gamma=GAMMAS)
def test_the_soft_rate_is_above_the_hard_one_and_rises(neuron, current, gamma):
    soft = Softened(neuron, gamma)
    assert soft.rate(current) >= neuron.rate(current) * (1 - 1e-9) - 1e-12
    assert soft.rate_derivative(current) >= 0
    assert soft.rate(current + 0.1) >= soft.rate(current) - 1e-9


@every_kind
def test_the_soft_rate_goes_to_the_hard_one_as_gamma_goes_to_zero(neuron):
    away = np.concatenate([np.linspace(-5, -0.05, 50), np.linspace(0.05, 10, 50)])
    current = neuron.rheobase + away
    errors = [
        np.abs(Softened(neuron, gamma).rate(current) - neuron.rate(current)).max()
        for gamma in (0.1, 0.01, 0.001, 0.0001)
    ]
    assert np.all(np.diff(errors) <= 1e-9)
    assert errors[-1] < 0.15


@every_kind
@given(current=st.floats(-20, 40), gamma=st.floats(0.01, 0.5))
def test_the_derivative_is_the_slope_of_the_soft_rate(neuron, current, gamma):
    soft = Softened(neuron, gamma)
    width = gamma * 1e-4
    slope = (soft.rate(current + width) - soft.rate(current - width)) / (2 * width)
    assert slope == pytest.approx(float(soft.rate_derivative(current)), rel=1e-4, abs=1e-6)


@every_kind
def test_far_below_the_rheobase_the_soft_curve_stays_finite(neuron):
    current = np.array([-1e6, -1e3])
    assert np.all(Softened(neuron, 0.02).rate(current) >= 0)
    assert np.all(np.isfinite(Softened(neuron, 0.02).rate_derivative(current)))


def test_adaptation_only_slows_a_neuron_down():
    current = np.linspace(0, 10, 200)
    rates = [AdaptiveLIF(inc_n=inc_n).rate(current) for inc_n in (0.0, 0.01, 0.1)]
    assert rates[0] == pytest.approx(LIF().rate(current), abs=1e-9)
    assert np.all(np.diff(rates, axis=0) <= 1e-9)
    assert rates[2][-1] < 0.5 * rates[0][-1]


def test_adaptation_lets_a_neuron_begin_faster_than_it_goes_on():
    neuron = AdaptiveLIF(inc_n=0.05)
    state, current = neuron.rest((1,)), np.full(1, 5.0)
    times = [step for step in range(2000) if neuron.step(current, state, 0.001)[0]]
    intervals = np.diff(times)
    assert intervals[0] < 0.7 * intervals[-1]


def test_with_a_long_membrane_the_lif_becomes_the_if():
    current = np.linspace(5, 50, 20)
    lif, without_leak = LIF(tau_rc=2.0, tau_ref=0.001), IF(tau_rc=2.0, tau_ref=0.001)
    above = (without_leak.rate(current) - lif.rate(current)) / lif.rate(current)
    # ln(1 + 1/j) is about 1/J + 1/(2 J^2) where the IF has 1/J.
    assert np.all(above > 0)
    assert above == pytest.approx(1 / (2 * current), rel=0.25, abs=0.01)


@pytest.mark.parametrize(
    ('kind', 'values'),
    [
        (AdaptiveLIF, {'tau_n': 0}),
        (AdaptiveLIF, {'inc_n': -1}),
        (AdaptiveLIF, {'tau_rc': float('nan')}),
        (IF, {'tau_rc': -1}),
        (IF, {'tau_ref': float('inf')}),
        (Theta, {'tau': 0}),
    ],
)
def test_impossible_parameters_are_refused(kind, values):
    with pytest.raises(ValueError, match=next(iter(values))):
        kind(**values)


@every_kind
def test_a_step_of_no_time_is_refused(neuron):
    with pytest.raises(ValueError, match='dt'):
        neuron.step(np.zeros(1), neuron.rest((1,)), 0)


@pytest.mark.parametrize('gamma', [0, -1, float('nan')])
def test_a_softening_of_no_width_is_refused(gamma):
    with pytest.raises(ValueError, match='gamma'):
        Softened(LIF(), gamma)


def test_every_kind_has_a_name_for_recipes():
    assert {type(neuron) for neuron in KINDS} == set(NEURON_TYPES.values())
