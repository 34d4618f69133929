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
import json
import struct
from pathlib import Path

import numpy as np
import pytest
import yaml
from random_models import random_graph_model, random_model

from snn_perception import load_model
from snn_perception.layers import (
    AveragePooling,
    Convolution,
    Dense,
    GlobalAveragePooling,
    Identity,
    Sum,
)
from snn_perception.locations import MODELS
from snn_perception.model_file import ModelError, dump_yaml, layer_from_mapping, layer_to_mapping
from snn_perception.model_folder import save_model
from snn_perception.neurons import IF, LIF, NEURON_TYPES, AdaptiveLIF


@pytest.fixture
def folder(tmp_path):
    save_model(random_model(), tmp_path / 'saved', {'note': 'kept'})
    return tmp_path / 'saved'


def edit(folder, change):
    """Apply `change` to the content of model.yaml."""
    path = folder / 'model.yaml'
    content = yaml.safe_load(path.read_text())
    change(content)
    path.write_text(yaml.safe_dump(content))


def test_a_saved_model_loads_as_it_was(folder):
    model, loaded = random_model(), load_model(folder)
    assert loaded.network == model.network
    assert loaded.labels == model.labels
    assert loaded.readout == model.readout
    assert loaded.preprocessing == model.preprocessing
    for mine, theirs in zip(model.weights, loaded.weights, strict=True):
        assert np.array_equal(mine.kernel, theirs.kernel)
        assert np.array_equal(mine.bias, theirs.bias)


def test_the_centre_of_images_is_saved_and_all_of_them_seen_by_models_that_have_none(
    folder, tmp_path
):
    model = random_model()
    central = dataclasses.replace(
        model, input=dataclasses.replace(model.preprocessing, centre=0.875)
    )
    save_model(central, tmp_path / 'central')
    assert load_model(tmp_path / 'central').preprocessing == central.preprocessing
    edit(folder, lambda content: content['input'].pop('centre'))
    assert load_model(folder).preprocessing == model.preprocessing


@pytest.mark.parametrize('seed', range(6))
def test_a_saved_graph_loads_as_it_was(tmp_path, seed):
    model = random_graph_model(seed)
    save_model(model, tmp_path)
    loaded = load_model(tmp_path)
    assert loaded.network == model.network
    for mine, theirs in zip(model.weights, loaded.weights, strict=True):
        assert all(map(np.array_equal, mine.kernels, theirs.kernels))
        assert np.array_equal(mine.bias, theirs.bias)


def test_layers_are_written_as_short_as_they_can_be_read():
    layers = (
        Convolution(8, 3, padding=1, name='stem'),
        Convolution(8, (3, 1), 1, (0, 1, 0, 0), groups=8),
        Sum((Convolution(8, 1), (AveragePooling((2, 1), source='stem'), Identity(0.5)))),
        GlobalAveragePooling(),
        Dense(2),
    )
    written = [layer_to_mapping(layer) for layer in layers]
    assert written == [
        {'type': 'convolution', 'name': 'stem', 'channels': 8, 'kernel': 3, 'stride': 1,
         'padding': 1},
        {'type': 'convolution', 'channels': 8, 'kernel': (3, 1), 'stride': 1,
         'padding': (0, 1, 0, 0), 'groups': 8},
        {'type': 'sum', 'branches': [
            {'type': 'convolution', 'channels': 8, 'kernel': 1, 'stride': 1, 'padding': 0},
            [{'type': 'average_pooling', 'source': 'stem', 'size': (2, 1)},
             {'type': 'identity', 'scale': 0.5}]]},
        {'type': 'global_average_pooling'},
        {'type': 'dense', 'units': 2},
    ]  # fmt: skip
    assert tuple(layer_from_mapping(yaml.safe_load(dump_yaml(each))) for each in written) == layers


def test_a_file_of_format_1_is_read_as_ever(folder):
    model = random_model()
    edit(folder, lambda content: content.update(format=1))
    for layer in yaml.safe_load((folder / 'model.yaml').read_text())['layers']:
        assert set(layer) <= {'type', 'channels', 'kernel', 'stride', 'padding', 'units', 'size'}
    assert load_model(folder).network == model.network


@pytest.mark.parametrize('kind', NEURON_TYPES.values())
def test_every_kind_of_neuron_is_saved_with_its_parameters(tmp_path, kind):
    model = random_model()
    fields = dataclasses.fields(kind)
    names = [field.name for field in fields if isinstance(field.default, float)]
    neuron = kind(**{name: 0.003 * (index + 1) for index, name in enumerate(names)})
    network = dataclasses.replace(model.network, neuron=neuron, gamma=0.07)
    save_model(dataclasses.replace(model, network=network), tmp_path)
    assert load_model(tmp_path).network == network


@pytest.mark.parametrize('kind', [LIF, AdaptiveLIF, IF])
def test_phases_are_saved(tmp_path, kind):
    model = random_model()
    network = dataclasses.replace(model.network, neuron=kind(phases=16))
    save_model(dataclasses.replace(model, network=network), tmp_path)
    assert load_model(tmp_path).network == network


@pytest.mark.parametrize('name', MODELS.names())
def test_shipped_models_load_by_name_path_and_uri(name):
    by_name = load_model(name)
    assert by_name.name == name
    uri = load_model(f'package://snn_perception/models/{name}')
    assert uri.labels == by_name.labels


def test_an_unknown_model_is_refused_with_the_names_there_are():
    with pytest.raises(ModelError, match=r'nothing_like_it.*shipped models: .*mnist'):
        load_model('nothing_like_it')


def test_a_shipped_model_loads_beside_a_folder_of_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / 'mnist').mkdir()
    assert load_model('mnist').name == 'mnist'
    with pytest.raises(ModelError, match=r'mnist/model\.yaml does not exist in .*write mnist'):
        load_model('./mnist')
    with pytest.raises(ModelError, match='does not exist'):
        load_model(Path('mnist'))


def test_a_model_here_loads_by_its_plain_name_and_by_its_path(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save_model(random_model(), Path('my_model'))
    assert load_model('my_model').network == load_model('./my_model').network


def test_a_uri_of_an_unknown_package_is_refused():
    with pytest.raises(ModelError, match='no_such_package'):
        load_model('package://no_such_package/models/x')


def test_missing_weights_are_refused(folder):
    (folder / 'weights.safetensors').unlink()
    with pytest.raises(ModelError, match=r'weights\.safetensors does not exist'):
        load_model(folder)


@pytest.mark.parametrize('kept', [0, 5, 100, -1])
def test_truncated_weights_are_refused(folder, kept):
    path = folder / 'weights.safetensors'
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(ModelError, match='truncated or corrupt'):
        load_model(folder)


def test_weights_with_a_garbled_header_are_refused(folder):
    path = folder / 'weights.safetensors'
    content = bytearray(path.read_bytes())
    content[8:40] = b'\xff' * 32
    path.write_bytes(content)
    with pytest.raises(ModelError, match='truncated or corrupt'):
        load_model(folder)


def test_weights_that_claim_an_absurd_size_are_refused_before_memory_is_taken(folder):
    header = json.dumps(
        {'layers.0.weight': {'dtype': 'F32', 'shape': [2**40], 'data_offsets': [0, 2**42]}}
    ).encode()
    path = folder / 'weights.safetensors'
    path.write_bytes(struct.pack('<Q', len(header)) + header)
    with pytest.raises(ModelError, match='truncated or corrupt'):
        load_model(folder)


def test_a_weights_file_too_large_for_the_network_is_refused(folder):
    with (folder / 'weights.safetensors').open('ab') as file:
        file.truncate(50_000_000)
    with pytest.raises(ModelError, match='larger than'):
        load_model(folder)


def test_weights_that_are_not_finite_are_refused(folder):
    model = random_model()
    bad = dataclasses.replace(model.weights[1], bias=model.weights[1].bias * np.nan)
    with pytest.raises(ModelError, match=r'layers\.1\.bias.*not finite'):
        dataclasses.replace(model, weights=(model.weights[0], bad, *model.weights[2:]))


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (lambda c: c.update(format=3), 'unknown format version 3; this package reads 1 and 2'),
        (lambda c: c.pop('format'), 'unknown format version None'),
        (lambda c: c.pop('labels'), 'labels is missing'),
        (lambda c: c['labels'].append('extra'), '4 labels do not fit the 3 outputs'),
        (lambda c: c.update(labels=['a', 'a', 'b']), 'labels must differ'),
        (lambda c: c['layers'][0].update(type='quantum'), "unknown layer type 'quantum'"),
        (lambda c: c['layers'][0].update(channels=7), r'layers\.0\.weight has the shape'),
        (lambda c: c['layers'][0].update(channels='six'), 'channels must be a whole number'),
        (lambda c: c['layers'][0].update(wings=2), 'unknown wings'),
        (lambda c: c['layers'][0].update(kernel=[3, 3, 3]), 'kernel must be a whole number or a '),
        (lambda c: c['layers'][0].update(stride=1.5), 'stride must be a whole number or a list'),
        (lambda c: c['layers'][0].update(groups=5), 'groups of a convolution must divide its 6'),
        (
            lambda c: c['layers'][2].update(groups=4),
            'layer 2 .* has 4 groups, which do not divide',
        ),
        (lambda c: c['layers'][2].update(source='x'), "layer 2 .* takes its input from 'x'"),
        (lambda c: c['layers'][2].update(type='sum'), 'branches of a sum must be a list of'),
        (lambda c: c['layers'].insert(1, {'type': 'sum', 'branches': [1]}), 'must be a mapping'),
        (
            lambda c: c['layers'].insert(1, {'type': 'sum', 'branches': [], 'wings': 2}),
            'layer 1: sum: unknown wings',
        ),
        (lambda c: c['layers'].insert(1, 'relu'), 'a layer must be a mapping'),
        (lambda c: c['input'].update(shape=[60000, 60000, 3]), 'neurons are more'),
        (lambda c: c['input'].update(shape=[11, 10]), 'input: shape must be a list of 3'),
        (lambda c: c['neuron'].update(type='izhikevich'), "unknown neuron type 'izhikevich'"),
        (lambda c: c['neuron'].update(type='theta'), 'unknown tau_rc, tau_ref'),
        (lambda c: c['neuron'].pop('gamma'), 'a type and gamma'),
        (lambda c: c['neuron'].update(gamma='soft'), 'gamma of the neuron must be a number'),
        (lambda c: c['neuron'].update(tau_rc=-1.0), 'tau_rc'),
        (lambda c: c['neuron'].update(initial_potential=1.0), 'initial_potential of a LIF neuron'),
        (lambda c: c['synapse'].update(type='gauss'), 'synapse type'),
        (lambda c: c.update(dt=5.0), 'dt must be'),
        (lambda c: c.update(precision='int4'), 'precision must be one of float32, bfloat16, int8'),
        (lambda c: c.update(surprise=1), 'unknown surprise'),
    ],
)
def test_a_wrong_model_file_is_refused_with_a_sentence(folder, change, message):
    edit(folder, change)
    with pytest.raises(ModelError, match=message) as caught:
        load_model(folder)
    assert '\n' not in str(caught.value)
    assert str(folder) in str(caught.value)


@pytest.mark.parametrize('text', ['', '- a\n- b\n', 'a: [1, 2', 'a: !!python/object:os.x {}'])
def test_a_model_file_that_is_no_mapping_is_refused(folder, text):
    (folder / 'model.yaml').write_text(text)
    with pytest.raises(ModelError, match=r'model\.yaml'):
        load_model(folder)
