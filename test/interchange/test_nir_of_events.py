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

"""Networks that hear events, in NIR: its Input of two channels carries their spikes."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from random_models import event_model, random_events

from snn_perception import create_simulator, load_model
from snn_perception.events.shaping import EventShaping
from snn_perception.layers import AveragePooling, Convolution, Dense, Identity, Sum
from snn_perception.neurons import LIF

pytest.importorskip('nir')
from snn_perception.interchange.nir_files import write_graph
from snn_perception.interchange.nir_reading import read_model
from snn_perception.interchange.nir_writing import lost, to_graph
from snn_perception.interchange.timing import Timing

CHAIN = (Convolution(6, 3, 2, 1), AveragePooling(2), Dense(12), Dense(3))
GRAPH = (
    Convolution(2, 3, padding=1, name='first'),
    Sum((Identity(0.05, source='input'), Convolution(2, 3, padding=1)), name='second'),
    Sum((Dense(3), Dense(3, source='input'), Dense(3, source='first'))),
)


def written(model, step, folder):
    path = folder / 'model.nir'
    write_graph(to_graph(model, Timing(step)), path)
    return path


@pytest.mark.parametrize('layers', [CHAIN, GRAPH, (Dense(3),)])
@pytest.mark.parametrize('step', [0.0, 0.001])
def test_an_exported_model_of_events_comes_back_bit_for_bit(tmp_path, layers, step):
    model = event_model(layers=layers)
    back = load_model(written(model, step, tmp_path))
    assert back.network == model.network
    assert back.input == model.input
    for mine, theirs in zip(model.weights, back.weights, strict=True):
        assert np.array_equal(mine.bias, theirs.bias)
        for kernel, other in zip(mine.kernels, theirs.kernels, strict=True):
            assert np.array_equal(kernel, other)


@pytest.mark.parametrize('layers', [CHAIN, GRAPH])
@pytest.mark.parametrize('step', [0.0, 0.001])
def test_an_input_of_two_channels_is_events_without_metadata_too(tmp_path, layers, step):
    model = event_model(layers=layers)
    back = read_model(written(model, step, tmp_path), step, use_metadata=False)
    assert back.network.hears_events
    assert back.input == EventShaping(model.network.input_shape)
    bare = dataclasses.replace(model.network, neuron=LIF(model.network.neuron.tau_rc, 0.0))
    counts = random_events(model, 60, 2, bursts=0)
    found, expected = (
        (simulator := create_simulator(each, 'reference')).run(simulator.reset(2), counts, 60)
        for each in (back, dataclasses.replace(model, network=bare))
    )
    assert np.array_equal(found.spikes, expected.spikes)
    assert np.array_equal(found.synaptic_operations, expected.synaptic_operations)
    assert np.allclose(found.outputs, expected.outputs, atol=1e-3)


def test_what_becomes_of_events_elsewhere_is_said_in_words():
    said = lost(event_model(), Timing(0.001))
    assert 'events of a sensor, channels off and on' in said['preprocessing']
    assert 'image' not in said
