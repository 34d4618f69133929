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

"""Files that are damaged, hostile or of networks that cannot be run: one sentence, no more."""

from __future__ import annotations

import contextlib
import sys
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_models import random_model

from snn_perception import load_model
from snn_perception.layers import AveragePooling, Convolution, Dense
from snn_perception.model_file import ModelError
from snn_perception.model_folder import save_model

h5py = pytest.importorskip('h5py', reason='h5py is not installed')
nir = pytest.importorskip('nir', reason='NIR is not installed')
from nir_euler import chain  # noqa: E402

from snn_perception.interchange.nir_files import write_graph  # noqa: E402
from snn_perception.interchange.nir_writing import KEY, to_graph  # noqa: E402
from snn_perception.interchange.timing import Timing  # noqa: E402

LAYERS = (Convolution(3, 3), AveragePooling(2), Dense(4), Dense(3))


@pytest.fixture
def path(tmp_path):
    """An export of ours with nodes of most types, for the tests to spoil."""
    model = random_model(input_shape=(8, 8, 1), layers=LAYERS)
    write_graph(to_graph(model, Timing(0.001)), tmp_path / 'model.nir')
    return tmp_path / 'model.nir'


def assert_refused(path, message):
    """Loading `path` ends with one sentence that names the file and holds `message`."""
    with pytest.raises(ModelError, match=message) as caught:
        load_model(path)
    assert '\n' not in str(caught.value)
    assert str(path) in str(caught.value)
    assert len(str(caught.value)) < 700


def replaced(path, name, value, **options):
    """Put `value` in the place of the array `name`, below the nodes unless it begins with /."""
    with h5py.File(path, 'r+') as file:
        name = name if name.startswith('/') else f'/node/nodes/{name}'
        if name in file:
            del file[name]
        if value is not None or options:
            file.create_dataset(name, data=value, **options)


def test_a_file_that_does_not_exist_is_refused(tmp_path):
    assert_refused(tmp_path / 'none.nir', 'does not exist')


def test_a_missing_library_is_named_with_the_command_that_installs_it(path, monkeypatch):
    monkeypatch.setitem(sys.modules, 'nir', None)
    with pytest.raises(ModelError, match='needs nir, which is not installed: pip install nir '):
        load_model(path)


@pytest.mark.parametrize('content', [b'', b'no HDF5 at all', b'\x89HDF\r\n\x1a\n', bytes(5000)])
def test_what_is_no_hdf5_is_refused(path, content):
    path.write_bytes(content)
    assert_refused(path, 'is damaged or not a NIR file')


@pytest.mark.parametrize('name', ['model.yaml', 'weights.safetensors', 'model.pt'])
def test_what_is_neither_a_folder_nor_hdf5_is_refused_with_what_a_model_is(tmp_path, name):
    save_model(random_model(), tmp_path)
    (tmp_path / 'model.pt').write_bytes(b'PK')
    assert_refused(tmp_path / name, 'is not a NIR file; .* or a folder with a model.yaml')


def test_hdf5_of_something_else_is_refused(tmp_path):
    with h5py.File(tmp_path / 'theirs.h5', 'w') as file:
        file['x'] = np.zeros(3)
    assert_refused(tmp_path / 'theirs.h5', 'is damaged or not a NIR file')


@pytest.mark.parametrize('share', [0.02, 0.3, 0.6, 0.99])
def test_a_truncated_file_is_refused(path, share):
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    assert_refused(path, 'is damaged or not a NIR file')


@given(data=st.data())
@settings(deadline=None, max_examples=60)
def test_a_garbled_file_is_refused_or_read_but_never_brings_us_down(tmp_path_factory, data):
    folder = tmp_path_factory.getbasetemp()
    model = random_model(input_shape=(8, 8, 1), layers=LAYERS)
    write_graph(to_graph(model, Timing(0.001)), folder / 'garbled.nir')
    content = bytearray((folder / 'garbled.nir').read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    (folder / 'garbled.nir').write_bytes(content)
    with contextlib.suppress(ModelError):
        assert load_model(folder / 'garbled.nir').network.classes == 3


@pytest.mark.parametrize('shape', [(2**20, 2**20), (2**31, 5), (2**62, 2), (3 * 10**8,)])
def test_arrays_of_absurd_sizes_are_refused_before_memory_is_taken(path, shape):
    replaced(path, 'layer0_weights/weight', None, shape=shape, chunks=True, dtype='f4')
    assert_refused(path, "'weight' of shape .* is larger than any network")


def test_many_large_arrays_are_refused_before_memory_is_taken(path):
    for index in range(30):
        name = f'layer0_weights/extra{index}'
        replaced(path, name, None, shape=(2 * 10**8,), chunks=True, dtype='f8')
    assert_refused(path, 'is larger than any network')


@pytest.mark.parametrize(
    'link', [h5py.SoftLink('/node/nodes/input'), h5py.ExternalLink('/etc/passwd', '/')]
)
def test_links_are_not_followed(path, link):
    with h5py.File(path, 'r+') as file:
        file['/node/nodes/other'] = link
    assert_refused(path, "'other' is a link to elsewhere")


def test_values_in_other_files_are_not_read(path, tmp_path):
    (tmp_path / 'secret').write_bytes(bytes(36))
    external = [(str(tmp_path / 'secret'), 0, 36)]
    replaced(path, 'layer0_weights/bias', None, shape=(3,), dtype='f4', external=external)
    assert_refused(path, "'bias' keeps its values in another file")


def test_groups_that_hold_themselves_are_refused(path):
    with h5py.File(path, 'r+') as file:
        file['/node/nodes/input/again'] = file['/node/nodes']
    assert_refused(path, 'nested more than 8 deep')


@pytest.mark.parametrize(
    ('name', 'value', 'message'),
    [
        ('/node/type', 'Alien', 'is damaged or not a NIR file'),
        ('/node/type', 'LIF', 'is damaged or not a NIR file'),
        ('/node/nodes', None, 'is damaged or not a NIR file'),
        ('/node/edges', np.zeros((3, 2)), 'is damaged or not a NIR file'),
        ('layer0_weights/type', b'Alien', 'is damaged or not a NIR file'),
        ('layer0_weights/weight', None, 'is damaged or not a NIR file'),
        ('layer0_weights/weight', 'heavy', 'is damaged or not a NIR file'),
        ('layer2_weights/bias', 'heavy', "'layer2_weights' of type Affine: bias must be numbers"),
        ('layer0_weights/weight', np.zeros((3, 1, 3, 3), complex), "'weight' must hold numbers"),
        ('layer0_weights/weight', np.full((3, 1, 3, 3), np.nan), 'weight holds values that'),
        ('layer0_weights/weight', np.full((3, 1, 3, 3), 1e300), 'values that are not finite'),
        ('layer0_weights/weight', np.zeros((3, 1, 3)), 'weight must have 4 dimensions'),
        ('layer0_weights/weight', np.zeros((0, 1, 3, 3)), 'weight is empty'),
        ('layer0_weights/weight', np.zeros((3, 1, 3, 2)), r'does not fit values of .*\(3, 6, 7\)'),
        ('layer0_weights/weight', np.zeros((3, 2, 3, 3)), 'for 2 channels, but 1 arrive'),
        ('layer0_weights/weight', np.zeros((3, 1, 50, 50)), 'it has no output left'),
        ('layer0_weights/bias', np.zeros(4), r'bias must have the shape \(3,\)'),
        ('layer0_weights/stride', np.array([0, 0]), 'is damaged or not a NIR file'),
        ('layer0_weights/stride', np.array([-1, -1]), 'stride of a convolution must be between'),
        ('layer0_weights/stride', np.array([1, 2]), r'does not fit values of .*\(3, 6, 3\)'),
        ('layer0_weights/stride', np.array([1, 1, 1]), 'stride must be one whole number for each'),
        ('layer0_weights/groups', np.array([1, 2]), 'groups must be one whole number, not'),
        ('layer0_weights/padding', np.array([-1, -1]), 'padding of a convolution must be between'),
        ('layer0_weights/dilation', np.array([10**6, 10**6]), 'is larger than any'),
        ('layer0_weights/groups', 2, 'groups must divide the 3 channels'),
        ('layer0_neurons/tau', np.full((3, 6, 6), -0.02), 'must be in s.*not -0.02'),
        ('layer0_neurons/tau', np.full((3, 6, 6), 20.0), 'must be in s.*not 20'),
        ('layer0_neurons/tau', np.linspace(1, 2, 108).reshape(3, 6, 6), 'same for all neurons'),
        ('layer0_neurons/v_threshold', np.zeros((3, 6, 6)), 'v_threshold must be above v_reset'),
        ('layer0_neurons/r', np.arange(108.0).reshape(3, 6, 6), 'the same across each channel'),
        ('layer0_neurons/v_leak', np.full((3, 6, 6), np.inf), 'v_leak holds values .* not finite'),
        ('layer0_neurons/v_leak', np.zeros((5, 5)), 'is damaged or not a NIR file'),
        ('layer2_synapse0/v_leak', np.ones(4), 'v_leak must be 0 before weights'),
        ('layer1_pooling0/stride', np.array([1, 1]), 'its stride must be its kernel_size'),
        ('layer1_pooling0/kernel_size', np.array([0, 0]), 'size of an average pooling must be'),
        ('layer1_flatten/start_dim', 2, 'must flatten all of a map'),
        ('layer1_weights/weight', np.zeros((4, 28)), 'for 28 values, but 27 arrive'),
        ('input/shape', np.array([2, 8, 8]), 'for 1 channels, but 2 arrive'),
        ('input/shape', np.array([4, 8, 8]), 'and events 2 .off and on., not 4'),
        ('input/shape', np.array([3, 8, 8]), 'for 1 channels, but 3 arrive'),
        ('input/shape', np.array([10**9, 8, 8]), 'an input must be an image'),
        ('input/shape', np.array([5]), 'an input must be an image'),
        ('input/shape', np.array([0.5]), 'must be whole numbers'),
    ],
)  # fmt: skip
def test_what_a_node_must_not_hold_is_refused(path, name, value, message):
    replaced(path, name, value)
    assert_refused(path, message)


@pytest.mark.parametrize(
    ('value', 'message'),
    [
        ('a: [1', 'is not valid YAML'),
        ('- a', 'must hold a mapping'),
        (np.zeros(3), 'must be text'),
        ('step: soon\nmodel: ""', 'step must be a time in s'),
        ('step: 3.0\nmodel: "format: 1"', 'name is missing'),
        ('step: 0.001\nmodel: 5', 'must be text'),
        ('step: 0.001\nmodel: "format: 99"', 'unknown format version 99'),
        ('step: 0.001\nmodel: !!python/object:os.x {}', 'is not valid YAML'),
        ('x' * 2_000_000, 'must be text of at most'),
    ],
)
def test_metadata_that_cannot_be_ours_are_refused(path, value, message):
    replaced(path, f'/node/metadata/{KEY}', value)
    assert_refused(path, message)


def edges(path, *pairs):
    replaced(path, '/node/edges', np.array(pairs, dtype=object), dtype=h5py.string_dtype())


NAMES = (
    *('input', 'layer0_weights', 'layer0_neurons', 'layer1_pooling0', 'layer1_flatten'),
    *('layer1_weights', 'layer1_neurons', 'layer2_synapse0', 'layer2_weights', 'output'),
)
CHAIN = tuple(pairwise(NAMES))


@pytest.mark.parametrize(
    ('pairs', 'message'),
    [
        ((*CHAIN[:2], ('layer0_neurons', 'output')), "'layer1_flatten' is not connected to"),
        ((*CHAIN[:-1], ('layer1_neurons', 'output')), "'layer2_synapse0' does not lead to"),
        ((*CHAIN, ('layer1_neurons', 'layer1_neurons')), "'layer1_neurons' is part of a circle"),
        ((*CHAIN, ('layer1_neurons', 'layer1_weights')), "'layer1_.*' is part of a circle"),
        ((*CHAIN, ('output', 'layer0_weights')), "from 'output' to 'layer0_weights', but"),
        ((*CHAIN, ('layer0_neurons', 'input')), "from 'layer0_neurons' to 'input', but"),
        ((*CHAIN, CHAIN[3]), "from 'layer1_pooling0' to 'layer1_flatten' is there twice"),
        ((('nobody', 'output'),), "from 'nobody' to 'output', and one of them does not exist"),
        ((*CHAIN, ('layer0_neurons', 'layer1_weights')),
         r"'layer1_weights' .* cannot be added, as their shapes are \(27,\) and \(3, 6, 6\)"),
        ((*CHAIN, ('layer0_weights', 'layer1_pooling0')), 'without neurons between them'),
    ],
)  # fmt: skip
def test_graphs_that_are_no_ways_from_input_to_output_are_refused(path, pairs, message):
    edges(path, *pairs)
    assert_refused(path, message)


ONES = np.ones(4)
DENSE = nir.Linear(np.ones((4, 64)))
LIF = nir.LIF(0.02 * ONES, ONES, 0 * ONES, ONES)


def within(*edges):
    """A graph of an Input, an LIF and an Output."""
    ends = {'input': nir.Input(np.array([4])), 'output': nir.Output(np.array([4]))}
    return nir.NIRGraph({**ends, 'lif': LIF}, list(edges), type_check=False)


@pytest.mark.parametrize(
    ('nodes', 'message'),
    [
        ((DENSE, nir.Threshold(ONES)), "of type Threshold: it is not supported; supported are"),
        ((DENSE, nir.Delay(ONES)), 'of type Delay: it is not supported'),
        ((DENSE, nir.I(ONES)), 'of type I: it is not supported'),
        ((DENSE, nir.CubaLI(ONES, ONES, ONES, ONES)), 'of type CubaLI: it is not supported'),
        ((DENSE, within(('input', 'lif'), ('lif', 'lif'), ('lif', 'output'))),
         "node '2_NIRGraph/lif' is part of a circle"),
        ((DENSE, LIF, LIF, nir.LI(0.01 * ONES, ONES, 0 * ONES), LIF),
         "before node '5_LIF' are Synapse.*exponential.*, but those before node '3_LIF' are"),
        ((DENSE, nir.Linear(np.ones((4, 4)))), 'without neurons between them'),
        ((DENSE, LIF, nir.Linear(np.ones((4, 4))), nir.IF(ONES, ONES)), 'has one kind of neuron'),
        ((DENSE, nir.IF(-ONES, ONES)), 'r must be positive'),
        ((nir.Output(np.array([64])),), "'1_Output' of type Output: it has no weights"),
    ],
)  # fmt: skip
def test_nodes_that_have_no_place_in_our_networks_are_refused(tmp_path, nodes, message):
    write_graph(chain(nir.Input(np.array([64])), *nodes), tmp_path / 'theirs.nir')
    assert_refused(tmp_path / 'theirs.nir', message)


def test_more_edges_than_objects_are_refused_before_they_are_read(path):
    shape = (60_000, 2)
    replaced(path, '/node/edges', None, shape=shape, chunks=True, dtype=h5py.string_dtype())
    assert_refused(path, "'edges' holds more than 100000 texts")


def test_a_graph_in_the_place_of_a_node_must_have_one_input_too(tmp_path):
    inner = within(('input', 'lif'), ('lif', 'output'))
    inner.nodes['other'] = nir.Input(np.array([4]))
    ends = {'in': nir.Input(np.array([4])), 'out': nir.Output(np.array([4]))}
    edges = [('in', 'inner'), ('inner', 'out')]
    graph = nir.NIRGraph({**ends, 'inner': inner}, edges, type_check=False)
    write_graph(graph, tmp_path / 'theirs.nir')
    message = "node 'inner' of type NIRGraph: a graph must have one Input, not 2"
    assert_refused(tmp_path / 'theirs.nir', message)
