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
import yaml
from online_recordings import write_recordings
from safetensors.numpy import load_file, save_file

from snn_perception.datasets.recordings import load_recording
from snn_perception.model_file import ModelError
from snn_perception.online.coding import Coding
from snn_perception.online.cosines import RaisedCosines
from snn_perception.online.files import is_model
from snn_perception.online.model import Connections, OnlineModel, load, save
from snn_perception.online.network import Circuits
from snn_perception.online.running import random_weights


@pytest.fixture
def model():
    connections = Connections(Circuits(3, 2), RaisedCosines(2, 4), output_history=True)
    coding = Coding((34, 34), (2, 2), 16, 8, 0.005)
    network = connections.between(coding, 2)
    generator = np.random.default_rng(0)
    weights = random_weights(network, 1, generator)
    weights.outputs[:] = generator.normal(size=weights.outputs.shape)
    # As files have them.
    weights.hidden, weights.outputs = (
        each.astype(np.float32).astype(np.float64) for each in (weights.hidden, weights.outputs)
    )
    return OnlineModel('halves', ('left', 'right'), coding, connections, weights, 'two halves')


@pytest.fixture
def folder(model, tmp_path):
    save(model, tmp_path / 'halves', {'epochs': 3})
    return tmp_path / 'halves'


def test_a_saved_model_is_the_same_when_it_is_loaded(model, folder, tmp_path):
    loaded = load(folder)
    for field in dataclasses.fields(model):
        if field.name != 'weights':
            assert getattr(loaded, field.name) == getattr(model, field.name)
    np.testing.assert_array_equal(loaded.weights.hidden, model.weights.hidden)
    np.testing.assert_array_equal(loaded.weights.outputs, model.weights.outputs)
    write_recordings(tmp_path / 'data', count=1)
    recording = load_recording(tmp_path / 'data' / 'left' / '00000.bin')
    first, second = (
        each.classify(recording, np.random.default_rng(1)) for each in (model, loaded)
    )
    assert first.label == second.label
    np.testing.assert_array_equal(first.scores, second.scores)


def test_a_model_is_known_by_its_format(folder, tmp_path):
    assert is_model(str(folder))
    assert not is_model('mnist')
    assert not is_model(str(tmp_path / 'none'))


def rewrite(folder, **changes):
    path = folder / 'model.yaml'
    content = yaml.safe_load(path.read_text()) | changes
    path.write_text(yaml.safe_dump(content))


@pytest.mark.parametrize(
    ('changes', 'sentence'),
    [
        ({'format': 'online 2'}, "format must be online 1, not 'online 2'"),
        ({'labels': ['a', 'a']}, 'labels must be different ones'),
        ({'labels': []}, 'labels must be different ones'),
        ({'labels': ['a', 'b', 'c']}, r'outputs must be F32 of shape \(36, 3\), not F32'),
        ({'coding': {'kind': 'morse'}}, 'missing'),
        ({'network': {'hidden': {'count': 3, 'symbols': 2}}}, 'network.synapse is missing'),
        ({'surprise': 1}, 'unknown surprise'),
        ({'name': 7}, 'name must be text, not 7'),
    ],
)
def test_a_description_that_does_not_fit_is_refused(folder, changes, sentence):
    rewrite(folder, **changes)
    with pytest.raises(ModelError, match=sentence):
        load(folder)


def test_a_network_too_large_for_memory_is_refused_before_any_is_taken(folder):
    rewrite(folder, network={
        'hidden': {'count': 10**9, 'symbols': 2}, 'synapse': {'count': 2, 'length': 4}
    })  # fmt: skip
    with pytest.raises(ModelError, match='are more than the 100000000'):
        load(folder)


def spoil(folder, change):
    tensors = load_file(folder / 'weights.safetensors')
    change(tensors)
    save_file(tensors, folder / 'weights.safetensors')


@pytest.mark.parametrize(
    ('change', 'sentence'),
    [
        (lambda all_: all_.pop('hidden'), 'must hold hidden and outputs, not'),
        (lambda all_: all_.update(more=np.zeros(1, np.float32)), 'must hold hidden and outputs'),
        (lambda all_: all_.update(hidden=all_['hidden'][1:]), 'hidden must be F32 of shape'),
        (
            lambda all_: all_.update(hidden=all_['hidden'].astype(np.float64)),
            'hidden must be F32 .* not F64',
        ),
        (lambda all_: all_['outputs'].fill(np.nan), 'outputs has weights that are not finite'),
        (
            lambda all_: all_.update(more=np.zeros(10**6, np.float32)),
            'is larger than the .* bytes that the network needs',
        ),
    ],
)
def test_weights_that_do_not_fit_are_refused(folder, change, sentence):
    spoil(folder, change)
    with pytest.raises(ModelError, match=sentence):
        load(folder)


def test_files_that_are_cut_or_missing_are_refused(folder):
    path = folder / 'weights.safetensors'
    path.write_bytes(path.read_bytes()[:-9])
    with pytest.raises(ModelError, match='is truncated or corrupt'):
        load(folder)
    path.unlink()
    with pytest.raises(ModelError, match=r'weights\.safetensors does not exist'):
        load(folder)
    (folder / 'model.yaml').unlink()
    with pytest.raises(ModelError, match=r'model\.yaml does not exist'):
        load(folder)
