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

"""model.yaml and weights with anything in them: loaded or refused with a sentence, and no more."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from random_models import random_graph_model, random_model
from spoilt_files import change_header, change_letters, change_values, little_memory, load

from snn_perception.model_folder import save_model


@pytest.fixture(params=[random_model, random_graph_model])
def folder(tmp_path: Path, request) -> Path:
    save_model(request.param(), tmp_path / 'model', {'note': 'kept'})
    return tmp_path / 'model'


def spoil_description(folder: Path, seeds: range) -> int:
    """How many of the spoilt descriptions are loaded all the same."""
    path = folder / 'model.yaml'
    good, loaded = path.read_text(), 0
    for seed in seeds:
        chance = random.Random(seed)
        if chance.random() < 0.6:
            path.write_text(change_values(good, chance))
        else:
            path.write_bytes(change_letters(good.encode(), chance))
        loaded += load(folder, f'seed {seed}')
    return loaded


def spoil_weights(folder: Path, seeds: range) -> int:
    """How many of the spoilt weights are loaded all the same."""
    path = folder / 'weights.safetensors'
    good, loaded = path.read_bytes(), 0
    for seed in seeds:
        chance = random.Random(seed)
        change = change_header if chance.random() < 0.6 else change_letters
        path.write_bytes(change(good, chance))
        loaded += load(folder, f'seed {seed}')
    return loaded


@pytest.mark.parametrize('spoil', [spoil_description, spoil_weights])
def test_spoilt_models_are_loaded_or_refused(folder: Path, spoil) -> None:
    with little_memory():
        assert 0 < spoil(folder, range(100)) < 100


@pytest.mark.slow
@pytest.mark.parametrize(('spoil', 'count'), [(spoil_description, 600), (spoil_weights, 1200)])
def test_thousands_of_spoilt_models_are_loaded_or_refused(folder: Path, spoil, count: int) -> None:
    with little_memory():
        spoil(folder, range(1000, 1000 + count))
