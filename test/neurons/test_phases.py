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

"""Neighbouring neurons that start from different potentials."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snn_perception.neurons import IF, LIF, AdaptiveLIF, Theta
from snn_perception.neurons.phases import COUNTS, spread_potentials

SQUARES = [phases for phases in COUNTS if phases > 1]


@pytest.mark.parametrize('phases', SQUARES)
def test_a_channel_has_all_phases_in_every_square(phases):
    side = math.isqrt(phases)
    potentials = spread_potentials((2 * side + 1, 3 * side, 7), phases)
    expected = (np.arange(phases) + 0.5) / phases
    for row in range(side + 2):
        for column in range(2 * side + 1):
            square = potentials[row : row + side, column : column + side]
            for channel in range(7):
                np.testing.assert_allclose(np.sort(square[..., channel].reshape(-1)), expected)


@pytest.mark.parametrize('phases', SQUARES)
def test_in_a_pixel_as_many_channels_as_there_are_phases_have_all_of_them(phases):
    potentials = spread_potentials((1, 1, phases), phases)
    np.testing.assert_allclose(np.sort(potentials.reshape(-1)), (np.arange(phases) + 0.5) / phases)


@pytest.mark.parametrize('phases', SQUARES)
@given(current=st.floats(0.01, 3))
def test_a_square_of_equal_currents_fires_the_nearest_whole_number_of_times(phases, current):
    """The sum of floor(x + (k + 1/2) / n) over k < n is floor(n x + 1/2) (Hermite's identity)."""
    side, steps, dt = math.isqrt(phases), 30, 0.001
    neuron = IF(tau_rc=0.02, tau_ref=0.0, phases=phases)
    state = neuron.rest((side, side, 1))
    currents = np.full((side, side, 1), current)
    spikes = sum(int(neuron.step(currents, state, dt).sum()) for _ in range(steps))
    exact = phases * current * steps * dt / neuron.tau_rc
    assert spikes in {math.floor(exact + 0.5 + rounding) for rounding in (-1e-9, 0, 1e-9)}


def test_every_image_of_a_batch_starts_alike():
    potential, refractory = LIF(phases=4).rest((3, 2, 2, 5))
    np.testing.assert_array_equal(potential[0], spread_potentials((2, 2, 5), 4))
    np.testing.assert_array_equal(potential, potential[:1].repeat(3, axis=0))
    assert not refractory.any()


def test_neurons_have_one_phase_unless_they_are_given_more():
    assert LIF().phases == Theta().phases == 1
    assert not LIF().rest((2, 2, 3))[0].any()


@pytest.mark.parametrize('kind', [LIF, AdaptiveLIF, IF])
def test_phases_that_fill_no_square_are_refused(kind):
    with pytest.raises(ValueError, match=r'phases of an? .* neuron must be one of 1, 4, 16, 64'):
        kind(phases=9)


@pytest.mark.parametrize('kind', [LIF, AdaptiveLIF, IF])
def test_phases_beside_an_initial_potential_are_refused(kind):
    with pytest.raises(ValueError, match='either phases or an initial_potential'):
        kind(phases=4, initial_potential=0.5)
