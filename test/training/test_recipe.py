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

import copy
import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import yaml
from random_models import random_model, turn_taking_model
from tiny_training import CONTENT

from snn_perception.locations import share_directory
from snn_perception.model_folder import save_model
from snn_perception.neurons import Theta
from snn_perception.online.files import is_recipe
from snn_perception.training.recipe import RecipeError, load_recipe
from snn_perception.training.trainable import RateNetwork

SHIPPED = sorted(path.stem for path in share_directory().glob('config/train/*.yaml'))


@pytest.mark.parametrize('name', [name for name in SHIPPED if not is_recipe(name)])
def test_shipped_recipes_load_by_name(name):
    recipe, path = load_recipe(name)
    assert recipe.name == name
    assert path.name == f'{name}.yaml'


def test_a_recipe_loads_from_a_path(tmp_path):
    path = tmp_path / 'mine.yaml'
    path.write_text(yaml.safe_dump(CONTENT))
    recipe, found = load_recipe(str(path))
    assert found == path
    assert recipe.network.classes == 4
    assert recipe.optimisation.epochs == 3
    assert recipe.fine_tuning.presentation_time == 0.05


def test_a_recipe_may_ask_for_the_centre_of_images(tmp_path):
    path = tmp_path / 'mine.yaml'
    path.write_text(yaml.safe_dump(CONTENT | {'input': {**CONTENT['input'], 'centre': 0.875}}))
    recipe, _ = load_recipe(str(path))
    assert recipe.preprocessing.centre == 0.875
    path.write_text(yaml.safe_dump(CONTENT | {'input': {**CONTENT['input'], 'centre': 1.5}}))
    with pytest.raises(RecipeError, match=r'centre must be a share above 0 and at most 1'):
        load_recipe(str(path))


def test_a_recipe_like_another_is_that_one_but_for_what_it_says_itself(tmp_path):
    (tmp_path / 'first.yaml').write_text(yaml.safe_dump(CONTENT))
    own = {
        'like': str(tmp_path / 'first.yaml'),
        'name': 'mine',
        'neuron': {'type': 'theta', 'gamma': 0.1},
    }
    (tmp_path / 'mine.yaml').write_text(yaml.safe_dump(own))
    (first, _), (mine, _) = (load_recipe(str(tmp_path / f'{n}.yaml')) for n in ('first', 'mine'))
    assert mine.name == 'mine'
    assert isinstance(mine.network.neuron, Theta)
    assert replace(mine, name=first.name, neuron=first.neuron) == first


def test_a_recipe_like_one_that_is_like_another_or_missing_is_refused(tmp_path):
    for name, other in (('one', 'two'), ('two', 'three'), ('three', 'none')):
        path = tmp_path / f'{name}.yaml'
        path.write_text(yaml.safe_dump({'like': str(tmp_path / f'{other}.yaml')}))
    with pytest.raises(RecipeError, match='like: that recipe is like another itself'):
        load_recipe(str(tmp_path / 'one.yaml'))
    with pytest.raises(RecipeError, match=r'none\.yaml does not exist'):
        load_recipe(str(tmp_path / 'three.yaml'))


def test_the_recipe_of_the_readme_loads_as_pasted_and_learns_from_images_of_digits(tmp_path):
    text = (Path(__file__).parents[2] / 'README.md').read_text()
    [example] = re.findall(r'```yaml\n(like: mnist\n.*?)```', text, re.DOTALL)
    (tmp_path / 'my_digits.yaml').write_text(example)
    recipe, _ = load_recipe(str(tmp_path / 'my_digits.yaml'))
    network = RateNetwork(recipe.network, recipe.noise)
    outputs, _ = network(torch.rand(2, 28, 28, 1))
    outputs.square().sum().backward()
    assert all(parameter.grad.abs().sum() > 0 for parameter in network.parameters())


def change(*keys):
    """A function that sets the entry at all but the last of `keys` to the last."""

    def apply(content):
        *path, name, value = keys
        for key in path:
            content = content[key]
        content[name] = value

    return apply


def sum_of(branch):
    """A sum of the dense layer that the tiny recipe has there and of `branch`."""
    return {'type': 'sum', 'branches': [CONTENT['layers'][2], branch]}


@pytest.mark.parametrize(
    ('apply', 'message'),
    [
        (change('epochs', 3), 'unknown epochs'),
        (lambda content: content.pop('name'), 'name is missing'),
        (
            lambda content: content['optimisation'].pop('epochs'),
            r'optimisation\.epochs is missing',
        ),
        (change('optimisation', 'epochs', 'many'), r'optimisation\.epochs must be a whole number'),
        (change('optimisation', 'epochs', True), 'whole number'),
        (change('optimisation', 'epochs', 0), 'epochs must be positive'),
        (change('optimisation', 'learning_rate', -1), 'learning_rate must be positive'),
        (change('optimisation', 'precision', 'int4'), "precision must be .* not 'int4'"),
        (change('fine_tuning', 'start_time', 1), 'start_time must be'),
        (change('fine_tuning', 'distillation', 2), 'distillation must be between 0 and 1'),
        (change('noise', 'type', 'pink'), 'noise type'),
        (change('augmentation', 'spin', 3), 'unknown spin'),
        (change('layers', 0, 'kernel', 99), 'has no output left'),
        (change('layers', 0, 'type', 'attention'), "unknown layer type 'attention'"),
        (change('layers', 0, 'groups', 4), r'convolution: groups .* divide its 6 channels'),
        (change('layers', 1, 'source', 'stem'), r"layer 1 \(average pooling\) .* from 'stem'"),
        (change('layers', 2, sum_of({'scale': 1})), 'unknown layer type None'),
        (
            change('layers', 2, sum_of({'type': 'identity'})),
            r'layer 2: identity: scale is missing',
        ),
        (
            change('layers', 2, sum_of({'type': 'dense', 'units': 8})),
            r'layer 2 \(sum\) cannot add currents of the shapes \(1, 1, 8\) and \(1, 1, 16\)',
        ),
        (change('input', 'shape', [8, 8, 2]), 'channels must be 1'),
        (change('neuron', 'type', 'izhikevich'), "unknown neuron type 'izhikevich'"),
        (change('readout', 'presentation_time', 0.001), 'start_time must be between'),
        (change('readout', 'mirror', True), 'set flip of the augmentation'),
        (change('validation_images', 0), 'validation_images'),
        (change('validation_images', 1), 'validation_images must be 2 or more'),
    ],
)
def test_a_wrong_recipe_is_refused_with_a_sentence(tmp_path, apply, message):
    content = copy.deepcopy(CONTENT)
    apply(content)
    path = tmp_path / 'wrong.yaml'
    path.write_text(yaml.safe_dump(content))
    with pytest.raises(RecipeError, match=message) as caught:
        load_recipe(str(path))
    assert '\n' not in str(caught.value)
    assert 'wrong.yaml' in str(caught.value)


def with_base(folder, model=None, **changes):
    """A recipe file with a base in `folder`, `model` or a random one."""
    save_model(model or random_model(), folder / 'base', {})
    sections = ('name', 'optimisation', 'fine_tuning')
    content = {name: CONTENT[name] for name in sections} | {'base': str(folder / 'base')}
    path = folder / 'mine.yaml'
    path.write_text(yaml.safe_dump(content | changes))
    return str(path)


@pytest.mark.parametrize('flip', [True, False])
def test_a_recipe_with_a_base_looks_at_mirror_images_if_it_mirrors_them_in_training(
    tmp_path, flip
):
    content = {name: CONTENT[name] for name in ('optimisation', 'fine_tuning')}
    content |= {'name': 'onward', 'base': 'cifar10', 'augmentation': {'flip': flip}}
    path = tmp_path / 'onward.yaml'
    path.write_text(yaml.safe_dump(content))
    recipe, _ = load_recipe(str(path))
    assert recipe.readout.mirror == flip


@pytest.mark.parametrize('base', [random_model(), turn_taking_model(0)])
def test_a_recipe_with_a_base_has_its_network_but_for_the_classes(tmp_path, base):
    recipe, _ = load_recipe(with_base(tmp_path, base))
    assert (recipe.network, recipe.readout, recipe.dt) == (base.network, base.readout, base.dt)
    assert recipe.preprocessing == base.preprocessing
    seven = recipe.with_classes(7)
    assert seven.network.classes == 7
    assert seven.layers[:-1] == base.network.layers[:-1]


@pytest.mark.parametrize(
    ('changes', 'message'),
    [
        ({'layers': CONTENT['layers']}, 'layers come from the base'),
        ({'base': 'nowhere'}, 'does not exist'),
        ({'fine_tuning': None}, 'fine_tuning is missing'),
    ],
)
def test_a_base_that_cannot_be_one_is_refused(tmp_path, changes, message):
    with pytest.raises(RecipeError, match=message):
        load_recipe(with_base(tmp_path, **changes))


def test_an_unknown_recipe_is_refused_with_the_names_there_are():
    with pytest.raises(RecipeError, match=r"'nothing_like_it' is not found.*shipped .*mnist"):
        load_recipe('nothing_like_it')


def test_folders_here_hide_no_shipped_recipe_and_no_shipped_base(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ('mnist', 'transfer', 'everyday', 'transfer_small', 'cifar10'):
        (tmp_path / name).mkdir()
    assert load_recipe('mnist')[0].name == 'mnist'
    assert load_recipe('transfer')[0].base == 'everyday'
    assert load_recipe('transfer_small')[0].base == 'cifar10'
    path = tmp_path / 'mine.yaml'
    path.write_text(yaml.safe_dump({'like': 'mnist', 'name': 'mine'}))
    assert load_recipe('mine.yaml')[0].name == load_recipe('./mine')[0].name == 'mine'
    with pytest.raises(RecipeError, match=r'for the shipped recipe write mnist'):
        load_recipe('./mnist')
