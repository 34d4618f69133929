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

from dataclasses import replace

import numpy as np
import pytest
from random_models import random_images, random_model

from snn_perception.backends import create_simulator
from snn_perception.evaluation.raster import record_raster
from snn_perception.readout import Readout


def test_the_spikes_are_those_that_the_engine_counts():
    model = random_model()
    image = random_images(model, 1)
    simulator = create_simulator(model, 'reference')
    activity = simulator.run(simulator.reset(), image, 50)
    record = record_raster(model, image[0], sample=10_000)
    np.testing.assert_array_equal(record.counts.sum(axis=0), activity.spikes[0, :-1])
    for layer, spikes in enumerate(record.spikes):
        assert spikes.shape == (50, model.network.populations[layer].neurons)
        np.testing.assert_array_equal(spikes.sum(axis=1), record.counts[:, layer])
    assert record.counts.sum() > 0


def test_no_neuron_spikes_within_its_refractory_period():
    model = random_model(drive=20)
    neuron = replace(model.network.neuron, tau_ref=0.0035)
    model = replace(model, network=replace(model.network, neuron=neuron))
    record = record_raster(model, random_images(model, 1)[0], sample=10_000)
    for spikes in record.spikes:
        intervals = [np.diff(np.flatnonzero(train)) for train in spikes.T]
        assert np.concatenate(intervals).min() >= 3


def test_a_sample_is_part_of_the_layer_and_always_the_same():
    model = random_model()
    image = random_images(model, 1)[0]
    first, second = (record_raster(model, image, sample=5) for _ in range(2))
    for ours, again in zip(first.spikes, second.spikes, strict=True):
        assert ours.shape == (50, 5)
        np.testing.assert_array_equal(ours, again)


def test_the_last_scores_are_those_of_the_decision():
    model = replace(random_model(), readout=Readout(0.05, start_time=0.012))
    image = random_images(model, 1)
    [decision] = create_simulator(model, 'reference').classify_batch(image)
    record = record_raster(model, image[0])
    assert record.scores.shape == (38, 3)
    assert record.scores[-1] == pytest.approx(decision.scores, rel=1e-4)
