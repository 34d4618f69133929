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

"""The sparse engine against the NumPy reference, and what it refuses."""

from __future__ import annotations

import dataclasses
import resource
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_models import random_graph_model, random_images, random_model

from snn_perception.backends import create_simulator, event
from snn_perception.backends.event import EventSimulator
from snn_perception.layers import AveragePooling, Convolution, Dense
from snn_perception.model import Weights
from snn_perception.neurons import IF, LIF, AdaptiveLIF, Theta
from snn_perception.synapses import Synapse

NEURONS = [
    LIF(),
    LIF(initial_potential=0.5),
    AdaptiveLIF(initial_potential=0.2),
    IF(initial_potential=0.3),
    LIF(phases=16),
    IF(phases=4),
    Theta(),
]
SYNAPSES = [Synapse(), Synapse('exponential', 0.005), Synapse('alpha', 0.003)]


def run_in_chunks(simulator, images, chunks):
    """Spikes, operations and updates of all runs together, and all outputs."""
    state = simulator.reset(len(images))
    parts = [simulator.run(state, images, chunk) for chunk in chunks]
    counts = [(part.spikes, part.synaptic_operations, part.neuron_updates) for part in parts]
    return np.sum(counts, axis=0), np.concatenate([part.outputs for part in parts])


def steps_alike(event, reference, images, steps):
    """Number of steps before the first in which any layer spikes more in one than in the other."""
    states = [simulator.reset(len(images)) for simulator in (event, reference)]
    for step in range(steps):
        runs = (event.run(states[0], images, 1), reference.run(states[1], images, 1))
        if not np.array_equal(runs[0].spikes, runs[1].spikes):
            return step
    return steps


def steps_without_ties(model, images, steps):
    """Number of steps in which no spike hangs on the fifth digit of weights, nor on rounding."""
    alike = []
    # In one choice of digits, what is changed may cancel out in the very neuron that hangs.
    for seed, sign in product(range(2), (1, -1)):
        random = np.random.default_rng(seed)
        weights = tuple(
            Weights(
                tuple(values * scaling(random, values, sign) for values in layer.kernels),
                layer.bias * scaling(random, layer.bias, sign),
            )
            for layer in model.weights
        )
        simulators = (
            create_simulator(dataclasses.replace(model, weights=each), 'reference')
            for each in (weights, model.weights)
        )
        alike.append(steps_alike(*simulators, images, steps))
    return min(alike)


def scaling(random, values, sign):
    return (1 + sign * 1e-5 * random.choice((-1, 1), values.shape)).astype(np.float32)


def assert_as_in_the_reference(model, threads, chunks):
    """A run in `chunks` of steps, in so many `threads`, is that of the reference until a tie."""
    images = random_images(model, 2)
    event, reference = EventSimulator(model, threads=threads), create_simulator(model, 'reference')
    counts, outputs = run_in_chunks(event, images, chunks)
    expected, others = run_in_chunks(reference, images, [sum(chunks)])
    assert np.array_equal(outputs, run_in_chunks(event, images, [1] * sum(chunks))[1])
    alike = steps_alike(event, reference, images, sum(chunks))
    assert alike >= steps_without_ties(model, images, sum(chunks))
    if alike == sum(chunks):
        assert np.array_equal(counts, expected)
    assert np.allclose(outputs[:alike], others[:alike], rtol=1e-3, atol=1e-2)


def with_neuron(model, neuron):
    return dataclasses.replace(model, network=dataclasses.replace(model.network, neuron=neuron))


# In float32 a potential within rounding of the threshold crosses it a step sooner or later than
# in float64; that is one spike in some thousands, and what it causes moves with it.
def assert_alike(counts, expected):
    """Nearly the same spikes per layer; and if they are the same, so is all they cause."""
    spikes, others = counts[0].sum(axis=0), expected[0].sum(axis=0)
    assert (np.abs(spikes - others) <= 2 + 0.002 * others).all()
    if np.array_equal(counts[0], expected[0]):
        assert np.array_equal(counts[1], expected[1])
    assert np.array_equal(counts[2], expected[2])


@given(
    seed=st.integers(0, 1000),
    channels=st.sampled_from([1, 7, 16, 33, 65, 130]),
    kernel=st.integers(1, 5),
    stride=st.integers(1, 3),
    padding=st.integers(0, 4),
    pooling=st.integers(1, 3),
    drive=st.floats(0, 60),
    synapse=st.sampled_from(SYNAPSES),
    chunks=st.lists(st.integers(1, 17), min_size=1, max_size=4),
    threads=st.integers(1, 3),
)
@settings(max_examples=60)
def test_random_networks_spike_as_in_the_reference(
    seed, channels, kernel, stride, padding, pooling, drive, synapse, chunks, threads
):
    layers = (
        Convolution(5, 3, padding=1),
        AveragePooling(pooling),
        Convolution(channels, kernel, stride, padding),
        AveragePooling(pooling),
        Dense(9),
        Dense(4),
    )
    try:
        model = random_model(seed, (9, 8, 1 + 2 * (seed % 2)), layers, synapse, drive=drive)
    except ValueError:
        return  # the layers do not fit each other
    assert_as_in_the_reference(model, threads, chunks)


@given(
    seed=st.integers(0, 10_000),
    neuron=st.sampled_from(NEURONS),
    synapse=st.sampled_from(SYNAPSES),
    readout_synapse=st.sampled_from(SYNAPSES),
    chunks=st.lists(st.integers(1, 40), min_size=1, max_size=3),
    threads=st.integers(1, 3),
)
@settings(max_examples=40)
def test_random_graphs_of_all_neurons_spike_as_in_the_reference(
    seed, neuron, synapse, readout_synapse, chunks, threads
):
    model = random_graph_model(seed, neuron, synapse, readout_synapse)
    assert_as_in_the_reference(model, threads, chunks)


@pytest.mark.parametrize('precision', ['bfloat16', 'int8'])
@pytest.mark.parametrize('seed', range(5))
def test_graphs_with_coarser_weights_do_nearly_the_same(precision, seed):
    model = random_graph_model(seed)
    images = random_images(model, 4)
    exact, _ = run_in_chunks(EventSimulator(model), images, [100])
    coarse, _ = run_in_chunks(EventSimulator(model, precision=precision), images, [100])
    difference = np.abs(coarse[0] - exact[0]).sum(axis=0)
    assert (difference <= 5 + 0.03 * exact[0].sum(axis=0)).all()
    assert np.array_equal(coarse[2], exact[2])


@pytest.mark.parametrize('dt', [0.0005, 0.001, 0.0013, 0.005, 0.02, 0.04])
@pytest.mark.parametrize('synapse', SYNAPSES)
def test_every_step_up_to_twice_the_membrane_time_is_exact(dt, synapse):
    model = random_model(dt=dt, synapse=synapse)
    images = random_images(model, 3)
    counts, outputs = run_in_chunks(EventSimulator(model), images, [80])
    expected, others = run_in_chunks(create_simulator(model, 'reference'), images, [80])
    assert expected[0].sum() > 1000
    assert np.array_equal(counts, expected)
    assert np.allclose(outputs, others, atol=1e-3)


@pytest.mark.parametrize('tau_ref', [0.0, 0.0005, 0.001, 0.0027, 0.1])
def test_every_refractory_time_is_exact(tau_ref):
    model = with_neuron(random_model(drive=8), LIF(tau_ref=tau_ref))
    images = random_images(model, 3)
    counts, _ = run_in_chunks(EventSimulator(model), images, [30, 50])
    expected, _ = run_in_chunks(create_simulator(model, 'reference'), images, [80])
    assert expected[0].sum() > 1000
    assert_alike(counts, expected)


def test_poolings_in_a_row_count_as_one_and_cut_off_what_is_left_over():
    layers = (Convolution(3, 2), AveragePooling(2), AveragePooling(2), Dense(5), Dense(3))
    model = random_model(layers=layers, drive=4)
    images = random_images(model, 2)
    counts, _ = run_in_chunks(EventSimulator(model), images, [50])
    expected, _ = run_in_chunks(create_simulator(model, 'reference'), images, [50])
    assert np.array_equal(counts, expected)


def test_a_readout_of_second_order_and_layers_of_many_blocks_are_exact_for_each_image():
    layers = (Convolution(5, 3), Dense(130), Dense(4))
    model = random_model(layers=layers, readout_synapse=Synapse('alpha', 0.003))
    images = random_images(model, 3)
    counts, outputs = run_in_chunks(EventSimulator(model), images, [20, 30])
    expected, others = run_in_chunks(create_simulator(model, 'reference'), images, [50])
    assert expected[0].sum() > 1000
    assert np.array_equal(counts, expected)
    assert np.allclose(outputs, others, atol=1e-3)


def test_times_too_long_for_float32_are_refused():
    with pytest.raises(ValueError, match=r'steps of at most 2 tau_rc, which is 0\.04 s here'):
        create_simulator(random_model(dt=0.05), 'event')
    with pytest.raises(ValueError, match=r'refractory times of at most 40 tau_rc, which is 0\.8'):
        create_simulator(with_neuron(random_model(), LIF(tau_ref=1.0)), 'event')


def test_a_network_without_neurons_is_refused():
    with pytest.raises(ValueError, match='needs a layer of neurons'):
        create_simulator(random_model(layers=(Dense(3),)), 'event')


@pytest.mark.parametrize(('precision', 'tolerance'), [('bfloat16', 0.01), ('int8', 0.02)])
def test_coarser_weights_change_the_spikes_little(precision, tolerance):
    model = random_model(drive=3)
    images = random_images(model, 4)
    exact, outputs = run_in_chunks(EventSimulator(model), images, [100])
    coarse, others = run_in_chunks(EventSimulator(model, precision=precision), images, [100])
    assert not np.array_equal(outputs, others)
    difference = np.abs(coarse[0] - exact[0]).sum(axis=0)
    assert (difference <= tolerance * exact[0].sum(axis=0)).all()


def test_int8_weights_add_up_without_overflow_when_everything_spikes():
    layers = (Convolution(64, 1), Dense(20), Dense(3))
    model = random_model(layers=layers, drive=1000)
    kernel = np.full_like(model.weights[1].kernel, 0.01)
    # Only what spikes bring makes the second layer fire.
    silent = np.zeros_like(model.weights[1].bias)
    heavy = dataclasses.replace(model.weights[1], kernels=(kernel,), bias=silent)
    model = dataclasses.replace(model, weights=(model.weights[0], heavy, model.weights[2]))
    images = random_images(model, 1)
    exact, _ = run_in_chunks(EventSimulator(model), images, [10])
    whole, _ = run_in_chunks(EventSimulator(model, precision='int8'), images, [10])
    assert exact[0][0, 0] > 64 * 110
    assert exact[0][0, 1] > 20
    assert np.array_equal(whole, exact)


def test_unknown_precisions_and_threads_are_refused():
    with pytest.raises(ValueError, match='precision must be one of float32, bfloat16, int8'):
        create_simulator(random_model(), 'event', precision='int4')
    with pytest.raises(ValueError, match='threads must be 0 or more, not -1'):
        create_simulator(random_model(), 'event', threads=-1)
    with pytest.raises(ValueError, match="reference has no option precision, given as 'int8'"):
        create_simulator(random_model(), 'reference', precision='int8')


def test_a_run_whose_lists_take_too_much_memory_is_cut_into_parts(monkeypatch):
    model = random_graph_model(3)
    images = random_images(model, 2)
    simulator = EventSimulator(model)
    counts, outputs = run_in_chunks(simulator, images, [50])
    lengths, room_for = [], simulator.room_for
    monkeypatch.setattr(event, 'MOST_EVENTS', 0)
    monkeypatch.setattr(
        simulator,
        'room_for',
        lambda batch, steps: lengths.append(steps) or room_for(batch, steps),
    )
    in_parts, same = run_in_chunks(simulator, images, [50])
    assert lengths == [1] * 50
    assert np.array_equal(in_parts, counts)
    assert np.array_equal(same, outputs)


def test_memory_does_not_grow_from_frame_to_frame():
    def resident():
        return int(Path('/proc/self/statm').read_text().split()[1]) * resource.getpagesize()

    model = random_model()
    simulator = EventSimulator(model, threads=2)
    images = random_images(model, 4)
    for count in (300, 1500):
        before = resident()
        for index in range(count):
            simulator.classify_batch(images[index % 4 :][:1])
    assert resident() - before < 1e6
