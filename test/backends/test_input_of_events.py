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

"""Networks that hear the events of a sensor: every engine against the reference and by hand."""

from __future__ import annotations

import numpy as np
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from random_models import event_model, random_events

from snn_perception.backends import create_simulator
from snn_perception.backends.torch import TorchSimulator
from snn_perception.layers import Dense
from snn_perception.neurons import NEURON_TYPES
from snn_perception.synapses import Synapse

SYNAPSES = [Synapse(), Synapse('exponential', 0.005), Synapse('alpha', 0.003)]
EXACT = ['event', 'torch', 'reference', 'nengo']


def shown(simulator, counts):
    """The activity of one run over all `counts`, from rest."""
    return simulator.run(simulator.reset(counts.shape[1]), counts, len(counts))


def assert_equal_activity(one, other, tolerance=1e-6):
    assert np.array_equal(one.spikes, other.spikes)
    assert np.array_equal(one.synaptic_operations, other.synaptic_operations)
    assert np.array_equal(one.neuron_updates, other.neuron_updates)
    assert np.allclose(one.outputs, other.outputs, rtol=tolerance, atol=tolerance)


def test_an_event_is_a_spike_through_the_synapse_of_the_layer_that_hears_it():
    synapse = Synapse('exponential', 0.004)
    model = event_model(layers=(Dense(3),), readout_synapse=synapse, input_shape=(2, 2, 2))
    counts = np.zeros((10, 1, 2, 2, 2), np.uint8)
    counts[3, 0, 1, 0, 1] = 2
    outputs = shown(create_simulator(model, 'reference'), counts).outputs[:, 0]
    weight, bias = model.weights[0].kernel.reshape(2, 2, 2, 3)[1, 0, 1], model.weights[0].bias
    for step, output in enumerate(outputs):
        decay = np.exp(-model.dt / synapse.tau)
        height = 2 / model.dt * (1 - decay) * decay ** (step - 3) if step >= 3 else 0
        assert np.allclose(output, bias + height * weight, rtol=1e-5)


@given(
    seed=st.integers(0, 10_000),
    kind=st.sampled_from(list(NEURON_TYPES.values())),
    synapse=st.sampled_from(SYNAPSES),
    readout_synapse=st.sampled_from(SYNAPSES),
)
@settings(max_examples=25, deadline=None)
def test_torch_in_float64_hears_events_as_the_reference_does(seed, kind, synapse, readout_synapse):
    model = event_model(seed, None, kind(), synapse, readout_synapse)
    counts = random_events(model, 30, 2, seed)
    reference = shown(create_simulator(model, 'reference'), counts)
    assert_equal_activity(reference, shown(TorchSimulator(model, 'cpu', torch.float64), counts))
    assert reference.spikes.sum() > 0
