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

"""Networks with skips, groups and uneven shapes out to a NIR file and back."""

from __future__ import annotations

import dataclasses
import tempfile
from pathlib import Path

import numpy as np
import pytest
from excitatory import excitatory
from hypothesis import given, settings
from hypothesis import strategies as st
from random_models import random_graph_model, random_images, random_model, with_random_weights

from snn_perception import load_model
from snn_perception.backends.reference import ReferenceSimulator
from snn_perception.layers import (
    AveragePooling,
    Convolution,
    Dense,
    GlobalAveragePooling,
    Identity,
    Sum,
)
from snn_perception.model_file import ModelError
from snn_perception.neurons import IF, LIF
from snn_perception.synapses import Synapse

nir = pytest.importorskip('nir', reason='NIR is not installed')
from nir_euler import run  # noqa: E402

from snn_perception.interchange import nir_nodes  # noqa: E402
from snn_perception.interchange.nir_files import read_graph, write_graph  # noqa: E402
from snn_perception.interchange.nir_kernels import symmetric  # noqa: E402
from snn_perception.interchange.nir_reading import read_model  # noqa: E402
from snn_perception.interchange.nir_writing import lost, to_graph  # noqa: E402
from snn_perception.interchange.timing import Timing  # noqa: E402

TIMES = st.sampled_from([0.0, 0.001, 0.0005])
SYNAPSES = st.sampled_from([Synapse(), Synapse('exponential', 0.005), Synapse('alpha', 0.003)])
NEURONS = st.sampled_from([LIF(tau_ref=0.0), IF(tau_ref=0.0)])
GRAPHS = st.builds(
    random_graph_model,
    seed=st.integers(0, 1000),
    neuron=NEURONS,
    synapse=SYNAPSES,
    readout_synapse=SYNAPSES,
    populations=st.integers(2, 6),
)


def written(model, step, folder):
    path = Path(folder) / 'model.nir'
    write_graph(to_graph(model, Timing(step)), path)
    return path


def assert_same_model(one, other):
    assert one.network == other.network
    for mine, theirs in zip(one.weights, other.weights, strict=True):
        assert np.array_equal(mine.bias, theirs.bias)
        for kernel, found in zip(mine.kernels, theirs.kernels, strict=True):
            assert found.dtype == np.float32
            assert np.array_equal(kernel, found)


def assert_same_spikes(model, other):
    """Both fire alike; neurons and synapses of `other` are exchanged for the exact ones."""
    network = model.network
    exact = {each: getattr(network, each) for each in ('neuron', 'synapse', 'readout_synapse')}
    other = dataclasses.replace(
        other, network=dataclasses.replace(other.network, **exact), dt=model.dt
    )
    images = random_images(model, 2)
    activity = []
    for each in (model, other):
        simulator = ReferenceSimulator(each)
        activity.append(simulator.run(simulator.reset(2), images, 40))
    expected, found = activity
    assert expected.spikes.any()
    assert np.array_equal(expected.spikes, found.spikes)
    assert np.allclose(expected.outputs, found.outputs, atol=1e-4)


@given(model=GRAPHS, step=TIMES)
@settings(deadline=None, max_examples=10)
def test_an_exported_graph_comes_back_as_it_was_bit_for_bit(model, step):
    with tempfile.TemporaryDirectory() as folder:
        assert_same_model(model, load_model(written(model, step, folder)))


@given(model=GRAPHS, step=TIMES)
@settings(deadline=None, max_examples=10)
def test_without_metadata_an_exported_graph_fires_the_same_spikes(model, step):
    with tempfile.TemporaryDirectory() as folder:
        back = read_model(written(model, step, folder), step, use_metadata=False)
    for index in range(len(model.network.populations)):
        synapse, expected = back.network.synapse_of(index), model.network.synapse_of(index)
        assert synapse.type == expected.type
        assert synapse.tau == pytest.approx(expected.tau, rel=1e-3)
    assert_same_spikes(model, back)


@given(seed=st.integers(0, 1000))
@settings(deadline=None, max_examples=10)
def test_an_exported_graph_without_inhibition_spikes_as_the_equations_of_nir_say(seed):
    synapses = Synapse(), Synapse('exponential', 0.01)
    model = excitatory(random_graph_model(seed, LIF(), *synapses))
    image = random_images(model, 1, seed)
    outputs = run(to_graph(model, Timing(0.001)), image[0].transpose(2, 0, 1), 60, 0.001)
    simulator = ReferenceSimulator(model)
    expected = simulator.run(simulator.reset(), image, 60).outputs[:, 0]
    assert np.allclose(outputs, expected, rtol=1e-3, atol=1e-4)


FORMS = {
    'one-sided padding': (Convolution(4, 3, 2, (0, 1, 0, 1)), Dense(3)),
    'one-sided padding that is unused': (Convolution(4, 3, 1, (2, 0, 1, 0)), Dense(3)),
    'a convolution after a dense layer': (Dense(6), Convolution(4, 1), Dense(3)),
    'a kernel over the border of a dense layer': (
        Dense(6), Convolution(4, 3, 1, (1, 1, 2, 0)), Dense(3)
    ),
    'an identity alone': (Convolution(4, 3, name='a'), Identity(0.03), Dense(3)),
    'identities alone': (
        Convolution(4, 3, name='a'), Convolution(4, 1),
        Sum((Identity(0.03), Identity(0.02, source='a'))), Dense(3),
    ),
    'a skip of dense layers': (
        Dense(6, name='a'), Dense(6), Sum((Dense(6), Identity(0.03, source='a'))), Dense(3)
    ),
    'an identity of the image': (Sum((Convolution(3, 3, padding=1), Identity(0.5))), Dense(3)),
    'a map of one pixel with vectors': (
        Convolution(6, (7, 6), name='a'), Dense(6), Sum((Dense(6), Identity(0.03, source='a'))),
        Dense(3),
    ),
    'pooling before an identity': (
        Convolution(4, 2, name='a'), Convolution(4, 4, 2, (0, 1, 0, 1)),
        Sum((Convolution(4, 1), (AveragePooling((3, 2), source='a'), Identity(0.1)))),
        GlobalAveragePooling(), Dense(3),
    ),
}  # fmt: skip


@pytest.mark.parametrize('step', [0.0, 0.001])
@pytest.mark.parametrize('name', FORMS)
def test_what_nir_has_no_form_for_is_written_as_one_that_does_the_same(tmp_path, name, step):
    model = random_model(input_shape=(7, 6, 3), layers=FORMS[name])
    bare = dataclasses.replace(model.network, neuron=LIF(tau_ref=0.0))
    model = dataclasses.replace(model, network=bare)
    path = written(model, step, tmp_path)
    assert_same_model(model, load_model(path))
    assert_same_spikes(model, read_model(path, step, use_metadata=False))


def test_what_leads_to_the_output_is_added_before_it():
    """As nirtorch does not add what several edges bring to an Output."""
    graph = to_graph(random_graph_model(), Timing(0.001))
    assert [edge for edge in graph.edges if edge[1] == 'output'] == [('layer5_sum', 'output')]


def test_dense_layers_and_the_skips_between_them_are_vectors(tmp_path):
    model = random_model(input_shape=(7, 6, 3), layers=FORMS['a skip of dense layers'])
    nodes = to_graph(model, Timing(0.001)).nodes
    kinds = {name: type(node).__name__ for name, node in nodes.items() if 'weights' in name}
    assert kinds == {
        'layer0_weights': 'Affine',
        'layer1_weights': 'Affine',
        'layer2_0_weights': 'Affine',
        'layer2_1_weights': 'Scale',
        'layer3_weights': 'Affine',
    }


@given(
    size=st.integers(3, 9),
    kernel=st.integers(1, 4),
    stride=st.integers(1, 4),
    before=st.integers(0, 4),
    after=st.integers(0, 4),
)
def test_any_one_sided_padding_has_an_even_form_with_the_same_outputs(
    size, kernel, stride, before, after
):
    if size + before + after < kernel:
        return
    layer = Convolution(2, (kernel, 1), stride, (before, after, 0, 0))
    even, ((front, back), _) = symmetric(layer, (size, 1, 1))
    assert even.margins[0] == (before + front, before + front)
    assert even.kernel_size[0] == front + kernel + back
    assert even.output_shape((size, 1, 1)) == layer.output_shape((size, 1, 1))
    assert min(front, back) == 0


def test_a_kernel_that_another_tool_has_widened_is_not_ours_any_more(tmp_path):
    path = written(random_model(layers=FORMS['one-sided padding that is unused']), 0.001, tmp_path)
    graph = read_graph(path)
    weight = graph.nodes['layer0_weights'].weight
    assert weight.shape[2] > 3
    assert not weight[:, :, -1].any()
    weight[:, :, -1] = 1
    write_graph(graph, path)
    with pytest.raises(ModelError, match="metadata 'snn_perception' describe a different network"):
        load_model(path)


def test_an_identity_of_another_scale_is_not_ours_any_more(tmp_path):
    path = written(random_model(layers=FORMS['a skip of dense layers']), 0.001, tmp_path)
    graph = read_graph(path)
    graph.nodes['layer2_1_weights'].scale *= 2
    write_graph(graph, path)
    with pytest.raises(ModelError, match='describe a different network'):
        load_model(path)


def test_a_padding_that_takes_too_large_a_kernel_names_the_layer(monkeypatch):
    layers = (Convolution(4, 3, 1, (0, 0, 40, 0), name='wide'), Dense(3))
    model = random_model(input_shape=(7, 6, 3), layers=layers)
    monkeypatch.setattr(nir_nodes, 'MAXIMUM_WEIGHTS', 1000)
    with pytest.raises(ModelError, match='the padding of layer 0 wide takes a kernel of 1548 wei'):
        to_graph(model, Timing(0.001))


def test_what_the_library_nir_does_not_know_about_kernels_is_said():
    plain, grouped, uneven = (
        random_model(layers=(Convolution(4, 3), layer, Dense(3)))
        for layer in (Convolution(4, 3), Convolution(4, 3, groups=2), Convolution(4, (3, 1)))
    )
    assert 'shapes' not in lost(plain, Timing(0.001))
    for model in (grouped, uneven):
        assert 'type_check=False' in lost(model, Timing(0.001))['shapes']


def test_where_currents_of_the_image_pass_a_synapse_it_is_said():
    network = random_graph_model(3).network
    assert any(each.sees_image and each.hears_spikes for each in network.populations[:-1])
    model = with_random_weights(network)
    assert 'image' in lost(model, Timing(0.001))
    assert 'image' not in lost(model, Timing(0.0))
    assert 'image' not in lost(random_model(), Timing(0.001))
