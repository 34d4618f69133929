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

"""The compiled neurons against the NumPy neuron."""

from __future__ import annotations

import numpy as np
import pytest

from snn_perception.backends import kernels
from snn_perception.neurons import LIF

NEURON = LIF()
PIXELS, CHANNELS = 300, 11
NEURONS = PIXELS * CHANNELS


def currents(steps=60, seed=0):
    random = np.random.default_rng(seed)
    steady = random.normal(0.8, 1.5, (1, NEURONS))
    return (steady + random.normal(0, 0.4, (steps, NEURONS))).astype(np.float32)


def run(sums, dtype=np.float32, dt=0.001, shares=((0, PIXELS),)):
    """Spikes as bool, membrane potentials and refractory times without a synapse."""
    spikes = np.full_like(sums, 7)
    state = [np.zeros(NEURONS, dtype), np.zeros(NEURONS, dtype)]
    neurons = kernels.Neurons(np.zeros((0, NEURONS), dtype), *state)
    bias, times = np.zeros(CHANNELS, dtype), kernels.Times.of(0, NEURON, dt, dtype)
    for share in shares:
        kernels.integrate(sums, spikes, neurons, bias, times, *share)
    return spikes, *state


def reference(sums, dt=0.001):
    state = NEURON.rest((NEURONS,))
    spikes = [NEURON.step(row.astype(float), state, dt) for row in sums]
    return np.array(spikes), *state


@pytest.mark.parametrize('dt', [0.0005, 0.001, 0.0025, 0.005])
def test_short_steps_in_float32_are_as_exact_as_float32(dt):
    spikes, potential, refractory = run(currents(), dt=dt)
    expected, *state = reference(currents(), dt)
    assert 0.002 < expected.mean() < 0.4
    alike = (spikes == expected).all(axis=0)
    assert alike.mean() > 0.999
    assert np.abs(potential - state[0])[alike].max() < 1e-5
    assert np.abs(refractory - state[1])[alike].max() < 1e-6


@pytest.mark.parametrize('dt', [0.001, 0.006, 0.05])
def test_float64_and_long_steps_spike_as_the_reference(dt):
    sums = currents().astype(np.float64)
    spikes, potential, refractory = run(sums, np.float64, dt)
    expected, *state = reference(sums, dt)
    assert np.array_equal(spikes, expected)
    assert np.allclose(potential, state[0])
    assert np.allclose(refractory, state[1])


def test_long_steps_in_float32_spike_as_the_reference():
    spikes, *_ = run(currents(), dt=0.01)
    expected, *_ = reference(currents(), 0.01)
    assert (spikes == expected).mean() > 0.9999


def test_bfloat16_sums_count_as_what_they_are_and_spikes_come_back_in_kind():
    bits = (currents().view(np.uint32) >> 16).astype(np.uint16)
    spikes, *state = run(bits)
    expected, *others = run((bits.astype(np.uint32) << 16).view(np.float32))
    assert set(np.unique(spikes)) == {0, 0x3F80}
    assert np.array_equal(spikes == 0x3F80, expected == 1)
    for value, other in zip(state, others, strict=True):
        assert np.array_equal(value, other)


def test_shares_of_the_pixels_make_the_whole():
    whole = run(currents())
    parts = run(currents(), shares=((0, 97), (97, 98), (98, PIXELS)))
    for one, other in zip(whole, parts, strict=True):
        assert np.array_equal(one, other)


def test_neurons_just_above_threshold_stay_finite():
    sums = np.full((2000, NEURONS), np.nextafter(np.float32(1), np.float32(2)))
    spikes, potential, refractory = run(sums)
    assert np.isfinite(potential).all()
    assert np.isfinite(refractory).all()
    assert spikes.max() <= 1
