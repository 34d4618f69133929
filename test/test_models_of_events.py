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

"""Models of networks that hear events: as files, and what they refuse."""

from __future__ import annotations

import dataclasses
from copy import deepcopy

import numpy as np
import pytest
import yaml
from random_models import event_model, random_events, random_model
from tiny_training import CONTENT

from snn_perception import load_model
from snn_perception.backends import create_simulator
from snn_perception.events.shaping import EventShaping
from snn_perception.images import Preprocessing
from snn_perception.layers import Dense
from snn_perception.model_file import ModelError
from snn_perception.model_folder import save_model
from snn_perception.network import Network
from snn_perception.training.recipe import RecipeError, load_recipe


@pytest.fixture
def folder(tmp_path):
    save_model(event_model(), tmp_path / 'saved')
    return tmp_path / 'saved'


def edit(folder, change):
    path = folder / 'model.yaml'
    content = yaml.safe_load(path.read_text())
    change(content)
    path.write_text(yaml.safe_dump(content))


def test_a_saved_model_of_events_loads_as_it_was(folder):
    model, loaded = event_model(), load_model(folder)
    assert loaded.network == model.network
    assert loaded.network.hears_events
    assert loaded.input == model.input == EventShaping(model.network.input_shape)
    content = yaml.safe_load((folder / 'model.yaml').read_text())
    assert content['input']['kind'] == 'events'


def test_the_file_of_a_model_of_images_names_no_kind_of_input_and_may_name_it(tmp_path):
    save_model(random_model(), tmp_path)
    content = yaml.safe_load((tmp_path / 'model.yaml').read_text())
    assert 'kind' not in content['input']
    edit(tmp_path, lambda content: content['input'].update(kind='image'))
    assert load_model(tmp_path).network == random_model().network


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (lambda c: c['input'].update(kind='frames'), "unknown kind of input 'frames'; known are"),
        (lambda c: c['input'].update(kind=[1]), r'unknown kind of input \[1\]'),
        (lambda c: c['input'].update(mean=[0.5]), 'input: unknown mean'),
        (lambda c: c['input'].update(shape=[9, 8, 3]), 'height, width and 2'),
        (lambda c: c['input'].update(shape=[9, 0, 2]), 'height, width and 2'),
        (lambda c: c['input'].pop('shape'), 'input: shape is missing'),
        (lambda c: c.update(input='events'), "input must be a mapping with a shape, not 'events'"),
        (
            lambda c: c.update(
                firing_window=0.005, synapse={'type': 'none'}, readout_synapse={'type': 'none'}
            ),
            'layers that take turns need an image',
        ),
    ],
)
def test_a_wrong_input_of_events_is_refused_with_a_sentence(folder, change, message):
    edit(folder, change)
    with pytest.raises(ModelError, match=message) as caught:
        load_model(folder)
    assert '\n' not in str(caught.value)
    assert str(folder) in str(caught.value)


def test_a_network_of_events_has_two_polarities_and_pools_none_of_them_itself():
    with pytest.raises(ValueError, match='an input of events has 2 channels'):
        Network((4, 4, 3), (Dense(2),), input_kind='events')
    with pytest.raises(ValueError, match="must be one of image, events, not 'sound'"):
        Network((4, 4, 1), (Dense(2),), input_kind='sound')


def test_events_are_no_analog_layer_and_their_synapses_carry_spikes():
    network = event_model(layers=(Dense(7), Dense(3))).network
    assert network.image_macs == 0
    assert network.synapses == network.macs == 144 * 7 + 7 * 3
    assert all(population.hears_spikes for population in network.populations)
    assert not any(population.sees_image for population in network.populations)
    assert network.synapse_of(0) == network.synapse
    assert network.depth == 1


def test_a_model_makes_what_its_network_takes():
    events, images = event_model(), random_model()
    shape = events.network.input_shape
    with pytest.raises(ModelError, match='input of kind events, and the model makes one of kind'):
        dataclasses.replace(events, input=Preprocessing((*shape[:2], 3)))
    with pytest.raises(ModelError, match='input of kind image, and the model makes one of kind'):
        dataclasses.replace(images, input=EventShaping((11, 10, 2)))
    with pytest.raises(ModelError, match=r"network's input shape, \(9, 8, 2\), not \(9, 9, 2\)"):
        dataclasses.replace(events, input=EventShaping((9, 9, 2)))


def test_images_and_events_are_not_taken_for_each_other():
    simulator = create_simulator(event_model(), 'reference')
    with pytest.raises(ValueError, match='takes the events of a sensor, not images'):
        simulator.classify(np.zeros((9, 8, 3), np.uint8))
    with pytest.raises(ValueError, match=r'counts of events must have the shape \(steps, batch'):
        simulator.classify_batch(np.zeros((1, 9, 8, 2), np.float32))
    other = create_simulator(random_model(), 'reference')
    with pytest.raises(ValueError, match='takes images, not the events of a sensor'):
        other.classify_events(random_events(event_model(), 5)[:, 0])
    with pytest.raises(ModelError, match='takes images, not the events of a sensor'):
        _ = random_model().shaping


def test_a_recipe_may_be_for_events(tmp_path):
    content = deepcopy(CONTENT)
    content['input'] = {'kind': 'events', 'shape': [34, 34, 2]}
    del content['augmentation']
    path = tmp_path / 'events.yaml'
    path.write_text(yaml.safe_dump(content))
    recipe, _ = load_recipe(str(path))
    assert recipe.network.hears_events
    assert recipe.input == EventShaping((34, 34, 2))
    with pytest.raises(ValueError, match='is for events, and not for images'):
        _ = recipe.preprocessing
    content['input']['shape'] = [34, 34, 1]
    path.write_text(yaml.safe_dump(content))
    with pytest.raises(RecipeError, match='height, width and 2'):
        load_recipe(str(path))
