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

"""Measuring a model on recordings of events."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np
import pytest
from random_models import event_model, random_events

from snn_perception.backends import create_simulator
from snn_perception.evaluation import accuracy, agreement, trajectories
from snn_perception.evaluation.raster import record_raster
from snn_perception.readout import Readout

STEPS = 40


@dataclass(frozen=True)
class InMemory:
    """Recordings as counts (steps, count, height, width, 2) that are there already."""

    everything: np.ndarray
    labels: np.ndarray

    def __len__(self):
        return len(self.labels)

    def counts(self, indices, shaping, dt, steps):
        assert shaping.shape == self.everything.shape[2:]
        assert dt == 0.001
        return self.everything[:steps, indices]


@pytest.fixture(scope='module')
def model():
    readout = Readout(STEPS / 1000, 0.01, 0.005, 0.6, 0.5)
    return dataclasses.replace(event_model(3), readout=readout)


@pytest.fixture(scope='module')
def recordings(model):
    labels = np.random.default_rng(0).integers(0, 3, 7)
    return InMemory(random_events(model, STEPS + 10, 7, rate=20.0), labels)


def test_evaluation_on_recordings_is_that_of_each_one_alone(model, recordings):
    simulator = create_simulator(model, 'event')
    rates = create_simulator(model, 'rate', 'cpu')
    found = accuracy.evaluate(simulator, rates, recordings)
    for index, decision in enumerate(found.decisions):
        alone = simulator.classify_events(recordings.everything[:, index])
        assert decision.label == alone.label
        assert decision.simulated_time == alone.simulated_time
        assert np.array_equal(decision.activity.spikes, alone.activity.spikes)
        state = rates.reset()
        outputs = rates.run(state, recordings.everything[:STEPS, index : index + 1], STEPS).outputs
        assert found.rate_answers[index] == outputs[-1, 0].argmax()
    assert found.summary()['images'] == 7
    assert all(decision.macs == 0 for decision in found.decisions)


def test_batches_of_events_are_as_long_as_the_presentation_and_not_too_large(
    model, recordings, monkeypatch
):
    simulator = create_simulator(model, 'reference')
    monkeypatch.setattr(accuracy, 'MOST_COUNTS', 3 * STEPS * 9 * 8 * 2)
    parts = list(accuracy.batches(simulator, recordings))
    assert [part.shape[:2] for part in parts] == [(STEPS, 3), (STEPS, 3), (STEPS, 1)]
    assert np.array_equal(np.concatenate(parts, axis=1), recordings.everything[:STEPS])


def test_trajectories_of_recordings_stop_where_decisions_fall(model, recordings):
    simulator = create_simulator(model, 'event')
    rates = create_simulator(model, 'rate', 'cpu')
    recorded = trajectories.record(simulator, rates, recordings)
    found = recorded.evaluation(model.readout.confidence_threshold)
    expected = accuracy.evaluate(simulator, rates, recordings)
    assert [each.simulated_time for each in found.decisions] == [
        each.simulated_time for each in expected.decisions
    ]
    assert np.array_equal(found.answers, expected.answers)
    assert np.array_equal(found.rate_answers, expected.rate_answers)


def test_spikes_of_recordings_are_compared_with_rates_and_drawn(model, recordings):
    counts = recordings.everything[:STEPS]
    rates = agreement.spiking_rates(model, counts)
    simulator = create_simulator(model, 'reference')
    state, spikes = simulator.reset(7), []
    for step in range(STEPS):
        spikes.append(simulator.run(state, counts[step : step + 1], 1).spikes)
    for layer, rate in enumerate(rates):
        late = np.sum(spikes[10:], axis=0)[:, layer]
        assert np.allclose(rate.sum(axis=(1, 2, 3)) * 0.03, late)
    assert len(agreement.spikes_with_rates(model, counts)) == len(rates)
    raster = record_raster(model, counts[:, 2])
    assert np.array_equal(raster.counts, np.stack(spikes)[:, 2, :-1])
