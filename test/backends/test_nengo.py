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

"""The model in Nengo against the NumPy reference, as an engine and as a network to go on from."""

from __future__ import annotations

import copy
import dataclasses
import gc
import sys

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from random_models import random_graph_model, random_images, random_model

from snn_perception import load_model
from snn_perception.backends import create_simulator
from snn_perception.backends.reference import ReferenceSimulator
from snn_perception.graph import IMAGE
from snn_perception.images import prepare, read_image
from snn_perception.layers import AveragePooling, Convolution, Dense
from snn_perception.neurons import IF, LIF, AdaptiveLIF, Theta
from snn_perception.synapses import Synapse

nengo = pytest.importorskip('nengo')
from snn_perception.backends import nengo_transforms  # noqa: E402
from snn_perception.backends.nengo import NengoSimulator  # noqa: E402
from snn_perception.backends.nengo_network import build_network  # noqa: E402

# About the rates at an encoded value of 1; there are no encoded values.
pytestmark = [
    pytest.mark.filterwarnings('ignore:Non-finite values detected in `max_rates`'),
    pytest.mark.filterwarnings('ignore:invalid value encountered in log1p'),
]

SYNAPSES = [Synapse(), Synapse('exponential', 0.005), Synapse('alpha', 0.003)]
PADDED_LAYERS = (
    Convolution(4, 5, 2, 2),
    AveragePooling(2),
    Convolution(5, 3, 1, 1),
    Dense(7),
    Dense(3),
)
FEW_LAYERS = (Convolution(4, 3), Dense(7), Dense(3))


def in_reference(model, images):
    """Spikes of each layer (steps, neurons) and outputs (steps, classes) on an image a step."""
    reference = ReferenceSimulator(model)
    memory = reference.rest(1)
    spikes, outputs = zip(*(reference.step(memory, i[None]) for i in images), strict=True)
    layers = [np.stack(layer).reshape(len(images), -1) for layer in zip(*spikes, strict=True)]
    return layers, np.concatenate(outputs)


def in_nengo(network, model, images, optimize=True):
    """The same from probes, in Nengo's simulator as it comes."""
    shown = [image.reshape(-1) for image in images]
    network.input.output = nengo.processes.PresentInput(shown, model.dt)
    with network:
        layers = [nengo.Probe(layer.neurons) for layer in network.layers]
        readout = nengo.Probe(network.readout)
    with nengo.Simulator(network, model.dt, progress_bar=False, optimize=optimize) as simulator:
        simulator.run_steps(len(images))
        spikes = [simulator.data[probe] * model.dt for probe in layers]
        return spikes, simulator.data[readout]


def assert_alike(expected, found, lags=None):
    """Compare spikes and outputs, those of population i in `found` `lags`[i] steps later."""
    (spikes, outputs), (late_spikes, late_outputs) = expected, found
    steps, lags = len(outputs), lags or [0] * (len(spikes) + 1)
    for lag, ours, theirs in zip(lags, spikes, late_spikes, strict=False):
        assert not theirs[:lag].any()
        assert np.array_equal(ours[: steps - lag], theirs[lag:])
    assert len(spikes) == len(late_spikes)
    lag = lags[-1]
    assert np.allclose(outputs[: steps - lag], late_outputs[lag:], rtol=1e-9, atol=1e-9)


def assert_equal_activity(one, other):
    assert np.array_equal(one.spikes, other.spikes)
    assert np.array_equal(one.synaptic_operations, other.synaptic_operations)
    assert np.array_equal(one.neuron_updates, other.neuron_updates)
    assert np.allclose(one.outputs, other.outputs, rtol=1e-6, atol=1e-6)


def run_both(model, images, steps):
    """Activity of the reference and of the engine."""
    engines = ReferenceSimulator(model), NengoSimulator(model)
    return [engine.run(engine.reset(len(images)), images, steps) for engine in engines]


@pytest.mark.parametrize('synapse', SYNAPSES, ids=lambda synapse: synapse.type)
@pytest.mark.parametrize('dt', [0.0005, 0.001, 0.002])
def test_the_engine_equals_the_reference_spike_for_spike(synapse, dt):
    model = random_model(synapse=synapse, readout_synapse=synapse, dt=dt)
    reference, engine = run_both(model, random_images(model, 2), 60)
    assert reference.spikes[:, :-1].min() > 0
    assert_equal_activity(reference, engine)


@given(
    seed=st.integers(0, 1000),
    height=st.integers(6, 13),
    width=st.integers(6, 13),
    first=st.tuples(st.integers(1, 5), st.integers(1, 3), st.integers(0, 3)),
    second=st.tuples(st.integers(1, 3), st.integers(1, 3), st.integers(0, 2)),
    poolings=st.lists(st.integers(1, 3), max_size=2),
    last_pooling=st.integers(1, 3),
    drive=st.floats(0.5, 5),
    synapse=st.sampled_from(SYNAPSES),
    optimize=st.booleans(),
)
@settings(max_examples=30)
def test_every_neuron_of_random_networks_spikes_in_the_steps_of_the_reference(
    seed, height, width, first, second, poolings, last_pooling, drive, synapse, optimize
):
    layers = (
        Convolution(5, *first),
        *map(AveragePooling, poolings),
        Convolution(4, *second),
        AveragePooling(last_pooling),
        Dense(8),
        Dense(3),
    )
    try:
        shape = (height, width, 1 + 2 * (seed % 2))
        model = random_model(seed, shape, layers, synapse, synapse, drive)
    except ValueError:
        assume(False)  # the layers do not fit each other
    images = np.repeat(random_images(model, 3), 12, axis=0)
    expected = in_reference(model, images)
    assert_alike(expected, in_nengo(build_network(model), model, images, optimize))


@pytest.mark.parametrize('synapse', SYNAPSES[1:], ids=lambda synapse: synapse.type)
@pytest.mark.parametrize('dt', [0.0005, 0.001, 0.0007])
def test_each_layer_of_a_pipeline_spikes_one_step_later_than_the_one_before(synapse, dt):
    model = random_model(synapse=synapse, readout_synapse=synapse, dt=dt)
    images = np.repeat(random_images(model, 3), 25, axis=0)
    found = in_nengo(build_network(model, pipelined=True), model, images)
    assert_alike(in_reference(model, images), found, lags=range(4))


@given(
    seed=st.integers(0, 1000),
    neuron=st.sampled_from([LIF(), IF(), AdaptiveLIF(), Theta()]),
    synapse=st.sampled_from(SYNAPSES),
    readout_synapse=st.sampled_from(SYNAPSES),
    populations=st.integers(2, 6),
)
@settings(max_examples=15, deadline=None)
def test_random_graphs_spike_as_in_the_reference(
    seed, neuron, synapse, readout_synapse, populations
):
    model = random_graph_model(seed, neuron, synapse, readout_synapse, populations=populations)
    reference, engine = run_both(model, random_images(model, 2), 40)
    assert_equal_activity(reference, engine)


@given(
    seed=st.integers(0, 1000),
    synapse=st.sampled_from(SYNAPSES),
    readout_synapse=st.sampled_from(SYNAPSES),
)
@settings(max_examples=10, deadline=None)
def test_in_a_pipeline_skips_wait_for_the_longest_path(seed, synapse, readout_synapse):
    model = random_graph_model(seed, synapse=synapse, readout_synapse=readout_synapse)
    images = np.repeat(random_images(model, 3), 12, axis=0)
    found = in_nengo(build_network(model, pipelined=True), model, images)
    lags = {IMAGE: 0}
    for population in model.network.populations:
        own = model.network.synapse_of(population.index).order > 0
        lags[population.index] = max(
            lags[connection.source] + (own and connection.source != IMAGE)
            for connection in population.connections
        )
    assert_alike(in_reference(model, images), found, list(lags.values())[1:])


def test_a_pipeline_without_synapses_has_no_delay():
    model = random_model(synapse=Synapse(), readout_synapse=Synapse())
    images = np.repeat(random_images(model, 1), 40, axis=0)
    found = in_nengo(build_network(model, pipelined=True), model, images)
    assert_alike(in_reference(model, images), found)


def test_a_pipeline_connects_neurons_to_neurons_by_synapses_on_the_connections():
    network = build_network(random_model(layers=PADDED_LAYERS), pipelined=True)
    ends = [(connection.pre_obj, connection.post_obj) for connection in network.connections]
    first, second, third = (layer.neurons for layer in network.layers)
    assert ends[:3] == [(network.input, first), (first, second), (second, third)]
    assert (third, network.readout) in ends
    synapses = [connection.synapse for connection in network.connections[1:3]]
    assert synapses == [nengo.Lowpass(0.005)] * 2


@pytest.mark.parametrize(
    'neuron',
    [
        IF(initial_potential=0.3),
        AdaptiveLIF(phases=4),
        Theta(),
        LIF(0.03, 0.001, initial_potential=0.5),
        LIF(phases=16),
    ],
    ids=str,
)
def test_all_kinds_of_neurons_spike_as_in_the_reference(neuron):
    model = random_model()
    network = dataclasses.replace(model.network, neuron=neuron)
    model = dataclasses.replace(model, network=network)
    reference, engine = run_both(model, random_images(model, 1), 60)
    assert reference.spikes[:, :-1].min() > 0
    assert_equal_activity(reference, engine)


def test_two_kinds_of_neurons_in_one_simulation_stay_apart():
    models = []
    for neuron in (IF(0.02), IF(0.04)):
        model = random_model(layers=FEW_LAYERS)
        network = dataclasses.replace(model.network, neuron=neuron)
        models.append(dataclasses.replace(model, network=network))
    image = random_images(models[0], 1)[0]
    probes = []
    with nengo.Network() as whole:
        for model in models:
            part = build_network(model)
            part.input.output = image.reshape(-1)
            probes.append(nengo.Probe(part.layers[0].neurons))
    with nengo.Simulator(whole, progress_bar=False, optimize=True) as simulator:
        simulator.run_steps(40)
    for model, probe in zip(models, probes, strict=True):
        expected, _ = in_reference(model, [image] * 40)
        assert np.array_equal(expected[0], simulator.data[probe] * model.dt)


def test_states_do_not_know_each_other():
    model = random_model(layers=FEW_LAYERS)
    images = random_images(model, 3)
    engine = NengoSimulator(model)
    one, other = engine.reset(1), engine.reset(2)
    parts = []
    for _ in range(3):
        parts.append(engine.run(one, images[:1], 7))
        engine.run(other, images[1:], 5)
    alone = engine.run(engine.reset(1), images[:1], 21)
    assert np.array_equal(alone.outputs, np.concatenate([part.outputs for part in parts]))
    assert np.array_equal(alone.spikes, sum(part.spikes for part in parts))


def test_a_state_goes_on_with_the_next_image_as_in_the_reference():
    model = random_model()
    images = random_images(model, 2)
    reference, engine = ReferenceSimulator(model), NengoSimulator(model)
    states = reference.reset(), engine.reset()
    for image in (images[:1], images[1:], images[:1]):
        assert_equal_activity(
            reference.run(states[0], image, 15), engine.run(states[1], image, 15)
        )


def test_a_run_can_be_repeated_exactly():
    model = random_model(layers=FEW_LAYERS)
    images = random_images(model, 1)
    first, second = (NengoSimulator(model) for _ in range(2))
    runs = [e.run(e.reset(), images, 30).outputs for e in (first, first, second)]
    assert np.array_equal(runs[0], runs[1])
    assert np.array_equal(runs[0], runs[2])


def test_what_the_engine_built_is_closed_with_it():
    engine = NengoSimulator(random_model(layers=FEW_LAYERS))
    simulation = engine.simulation
    del engine
    gc.collect()
    assert simulation.closed


def test_a_network_of_a_readout_alone_runs():
    model = random_model(layers=(Dense(3),))
    reference, engine = run_both(model, random_images(model, 2), 3)
    assert_equal_activity(reference, engine)


def test_what_a_researcher_needs_has_a_name():
    model = random_model()
    network = build_network(model)
    assert isinstance(network, nengo.Network)
    assert network.label == 'random'
    assert [layer.label for layer in network.layers] == ['layer 0', 'layer 1', 'layer 2']
    assert network.ensembles == network.layers
    assert (network.input.label, network.readout.label) == ('input', 'readout')
    stages = model.network.populations
    assert [layer.n_neurons for layer in network.layers] == [s.neurons for s in stages[:-1]]
    for layer, weights in zip(network.layers, model.weights, strict=False):
        assert layer.neuron_type.tau_rc == model.network.neuron.tau_rc
        channels = layer.bias.reshape(-1, weights.bias.size)
        assert np.array_equal(channels, np.broadcast_to(weights.bias, channels.shape))


def test_a_copy_of_the_network_spikes_alike():
    model = random_model(layers=FEW_LAYERS)
    images = np.repeat(random_images(model, 1), 30, axis=0)
    copied = copy.deepcopy(build_network(model))
    assert_alike(in_reference(model, images), in_nengo(copied, model, images))


def test_convolutions_of_millions_of_synapses_stay_kernels():
    convolutions = [Convolution(128, 3, padding=1)] * 4
    layers = (*convolutions, AveragePooling(2), Convolution(64, 3), Dense(10))
    model = random_model(input_shape=(19, 19, 3), layers=layers)
    assert model.network.synapses > 150_000_000
    transforms = [connection.transform for connection in build_network(model).connections]
    sizes = [t.init.size for t in transforms if isinstance(t, nengo.Convolution)]
    kernels = [np.prod(p.connections[0].weight_shape) for p in model.network.populations]
    # The pooling by 2 makes 4 weights of one.
    assert sizes == [*kernels[:4], 4 * kernels[4]]


def test_pooling_that_would_make_too_many_weights_is_refused(monkeypatch):
    monkeypatch.setattr(nengo_transforms, 'MAXIMUM_WEIGHTS', 20_000)
    layers = (Convolution(6, 3), AveragePooling(4), Dense(200), Dense(3))
    model = random_model(input_shape=(14, 14, 3), layers=layers)
    sentence = r'layer 1 dense has 172800 weights once the average pooling .* 20000 allowed'
    with pytest.raises(ValueError, match=sentence):
        build_network(model)


def test_neurons_and_steps_that_nengo_cannot_do_are_refused():
    model = random_model(dt=0.01)
    quick = dataclasses.replace(model.network, neuron=LIF(tau_rc=0.0002))
    with pytest.raises(ValueError, match=r'steps of at most 30 tau_rc, which is 0.006 s.* 0.01 s'):
        build_network(dataclasses.replace(model, network=quick))
    other = dataclasses.replace(model.network, neuron=Theta())
    with pytest.raises(ValueError, match='neurons of a pipeline must be LIF, not Theta'):
        build_network(dataclasses.replace(model, network=other), pipelined=True)


def test_a_device_other_than_the_cpu_is_refused():
    with pytest.raises(ValueError, match='nengo runs on cpu, not on cuda'):
        create_simulator(random_model(), 'nengo', 'cuda')


def test_without_nengo_the_command_that_installs_it_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, 'nengo', None)
    for name in ('nengo', 'nengo_network', 'nengo_transforms'):
        monkeypatch.delitem(sys.modules, f'snn_perception.backends.{name}')
    with pytest.raises(
        ValueError, match='backend nengo needs nengo, which is not installed: pip install nengo'
    ):
        create_simulator(random_model(), 'nengo')


def test_a_shipped_model_reads_a_digit_with_the_spikes_of_the_reference():
    model = load_model('mnist')
    digit = prepare(read_image('resource/images/digits/7/01.png'), model.preprocessing)
    reference, engine = run_both(model, digit[None], 30)
    assert_equal_activity(reference, engine)
    assert model.labels[engine.outputs[20:].sum(axis=(0, 1)).argmax()] == '7'
