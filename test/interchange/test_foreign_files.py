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

"""Files of other libraries, here against the equations of NIR in steps of Euler."""

from __future__ import annotations

import numpy as np
import pytest

from snn_perception import create_simulator, load_model
from snn_perception.backends.reference import ReferenceSimulator
from snn_perception.images import Preprocessing
from snn_perception.layers import Dense
from snn_perception.model_folder import save_model
from snn_perception.neurons import IF, LIF
from snn_perception.readout import Readout

nir = pytest.importorskip('nir', reason='NIR is not installed')
from nir_euler import chain, run  # noqa: E402
from usual_nodes import cuba, li, lif, pool  # noqa: E402

from snn_perception.interchange.nir_files import write_graph  # noqa: E402
from snn_perception.interchange.nir_reading import read_model  # noqa: E402

STEP, STEPS = 0.001, 100
IMAGE = np.random.default_rng(3).random((3, 8, 8)).astype(np.float32)
random = np.random.default_rng(5)


def positive(*shape, size=1.0):
    """Weights that let no membrane fall below 0, where ours stay."""
    return size * random.random(shape)


def convolution(outputs, inputs, size, bias=0.0, stride=1, padding=0, dilation=1, groups=1):
    inputs //= groups
    weight = positive(outputs, inputs, size, size, size=8 / (inputs * size**2))
    bias = np.full(outputs, bias)
    return nir.Conv2d(None, weight, stride, padding, dilation, groups, bias)


def dense(outputs, inputs, size=1.0):
    return nir.Linear(positive(outputs, inputs, size=size))


def flatten():
    return nir.Flatten({'input': None}, 0)


def first():
    return convolution(6, 3, 3, padding=1), lif(6, 8, 8)


def last():
    return flatten(), nir.Affine(positive(4, 384, size=0.3), positive(4))


NETWORKS = {
    'one dense layer': (flatten(), dense(4, 192, 0.03), lif(4)),
    'two layers': (*first(), *last(), lif(4)),
    'stride': (convolution(6, 3, 4, 0.1, 2, 1), lif(6, 4, 4), flatten(), dense(4, 96), lif(4)),
    "padding 'same'": (convolution(6, 3, 3, padding='same'), lif(6, 8, 8), *last(), lif(4)),
    "padding 'valid'": (convolution(4, 3, 8, padding='valid'), lif(4, 1, 1)),
    'groups': (*first(), convolution(4, 6, 8, 0.5, groups=2), lif(4, 1, 1, r=5)),
    'dilation': (convolution(4, 3, 3, dilation=3), lif(4, 2, 2)),
    'mean of spikes': (*first(), pool(nir.AvgPool2d, 3), flatten(), dense(4, 24, 9), lif(4)),
    'sum of spikes': (*first(), pool(nir.SumPool2d, 4), convolution(4, 6, 2), lif(4, 1, 1)),
    'mean of currents': (convolution(4, 3, 3, 0.3, 2), pool(nir.AvgPool2d, 2), lif(4, 1, 1)),
    'sum of currents': (convolution(4, 3, 3, 0.3), pool(nir.SumPool2d, 2), lif(4, 3, 3)),
    'scaled currents': (first()[0], nir.Scale(np.full((6, 8, 8), 1.5)), lif(6, 8, 8)),
    'scaled spikes': (*first(), nir.Scale(2 * positive(6, 8, 8)), *last(), lif(4)),
    'scaled image': (nir.Scale(positive(3, 8, 8)), flatten(), dense(4, 192, 0.06), lif(4)),
    'gains': (first()[0], lif(6, 8, 8, r=0.5, v_threshold=0.4), *last(), lif(4)),
    'gains of their own': (*first(), *last(), lif(4, r=[0.5, 1, 2, 3], v_threshold=[1, 2, 3, 4])),
    'leaks upwards': (*first(), *last(), lif(4, v_leak=[0.1, 0.5, 0.9, 1.3])),
    'a reset below the rest': (*first(), *last(), lif(4, v_reset=-0.5)),
    'a reset above the rest': (*first(), *last(), lif(4, v_leak=0.3, v_reset=0.2)),
    'synapses': (*first(), flatten(), dense(5, 384, 3), cuba(5),
                 dense(4, 5, 5), cuba(4, r=2.0, w_in=[1.0, 2.0, 3.0, 4.0])),
    'synapses before weights': (*first(), li(6, 8, 8, r=2.0), *last(), lif(4)),
    'synapses after weights': (*first(), flatten(), dense(4, 384, 3), li(4), lif(4)),
    'two synapses in series': (*first(), li(6, 8, 8), flatten(), dense(4, 384, 3), cuba(4)),
}  # fmt: skip


def network(*nodes):
    """The graph of these nodes after an Input for IMAGE."""
    return chain(nir.Input(np.array(IMAGE.shape)), *nodes)


def our_run(model, steps=STEPS):
    """Outputs (steps, classes) for IMAGE, on the reference engine."""
    simulator = ReferenceSimulator(model)
    return simulator.run(simulator.reset(), IMAGE.transpose(1, 2, 0)[None], steps).outputs[:, 0]


def written(graph, folder):
    write_graph(graph, folder / 'theirs.nir')
    return folder / 'theirs.nir'


@pytest.mark.parametrize('name', NETWORKS)
def test_neurons_at_the_end_spike_as_the_equations_of_nir_say(tmp_path, name):
    graph = network(*NETWORKS[name])
    model = load_model(written(graph, tmp_path))
    assert model.dt == STEP
    spikes = run(graph, IMAGE, STEPS, STEP).astype(bool)
    outputs = our_run(model)
    assert 0.02 < spikes.mean() < 0.9
    assert np.array_equal(outputs > 0, spikes)
    # An output is the number of spikes in a presentation, were there one in every such step.
    assert np.allclose(outputs[outputs > 0], model.presentation_time / STEP)


READOUTS = {
    'weights': (nir.Affine(positive(4, 6), positive(4)),),
    'weights alone': (dense(4, 6),),
    'a filter before weights': (li(6), nir.Affine(positive(4, 6), positive(4))),
    'a filter after weights': (dense(4, 6), li(4, r=2.0)),
    'two filters': (li(6), dense(4, 6), li(4)),
    'weights and gains': (dense(4, 6), nir.Scale(positive(4))),
}


@pytest.mark.parametrize('name', READOUTS)
def test_weights_at_the_end_put_out_what_the_equations_of_nir_say(tmp_path, name):
    graph = network(*first(), pool(nir.AvgPool2d, 8), flatten(), *READOUTS[name])
    model = load_model(written(graph, tmp_path))
    expected = run(graph, IMAGE, STEPS, STEP)
    assert expected.std() > 0.01
    assert np.allclose(our_run(model), expected, rtol=1e-4, atol=1e-5)


def test_a_convolution_at_the_end_is_a_dense_readout(tmp_path):
    graph = network(*first(), convolution(5, 6, 3, bias=0.2, padding=1), pool(nir.AvgPool2d, 8))
    model = load_model(written(graph, tmp_path))
    assert model.network.layers[1:] == (Dense(5),)
    assert np.allclose(our_run(model), run(graph, IMAGE, STEPS, STEP), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(('step', 'rate'), [(None, 1 / STEP), (0.0005, 2000), (0, 1)])
def test_neurons_without_a_leak_fire_in_proportion_to_their_current(tmp_path, step, rate):
    """In steps each adds r I to the potential, and in continuous time every second."""
    currents = np.array([-1.0, 0.01, 0.2, 1.3, 40.0, 55.0]) / rate
    weights, r = nir.Affine(np.zeros((6, 192)), currents), np.full(6, 3.0)
    graph = network(flatten(), weights, nir.IF(r, np.full(6, 1.5), np.full(6, 0.5)))
    model = read_model(written(graph, tmp_path), step)
    assert type(model.network.neuron) is IF
    seconds = 1.0
    spikes = (our_run(model, round(seconds / model.dt)) > 0).sum(axis=0)
    assert np.all(np.abs(spikes - 3 * seconds * rate * np.maximum(currents, 0)) <= 1)


def test_in_continuous_time_rates_are_those_of_the_equations(tmp_path):
    currents = np.array([0.5, 1.02, 1.5, 2.0, 4.0])
    neurons = lif(5, tau=0.02, r=2.0, v_threshold=3.0, v_reset=1.0, v_leak=1.0)
    weights = nir.Affine(np.zeros((5, 192)), currents)
    path = written(network(flatten(), weights, neurons), tmp_path)
    model = read_model(path, step=0)
    assert model.network.neuron == LIF(0.02, 0.0)
    assert np.allclose(model.weights[0].bias, currents)


@pytest.mark.parametrize(
    ('shape', 'expected'),
    [((3, 8, 8), (8, 8, 3)), ((1, 3, 8, 8), (8, 8, 3)), ((192,), (8, 8, 3)), ((1, 192), (8, 8, 3)),
     ((16, 12), (16, 12, 1)), ((1, 16, 12), (16, 12, 1)), ((64,), (8, 8, 1))],
)  # fmt: skip
def test_vectors_and_batches_of_one_are_images(tmp_path, shape, expected):
    values = int(np.prod(shape))
    image = np.random.default_rng(0).random(expected).astype(np.float32)
    nodes = {
        'in': nir.Input(np.array(shape)),
        'flatten': nir.Flatten({'input': np.array(shape)}, 0),
        'weights': dense(4, values),
        'out': nir.Output(np.array([4])),
    }
    edges = [('in', 'flatten'), ('flatten', 'weights'), ('weights', 'out')]
    path = written(nir.NIRGraph(nodes, edges), tmp_path)
    model = load_model(path)
    assert model.network.input_shape == expected
    simulator = ReferenceSimulator(model)
    output = simulator.run(simulator.reset(), image[None], 1).outputs[0, 0]
    channels_first = image.transpose(2, 0, 1).ravel()
    assert np.allclose(output, nodes['weights'].weight @ channels_first, rtol=1e-5)


def test_a_chain_in_the_place_of_a_node_is_read_as_its_nodes_in_a_row(tmp_path):
    nodes = (*first(), *last(), lif(4))
    alone = load_model(written(network(*nodes), tmp_path))
    innermost = nir.NIRGraph.from_list(*nodes[1:3], type_check=False)
    inner = nir.NIRGraph.from_list(innermost, nodes[3], type_check=False)
    nested = load_model(written(network(nodes[0], inner, nodes[4]), tmp_path))
    assert nested.network == alone.network
    assert np.array_equal(our_run(nested), our_run(alone))


@pytest.mark.parametrize('name', ['theirs.h5', 'theirs.NIR', 'theirs.hdf5', 'theirs'])
def test_a_file_is_known_by_what_it_holds_whatever_its_name(tmp_path, name):
    path = written(network(*first(), *last()), tmp_path)
    model = load_model(path)
    path.rename(tmp_path / name)
    assert load_model(tmp_path / name).network == model.network


def test_what_a_file_does_not_say_is_taken_to_be_usual(tmp_path):
    model = load_model(written(network(*first(), *last()), tmp_path))
    assert model.name == 'theirs'
    assert model.labels == ('0', '1', '2', '3')
    assert model.preprocessing == Preprocessing((8, 8, 3))
    assert model.readout == Readout(presentation_time=0.1)
    assert model.network.neuron.tau_ref == 0


def test_a_foreign_file_becomes_a_folder_in_which_the_settings_can_be_changed(tmp_path):
    model = load_model(written(network(*first(), *last(), lif(4)), tmp_path))
    save_model(model, tmp_path / 'folder')
    assert np.array_equal(our_run(load_model(tmp_path / 'folder')), our_run(model))


@pytest.mark.parametrize('backend', ['event', 'torch'])
@pytest.mark.parametrize('name', ['synapses', 'sum of spikes', 'one dense layer'])
def test_every_engine_runs_a_foreign_network_as_the_reference(tmp_path, name, backend):
    model = load_model(written(network(*NETWORKS[name]), tmp_path))
    simulator = create_simulator(model, backend, 'cpu')
    image = IMAGE.transpose(1, 2, 0)[None].copy()
    spikes = simulator.run(simulator.reset(), image, STEPS).outputs[:, 0] > 0
    expected = our_run(model) > 0
    assert (spikes != expected).sum() <= 0.02 * expected.sum()
