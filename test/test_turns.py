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

"""Layers that take turns: how many spikes a neuron fires in its window, and which networks may."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from snn_perception.layers import Convolution, Dense, GlobalAveragePooling, Identity, Sum
from snn_perception.network import Network
from snn_perception.neurons import IF, LIF, AdaptiveLIF, Theta
from snn_perception.synapses import Synapse
from snn_perception.turns import expected, steps_of, thresholds

LAYERS = (
    Convolution(4, 3, padding=1, name='stem'),
    Convolution(4, 3, padding=1),
    Sum((Convolution(4, 1), Identity(0.01, source='stem'))),
    GlobalAveragePooling(),
    Dense(3),
)
TIMES = st.floats(0.001, 0.02)
NEURONS = st.builds(LIF, TIMES, st.floats(0.0005, 0.002)) | st.builds(
    IF, TIMES, st.floats(0.0, 0.002)
)


def spikes(neuron: LIF | IF, current: float, steps: int, dt: float) -> int:
    state = neuron.rest((1,))
    return sum(int(neuron.step(np.array([current]), state, dt)[0]) for _ in range(steps))


# A LIF neuron that begins and ends its refractory period in the same step loses the rest of it.
@given(NEURONS, st.floats(-2, 60), st.integers(1, 24), st.sampled_from([0.00025, 0.0005]))
def test_a_neuron_fires_as_many_spikes_as_thresholds_are_below_its_current(
    neuron: LIF | IF, current: float, steps: int, dt: float
) -> None:
    found = thresholds(neuron, steps, dt)
    if np.abs(found[np.isfinite(found)] - current).min(initial=1.0) > 1e-6:
        assert spikes(neuron, current, steps, dt) == (found <= current).sum()


@given(NEURONS, st.integers(1, 30))
def test_thresholds_rise(neuron: LIF | IF, steps: int) -> None:
    found = thresholds(neuron, steps, 0.0005)
    assert len(found) == steps
    assert (np.diff(found[np.isfinite(found)]) > 0).all()


def test_whole_spikes_amount_to_half_a_spike_less_than_the_rate_in_the_mean() -> None:
    neuron, window, dt = IF(0.005, 0.0), 0.02, 0.0005
    currents = np.linspace(1.0, 5.0, 4001)
    counts = np.searchsorted(thresholds(neuron, round(window / dt), dt), currents, side='right')
    rates = expected(neuron.rate(currents), window, dt)
    assert (counts / window).mean() == pytest.approx(rates.mean(), rel=1e-2)


def test_a_population_waits_for_the_deepest_path_to_it() -> None:
    network = Network((8, 8, 3), LAYERS, firing_window=0.005)
    assert network.turns == (0, 1, 2, 3)
    assert network.synaptic_delay == pytest.approx(0.015)


@pytest.mark.parametrize(
    ('arguments', 'sentence'),
    [
        ({'neuron': Theta()}, 'neurons must be LIF or IF, not Theta'),
        ({'neuron': AdaptiveLIF()}, 'neurons must be LIF or IF, not AdaptiveLIF'),
        (
            {'neuron': LIF(initial_potential=0.5)},
            'initial_potential of neurons must be 0, not 0.5',
        ),
        ({'synapse': Synapse('exponential', 0.005)}, 'synapses must be of type none'),
        ({'firing_window': -1.0}, 'firing_window must be a time in s, or 0, not -1.0'),
        ({'firing_window': float('nan')}, 'not nan'),
    ],
)
def test_networks_that_cannot_take_turns_are_refused(
    arguments: dict[str, object], sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        Network((8, 8, 3), LAYERS, **{'firing_window': 0.005, **arguments})  # type: ignore[arg-type]


def test_a_window_is_a_whole_number_of_steps() -> None:
    assert steps_of(0.005, 0.00025) == 20
    with pytest.raises(ValueError, match=r'multiple of dt, 0\.002 s, not 0\.005 s'):
        steps_of(0.005, 0.002)
