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

"""The sparse engine with layers that take turns, against the NumPy reference."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_models import random_graph_model, random_images, random_model, taking_turns

from snn_perception.backends import create_simulator, event_turns
from snn_perception.backends.event import EventSimulator
from snn_perception.backends.event_links import PRECISIONS, as_precise, is_channelwise
from snn_perception.backends.event_sums import LANES
from snn_perception.backends.reference import weighted_sum
from snn_perception.graph import IMAGE
from snn_perception.images import Preprocessing
from snn_perception.layers import (
    AveragePooling,
    Convolution,
    Dense,
    GlobalAveragePooling,
    Identity,
    Sum,
)
from snn_perception.model import Weights
from snn_perception.neurons import IF, LIF
from snn_perception.turns import count_spikes, thresholds

NEURONS = [LIF(), LIF(0.01, 0.0), IF(), IF(0.005, 0.0)]


def run_in_chunks(simulator, images, chunks):
    """Counts of all runs together, all outputs, and the spikes of each neuron."""
    state = simulator.reset(len(images))
    parts = [simulator.run(state, images, chunk) for chunk in chunks]
    outputs = np.concatenate([part.outputs for part in parts])
    return sum(part.counts for part in parts), outputs, spikes_in(simulator, state)


def spikes_in(simulator, state):
    """The spikes so far of each population's neurons, (batch, height, width, channels)."""
    counts = state.memory.memory.counts.reshape(state.batch, -1)
    maps, first = {}, 0
    for population in simulator.model.network.populations[:-1]:
        height, width, channels = population.output_shape
        padded = channels + -channels % LANES
        part = counts[:, first : first + height * width * padded]
        maps[population.index] = part.reshape(-1, height, width, padded)[..., :channels]
        first += height * width * padded
    return maps


def total_steps(model):
    return model.network.turns[-1] * model.window_steps


def assert_as_in_the_reference(model, images, threads=1):
    """Each neuron spikes as often as its current says that follows from those before it.

    In float32 a current within rounding of a threshold may lie on its other side.
    """
    steps, network = total_steps(model) + 2, model.network
    counts, outputs, spikes = run_in_chunks(
        EventSimulator(model, threads=threads), images, [steps]
    )
    values = {index: each / network.firing_window for index, each in spikes.items()}
    values[IMAGE] = images.astype(np.float64)
    limits = thresholds(network.neuron, model.window_steps, model.dt)
    operations = np.zeros_like(counts[1])
    for population in network.populations:
        index = population.index
        current, size = (
            np.full((len(images), *population.output_shape), bias)
            for bias in (model.weights[index].bias, np.abs(model.weights[index].bias))
        )
        for connection, kernel in model.connections(index):
            current = current + weighted_sum(connection, kernel, values[connection.source])
            size = size + weighted_sum(connection, abs(kernel), abs(values[connection.source]))
            if connection.source != IMAGE:
                arriving = spikes[connection.source].sum(axis=3, dtype=int) * connection.fan_out
                operations[:, index] += arriving.sum(axis=(1, 2))
        rounding = 2e-6 * size
        if population.is_readout:
            assert (np.abs(outputs[-1] - current[:, 0, 0]) <= rounding[:, 0, 0]).all()
        else:
            assert (spikes[index] >= count_spikes(current - rounding, limits)).all()
            assert (spikes[index] <= count_spikes(current + rounding, limits)).all()
            assert np.array_equal(
                counts[0][:, index], spikes[index].sum(axis=(1, 2, 3), dtype=int)
            )
            assert (counts[2][:, index] == population.neurons * model.window_steps).all()
    assert np.array_equal(counts[1], operations)
    return counts


@given(
    seed=st.integers(0, 10_000),
    neuron=st.sampled_from(NEURONS),
    steps=st.integers(1, 30),
    threads=st.integers(1, 3),
)
@settings(max_examples=40)
def test_graphs_of_all_layers_spike_as_in_the_reference(seed, neuron, steps, threads):
    model = taking_turns(random_graph_model(seed, neuron), steps)
    assert_as_in_the_reference(model, random_images(model, 2), threads)


@given(
    seed=st.integers(0, 1000),
    channels=st.sampled_from([1, 7, 16, 33, 60]),
    kernel=st.tuples(st.integers(1, 5), st.integers(1, 5)),
    stride=st.tuples(st.integers(1, 3), st.integers(1, 3)),
    padding=st.tuples(*[st.integers(0, 4)] * 4),
    pooling=st.integers(1, 3),
    groups=st.integers(1, 60),
    multiplier=st.integers(1, 3),
)
@settings(max_examples=40)
def test_convolutions_of_any_form_spike_as_in_the_reference(
    seed, channels, kernel, stride, padding, pooling, groups, multiplier
):
    groups = max(each for each in range(1, groups + 1) if channels % each == 0)
    layers = (
        Convolution(channels, 3, padding=1),
        AveragePooling(pooling),
        Convolution(channels * multiplier, kernel, stride, padding, groups),
        AveragePooling(pooling),
        Dense(9),
        Dense(4),
    )
    try:
        model = random_model(seed, (9, 8, 1 + 2 * (seed % 2)), layers)
    except ValueError:
        return  # the layers do not fit each other
    model = taking_turns(model, 12)
    assert_as_in_the_reference(model, random_images(model, 1), 1 + seed % 2)


def test_a_network_in_the_form_of_mobilenet_spikes_as_in_the_reference():
    layers = (
        Convolution(20, 3, 2, (0, 1, 0, 1)),
        *(Convolution(20, 3, padding=1, groups=20), Convolution(40, 1)),
        *(Convolution(40, 3, 2, (0, 1, 0, 1), groups=40), Convolution(70, 1, name='skipped')),
        *(Convolution(70, 3, padding=1, groups=70), Convolution(70, 1, name='branch')),
        Sum((Identity(0.01, source='skipped'), Convolution(70, 1, source='branch'))),
        GlobalAveragePooling(),
        Dense(10),
    )
    model = taking_turns(random_model(3, (24, 26, 3), layers), 20)
    images = random_images(model, 2)
    counts = assert_as_in_the_reference(model, images)
    assert counts[0, :, :-1].all()


@pytest.mark.parametrize('layer', [Convolution(5, 2, padding=1, groups=5), Identity(0.02)])
def test_channels_of_their_own_behind_a_pooling_do_not_hear_what_it_leaves_over(layer):
    layers = (Convolution(5, 1), AveragePooling(2), layer, Dense(3))
    model = taking_turns(random_model(0, (9, 11, 3), layers), 12)
    assert_as_in_the_reference(model, random_images(model, 2))


@pytest.mark.parametrize('neuron', NEURONS)
def test_a_current_on_the_last_bit_of_a_threshold_spikes_as_often_as_in_the_reference(neuron):
    model = taking_turns(random_graph_model(0, neuron), 20)
    limits = thresholds(neuron, 20, model.dt)
    near = limits[np.isfinite(limits)].astype(np.float32)
    bias = np.concatenate([near, *(np.nextafter(near, end, dtype='f4') for end in (-9e9, 9e9))])
    layers = Dense(bias.size), Dense(3)
    network = dataclasses.replace(model.network, input_shape=(1, 1, 1), layers=layers)
    weights = (
        Weights((np.zeros((1, bias.size), np.float32),), bias),
        Weights((np.zeros((bias.size, 3), np.float32),), np.zeros(3, np.float32)),
    )
    preprocessing = Preprocessing(network.input_shape)
    model = dataclasses.replace(model, network=network, weights=weights, input=preprocessing)
    _, _, spikes = run_in_chunks(EventSimulator(model), random_images(model, 1), [20])
    expected = count_spikes(bias.astype(np.float64), limits)
    assert np.array_equal(spikes[0].reshape(-1), expected)
    assert len(set(expected)) > near.size / 2


@given(
    seed=st.integers(0, 10_000),
    chunks=st.lists(st.integers(1, 40), min_size=1, max_size=6),
    threads=st.integers(1, 3),
)
@settings(max_examples=40)
def test_runs_cut_anywhere_in_any_threads_are_the_same_bit_for_bit(seed, chunks, threads):
    model = taking_turns(random_graph_model(seed), 13)
    images, steps = random_images(model, 3), sum(chunks)
    whole = run_in_chunks(EventSimulator(model, threads=1), images, [steps])
    parts = run_in_chunks(EventSimulator(model, threads=threads), images, chunks)
    assert np.array_equal(whole[0], parts[0])
    assert np.array_equal(whole[1], parts[1])
    assert all(np.array_equal(whole[2][index], parts[2][index]) for index in whole[2])


@pytest.mark.parametrize('seed', range(4))
def test_each_step_is_exactly_that_of_the_reference(seed):
    model = taking_turns(random_graph_model(seed, NEURONS[seed]), 6)
    images = random_images(model, 2)
    engines = EventSimulator(model), create_simulator(model, 'reference')
    states = [engine.reset(2) for engine in engines]
    for _ in range(total_steps(model) + 1):
        ours, theirs = (
            engine.run(state, images, 1) for engine, state in zip(engines, states, strict=True)
        )
        assert np.array_equal(ours.counts, theirs.counts)
        assert np.allclose(ours.outputs, theirs.outputs, rtol=1e-5, atol=1e-5)


def test_an_image_in_a_batch_has_the_same_answer_bit_for_bit_as_alone():
    model = taking_turns(random_graph_model(5), 20)
    images, steps = random_images(model, 4), total_steps(model)
    simulator = EventSimulator(model, threads=2)
    counts, outputs, _ = run_in_chunks(simulator, images, [steps])
    for index, image in enumerate(images):
        alone = run_in_chunks(simulator, image[None], [steps])
        assert np.array_equal(alone[0][:, 0], counts[:, index])
        assert np.array_equal(alone[1][:, 0], outputs[:, index])


def test_a_run_without_room_for_what_the_readout_hears_is_cut_and_does_the_same(monkeypatch):
    model = taking_turns(random_graph_model(7), 20)
    images, steps = random_images(model, 2), total_steps(model) + 3
    whole = run_in_chunks(EventSimulator(model), images, [steps])
    monkeypatch.setattr(event_turns, 'MOST_HISTORY', 1)
    cut = run_in_chunks(EventSimulator(model), images, [steps])
    assert np.array_equal(whole[0], cut[0])
    assert np.array_equal(whole[1], cut[1])


def test_the_output_is_complete_after_the_last_turn_and_stays():
    model = taking_turns(random_graph_model(2), 20)
    images, steps = random_images(model, 1), total_steps(model)
    simulator = EventSimulator(model)
    state = simulator.reset()
    before = simulator.run(state, images, steps)
    after = simulator.run(state, images, 50)
    assert (after.outputs == before.outputs[-1]).all()
    assert not np.array_equal(before.outputs[-2], before.outputs[0])
    assert not after.counts.any()


def test_every_layer_is_said_to_be_done_once_in_a_run():
    model = taking_turns(random_graph_model(4), 20)
    simulator, images = EventSimulator(model), random_images(model, 1)
    silent = run_in_chunks(simulator, images, [total_steps(model)])
    done = []
    simulator.on_layer = done.append
    watched = run_in_chunks(simulator, images, [total_steps(model)])
    assert done == list(range(len(model.network.populations)))
    assert np.array_equal(silent[0], watched[0])
    assert np.array_equal(silent[1], watched[1])


@pytest.mark.parametrize('precision', PRECISIONS)
def test_coarser_weights_are_those_of_a_model_that_has_them(precision):
    model = taking_turns(random_graph_model(8), 20)
    rounded = []
    for population, weights in zip(model.network.populations, model.weights, strict=True):
        links = [each for each in population.connections if each.weight_shape]
        kernels = [
            kernel
            if population.is_readout or link.source == IMAGE or is_channelwise(link)
            else as_precise(link.kernel(kernel), precision).reshape(kernel.shape)
            for link, kernel in zip(links, weights.kernels, strict=True)
        ]
        rounded.append(dataclasses.replace(weights, kernels=tuple(kernels)))
    images = random_images(model, 2)
    coarse = run_in_chunks(EventSimulator(model, precision=precision), images, [100])
    model = dataclasses.replace(model, weights=tuple(rounded))
    assert np.array_equal(coarse[1], run_in_chunks(EventSimulator(model), images, [100])[1])


def test_a_window_of_255_steps_runs_and_a_longer_one_is_refused():
    model = random_model(layers=(Convolution(3, 3), Dense(3)), drive=3)
    longest = taking_turns(model, 255, dt=0.0001)
    assert_as_in_the_reference(longest, random_images(longest, 1))
    with pytest.raises(ValueError, match='firing windows of at most 255 steps, and that of model'):
        EventSimulator(taking_turns(model, 256, dt=0.0001))


def test_neurons_that_could_spike_more_often_spike_in_every_step():
    model = taking_turns(random_model(layers=(Convolution(3, 3), Dense(3)), drive=1e6), 17)
    simulator = EventSimulator(model)
    counts, _, spikes = run_in_chunks(simulator, random_images(model, 1), [17])
    limit = np.isfinite(thresholds(model.network.neuron, 17, model.dt)).sum()
    assert (spikes[0] == limit).all()
    assert counts[0, 0, 0] == limit * model.network.neurons
