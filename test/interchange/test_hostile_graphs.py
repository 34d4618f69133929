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

"""Small files of graphs that would take absurd amounts of memory or time."""

from __future__ import annotations

from itertools import pairwise
from time import thread_time

import numpy as np
import pytest

from snn_perception import load_model
from snn_perception.model_file import ModelError

nir = pytest.importorskip('nir', reason='NIR is not installed')
from usual_nodes import lif  # noqa: E402

from snn_perception.interchange.nir_files import write_graph  # noqa: E402
from snn_perception.interchange.nir_graph import wiring  # noqa: E402
from snn_perception.interchange.nir_layers import GraphBuilder  # noqa: E402
from snn_perception.interchange.nir_signals import Budget  # noqa: E402
from snn_perception.interchange.timing import Timing  # noqa: E402

ONES = np.ones(4)
RANDOM = np.random.default_rng(0)


def doubled(levels, *last):
    """A graph in which spikes have 2 ** `levels` ways to a row of the nodes `last`."""
    nodes = {
        'in': nir.Input(np.array([3, 8, 8])),
        'first': nir.Conv2d((8, 8), np.ones((4, 3, 1, 1)), 1, 0, 1, 1, 0 * ONES),
        '0': lif(4, 8, 8),
    }
    edges = [('in', 'first'), ('first', '0')]
    for level in range(levels):
        for way in 'ab':
            nodes[f'{level}{way}'] = nir.Scale(np.ones((4, 8, 8)))
            edges += [(f'{level}', f'{level}{way}'), (f'{level}{way}', f'{level + 1}')]
        nodes[f'{level + 1}'] = nir.Scale(np.ones((4, 8, 8)))
    names = [f'{levels}', *(f'last{number}' for number in range(len(last))), 'out']
    nodes |= dict(zip(names[1:], last, strict=False)) | {'out': nir.Output(np.array([4]))}
    return nir.NIRGraph(nodes, [*edges, *pairwise(names)], type_check=False)


def built(graph, budget):
    """Take all nodes of `graph`, with a `budget` of so many values."""
    wired = wiring(graph)
    builder = GraphBuilder(Timing(0.001), (3, 8, 8), False, 0.1, budget=budget)
    for name, node in wired.nodes.items():
        builder.add(name, node, wired.sources[name])
    return builder.network('out')


def test_graphs_with_absurdly_many_ways_are_refused(tmp_path):
    write_graph(doubled(60), tmp_path / 'theirs.nir')
    with pytest.raises(ModelError, match="node '10' of type Scale: more than 1000 ways lead to"):
        load_model(tmp_path / 'theirs.nir')


def convolution(rows):
    return nir.Conv2d((8, 8), np.ones((1, 4, rows, rows)), 1, 0, 1, 1, np.zeros(1))


FLAT = nir.Flatten({'input': np.array([4, 8, 8])}, 0)
POOL = nir.AvgPool2d(np.array([8, 8]), np.array([8, 8]), np.array([0, 0]))
MULTIPLIED = {
    'matrices': (FLAT, nir.Linear(RANDOM.random((16, 256)))),
    'kernels': (convolution(8),),
    'kernels that pooling enlarges': (convolution(1), POOL),
    'gains': (nir.Scale(RANDOM.random((4, 8, 8))),),
    'the identity at the end': (FLAT,),
}


@pytest.mark.parametrize('what', MULTIPLIED)
def test_what_many_ways_multiply_is_refused_before_it_takes_memory(what):
    """256 ways multiply what each would fit into the budget 100 times."""
    size = {'matrices': 4096, 'the identity at the end': 256**2}.get(what, 256)
    budget = Budget(100 * size + 20_000)
    with pytest.raises(ValueError, match='more weights than any network that can be run'):
        built(doubled(8, *MULTIPLIED[what]), budget)
    assert -budget.left <= size


def test_biases_of_many_nodes_are_counted_too():
    wide = nir.Conv2d((8, 8), np.ones((500, 4, 8, 8)), 1, 0, 1, 1, np.ones(500))
    graph = doubled(0, wide, *(nir.Scale(np.ones((500, 1, 1))) for _ in range(1000)))
    with pytest.raises(ModelError, match=r"node 'last.*' of type Scale: .* more weights than any"):
        built(graph, Budget(200_000))


def test_maps_of_absurd_sizes_are_refused_before_memory_is_taken(tmp_path):
    graph = doubled(0)
    graph.nodes['first'].padding = (60_000, 60_000)
    graph.nodes['0'] = nir.LIF(*(np.full(1, value) for value in (0.02, 1.0, 0.0, 1.0)))
    write_graph(graph, tmp_path / 'theirs.nir')
    with pytest.raises(
        ModelError, match=r"'first' .* \(4, 120008, 120008\) are more than the 5000"
    ):
        load_model(tmp_path / 'theirs.nir')


def test_tens_of_thousands_of_edges_from_one_node_take_no_time():
    nodes = {f's{number}': nir.Scale(ONES) for number in range(20_000)}
    ends = {'in': nir.Input(np.array([4])), 'out': nir.Output(np.array([4]))}
    edges = [edge for name in nodes for edge in (('in', name), (name, 'out'))]
    graph = nir.NIRGraph({**ends, **nodes}, edges, type_check=False)
    begin = thread_time()
    assert len(wiring(graph).sources['out']) == 20_000
    assert thread_time() - begin < 2
