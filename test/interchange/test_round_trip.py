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

"""Out to a NIR file and back: with our metadata exact, without them all that NIR can say."""

from __future__ import annotations

import dataclasses
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_models import random_images, random_model, turn_taking_model

from snn_perception import create_simulator, load_model
from snn_perception.images import Preprocessing
from snn_perception.layers import AveragePooling, Convolution, Dense
from snn_perception.model_file import ModelError
from snn_perception.neurons import IF, LIF, AdaptiveLIF, Theta
from snn_perception.readout import Readout
from snn_perception.synapses import Synapse

pytest.importorskip('nir', reason='NIR is not installed')
from snn_perception.interchange.nir_files import read_graph, write_graph
from snn_perception.interchange.nir_reading import read_model
from snn_perception.interchange.nir_writing import lost, to_graph
from snn_perception.interchange.timing import Timing

STEPS = st.one_of(st.just(0.0), st.floats(1e-5, 0.01))
SYNAPSES = st.one_of(
    st.just(Synapse()),
    st.builds(Synapse, st.sampled_from(['exponential', 'alpha']), st.floats(0.001, 0.1)),
)
NEURONS = st.builds(
    lambda kind, tau_rc, tau_ref: kind(tau_rc, tau_ref),
    st.sampled_from([LIF, IF]),
    st.floats(0.001, 0.5),
    st.floats(0, 0.005),
)


@st.composite
def models(draw):
    """Models of all layers, sizes, synapses, neurons and settings that have a form in NIR."""
    size = st.integers(1, 3)
    layers = []
    for _ in range(draw(st.integers(0, 2))):
        layers.append(Convolution(draw(size), draw(size), padding=draw(st.integers(0, 2))))
        layers += [AveragePooling(draw(st.integers(1, 2)))] * draw(st.integers(0, 1))
    layers += [Dense(draw(st.integers(1, 5))) for _ in range(draw(st.integers(0, 2)))]
    shape = (draw(st.integers(10, 14)), draw(st.integers(10, 14)), draw(st.sampled_from([1, 3])))
    seed, dt = draw(st.integers(0, 1000)), draw(st.floats(1e-4, 0.1))
    model = random_model(seed, shape, (*layers, Dense(3)), draw(SYNAPSES), draw(SYNAPSES), dt=dt)
    network = dataclasses.replace(
        model.network, neuron=draw(NEURONS), gamma=draw(st.floats(0.001, 1))
    )
    level = st.floats(0.1, 0.9)
    return dataclasses.replace(
        model,
        name=draw(st.text(min_size=1, max_size=8)),
        description=draw(st.text(max_size=20)),
        network=network,
        input=Preprocessing(
            shape, (draw(level),), (draw(level),), draw(st.sampled_from(['crop', 'pad'])), True
        ),
        readout=Readout(draw(st.floats(0.1, 1)), draw(st.floats(0, 0.09)), 0.02, draw(level)),
    )


def written(model, step, folder):
    """Path of the file that `model` was exported to for a library of this time step."""
    path = Path(folder) / 'model.nir'
    write_graph(to_graph(model, Timing(step)), path)
    return path


def assert_same_weights(one, other):
    for mine, theirs in zip(one.weights, other.weights, strict=True):
        assert mine.kernel.dtype == theirs.kernel.dtype == np.float32
        assert np.array_equal(mine.kernel, theirs.kernel)
        assert np.array_equal(mine.bias, theirs.bias)


@given(model=models(), step=STEPS)
@settings(deadline=None, max_examples=60)
def test_an_exported_model_comes_back_as_it_was_bit_for_bit(model, step):
    with tempfile.TemporaryDirectory() as folder:
        back = load_model(written(model, step, folder))
    assert_same_weights(model, back)
    for field in {field.name for field in dataclasses.fields(model)} - {'weights'}:
        assert getattr(back, field) == getattr(model, field)


@pytest.mark.parametrize('step', np.linspace(0.0001, 0.004, 14))
def test_weights_after_synapses_come_back_bit_for_bit_at_any_step(tmp_path, step):
    model = random_model(layers=(Dense(20), Dense(200), Dense(3)))
    assert_same_weights(model, load_model(written(model, float(step), tmp_path)))


@given(model=models(), step=STEPS)
@settings(deadline=None, max_examples=30)
def test_without_metadata_all_comes_back_but_the_refractory_period_and_settings(model, step):
    with tempfile.TemporaryDirectory() as folder:
        back = read_model(written(model, step, folder), step, use_metadata=False)
    assert_same_weights(model, back)
    network, before = back.network, model.network
    assert (network.input_shape, network.populations) == (before.input_shape, before.populations)
    if network.neurons:
        assert type(network.neuron) is type(before.neuron)
        assert network.neuron.tau_rc == pytest.approx(before.neuron.tau_rc, rel=1e-3)
        assert network.neuron.tau_ref == 0
    for index in range(len(network.populations)):
        synapse, expected = network.synapse_of(index), before.synapse_of(index)
        assert synapse.type == expected.type
        assert synapse.tau == pytest.approx(expected.tau, rel=1e-3)
    assert back.labels == ('0', '1', '2')
    assert back.preprocessing == Preprocessing(before.input_shape)
    assert back.dt == (step or 0.001)
    assert back.readout == Readout(presentation_time=100 * back.dt)


def test_without_metadata_a_network_spikes_as_ours_without_a_refractory_period(tmp_path):
    model = random_model()
    back = read_model(written(model, model.dt, tmp_path), model.dt, use_metadata=False)
    bare = dataclasses.replace(model.network, neuron=LIF(model.network.neuron.tau_rc, 0.0))
    images = random_images(model, 2)
    activity = []
    for each in (back, dataclasses.replace(model, network=bare), model):
        simulator = create_simulator(each, 'reference')
        activity.append(simulator.run(simulator.reset(2), images, 100))
    there, expected, here = activity
    assert np.array_equal(there.spikes, expected.spikes)
    assert np.allclose(there.outputs, expected.outputs, atol=1e-3)
    assert there.spikes.sum() > here.spikes.sum()


@pytest.mark.parametrize('step', [0.0001, 0.00025, 0.001])
def test_the_step_of_a_file_without_metadata_is_found_in_its_neurons(tmp_path, step):
    back = read_model(written(random_model(), step, tmp_path), use_metadata=False)
    assert back.dt == step


def test_a_file_passes_the_checks_of_the_library_nir(tmp_path):
    import nir

    path = written(random_model(), 0.001, tmp_path)
    graph = nir.read(path, type_check=True)
    assert tuple(graph.output_type['output']) == (3,)


def test_weights_that_another_tool_changed_are_taken_and_the_settings_kept(tmp_path):
    model = random_model()
    path = written(model, 0.001, tmp_path)
    graph = read_graph(path)
    graph.nodes['layer0_weights'].bias += 1
    write_graph(graph, path)
    back = load_model(path)
    assert np.array_equal(back.weights[0].bias, model.weights[0].bias + 1)
    assert back.labels == model.labels
    assert back.network == model.network


def slow_down(graph):
    for node in graph.nodes.values():
        if hasattr(node, 'tau_mem'):
            node.tau_mem = 2 * node.tau_mem
        elif hasattr(node, 'tau'):
            node.tau = 2 * node.tau


def filter_longer(graph):
    graph.nodes['layer1_neurons'].tau_syn *= 2


def pool_less(graph):
    pooling = graph.nodes['layer1_pooling0']
    pooling.kernel_size = pooling.stride = np.array([4, 4])


@pytest.mark.parametrize('change', [slow_down, filter_longer, pool_less])
def test_metadata_of_another_network_than_the_nodes_are_refused(tmp_path, change):
    layers = (Convolution(4, 1), AveragePooling(5), Convolution(4, 2), Dense(3))
    path = written(random_model(layers=layers, readout_synapse=Synapse()), 0.001, tmp_path)
    graph = read_graph(path)
    change(graph)
    write_graph(graph, path)
    with pytest.raises(ModelError, match='describe a different network'):
        load_model(path)


@pytest.mark.parametrize('neuron', [AdaptiveLIF(), Theta()], ids=repr)
def test_neurons_that_nir_does_not_know_are_not_exported(neuron):
    model = random_model()
    network = dataclasses.replace(model.network, neuron=neuron)
    with pytest.raises(ModelError, match='which NIR does not have'):
        to_graph(dataclasses.replace(model, network=network), Timing(0.001))


def test_what_is_lost_is_said_in_words():
    model = random_model()
    said = lost(model, Timing(0.001))
    assert said['refractory period'].startswith('2 ms')
    assert '5 ms' in said['bias']
    assert '0.001 s' in said['spikes']
    assert said['labels'] == 'a, b, c'
    assert {'preprocessing', 'readout', 'floor of the membrane'} <= set(said)
    assert 'initial potential' not in said
    network = dataclasses.replace(model.network, neuron=LIF(initial_potential=0.3))
    said = lost(dataclasses.replace(model, network=network), Timing(0.001))
    assert said['initial potential'].startswith('0.3 of the threshold here')
    network = dataclasses.replace(model.network, neuron=LIF(phases=4))
    said = lost(dataclasses.replace(model, network=network), Timing(0.001))
    assert said['phases'].startswith('neighbours start from 4 potentials here')


def test_it_is_said_that_layers_take_no_turns_there_and_which_part_of_an_image_is_seen():
    model = turn_taking_model(0)
    preprocessing = dataclasses.replace(model.preprocessing, centre=0.875)
    model = dataclasses.replace(model, labels=('a, b', 'c', 'd'), input=preprocessing)
    said = lost(model, Timing(0.001))
    assert 'fires in a window of 5 ms of its own here' in said['turns']
    assert 'largest output at the end' in said['readout']
    assert 'the middle 87.5 % of its height and width' in said['preprocessing']
    assert said['labels'] == 'a, b; c; d'
    plain = lost(random_model(), Timing(0.001))
    assert 'turns' not in plain
    assert 'the middle' not in plain['preprocessing']


def test_what_is_not_lost_is_not_said():
    model = random_model()
    bare = dataclasses.replace(model.network, neuron=LIF(0.02, 0.0), synapse=Synapse())
    said = lost(dataclasses.replace(model, network=bare), Timing(0.001))
    assert not {'refractory period', 'bias'} & set(said)
    assert 'bias' not in lost(model, Timing(0.0))
