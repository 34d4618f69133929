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

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from random_models import random_model
from tiny_training import tiny_dataset

from snn_perception import create_simulator
from snn_perception.datasets import Dataset
from snn_perception.evaluation.accuracy import evaluate
from snn_perception.evaluation.trajectories import record
from snn_perception.evaluation.unfamiliar import unknown_scores
from snn_perception.layers import Convolution, Dense
from snn_perception.model import Model
from snn_perception.readout import Readout
from snn_perception.training import knowing
from snn_perception.training.knowing import (
    choose_directions,
    evened,
    fit,
    group_means,
    learn,
    likeness,
    probe,
)
from snn_perception.unknown import Unknown, cosine, unit

LAYERS = (Convolution(6, 3, padding=1), Dense(20), Dense(4))


def some_model(threshold: float = 0.8):
    """A random network for `tiny_dataset`, whose decisions come at different times."""
    model = random_model(input_shape=(8, 8, 1), layers=LAYERS)
    return dataclasses.replace(model, readout=Readout(0.04, 0.01, 0.005, threshold))


def learned_from(dataset: Dataset, labelled: bool = True, model: Model | None = None):
    model = model or some_model()
    rates = create_simulator(some_model(), 'rate')
    some = dataset.subset(np.arange(60) % len(dataset))
    return learn(model, rates, some, dataset, 'reference', are_labelled=labelled)


@pytest.mark.parametrize('labelled', [True, False])
def test_the_threshold_keeps_95_percent_of_the_images_that_it_was_fitted_to(labelled):
    dataset = tiny_dataset(80)
    model = learned_from(dataset, labelled)
    evaluation = evaluate(create_simulator(model, 'reference'), None, dataset)
    scores = unknown_scores(evaluation.decisions)
    assert len({decision.simulated_time for decision in evaluation.decisions}) > 1
    assert 0.95 <= (scores <= 1 + 1e-6).mean() < 0.99
    assert np.median(scores) == pytest.approx(0, abs=0.02)


def test_a_model_that_has_learned_gives_the_answers_that_it_gave_before():
    dataset = tiny_dataset(20)
    before, after = (
        evaluate(create_simulator(model, 'reference'), None, dataset)
        for model in (some_model(), learned_from(dataset))
    )
    for one, other in zip(before.decisions, after.decisions, strict=True):
        assert np.array_equal(one.scores, other.scores)
        assert one.simulated_time == other.simulated_time


def test_learning_again_changes_nothing():
    dataset = tiny_dataset(40)
    once = learned_from(dataset)
    again = learned_from(dataset, model=once)
    assert again.unknown.section == once.unknown.section
    assert np.array_equal(again.weights[-1].kernel, once.weights[-1].kernel)


@given(st.integers(0, 1000))
def test_few_directions_keep_the_lengths_of_many(seed):
    random = np.random.default_rng(seed)
    # Known images lie in few directions; others have a part in all of them.
    known = random.normal(size=(100, 10)) @ random.normal(size=(10, 400))
    directions = choose_directions(known, 4)
    assert directions.shape == (400, 192)
    lengths = np.linalg.norm(known @ directions, axis=1)
    assert lengths == pytest.approx(np.linalg.norm(known, axis=1), rel=1e-4)
    others = random.normal(size=(300, 400))
    lengths = np.linalg.norm(others @ directions, axis=1)
    assert lengths.mean() == pytest.approx(np.sqrt(400), rel=0.12)


def test_what_known_images_of_a_group_differ_in_anyway_makes_an_image_less_strange():
    random = np.random.default_rng(0)
    labels = np.repeat(np.arange(2), 200)
    # Two groups, along the first two axes, that differ in the third and hardly in the others.
    usual = np.array([0.02, 0.02, 0.5, *[0.02] * 17])
    known = np.eye(20)[labels] + random.normal(0, usual, (400, 20))
    directions = evened(unit(known), labels)
    means = group_means(unit(known @ directions), labels)
    familiar, strange = np.eye(20)[0] + 0.5 * np.eye(20)[[2, 10]]
    cosines = cosine(np.stack([familiar, strange]) @ directions, means)
    assert cosines[0] > cosines[1] + 0.05


def test_where_images_of_a_group_do_not_differ_lengths_and_angles_are_kept():
    known = unit(np.repeat(np.random.default_rng(1).normal(size=(3, 8)), 5, axis=0))
    directions = evened(known, np.repeat(np.arange(3), 5))
    assert directions @ directions.T == pytest.approx(np.eye(8))


def test_few_measured_values_are_all_directions():
    known = np.random.default_rng(1).normal(size=(30, 40))
    assert np.array_equal(choose_directions(known, 10), np.eye(40))


def test_what_points_the_same_way_is_a_group():
    random = np.random.default_rng(0)
    ways = np.repeat(np.arange(3), 20)
    points = unit(np.eye(3)[ways] + random.normal(0, 0.05, (60, 3)))
    groups = likeness(points, 3)
    assert len(np.unique(groups)) == 3
    for way in range(3):
        assert len(np.unique(groups[ways == way])) == 1


def test_very_many_values_are_measured_as_sums_that_keep_their_lengths(monkeypatch):
    monkeypatch.setattr(knowing, 'MOST_FEATURES', 16)
    model = random_model(input_shape=(8, 8, 1), layers=(Convolution(6, 3, padding=1), Dense(4)))
    probing, basis = probe(model)
    assert (basis.shape, probing.network.classes) == ((384, 16), 4 + 16)
    random = np.random.default_rng(2)
    lengths = np.linalg.norm(random.normal(size=(400, 384)) @ basis, axis=1)
    assert lengths.mean() == pytest.approx(np.sqrt(384), rel=0.15)


def test_images_that_are_all_alike_have_a_threshold_too():
    dataset = tiny_dataset(8)
    same = dataclasses.replace(dataset, images=np.repeat(dataset.images[:1], 8, axis=0))
    probing, _ = probe(some_model())
    simulator, rates = create_simulator(probing, 'reference'), create_simulator(probing, 'rate')
    trajectories = record(simulator, rates, same)
    unknown, _ = fit(trajectories.directions[:, -1], same.labels, trajectories)
    assert unknown.section.threshold > unknown.section.typical


def test_scores_of_known_images_spread_as_much_after_a_short_time_as_after_a_long_one():
    dataset = tiny_dataset(80)
    probing, _ = probe(some_model())
    simulator, rates = create_simulator(probing, 'reference'), create_simulator(probing, 'rate')
    trajectories = record(simulator, rates, dataset)
    unknown, directions = fit(trajectories.directions[:, -1], dataset.labels, trajectories)
    without = dataclasses.replace(unknown.section, spread=0.0)
    ratios = []
    for section in (unknown.section, without):
        scores = Unknown(section, unknown.means).score(
            trajectories.evidence, trajectories.directions @ directions, trajectories.durations
        )
        deviations = scores.std(axis=0)
        ratios.append(deviations[0] / deviations[-1])
    assert abs(ratios[0] - 1) < abs(ratios[1] - 1)
