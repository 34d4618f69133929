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

"""Recipes for conversions: what they may say, and which labels the model gets."""

from __future__ import annotations

import pytest
import yaml
from analogs import STAGE, TINY, tiny_conversion

from snn_perception.locations import CONVERSIONS
from snn_perception.neurons import IF, LIF
from snn_perception.training.conversion_recipe import load_conversion, read_labels
from snn_perception.training.recipe import RecipeError


@pytest.mark.parametrize('name', CONVERSIONS.names())
def test_every_shipped_recipe_can_be_read(name) -> None:
    conversion, path = load_conversion(name)
    assert path.stem == name
    # 27 layers have their turns within the 250 ms that somebody has who waits.
    assert 27 * conversion.firing_window <= 0.25


def test_the_shipped_recipes_train_nothing_and_both_stages() -> None:
    quick, _ = load_conversion('quick')
    assert (type(quick.neuron.neuron), quick.stages) == (IF, {})
    distilled, _ = load_conversion('distilled')
    assert (type(distilled.neuron.neuron), [*distilled.stages]) == (LIF, ['rates', 'spikes'])


def test_stages_come_in_order_and_each_may_be_missing() -> None:
    assert [*tiny_conversion(spikes=STAGE, rates=STAGE).stages] == ['rates', 'spikes']
    assert [*tiny_conversion(spikes=STAGE).stages] == ['spikes']


@pytest.mark.parametrize(
    ('changes', 'sentence'),
    [
        ({'neuron': {'type': 'theta', 'gamma': 0.05}}, 'must be LIF or IF, not'),
        ({'neuron': {**TINY['neuron'], 'tau_rc': 0.02}}, 'make tau_rc of the neuron shorter'),
        ({'firing_window': 0.0051}, 'firing_window must be a multiple of dt, 0.00025 s'),
        ({'most_spikes': 0}, 'most_spikes must be at least 1, not 0'),
        ({'calibration_images': 0}, 'calibration_images must be at least 1, not 0'),
        ({'validation_images': 0.0}, 'validation_images must be a number of images, or a share'),
        ({'validation_images': float('nan')}, 'validation_images must be'),
        ({'spikes': {**STAGE, 'mixing': 1.5}}, 'mixing must be from 0 to 1, not 1.5'),
        ({'rates': {**STAGE, 'answers': -1.0}}, 'answers must be 0 or more, not -1'),
        ({'rates': {**STAGE, 'batch_size': 0}}, 'batch_size'),
        ({'stages': ['rates']}, 'unknown'),
    ],
)
def test_what_does_not_fit_is_refused_with_a_sentence(changes, sentence, tmp_path) -> None:
    (tmp_path / 'own.yaml').write_text(yaml.safe_dump({**TINY, **changes}))
    with pytest.raises(RecipeError, match=sentence) as caught:
        load_conversion(str(tmp_path / 'own.yaml'))
    assert 'own.yaml' in str(caught.value)


def test_a_recipe_that_is_not_there_is_told_of_with_those_that_are() -> None:
    with pytest.raises(RecipeError, match=r'shipped conversions: .*quick'):
        load_conversion('nowhere')


def labels_of(tmp_path, text, outputs, **changes):
    (tmp_path / 'labels.txt').write_text(text, encoding='utf-8')
    conversion = tiny_conversion(labels='labels.txt', **changes)
    return read_labels(conversion, tmp_path, outputs)


def test_labels_are_the_lines_of_a_file_beside_the_recipe(tmp_path) -> None:
    assert labels_of(tmp_path, 'cup\n Käse \n\n', 2) == (('cup', 'Käse'), [0, 1])


def test_labels_are_numbers_where_there_is_no_file(tmp_path) -> None:
    assert read_labels(tiny_conversion(), tmp_path, 3) == (('0', '1', '2'), [0, 1, 2])


def test_outputs_whose_labels_are_left_out_are_dropped(tmp_path) -> None:
    found = labels_of(tmp_path, 'background\ncup\ncan', 3, left_out=['background'])
    assert found == (('cup', 'can'), [1, 2])


@pytest.mark.parametrize(
    ('text', 'left_out', 'sentence'),
    [
        ('cup', [], 'has 1 labels, one on each line, but the network has 2 outputs'),
        ('cup\ncan\nkey', [], 'has 3 labels'),
        ('cup\ncup', [], 'a label of its own on each line'),
        ('cup\n\ncan\n', [], 'has 3 labels'),
        ('cup\ncan', ['key'], "has no label 'key' that could be left out"),
    ],
)
def test_labels_that_do_not_fit_are_refused_with_a_sentence(tmp_path, text, left_out, sentence):
    with pytest.raises(RecipeError, match=sentence):
        labels_of(tmp_path, text, 2, left_out=left_out)


def test_labels_that_are_no_text_are_refused_with_a_sentence(tmp_path) -> None:
    (tmp_path / 'labels.txt').write_bytes(b'\xff\xfe\x00')
    for name in ('labels.txt', 'missing.txt', '.'):
        with pytest.raises(RecipeError, match=f'{name} cannot be read|{tmp_path.name}'):
            read_labels(tiny_conversion(labels=name), tmp_path, 2)
