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

"""Files of other libraries with skips and branches, against the equations of NIR."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from snn_perception import load_model
from snn_perception.backends.reference import ReferenceSimulator
from snn_perception.layers import AveragePooling, Convolution, Dense, Identity, Sum
from snn_perception.model_folder import save_model

nir = pytest.importorskip('nir', reason='NIR is not installed')
from nir_euler import run  # noqa: E402
from usual_nodes import cuba, li, lif, pool  # noqa: E402

from snn_perception.interchange.nir_files import write_graph  # noqa: E402

pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")

STEP, STEPS = 0.001, 100
random = np.random.default_rng(7)
IMAGE = random.random((3, 8, 8)).astype(np.float32)


def convolution(
    outputs, inputs, size, shape=(8, 8), stride=1, padding=0, groups=1, bias=0.0, gain=8
):
    """A Conv2d without negative weights, for maps of `shape`."""
    rows, columns = np.broadcast_to(size, 2)
    inputs //= groups
    weight = random.random((outputs, inputs, rows, columns)) * gain / (inputs * rows * columns)
    return nir.Conv2d(shape, weight, stride, padding, 1, groups, np.full(outputs, bias))


def dense(outputs, inputs, size=1.0):
    return nir.Linear(size * random.random((outputs, inputs)))


def scale(value, *shape):
    return nir.Scale(np.broadcast_to(value, shape).copy())


def flatten(*shape):
    return nir.Flatten({'input': np.array(shape)}, 0)


def graph(nodes, *ways):
    """The graph of `nodes` on the `ways`, each of names from one to the other."""
    ends = {'in': nir.Input(np.array(IMAGE.shape)), 'out': nir.Output(np.array([4]))}
    edges = [edge for way in ways for edge in pairwise(way.split())]
    return nir.NIRGraph({**ends, **nodes}, list(dict.fromkeys(edges)), type_check=False)


STEM = {'c1': convolution(6, 3, 3, padding=1), 'n1': lif(6, 8, 8)}
SECOND = {'c2': convolution(6, 6, 3, padding=1, groups=6, gain=60), 'n2': lif(6, 8, 8)}
LAST = {'flat': flatten(6, 8, 8), 'w': dense(4, 384, 0.3), 'n': lif(4)}
BODY = {**STEM, **SECOND, **LAST}
MAIN = 'in c1 n1 c2 n2 flat w n out'


def block():
    """A layer with a skip around it, as a graph."""
    ends = {'i': nir.Input(np.array([6, 8, 8])), 'o': nir.Output(np.array([6, 8, 8]))}
    # The library nir checks shapes in there in any case, and does so as if there were no groups.
    convolved = convolution(6, 6, 3, padding=1, gain=60)
    nodes = {**ends, 'c2': convolved, 'n2': lif(6, 8, 8), 's': scale(2.0, 6, 8, 8)}
    edges = [('i', 'c2'), ('c2', 'n2'), ('i', 's'), ('s', 'n2'), ('n2', 'o')]
    return nir.NIRGraph(nodes, edges, type_check=False)


GRAPHS = {
    'a skip': graph({**BODY, 's': scale(3.0, 6, 8, 8)}, MAIN, 'n1 s n2'),
    'a skip without a node': graph({**BODY, 'n2': lif(6, 8, 8, r=8)}, MAIN, 'n1 n2'),
    'a skip with a factor for each channel': graph(
        {**BODY, 's': scale(np.arange(6.0).reshape(6, 1, 1), 6, 8, 8)}, MAIN, 'n1 s n2'
    ),
    'a skip of a 1 x 1 convolution': graph({**BODY, 's': convolution(6, 6, 1)}, MAIN, 'n1 s n2'),
    'a skip over two layers': graph(
        {**BODY, 'c3': convolution(6, 6, 3, padding=1, gain=60), 'n3': lif(6, 8, 8)},
        'in c1 n1 c2 n2 c3 n3 flat w n out', 'n1 n3',
    ),
    'a skip past the pooling': graph(
        {**STEM, 'p': pool(nir.AvgPool2d, 2), 'c2': convolution(6, 6, 3, (8, 8), 2, 1, gain=60),
         'n2': lif(6, 4, 4), 's': scale(5.0, 6, 4, 4), 'flat': flatten(6, 4, 4),
         'w': dense(4, 96, 2), 'n': lif(4)},
        MAIN, 'n1 p s n2',
    ),
    'spikes of two layers on the same weights': graph(BODY, MAIN, 'n1 flat'),
    'the image twice': graph({**BODY, 's': convolution(6, 3, 1)}, MAIN, 'in s n2'),
    'the image added to spikes': graph(
        {**STEM, 'c0': convolution(3, 3, 1), 'n0': lif(3, 8, 8), **LAST},
        'in c0 n0 c1 n1 flat w n out', 'in c1',
    ),
    'synapses of two sources in one': graph(
        {**BODY, 's': scale(3.0, 6, 8, 8), 'n2': cuba(6, 8, 8), 'n': cuba(4)}, MAIN, 'n1 s n2'
    ),
    'a synapse for each source': graph(
        {**BODY, 'l1': li(6, 8, 8), 'l2': li(6, 8, 8, r=3.0), 'l3': li(6, 8, 8)},
        'in c1 n1 l1 c2 n2 l3 flat w n out', 'n1 l2 n2',
    ),
    'a pool of a sum of currents': graph(
        {**STEM, 'c2': convolution(4, 6, 3, padding=1), 's': convolution(4, 6, 1, bias=0.1),
         'p': pool(nir.SumPool2d, 8), 'n': lif(4, 1, 1)},
        'in c1 n1 c2 p n out', 'n1 s p',
    ),
    'branches that both lead to the end': graph(
        {**BODY, 'flat1': flatten(6, 8, 8), 'w1': dense(4, 384, 0.2)}, MAIN, 'n1 flat1 w1 n'
    ),
    'neurons that drive neurons': graph({**BODY, 'm': lif(4, r=30)}, 'in c1 n1 flat w n m out'),
    'a block in the place of a node': graph(
        {**STEM, 'block': block(), **LAST}, 'in c1 n1 block flat w n out'
    ),
    'a rectangle': graph(
        {'c1': convolution(6, 3, (3, 1), stride=(1, 2), padding=(1, 0)), 'n1': lif(6, 8, 4),
         'p': nir.AvgPool2d(np.array([4, 2]), np.array([4, 2]), np.array([0, 0])),
         'flat': flatten(6, 2, 2), 'w': dense(4, 24, 9), 'n': lif(4)},
        'in c1 n1 p flat w n out',
    ),
    "padding 'same' of an even kernel": graph(
        {**BODY, 'c1': convolution(6, 3, (4, 2), padding='same')}, 'in c1 n1 flat w n out'
    ),
}  # fmt: skip


def our_outputs(found, folder):
    """The model in a file of the graph `found`, and its outputs (steps, classes) for IMAGE."""
    write_graph(found, folder / 'theirs.nir')
    model = load_model(folder / 'theirs.nir')
    simulator = ReferenceSimulator(model)
    image = IMAGE.transpose(1, 2, 0)[None]
    return model, simulator.run(simulator.reset(), image, STEPS).outputs[:, 0]


def used(found):
    """`found` without the nodes that no way passes."""
    names = {name for edge in found.edges for name in edge}
    nodes = {name: node for name, node in found.nodes.items() if name in names}
    return nir.NIRGraph(nodes, found.edges, type_check=False)


def inlined(found):
    """`found` with the nodes of the graph 'block' in its place."""
    if 'block' not in found.nodes:
        return found
    inner = found.nodes['block']
    nodes = {name: node for name, node in found.nodes.items() if name != 'block'} | inner.nodes
    nodes = {name: node for name, node in nodes.items() if name not in ('i', 'o')}
    edges = [('n1', 'c2'), ('n1', 's'), ('c2', 'n2'), ('s', 'n2'), ('n2', 'flat')]
    kept = [edge for edge in found.edges if 'block' not in edge]
    return nir.NIRGraph(nodes, kept + edges, type_check=False)


@pytest.mark.parametrize('name', GRAPHS)
def test_neurons_at_the_end_of_a_graph_spike_as_the_equations_of_nir_say(tmp_path, name):
    found = used(GRAPHS[name])
    _, outputs = our_outputs(found, tmp_path)
    spikes = run(inlined(found), IMAGE, STEPS, STEP).astype(bool)
    assert 0.02 < spikes.mean() < 0.9
    assert np.array_equal(outputs > 0, spikes)


READOUTS = {
    'two readouts': graph(
        {**BODY, 'flat1': flatten(6, 8, 8), 'w1': dense(4, 384)}, 'in c1 n1 c2 n2 flat w out',
        'n1 flat1 w1 out',
    ),
    'a readout and spikes': graph(BODY, 'in c1 n1 c2 n2 flat w n out', 'w out'),
    'two readouts and a bias': graph(
        {**STEM, 'c2': convolution(4, 6, 8, bias=0.3), 'c3': convolution(4, 6, 8, bias=0.2)},
        'in c1 n1 c2 out', 'n1 c3 out',
    ),
}  # fmt: skip


@pytest.mark.parametrize('name', READOUTS)
def test_sums_at_the_end_put_out_what_the_equations_of_nir_say(tmp_path, name):
    found = used(READOUTS[name])
    _, outputs = our_outputs(found, tmp_path)
    expected = run(found, IMAGE, STEPS, STEP)
    assert expected.std() > 0.01
    assert np.allclose(outputs, expected, rtol=1e-4, atol=1e-5)


def test_layers_are_named_after_their_neurons_where_others_skip_to_them(tmp_path):
    found = used(GRAPHS['a skip past the pooling'])
    model, _ = our_outputs(found, tmp_path)
    assert model.network.layers == (
        Convolution(6, 3, padding=1),
        Sum((Convolution(6, 3, 2, 1), (AveragePooling(2), Identity(0.005)))),
        Dense(4),
        Dense(4),
    )
    model, _ = our_outputs(used(GRAPHS['a skip over two layers']), tmp_path)
    assert model.network.layers == (
        Convolution(6, 3, padding=1, name='n1'),
        Convolution(6, 3, padding=1, groups=6),
        Sum((Convolution(6, 3, padding=1), Identity(0.001, source='n1'))),
        Dense(4),
        Dense(4),
    )


def test_a_graph_becomes_a_folder_in_which_the_settings_can_be_changed(tmp_path):
    model, _ = our_outputs(used(GRAPHS['a skip over two layers']), tmp_path)
    save_model(model, tmp_path / 'folder')
    assert load_model(tmp_path / 'folder').network == model.network


REFUSED = {
    'at most two synapses in series': graph(
        {**BODY, 'l': li(6, 8, 8), 'm': li(6, 8, 8), 'o': li(6, 8, 8)},
        'in c1 n1 l m o c2 n2 flat w n out',
    ),
    "node 'n2' of type LIF: the spikes that arrive pass different synapses": graph(
        {**BODY, 'l': li(6, 8, 8)}, 'in c1 n1 l c2 n2 flat w n out', 'n1 n2'
    ),
    "node 'n2' of type LIF: a gain before neurons must be the same across each channel": graph(
        {**BODY, 's': nir.Scale(random.random((6, 8, 8)))}, MAIN, 'n1 s n2'
    ),
    "node 'n2' of type LIF: the values that arrive cannot be added, .* and": graph(
        {**BODY, 's': convolution(6, 6, 2)}, MAIN, 'n1 s n2'
    ),
    "node 'p' of type AvgPool2d: it must come after a convolution": graph(
        {**BODY, 'p': pool(nir.AvgPool2d, 2), 's': convolution(6, 3, 1)}, MAIN, 'in p s n2'
    ),
    "node 'c2' of type Conv2d: it has weights for 6 channels, but 3 arrive": graph(
        {**BODY, 'c1': convolution(3, 3, 3), 'n1': lif(3, 6, 6)}, MAIN
    ),
    "padding 'same' needs a stride of 1": graph(
        {**BODY, 'c1': convolution(6, 3, 3, stride=2, padding='same')}, MAIN
    ),
}


@pytest.mark.parametrize('sentence', REFUSED)
def test_what_our_networks_cannot_add_is_refused_with_the_name_of_the_node(tmp_path, sentence):
    with pytest.raises(ValueError, match=sentence):
        our_outputs(used(REFUSED[sentence]), tmp_path)
