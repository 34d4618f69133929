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

import time

import numpy as np
import pytest
from random_models import random_model

from snn_perception.backends.reference import ReferenceSimulator
from snn_perception.datasets import Dataset
from snn_perception.evaluation import accuracy
from snn_perception.evaluation.accuracy import Evaluation, batches, evaluate
from snn_perception.layers import Convolution, Dense

FIRST_RUN = 2.0
"""Seconds."""


class SlowAtFirst(ReferenceSimulator):
    """An engine that has to compile before its first run."""

    is_compiled = False

    def advance(self, memory, images, steps):
        if not self.is_compiled:
            time.sleep(FIRST_RUN)
            self.is_compiled = True
        return super().advance(memory, images, steps)


def test_the_time_of_an_image_is_without_what_the_first_run_compiles():
    model = random_model()
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (4, *model.network.input_shape), np.uint8)
    dataset = Dataset(images, np.zeros(4, np.int64), model.labels)
    figures = evaluate(SlowAtFirst(model), ReferenceSimulator(model), dataset).summary()
    assert 0 < figures['ms_per_image'] < 1000 * FIRST_RUN / 4
    assert figures['images'] == 4


def many_classes(scores: list[list[float]], labels: list[int]) -> Evaluation:
    """An evaluation of a network of seven classes with these scores of each image."""
    simulator = ReferenceSimulator(random_model(layers=(Convolution(3, 3), Dense(7))))
    layers = len(simulator.model.network.populations)
    counts = np.full((3, layers), 50)
    decisions = [
        simulator.decision(np.array(each, np.float32), 10, counts, 'time') for each in scores
    ]
    answers = np.array([decision.scores.argmax() for decision in decisions])
    return Evaluation(decisions, np.array(labels), answers, None, simulator.model, 1.0)


def test_among_the_best_five_is_a_class_that_four_others_beat() -> None:
    falling = [0.4, 0.2, 0.15, 0.1, 0.08, 0.05, 0.02]
    evaluation = many_classes([falling] * 4, [0, 4, 5, 6])
    figures = evaluation.summary()
    assert (figures['accuracy'], figures['top5_accuracy']) == (0.25, 0.5)
    assert evaluation.accuracy_among(1) == evaluation.accuracy
    assert evaluation.accuracy_among(7) == 1


def test_a_network_to_which_all_classes_are_alike_is_not_right() -> None:
    evaluation = many_classes([[1 / 7] * 7] * 7, list(range(7)))
    assert evaluation.accuracy_among(5) == 5 / 7
    assert evaluation.accuracy_among(1) == evaluation.accuracy == 1 / 7


def test_of_few_classes_the_best_five_say_nothing() -> None:
    model = random_model()
    dataset = Dataset(
        np.zeros((1, *model.network.input_shape), np.uint8), np.zeros(1, np.int64), model.labels
    )
    assert 'top5_accuracy' not in evaluate(ReferenceSimulator(model), None, dataset).summary()


def test_work_is_also_told_per_operation_of_a_pass_without_spikes() -> None:
    evaluation = many_classes([[0.4] + [0.1] * 6] * 2, [0, 1])
    macs = evaluation.model.network.macs
    assert evaluation.summary()['synaptic_operations_per_mac'] == 2 * 50 / macs


@pytest.mark.parametrize(('most', 'sizes'), [(10**9, [6]), (4, [4, 2]), (0.5, [1] * 6)])
def test_large_networks_are_shown_fewer_images_at_once(monkeypatch, most, sizes) -> None:
    model = random_model()
    random = np.random.default_rng(0)
    images = random.integers(0, 256, (6, *model.network.input_shape), np.uint8)
    dataset = Dataset(images, np.zeros(6, np.int64), model.labels)
    simulator = ReferenceSimulator(model)
    [whole] = batches(simulator, dataset)
    monkeypatch.setattr(accuracy, 'MOST_NEURONS', most * model.network.neurons)
    parts = list(batches(simulator, dataset))
    assert [len(part) for part in parts] == sizes
    np.testing.assert_array_equal(np.concatenate(parts), whole)
