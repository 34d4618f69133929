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

"""Images are shown with the decisions on them."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import colour_model
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from random_models import random_model

from snn_perception.backends import create_simulator
from snn_perception.datasets import Dataset
from snn_perception.evaluation import robustness
from snn_perception.evaluation.accuracy import Evaluation, evaluate
from snn_perception.evaluation.raster import Raster
from snn_perception.evaluation.trajectories import times_of
from snn_perception.layers import Convolution, Dense
from snn_perception.model import Model
from snn_perception.readout import Readout
from snn_perception.reporting.image_pictures import MOST_SCORES, damaged, examples, raster
from snn_perception.reporting.looks import look_of
from snn_perception.sentences import shortened

MODEL = colour_model.build()
SIMULATORS = create_simulator(MODEL, 'reference'), create_simulator(MODEL, 'rate')


def dataset(*labels: int) -> Dataset:
    """Red, green and blue, with these `labels`."""
    size = colour_model.SIZE
    images = [colour_model.image(name, size, size) for name in colour_model.LABELS]
    return Dataset(np.stack(images), np.array(labels), colour_model.LABELS)


def shown(data: Dataset) -> tuple[list[Axes], Evaluation]:
    evaluation = evaluate(*SIMULATORS, data)
    figure = examples(look_of(data, MODEL), MODEL, evaluation)
    return [axes for axes in figure.axes if axes.images], evaluation


def test_right_answers_have_a_tick_and_wrong_ones_the_truth():
    axes, _ = shown(dataset(0, 1, 0))
    assert [each.get_title() for each in axes] == ['✓ red', '✓ green', '✗ blue\nis red']
    right, _, wrong = (each.title.get_color() for each in axes)
    assert right != wrong


def test_below_an_example_are_score_time_and_energy():
    axes, evaluation = shown(dataset(0, 1, 2))
    for each, decision in zip(axes, evaluation.decisions, strict=True):
        score, cost = each.texts[0].get_text().splitlines()
        assert score == f'{100 * decision.score:.1f} %'
        assert cost.startswith('30 ms, ')
        assert cost.endswith('J')


def long_raster(layers: int, model: Model) -> Figure:
    """Of a model with one neuron a layer, each of which spikes in every step."""
    steps = round(model.presentation_time / model.dt)
    spikes = (np.ones((steps, 1), bool),) * layers
    scores = np.full((len(times_of(model)), len(model.labels)), 1 / len(model.labels), np.float32)
    record = Raster(spikes, np.ones((steps, layers), np.int64), scores)
    image = np.zeros((*model.network.input_shape,), np.uint8)
    decision = create_simulator(model, 'reference').classify(image)
    return raster(model, record, image, decision)


@pytest.mark.parametrize('layers', [2, 27])
def test_spikes_of_any_number_of_layers_fit_on_a_screen(layers: int) -> None:
    model = random_model(layers=(*(Convolution(1, 1),) * layers, Dense(3)))
    figure = long_raster(layers, model)
    assert figure.get_figheight() < 16
    labels = [axes.get_ylabel() for axes in figure.axes[1:-1]]
    assert len(labels) == layers
    assert all(label.endswith(' Hz') for label in labels)
    figure.draw_without_rendering()
    bottoms = [axes.yaxis.label.get_window_extent() for axes in figure.axes[1:-1]]
    assert all(above.y0 > below.y1 for above, below in pairwise(bottoms))


def test_the_only_scores_of_a_model_that_decides_at_the_end_can_be_seen() -> None:
    model = random_model(layers=(Convolution(1, 1), Dense(40)))
    model = replace(model, readout=Readout(0.05, start_time=0.05 - model.dt))
    lines = long_raster(1, model).axes[-1].get_lines()[:-1]
    assert len(lines) == MOST_SCORES
    assert {line.get_marker() for line in lines} == {'o'}


def test_of_a_long_label_the_first_name_is_enough() -> None:
    assert shortened('tench, Tinca tinca', 30) == 'tench, Tinca tinca'
    assert shortened('tench, Tinca tinca', 14) == 'tench'
    assert shortened('English springer, English springer spaniel', 14) == 'English sprin…'


def test_one_image_is_shown_in_every_condition():
    conditions = robustness.measure(*SIMULATORS, dataset(1, 0, 2))
    figure = damaged(MODEL, conditions)
    assert figure.axes[-1].texts[0].get_text() == 'true class\nblue'
    axes = [each for each in figure.axes if each.images]
    assert len(axes) == len(conditions)
    for each, condition in zip(axes, conditions, strict=True):
        assert each.get_title() == condition.name
        np.testing.assert_array_equal(each.images[0].get_array(), condition.example)
        decision = condition.evaluation.decisions[2]
        sign = '✓' if decision.label == 'blue' else '✗'
        expected = f'{sign} {decision.label}\n{100 * decision.score:.0f} %'
        assert each.texts[0].get_text() == expected
