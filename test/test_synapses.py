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

from snn_perception.synapses import Synapse


@pytest.mark.parametrize('synapse', [Synapse('exponential', 0.005), Synapse('alpha', 0.003)])
def test_the_gain_of_a_synapse_is_one(synapse):
    state = synapse.rest((1,))
    total = sum(synapse.step(np.array([float(step == 0)]), state, 0.001)[0] for step in range(500))
    assert total == pytest.approx(1)


def test_exponential_response_decays_with_its_time_constant():
    synapse = Synapse('exponential', 0.005)
    state = synapse.rest((1,))
    first = synapse.step(np.array([1.0]), state, 0.001)[0]
    for _ in range(5):
        last = synapse.step(np.array([0.0]), state, 0.001)[0]
    assert last / first == pytest.approx(np.exp(-1))


def test_alpha_response_peaks_near_its_time_constant():
    synapse = Synapse('alpha', 0.01)
    state = synapse.rest((1,))
    response = [
        synapse.step(np.array([float(step == 0)]), state, 0.0001)[0] for step in range(1000)
    ]
    assert np.argmax(response) * 0.0001 == pytest.approx(0.01, abs=0.0002)


def test_no_synapse_passes_the_current_on():
    synapse = Synapse()
    current = np.array([3.0, -1.0])
    assert np.array_equal(synapse.step(current, synapse.rest((2,)), 0.001), current)


@pytest.mark.parametrize(
    ('type_', 'tau', 'word'),
    [('gauss', 0.1, 'type'), ('alpha', 0, 'tau'), ('none', 0.1, 'tau'), ('alpha', -1, 'tau')],
)
def test_impossible_synapses_are_refused(type_, tau, word):
    with pytest.raises(ValueError, match=word):
        Synapse(type_, tau)
