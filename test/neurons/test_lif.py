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

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snn_perception.neurons import LIF

TAUS = {'tau_rc': st.floats(0.002, 0.1), 'tau_ref': st.floats(0, 0.01)}


@pytest.mark.parametrize('dt', [0.0005, 0.001, 0.002])
def test_spikes_equal_those_of_nengo_on_random_currents(dt):
    nengo = pytest.importorskip('nengo')
    random = np.random.default_rng(7)
    neurons, steps = 4096, 400
    base = random.uniform(-1, 40, neurons)
    theirs, ours = nengo.LIF(), LIF()
    output, voltage, refractory_time = np.zeros((3, neurons))
    state = ours.rest((neurons,))
    spikes = 0
    for _ in range(steps):
        current = base + random.normal(0, 2, neurons)
        theirs.step(dt, current, output, voltage=voltage, refractory_time=refractory_time)
        spiked = ours.step(current, state, dt)
        assert np.array_equal(spiked, output > 0)
        spikes += int(spiked.sum())
    assert spikes > neurons


@pytest.mark.parametrize('dt', [0.0005, 0.001, 0.002])
def test_simulated_rate_meets_the_analytic_curve(dt):
    neuron = LIF()
    current = np.linspace(1.05, 20, 200)
    state = neuron.rest(current.shape)
    seconds = 4
    count = sum(neuron.step(current, state, dt) for _ in range(round(seconds / dt)))
    # One spike more or less in the time that was simulated.
    assert np.abs(count / seconds - neuron.rate(current)).max() <= 1 / seconds


def test_neurons_at_or_below_threshold_are_silent():
    neuron = LIF()
    current = np.array([-3.0, 0.0, 0.999, 1.0])
    state = neuron.rest(current.shape)
    assert not any(neuron.step(current, state, 0.001).any() for _ in range(1000))
    assert np.all(neuron.rate(current) == 0)
    membrane_potential, _ = state
    assert np.all(membrane_potential >= 0)


@given(current=st.floats(1.01, 1e6), **TAUS)
def test_rate_is_below_the_inverse_of_the_refractory_period(current, tau_rc, tau_ref):
    rate = LIF(tau_rc, tau_ref).rate(current)
    assert rate > 0
    assert rate * tau_ref <= 1


def test_a_current_too_strong_spikes_once_a_step_and_keeps_the_state_finite():
    neuron = LIF(tau_ref=0.0005)
    current = np.array([1e9])
    state = neuron.rest((1,))
    assert all(neuron.step(current, state, 0.001).all() for _ in range(50))
    _, refractory_time = state
    assert np.isfinite(refractory_time).all()


@pytest.mark.parametrize(
    ('kind', 'values'),
    [
        (LIF, {'tau_rc': 0}),
        (LIF, {'tau_rc': float('nan')}),
        (LIF, {'tau_ref': -0.001}),
    ],
)
def test_impossible_parameters_are_refused(kind, values):
    with pytest.raises(ValueError, match=next(iter(values))):
        kind(**values)


def test_a_step_of_no_time_is_refused():
    with pytest.raises(ValueError, match='dt'):
        LIF().step(np.zeros(1), LIF().rest((1,)), 0)


def test_parameters_are_immutable():
    with pytest.raises(dataclasses.FrozenInstanceError):
        LIF().tau_rc = 1
