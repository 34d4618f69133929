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

"""Scores that mean what they say, and a threshold that costs no more than it may."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from random_models import random_model

from snn_perception.backends import create_simulator
from snn_perception.evaluation.trajectories import Trajectories
from snn_perception.readout import Readout
from snn_perception.training.calibration import calibrate, fit_temperature

CHECKS = 8


@pytest.fixture(scope='module')
def trajectories() -> Trajectories:
    """Evidence of 4,000 images that grows: signal and noise as of independent outputs."""
    random = np.random.default_rng(0)
    readout = Readout(0.05, start_time=0.01, decision_interval=0.005)
    model = replace(random_model(), readout=readout)
    classes, images = model.network.classes, 4000
    labels = random.integers(0, classes, images)
    strength = random.exponential(1.0, (images, 1, 1))
    outputs = random.normal(0, 5, (images, CHECKS, classes))
    outputs += strength * 4 * np.eye(classes)[labels][:, None]
    checks = np.arange(1, CHECKS + 1)
    evidence = outputs.cumsum(axis=1) / checks[:, None]
    counts = np.zeros((images, CHECKS, 3, len(model.network.populations)), np.int64)
    counts += checks[:, None, None]
    answers = evidence.argmax(axis=2).repeat(5, axis=1).astype(np.uint16)
    steps = 10 + 5 * checks
    simulator = create_simulator(model, 'reference')
    further = np.zeros((*evidence.shape[:2], 0))
    return Trajectories(
        simulator, readout, labels, labels, steps, evidence, counts, answers, further
    )


def test_confidence_equals_accuracy_at_every_check_after_the_fit(trajectories):
    fitted = replace(trajectories, readout=fit_temperature(trajectories))
    for before, after, labels in zip(
        trajectories.scores.swapaxes(0, 1),
        fitted.scores.swapaxes(0, 1),
        [trajectories.labels] * CHECKS,
        strict=True,
    ):
        accuracy = (after.argmax(axis=1) == labels).mean()
        assert after.max(axis=1).mean() == pytest.approx(accuracy, abs=0.04)
        assert abs(before.max(axis=1).mean() - accuracy) > 0.05


def test_the_fit_does_not_depend_on_the_scale_of_the_outputs(trajectories):
    scaled = replace(trajectories, evidence=100 * trajectories.evidence)
    once, again = fit_temperature(trajectories), fit_temperature(scaled)
    assert again.temperature == pytest.approx(100 * once.temperature, rel=0.02)
    assert again.settling_time == pytest.approx(once.settling_time, rel=0.05)


def test_answers_that_are_all_right_give_a_readout_that_can_be_used(trajectories):
    sure = np.eye(trajectories.evidence.shape[2])[trajectories.labels][:, None]
    readout = calibrate(replace(trajectories, evidence=sure.repeat(CHECKS, axis=1)), 0.0)
    assert readout.temperature > 0


def test_a_settling_time_that_cannot_be_too_long_spoils_no_temperature(trajectories):
    """What is wrong at first and right in the end, each the more the later it is seen."""
    right = np.linspace(-0.5, 2.0, CHECKS)[:, None]
    classes = np.eye(trajectories.evidence.shape[2])[trajectories.labels]
    few = replace(trajectories, evidence=1e-3 * right * classes[:, None])

    def cross_entropy(readout):
        scores = readout.scores(few.evidence, few.durations)
        return -np.log((scores * classes[:, None]).sum(axis=2)).mean()

    without = [Readout(0.05, temperature=value) for value in np.geomspace(1e-5, 1e-1, 100)]
    assert cross_entropy(fit_temperature(few)) <= min(map(cross_entropy, without))


@pytest.mark.parametrize('cost', [0.0, 0.001, 0.02])
def test_the_threshold_is_the_lowest_from_which_on_none_costs_more(trajectories, cost):
    readout = calibrate(trajectories, cost)
    fitted = replace(trajectories, readout=readout)
    points = fitted.operating_points(200)
    enough = points[-1].accuracy - cost - 1e-9
    higher = [point for point in points if point.threshold >= readout.confidence_threshold]
    assert min(point.accuracy for point in higher) >= enough
    [*_, next_lower] = [p for p in points if p.threshold < readout.confidence_threshold]
    assert next_lower.accuracy < enough


def test_a_threshold_that_is_good_by_luck_is_not_taken(trajectories):
    """All at their first check are right, as chance may have it, but wrong at the next ones."""
    lucky = trajectories.evidence.copy()
    classes = np.eye(lucky.shape[2])[trajectories.labels]
    lucky[:, 0] = 10 * classes
    lucky[:, 1:3] = 10 * np.roll(classes, 1, axis=1)[:, None]
    readout = calibrate(replace(trajectories, evidence=lucky), 0.0)
    fitted = replace(trajectories, evidence=lucky, readout=readout)
    assert fitted.operating_point(0.01).accuracy == 1.0
    point = fitted.operating_point(readout.confidence_threshold)
    assert point.simulated_time > fitted.steps[2] * 0.001


def test_a_higher_cost_decides_sooner(trajectories):
    readouts = [calibrate(trajectories, cost) for cost in (0.0, 0.02)]
    fitted = [replace(trajectories, readout=readout) for readout in readouts]
    late, soon = (each.operating_point(each.readout.confidence_threshold) for each in fitted)
    assert soon.simulated_time < 0.8 * late.simulated_time


def test_where_the_only_check_is_the_last_there_is_no_threshold(trajectories):
    once = replace(
        trajectories,
        steps=trajectories.steps[-1:],
        evidence=trajectories.evidence[:, -1:],
        counts=trajectories.counts[:, -1:],
    )
    assert calibrate(once, 0.01).confidence_threshold == 1
    assert calibrate(trajectories, 0.01).confidence_threshold < 1
