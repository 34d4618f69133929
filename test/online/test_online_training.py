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

import logging

import numpy as np
import pytest
import yaml
from online_recordings import RECIPE, write_recordings

from snn_perception.datasets.recordings import find_recordings
from snn_perception.online.cosines import RaisedCosines
from snn_perception.online.files import is_recipe
from snn_perception.online.learning import Rule
from snn_perception.online.network import Circuits, WtaNetwork
from snn_perception.online.recipe import load_recipe
from snn_perception.online.running import random_weights
from snn_perception.online.tasks import Task
from snn_perception.online.training import evaluate, measure, teach, train


@pytest.fixture
def recipe(tmp_path):
    def written(**changes):
        path = tmp_path / 'recipe.yaml'
        path.write_text(yaml.safe_dump(RECIPE | changes))
        return str(path)

    return written


def test_a_recipe_makes_a_model_that_knows_what_it_was_shown(recipe, tmp_path, caplog):
    caplog.set_level(logging.INFO)
    recordings = find_recordings(write_recordings(tmp_path / 'data', count=20))
    model, epochs = train(load_recipe(recipe()), recordings)
    assert model.name == 'halves'
    assert model.labels == ('left', 'right')
    assert len(epochs) == 2
    assert epochs[-1].accuracy == 1
    assert epochs[-1].log_chance > epochs[0].log_chance
    assert 'epoch 2 of 2' in caplog.text
    others = find_recordings(write_recordings(tmp_path / 'others', count=5, seed=1))
    figures = evaluate(model, others).summary()
    assert figures['accuracy'] == 1
    assert figures['recordings'] == 10
    assert 0 < figures['spikes'] <= 8 * 3
    assert figures['synaptic_operations'] > figures['input_spikes']
    assert figures['energy_j']['loihi'] > 0


def test_the_same_seed_makes_the_same_model(recipe, tmp_path):
    recordings = find_recordings(write_recordings(tmp_path / 'data', count=4))
    first, second, other = (
        train(load_recipe(recipe(seed=seed)), recordings)[0].weights.hidden for seed in (1, 1, 2)
    )
    np.testing.assert_array_equal(first, second)
    assert not np.allclose(first, other)


def test_rates_that_are_too_large_end_in_a_sentence(recipe, tmp_path):
    recordings = find_recordings(write_recordings(tmp_path / 'data', count=4))
    wild = {'output_rate': 1e308, 'hidden_rate': 1e308}
    with pytest.raises(FloatingPointError, match='weights are not finite any more; lower'):
        train(load_recipe(recipe(learning=wild)), recordings)


@pytest.mark.parametrize(
    ('changes', 'sentence'),
    [
        ({'trainer': 'other'}, "trainer must be online, not 'other'"),
        ({'epochs': 0}, 'epochs must be from 1'),
        ({'held_out': 1}, 'held_out must be between 0 and 1'),
        ({'size': -1}, 'size must be 0 or more'),
        ({'seed': -1}, 'seed must be 0 or more'),
        ({'learning': {'output_rate': 0.1}}, 'learning.hidden_rate is missing'),
        (
            {'network': {'hidden': {'count': 0}, 'synapse': {'count': 1, 'length': 2},
                         'direct': False}},
            'the outputs hear nothing',
        ),
        ({'colour': 'red'}, 'unknown colour'),
    ],
)  # fmt: skip
def test_a_recipe_that_does_not_fit_is_refused(recipe, changes, sentence):
    with pytest.raises(ValueError, match=sentence):
        load_recipe(recipe(**changes))


def test_a_recipe_is_known_by_its_trainer(recipe, tmp_path):
    assert is_recipe(recipe())
    assert not is_recipe(recipe(trainer='other'))
    assert not is_recipe('mnist')
    assert not is_recipe(str(tmp_path / 'none.yaml'))


def test_the_shipped_recipe_is_valid():
    assert is_recipe('vowel_nmnist')
    assert load_recipe('vowel_nmnist').coding.kind == 'polarity'


def accuracy_on(kind, symbols):
    """What a network without hidden circuits achieves on a task, or without its values."""
    task, generator = Task(kind), np.random.default_rng(3)
    said, classes = task.draw(400, generator)
    said = [np.minimum(each, symbols) for each in said]
    network = WtaNetwork(
        Circuits(task.circuits, symbols), Circuits(0), Circuits(1, task.classes),
        RaisedCosines(6, task.steps),
    )  # fmt: skip
    weights = random_weights(network, 0, generator)
    for _ in teach(
        network, weights, said[:300], classes[:300], Rule(0.1, 0), epochs=4, generator=generator
    ):
        pass
    labels = tuple('abcd')
    return measure(
        network, weights, said[300:], classes[300:], labels, 0.01, generator
    ).accuracy  # fmt: skip


def test_values_are_told_apart_only_by_who_hears_them():
    assert accuracy_on('values', symbols=2) > 0.9
    assert accuracy_on('values', symbols=1) < 0.4


def test_times_are_told_apart_without_values():
    assert accuracy_on('times', symbols=1) > 0.9


@pytest.mark.parametrize('kind', ['times', 'values'])
def test_classes_of_times_and_values_have_the_same_rates(kind):
    said, classes = Task(kind).draw(4000, np.random.default_rng(0))
    said = np.array(said)
    for symbol in (1, 2):
        rates = [(said[classes == number] == symbol).mean(axis=(0, 1)) for number in range(4)]
        np.testing.assert_allclose(rates, np.full((4, 12), rates[0].mean()), atol=0.004)


def test_another_task_is_refused():
    with pytest.raises(ValueError, match=r"kind of a task must be one of .*, not 'smells'"):
        Task('smells')
