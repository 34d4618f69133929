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

"""Damage is what its name says, and every row of the table is an evaluation of it."""

from __future__ import annotations

from dataclasses import replace

import colour_model
import numpy as np
import pytest

from snn_perception.backends import Simulator, create_simulator
from snn_perception.datasets import Dataset
from snn_perception.evaluation import robustness
from snn_perception.evaluation.accuracy import evaluate
from snn_perception.evaluation.robustness import (
    Condition,
    blur,
    brightness,
    damages,
    jpeg,
    noise,
)
from snn_perception.reporting.result_tables import damage_table
from snn_perception.reporting.tables import markdown

SHAPES = pytest.mark.parametrize('shape', [(3, 28, 28, 1), (3, 32, 24, 3)], ids=['grey', 'RGB'])


def random_images(shape: tuple[int, ...]) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape).astype(np.uint8)


def flat(level: int, channels: int = 1) -> np.ndarray:
    return np.full((2, 64, 64, channels), level, np.uint8)


@SHAPES
@pytest.mark.parametrize('name', damages(32))
def test_images_stay_images_and_are_damaged_always_alike(shape, name):
    images = random_images(shape)
    damage = damages(32)[name]
    damaged = damage(images)
    assert (damaged.shape, damaged.dtype) == (shape, np.uint8)
    np.testing.assert_array_equal(damaged, damage(images))
    np.testing.assert_array_equal(images, random_images(shape))
    assert np.array_equal(damaged, images) == (name == 'undamaged')


def test_undamaged_comes_first_and_strengths_follow_by_kind():
    kinds = [name.split(', ')[0] for name in damages(32)]
    assert kinds == [
        *('undamaged', 'JPEG', 'JPEG', 'JPEG', 'blur', 'blur', 'blur'),
        *('noise', 'noise', 'noise', 'brightness', 'brightness', 'brightness'),
    ]


@SHAPES
@pytest.mark.parametrize('kind', ['JPEG', 'blur', 'noise'])
def test_the_later_of_a_kind_is_the_worse(shape, kind):
    images = random_images(shape)
    errors = [
        np.square(damage(images).astype(float) - images).mean()
        for name, damage in damages(32).items()
        if name.startswith(kind)
    ]
    assert errors == sorted(errors)
    assert errors[0] < errors[-1]


def test_blur_is_relative_to_the_size_of_the_image():
    images = random_images((2, 64, 64, 3))
    for size, deviations in ((32, (0.5, 1, 1.5)), (64, (1, 2, 3))):
        for deviation in deviations:
            damaged = damages(size)[f'blur, {deviation:.2f} pixels'](images)
            np.testing.assert_array_equal(damaged, blur(images, deviation))


@pytest.mark.parametrize('deviation', [1.0, 3.0])
def test_blur_spreads_an_edge_by_its_deviation(deviation):
    images = flat(0)
    images[:, :, 32:] = 255
    slope = np.diff(blur(images, deviation)[0, 32, :, 0].astype(float)) / 255
    places = np.arange(63) + 0.5
    mean = (slope * places).sum()
    assert mean == pytest.approx(31.5, abs=0.1)
    assert np.sqrt((slope * (places - mean) ** 2).sum()) == pytest.approx(deviation, rel=0.05)


@pytest.mark.parametrize('deviation', [5, 20])
def test_noise_has_its_deviation_and_another_value_everywhere(deviation):
    first, second = noise(flat(128, channels=3), deviation).astype(float) - 128
    assert first.std() == pytest.approx(deviation, rel=0.05)
    assert first.mean() == pytest.approx(0, abs=0.1 * deviation)
    for one, other in ((first, second), (first[..., 0], first[..., 1]), (first[0], first[1])):
        assert abs(np.corrcoef(one.ravel(), other.ravel())[0, 1]) < 0.3


def test_noise_does_not_leave_the_levels():
    # Half of it would be below black, or above white.
    assert np.median(noise(flat(0), 20)) == 0
    assert np.median(noise(flat(255), 20)) == 255


def test_brightness_is_a_factor_and_ends_at_white():
    levels = np.array([0, 1, 99, 100, 170, 171, 255], np.uint8).reshape(1, 1, 7, 1)
    assert brightness(levels, 0.5).ravel().tolist() == [0, 0, 50, 50, 85, 86, 128]
    assert brightness(levels, 1.5).ravel().tolist() == [0, 2, 148, 150, 255, 255, 255]


@pytest.mark.parametrize('colour', colour_model.LABELS)
def test_jpeg_keeps_red_red(colour):
    image = colour_model.image(colour)
    [damaged] = jpeg(image[None], 25).astype(int)
    assert abs(damaged - image).max() < 40


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
    assert [condition.damage for condition in conditions] == list(damages(8))
    for condition, damage in zip(conditions, damages(8).values(), strict=True):
        damaged = Dataset(damage(dataset.images), dataset.labels, dataset.class_names)
        expected = evaluate(*simulators(), damaged)
        ours = condition.evaluation
        for one, other in zip(ours.decisions, expected.decisions, strict=True):
            np.testing.assert_array_equal(one.scores, other.scores)
        np.testing.assert_array_equal(ours.rate_answers, expected.rate_answers)
        np.testing.assert_array_equal(condition.example, damaged.images[condition.index])
        assert condition.simulated_time == expected.summary()['simulated_time_s']


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


def test_a_model_card_gets_the_figures_as_markdown():
    evaluation = evaluate(*simulators(), colours('red', 'green', 'blue'))
    partly_wrong = replace(
        evaluation, labels=np.array([0, 1, 1]), rate_answers=np.array([0, 0, 0])
    )
    image = np.zeros((8, 8, 3), np.uint8)
    conditions = [
        Condition('undamaged', evaluation, image, 0),
        Condition('dust', partly_wrong, image, 0),
    ]
    assert markdown(damage_table(conditions)).splitlines() == [
        '| images | accuracy on spikes | of the rate network | mean simulated time |',
        '|---|---|---|---|',
        '| undamaged | 100.0 % | 100.0 % | 30.0 ms |',
        '| dust | 66.7 % | 33.3 % | 30.0 ms |',
    ]
