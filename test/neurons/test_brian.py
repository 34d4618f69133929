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

"""Every kind of neuron against the simulator Brian 2, which integrates in far smaller steps."""

from __future__ import annotations

import numpy as np
import pytest

from snn_perception.neurons import IF, LIF, AdaptiveLIF, Theta

brian2 = pytest.importorskip('brian2')

# It parses equations with functions that its parser has renamed.
pytestmark = pytest.mark.filterwarnings('ignore::DeprecationWarning')

DT, FINE = 0.001, 0.00002
STEPS, NEURONS = 150, 60

KINDS = {
    LIF(): ('dv/dt = (J(t, i) - v) / tau_rc : 1 (unless refractory)', 'v > 1', 'v = 0'),
    LIF(initial_potential=0.6): (
        'dv/dt = (J(t, i) - v) / tau_rc : 1 (unless refractory)',
        'v > 1',
        'v = 0',
    ),
    IF(): ('dv/dt = J(t, i) / tau_rc : 1 (unless refractory)', 'v > 1', 'v = 0'),
    AdaptiveLIF(tau_n=0.03, inc_n=0.02): (
        """dv/dt = (J(t, i) - n - v) / tau_rc : 1 (unless refractory)
        dn/dt = -n / tau_n : 1""",
        'v > 1',
        'v = 0; n += inc_n',
    ),
    Theta(): (
        'dv/dt = ((1 - cos(v)) + (1 + cos(v)) * (J(t, i) - 1)) / tau : 1',
        'v > 3.141592653589793',
        'v -= 6.283185307179586',
    ),
}


def spikes_of_brian(neuron, currents):
    """Times (s) of the spikes of each neuron under `currents` (steps, neurons)."""
    equations, threshold, reset = KINDS[neuron]
    second = brian2.second
    values = {
        name: getattr(neuron, name) * second
        for name in ('tau_rc', 'tau_ref', 'tau_n', 'tau')
        if hasattr(neuron, name)
    }
    if hasattr(neuron, 'inc_n'):
        values['inc_n'] = neuron.inc_n / neuron.tau_n
    values['J'] = brian2.TimedArray(currents, dt=DT * second)
    brian2.prefs.codegen.target = 'numpy'
    brian2.start_scope()
    group = brian2.NeuronGroup(
        NEURONS,
        equations,
        threshold=threshold,
        reset=reset,
        refractory=values.get('tau_ref', 0 * second),
        method='rk2' if isinstance(neuron, Theta) else 'euler',
        namespace=values,
        dt=FINE * second,
    )
    group.v = neuron.resting[0]
    monitor = brian2.SpikeMonitor(group)
    network = brian2.Network(group, monitor)
    network.run(STEPS * DT * second, namespace={})
    trains = monitor.spike_trains()
    return [np.asarray(trains[index] / second) for index in range(NEURONS)]


@pytest.mark.parametrize('neuron', KINDS, ids=lambda neuron: type(neuron).__name__)
def test_every_spike_comes_in_the_step_in_which_brian_has_it(neuron):
    random = np.random.default_rng(11)
    # Currents of the excitatory sort, since our membranes do not go below their rest.
    currents = random.uniform(0.5, 6, NEURONS) + random.uniform(0, 1, (STEPS, NEURONS))
    state = neuron.rest((NEURONS,))
    spiked = np.stack([neuron.step(current, state, DT) for current in currents])
    compared = 0
    for train, expected in zip(spiked.T, spikes_of_brian(neuron, currents), strict=True):
        ends = (np.flatnonzero(train) + 1) * DT
        assert abs(len(ends) - len(expected)) <= 1
        count = min(len(ends), len(expected))
        # A step before the end of ours, give or take what Brian's own steps add up to.
        early = ends[:count] - expected[:count]
        slack = 2 * FINE * (1 + np.arange(count))
        assert np.all(early >= -slack)
        assert np.all(early <= DT + slack)
        compared += count
    assert compared > 5 * NEURONS / 2
