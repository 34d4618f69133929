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

"""NIR files with anything in them: loaded or refused with a sentence, and no more."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from optional import library
from random_models import random_graph_model, random_model
from spoilt_files import change_letters, little_memory, load

h5py = library('h5py')
library('nir')

from snn_perception.interchange.nir_files import write_graph  # noqa: E402
from snn_perception.interchange.nir_writing import to_graph  # noqa: E402
from snn_perception.interchange.timing import Timing  # noqa: E402

# What the library compares with arrays where a file holds no number.
pytestmark = pytest.mark.filterwarnings('ignore::DeprecationWarning')


def spoil_nir(folder: Path, seeds: range) -> int:
    """How many of the spoilt files are loaded all the same."""
    path, spoilt, loaded = folder / 'model.nir', folder / 'spoilt.nir', 0
    good = []
    for model in (random_model(), random_graph_model(populations=3)):
        write_graph(to_graph(model, Timing(0.001)), path)
        good.append(path.read_bytes())
    for seed in seeds:
        chance = random.Random(seed)
        content, action = chance.choice(good), chance.random()
        spoilt.write_bytes(content if action < 0.8 else change_letters(content, chance))
        if action < 0.6:
            change_arrays(spoilt, chance)
        elif action < 0.8:
            change_edges(spoilt, chance)
        loaded += load(spoilt, f'seed {seed}')
    return loaded


def change_edges(path: Path, chance: random.Random) -> None:
    """HDF5 with edges that are removed, repeated or lead to other nodes."""
    with h5py.File(path, 'r+') as file:
        edges = [tuple(edge) for edge in file['node/edges'].asstr()[()]]
        nodes = list(file['node/nodes'])
        for _ in range(chance.randint(1, 3)):
            number = chance.randrange(len(edges))
            source, target = edges[number]
            edges[number : number + 1] = chance.choice(
                [[], [(source, target)] * 2, [(chance.choice(nodes), target)],
                 [(source, chance.choice(nodes))], [(source, target), (target, source)]]
            )  # fmt: skip
        del file['node/edges'], file['node/metadata']
        file['node'].create_dataset('edges', data=edges, dtype=h5py.string_dtype())


def change_arrays(path: Path, chance: random.Random) -> None:
    """HDF5 with one or two of its arrays replaced, removed, renamed or put elsewhere."""
    with h5py.File(path, 'r+') as file:
        names: list[str] = []
        file.visit(names.append)
        for _ in range(chance.randint(1, 2)):
            name = chance.choice(names)
            if name not in file:
                continue
            action = chance.choice(['replace', 'replace', 'remove', 'move', 'type'])
            if action == 'move':
                file.move(name, f'{name}_moved')
            elif action != 'remove' and isinstance(file[name], h5py.Dataset):
                shape = chance.choice(
                    [(), (0,), (1,), (3,), (2, 2), (3, 3, 3), (1, 1, 1, 1), (9,)]
                )
                values = chance.choice([0, 1, -1, 2, 0.5, np.nan, np.inf, 1e300, 2**40, -(2**63)])
                kinds = ['f4', 'f8', 'f2', 'i8', 'i1', '?']
                with np.errstate(all='ignore'):
                    array = np.full(shape, values).astype(chance.choice(kinds))
                old = file[name]
                if action == 'type' and old.shape:
                    array = np.asarray(old)
                    array = array * 0 + values if array.dtype.kind in 'fiu' else array
                del file[name]
                file[name] = (
                    chance.choice(['LIF', 'Affine', b'\xff', ''])
                    if (chance.random() < 0.2)
                    else array
                )
            else:
                del file[name]


def test_spoilt_nir_files_are_loaded_or_refused(tmp_path: Path) -> None:
    with little_memory():
        assert 0 < spoil_nir(tmp_path, range(60)) < 60


@pytest.mark.slow
def test_thousands_of_spoilt_nir_files_are_loaded_or_refused(tmp_path: Path) -> None:
    with little_memory():
        spoil_nir(tmp_path, range(1000, 1600))
