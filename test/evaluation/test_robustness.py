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

"""Every row of the table of damage is an evaluation of it, and they have one mean."""

from __future__ import annotations

from dataclasses import replace

import colour_model
import numpy as np
import pytest

from snn_perception.backends import Simulator, create_simulator
from snn_perception.datasets import Dataset
from snn_perception.evaluation import robustness
from snn_perception.evaluation.accuracy import evaluate
from snn_perception.evaluation.damage import KINDS, Damage, damage_images, every_kind, parse
from snn_perception.evaluation.robustness import Condition, chosen_of, damaged, summary
from snn_perception.reporting.result_tables import damage_table
from snn_perception.reporting.tables import markdown


def colours(*names: str) -> Dataset:
    """Images of these colours with right labels."""
    size = colour_model.SIZE
    images = np.stack([colour_model.image(name, size, size) for name in names])
    labels = np.array([colour_model.LABELS.index(name) for name in names])
    return Dataset(images, labels, colour_model.LABELS)


def simulators() -> tuple[Simulator, Simulator]:
    model = colour_model.build()
    return create_simulator(model, 'reference'), create_simulator(model, 'rate')


def test_a_condition_is_the_evaluation_of_its_damage():
    dataset = colours('blue', 'red', 'green', 'blue')
    conditions = robustness.measure(*simulators(), dataset)
    assert [condition.damage for condition in conditions] == [None, *every_kind(3, 3)]
    for condition in conditions:
        images = dataset.images
        if condition.damage:
            images = damage_images(images, condition.damage.kind, 3)
        expected = evaluate(*simulators(), replace(dataset, images=images))
        ours = condition.evaluation
        for one, other in zip(ours.decisions, expected.decisions, strict=True):
            np.testing.assert_array_equal(one.scores, other.scores)
        np.testing.assert_array_equal(ours.rate_answers, expected.rate_answers)
        np.testing.assert_array_equal(condition.example, images[condition.index])
        assert condition.figures == chosen_of(expected.summary())


def test_all_conditions_share_the_images_and_there_are_not_too_many(monkeypatch):
    monkeypatch.setattr(robustness, 'IMAGES', 5)
    dataset = colours(*(('red', 'green', 'blue') * 4))
    first, second = (robustness.measure(*simulators(), dataset) for _ in range(2))
    labels = [condition.evaluation.labels.tolist() for condition in (*first, *second)]
    assert all(each == labels[0] for each in labels)
    assert len(labels[0]) == 5


def test_the_example_is_one_that_is_read_rightly():
    dataset = colours('red', 'green', 'blue')
    mislabelled = Dataset(dataset.images, np.array([1, 0, 2]), dataset.class_names)
    conditions = robustness.measure(*simulators(), mislabelled)
    assert {condition.index for condition in conditions} == {2}


def test_damaged_data_are_the_same_but_for_their_pixels():
    dataset = replace(colours('red', 'blue'), part='validation', unreadable=2)
    assert damaged(dataset, None) is dataset
    dark = damaged(dataset, Damage('darkness', 2))
    np.testing.assert_array_equal(dark.images, damage_images(dataset.images, 'darkness', 2))
    assert dark.labels is dataset.labels
    assert (dark.class_names, dark.part, dark.unreadable) == (dataset.class_names, 'validation', 2)


def test_the_mean_is_over_the_kinds():
    found = {
        Damage('fog', 1): {'accuracy': 0.5, 'rate_accuracy': 0.75, 'simulated_time_s': 1.0},
        Damage('snow', 2): {'accuracy': 1.0, 'rate_accuracy': 0.25, 'simulated_time_s': 2.0},
    }
    figures = summary(found)
    assert list(figures['damage']) == ['fog:1', 'snow:2']
    assert figures['damage']['snow:2'] == found[Damage('snow', 2)]
    assert (figures['damage_accuracy'], figures['damage_rate_accuracy']) == (0.75, 0.5)


def test_damage_is_named_by_kind_and_severity_and_all_is_every_kind():
    assert parse('fog:3') == [Damage('fog', 3)]
    assert parse('all:5') == [Damage(kind, 5) for kind in KINDS]
    # What has no colour cannot have more or less of it.
    assert {each.kind for each in parse('all:5', 1)} == set(KINDS) - {'saturate'}


@pytest.mark.parametrize(
    ('text', 'said'),
    [
        ('fog', "damage must be KIND:SEVERITY with a severity from 1 to 5, .*, not 'fog'"),
        ('fog:6', 'severity from 1 to 5'),
        ('fog:', 'severity from 1 to 5'),
        ('fog:3:4', 'severity from 1 to 5'),
        ('fog:³', 'severity from 1 to 5'),
        ('dust:3', "unknown kind of damage 'dust'; known are gaussian_noise, .*camera, and all"),
        (':3', "unknown kind of damage ''"),
    ],
)
def test_damage_that_there_is_not_is_said_in_a_sentence(text, said):
    with pytest.raises(ValueError, match=said):
        parse(text)


def test_a_model_card_gets_the_figures_as_markdown():
    evaluation = evaluate(*simulators(), colours('red', 'green', 'blue'))
    partly_wrong = replace(
        evaluation, labels=np.array([0, 1, 1]), rate_answers=np.array([0, 0, 0])
    )
    image = np.zeros((8, 8, 3), np.uint8)
    conditions = [
        Condition(None, evaluation, image, 0),
        Condition(Damage('shot_noise', 3), partly_wrong, image, 0),
        Condition(Damage('fog', 3), evaluation, image, 0),
    ]
    head, line, *rows = markdown(damage_table(conditions, {'fog', 'dust'})).splitlines()
    assert head == (
        '| images | accuracy on spikes | of the rate network | mean simulated time | in training |'
    )
    assert line == '|---|---|---|---|---|'
    assert rows == [
        '| undamaged | 100.0 % | 100.0 % | 30.0 ms |  |',
        '| shot noise | 66.7 % | 33.3 % | 30.0 ms | never |',
        '| fog | 100.0 % | 100.0 % | 30.0 ms | similar |',
        '| mean of the 2 kinds | 83.3 % | 66.7 % | 30.0 ms |  |',
    ]
    assert 'in training' not in markdown(damage_table(conditions, None))
