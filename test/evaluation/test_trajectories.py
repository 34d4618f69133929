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

"""One run of every image answers what any confidence threshold would have decided."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from random_models import random_model

from snn_perception.backends import create_simulator
from snn_perception.datasets import Dataset
from snn_perception.evaluation.accuracy import batches, evaluate
from snn_perception.evaluation.trajectories import (
    OperatingPoint,
    Trajectories,
    pareto_front,
    record,
    times_of,
)
from snn_perception.model import Model
from snn_perception.readout import Readout

# The interval divides neither the time after the start nor the whole.
READOUT = Readout(0.05, start_time=0.012, decision_interval=0.009, temperature=3.0)


def random_dataset(model: Model, count: int = 30) -> Dataset:
    random = np.random.default_rng(2)
    # Each channel as bright as it likes, so that the answers differ.
    brightest = random.integers(1, 256, (count, 1, 1, model.network.input_shape[2]))
    shape = (count, *model.network.input_shape)
    images = random.integers(0, brightest, shape).astype(np.uint8)
    labels = random.integers(0, model.network.classes, count)
    return Dataset(images, labels, model.labels)


def run(readout: Readout = READOUT, backend: str = 'event') -> tuple[Trajectories, Dataset]:
    model = replace(random_model(seed=7), readout=readout)
    dataset = random_dataset(model)
    rates = create_simulator(model, 'rate')
    return record(create_simulator(model, backend), rates, dataset), dataset


def with_threshold(model: Model, threshold: float) -> Model:
    return replace(model, readout=replace(model.readout, confidence_threshold=threshold))


@pytest.mark.parametrize('backend', ['event', 'torch', 'reference'])
@pytest.mark.parametrize('own', [1.0, 0.9])
def test_decisions_at_a_threshold_are_those_of_the_simulator_with_it(backend, own):
    trajectories, dataset = run(replace(READOUT, confidence_threshold=own), backend)
    model = trajectories.simulator.model
    checks = set()
    for threshold in (0.01, 0.45, 0.55, 0.65, 0.99):
        simulator = create_simulator(with_threshold(model, threshold), backend)
        [inputs] = batches(simulator, dataset)
        expected = simulator.classify_batch(inputs)
        decisions = trajectories.evaluation(threshold).decisions
        for ours, theirs in zip(decisions, expected, strict=True):
            assert (ours.label, ours.score) == (theirs.label, theirs.score)
            assert ours.simulated_time == theirs.simulated_time
            assert ours.firing_rate == theirs.firing_rate
            assert ours.stopped_by == theirs.stopped_by
            for field in ('spikes', 'synaptic_operations', 'neuron_updates'):
                counts = getattr(ours.activity, field), getattr(theirs.activity, field)
                np.testing.assert_array_equal(*counts)
        checks |= {decision.simulated_time for decision in expected}
    # Otherwise the thresholds above are no test.
    assert len(checks) > 2


def test_a_threshold_of_one_waits_for_the_end():
    trajectories, dataset = run()
    model = trajectories.simulator.model
    expected = evaluate(trajectories.simulator, create_simulator(model, 'rate'), dataset)
    ours = trajectories.evaluation(1.0)
    assert {decision.simulated_time for decision in ours.decisions} == {0.05}
    np.testing.assert_array_equal(ours.answers, expected.answers)
    np.testing.assert_array_equal(ours.rate_answers, expected.rate_answers)
    for field in ('spikes', 'synaptic_operations', 'neuron_updates'):
        np.testing.assert_array_equal(ours.per_layer(field), expected.per_layer(field))


@pytest.mark.parametrize('threshold', [0.3, 0.7, 1.0])
def test_an_operating_point_is_the_mean_of_its_decisions(threshold):
    trajectories, _ = run()
    point = trajectories.operating_point(threshold)
    summary = trajectories.evaluation(threshold).summary()
    assert point.accuracy == pytest.approx(summary['accuracy'])
    assert point.simulated_time == pytest.approx(summary['simulated_time_s'])
    assert point.operations == pytest.approx(summary['synaptic_operations'])


def test_operating_points_reach_from_the_first_look_to_the_end():
    trajectories, _ = run()
    points = trajectories.operating_points()
    assert points[0].simulated_time == pytest.approx(0.021)
    assert points[-1].simulated_time == pytest.approx(0.05)
    times = [point.simulated_time for point in points]
    assert times == sorted(times)


def test_answers_over_time_agree_with_the_looks():
    trajectories, dataset = run()
    times = times_of(trajectories.simulator.model)
    assert (times[0], times[-1]) == pytest.approx((0.013, 0.05))
    assert trajectories.answers.shape == (len(dataset), len(times))
    at_looks = trajectories.answers[:, trajectories.steps - 13]
    np.testing.assert_array_equal(at_looks, trajectories.scores.argmax(axis=2))
    final = trajectories.operating_point(1.0).accuracy
    assert trajectories.accuracy_over_time[-1] == pytest.approx(final)


def point(operations: float, accuracy: float) -> OperatingPoint:
    return OperatingPoint(0.5, accuracy, 0.01, operations)


def test_the_front_holds_what_nothing_beats():
    best = [point(1, 0.5), point(3, 0.8), point(9, 0.9)]
    beaten = [point(1, 0.4), point(2, 0.5), point(4, 0.7), point(10, 0.9)]
    assert pareto_front([beaten[2], *best[::-1], *beaten]) == best


def test_the_front_of_a_network_rises():
    trajectories, _ = run()
    points = trajectories.operating_points()
    front = pareto_front(points)
    assert 1 < len(front) < len(points)
    for cheaper, dearer in pairwise(front):
        assert cheaper.operations < dearer.operations
        assert cheaper.accuracy < dearer.accuracy
    for each in points:
        assert any(
            better.operations <= each.operations and better.accuracy >= each.accuracy
            for better in front
        )
