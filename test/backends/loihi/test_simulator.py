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

"""The model on emulated Loihi chips against nengo-loihi's own emulator and our neurons."""

from __future__ import annotations

import dataclasses
import sys
import warnings
from pathlib import Path

import numpy as np
import optional
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from random_models import (
    IMAGE_SHAPE,
    event_model,
    random_events,
    random_graph,
    random_images,
    random_model,
)

from snn_perception import load_model
from snn_perception.backends import create_simulator
from snn_perception.backends.loihi.cores import Layer
from snn_perception.backends.loihi.geometry import Tiling
from snn_perception.backends.loihi.mapping import in_tiles, place
from snn_perception.backends.reference import weighted_sum
from snn_perception.graph import IMAGE
from snn_perception.images import prepare, read_image
from snn_perception.layers import (
    AveragePooling,
    Convolution,
    Dense,
    GlobalAveragePooling,
    Identity,
    Sum,
)
from snn_perception.model import Weights
from snn_perception.neurons import IF, LIF, AdaptiveLIF, Theta
from snn_perception.synapses import Synapse

# ruff: noqa: E402
optional.library('nengo_loihi')
from nengo_loihi.builder.builder import Model as Chip
from nengo_loihi.builder.validate import validate_block
from nengo_loihi.emulator.interface import EmulatorInterface
from nengo_loihi.inputs import SpikeInput

from snn_perception.backends.loihi.blocks import build, sensor_of
from snn_perception.backends.loihi.emulator import Emulator
from snn_perception.backends.loihi.simulator import LoihiSimulator

IMAGES = Path(__file__).parents[3] / 'resource' / 'images'

pytestmark = [
    # nengo-loihi makes arrays of integers of NaN, which it overwrites.
    pytest.mark.filterwarnings('ignore:invalid value encountered in cast'),
    pytest.mark.filterwarnings('ignore:`product` is deprecated'),
]


def random_chain(draw):
    layers = [Convolution(4, 3, padding=1)]
    block = draw(st.integers(1, 2))
    layers.append(AveragePooling(block))
    shape = 7 // block, 6 // block, 4
    padding = draw(st.integers(0, 2))
    kernel = draw(st.integers(1, min(4, min(shape[:2]) + 2 * padding)))
    layers.append(Convolution(draw(st.integers(1, 9)), kernel, draw(st.integers(1, 3)), padding))
    layers.append(AveragePooling(draw(st.integers(1, min(2, *layers[2].output_shape(shape))))))
    layers += [Dense(draw(st.integers(1, 9))), Dense(3)]
    return (7, 6, 3), tuple(layers)


def some_graph(draw):
    random = np.random.default_rng(draw(st.integers(0, 999)))
    return IMAGE_SHAPE, random_graph(random, draw(st.integers(2, 5)))


RESIDUAL = (
    Convolution(48, 3, padding=1, name='stem'),
    Convolution(48, 3, padding=1, groups=48),
    Sum(
        (
            Convolution(48, 1),
            Identity(0.01, source='stem'),
            Convolution(48, (1, 3), padding=(0, 0, 2, 0), groups=3, source='input'),
        ),
        name='block',
    ),
    Convolution(96, (3, 5), (2, 1), (0, 1, 2, 2), groups=8),
    Sum((Convolution(60, 1), (AveragePooling((2, 1), source='block'), Convolution(60, 1)))),
    Sum(((GlobalAveragePooling(), Dense(3)), (AveragePooling(3, source='stem'), Dense(3)))),
)
"""Skips, groups, one-sided paddings, the image in a later layer, and a readout of two sources."""


@st.composite
def placed_models(draw):
    """Small random models, half of them with skips and groups, in tiles of any size."""
    shape, layers = draw(st.sampled_from([random_chain, some_graph]))(draw)
    synapse = draw(st.sampled_from([Synapse(), Synapse('exponential', 0.004)]))
    model = random_model(draw(st.integers(0, 99)), shape, layers, synapse, drive=3)
    mapped = [Layer(model.network, index) for index in range(len(model.network.populations) - 1)]
    tilings = []
    for layer in mapped:
        height, width = (min(draw(st.integers(2, 9)), most) for most in layer.shape[:2])
        channels = [count for count in range(1, layer.shape[2] + 1) if layer.fits(count)]
        tilings.append(Tiling(height, width, draw(st.sampled_from(channels))))
    return model, in_tiles(mapped, tilings)


def blocks_of(cores):
    return [core.block for layer in cores for core in layer]


def as_in_nengo_loihi(blocks, steps, sensor=None, events=None):
    """What compartments are after each of `steps`: (steps, 4, compartments); and overflows."""
    chip = Chip(0.001)
    for block in blocks:
        chip.add_block(block)
    if sensor is not None:
        given = SpikeInput(sensor.n_neurons)
        for axon in sensor.axons:
            given.add_axon(axon)
        chip.add_input(given)
        for step, counts in list(enumerate(events))[1:]:  # in the first step it takes none
            given.add_spikes(step, np.repeat(np.arange(len(counts)), counts))
    emulator = EmulatorInterface(chip, seed=0)
    values, state = [], emulator.compartment
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter('always')
        for _ in range(steps):
            emulator.step()
            parts = (state.current, state.voltage, state.ref_count, state.spiked)
            values.append(np.stack(parts))
    return np.stack(values), [str(warning.message) for warning in caught]


def as_here(blocks, steps, sensor=None, events=None):
    emulator = Emulator(blocks, sensor)
    memory, counts = emulator.rest(), np.zeros_like(emulator.bias)
    values, overflows = [], 0
    for step in range(steps):
        given = {} if events is None else {'events': events[step]}
        overflows += emulator.run(memory, emulator.bias, 1, counts, **given)
        values.append(np.stack(memory))
    assert np.array_equal(counts, np.stack(values)[:, 3].sum(axis=0))
    return np.stack(values), overflows


@given(placed_models())
@settings(deadline=None, max_examples=20)
def test_random_networks_are_emulated_bit_for_bit_as_by_nengo_loihi(placed):
    model, placement = placed
    cores = build(model, placement, 0.001)
    for layer, population in zip(cores, model.network.populations, strict=False):
        if population.sees_image:  # it gets any currents
            for bias in (core.block.compartment.bias for core in layer):
                bias[:] //= np.arange(7, 7 + len(bias), dtype=np.int32)
    expected, warned = as_in_nengo_loihi(blocks_of(cores), 30)
    found, overflows = as_here(blocks_of(cores), 30)
    assert expected[:, 3].sum() > 50
    assert np.array_equal(found, expected)
    assert bool(warned) == bool(overflows)


@given(st.integers(0, 99))
@settings(deadline=None, max_examples=8)
def test_events_reach_the_emulated_chip_bit_for_bit_as_in_nengo_loihi(seed):
    model = event_model(seed, synapse=Synapse('exponential', 0.004))
    placement = place(model.network)
    cores = build(model, placement, 0.001)
    sensor, blocks = sensor_of(model, placement, cores), blocks_of(cores)
    counts = random_events(model, 30, seed=seed, bursts=0)[:, 0]
    events = np.moveaxis(counts, 3, 1).reshape(30, -1)
    events[0] = 0
    expected, warned = as_in_nengo_loihi(blocks, 30, sensor, events)
    found, overflows = as_here(blocks, 30, sensor, events)
    assert expected[:, 3].sum() > 50
    assert np.array_equal(found, expected)
    assert bool(warned) == bool(overflows)


def test_a_digit_is_emulated_bit_for_bit_as_by_nengo_loihi():
    model = load_model('mnist')
    simulator = LoihiSimulator(model)
    image = prepare(read_image(IMAGES / 'digits' / '7' / '01.png'), model.preprocessing)
    blocks, bias = blocks_of(simulator.cores), simulator._bias(image)
    for block, part in zip(blocks, split_by_core(bias, blocks), strict=True):
        block.compartment.bias[:] = part
    expected, warned = as_in_nengo_loihi(blocks, 30)
    found, overflows = as_here(blocks, 30)
    assert expected[:, 3].sum() > 10_000
    assert np.array_equal(found, expected)
    assert overflows == len(warned) == 0


def split_by_core(values, blocks):
    return np.split(values, np.cumsum([block.n_neurons for block in blocks])[:-1])


def test_sums_that_overflow_wrap_around_as_in_nengo_loihi():
    model = random_model(layers=(Dense(400), Dense(5), Dense(3)))
    first, second, last = model.weights
    # All neurons of the first layer are alike: the first spikes of all come in one step.
    first = Weights((np.zeros_like(first.kernel),), np.full(400, 3, np.float32))
    kernel = np.ones((400, 5), np.float32)
    kernel[:, 1] = -1
    model = dataclasses.replace(model, weights=(first, Weights((kernel,), second.bias), last))
    blocks = blocks_of(build(model, place(model.network), 0.001))
    expected, warned = as_in_nengo_loihi(blocks, 30)
    found, overflows = as_here(blocks, 30)
    assert 'Overflow in q0' in warned
    assert overflows >= 2
    assert np.array_equal(found, expected)
    simulator = LoihiSimulator(model)
    simulator.run(simulator.reset(1), random_images(model, 1), 30)
    assert simulator.overflows > 0


@given(placed_models())
@settings(deadline=None, max_examples=30)
def test_each_synapse_is_on_the_chip_once_within_half_a_step_of_its_weight(placed):
    model, placement = placed
    cores = build(model, placement, 0.001)
    for layer, population in zip(cores, model.network.populations, strict=False):
        from_spikes = [each for each in model.connections(population.index) if each[0].source >= 0]
        wanted = [weights_of(*each) for each in from_spikes]
        found, errors = ([np.zeros(matrix.shape) for matrix in wanted] for _ in range(2))
        for target in layer:
            largest = [np.abs(matrix[:, target.neurons]).max() for matrix in wanted]
            for index, synapse in enumerate(target.synapses):
                if synapse is not None:
                    source = cores[from_spikes[index][0].source]
                    whole = matrix_of(synapse, source, target, len(wanted[index]))
                    one, error = fixed_point(target.block, largest[index], max(largest))
                    found[index][:, target.neurons] = whole / one
                    errors[index][:, target.neurons] = error
        for one, other, error in zip(wanted, found, errors, strict=True):
            assert ((other != 0) <= (one != 0)).all()
            assert (np.abs(other - one) <= error * (1 + 1e-4)).all()


def weights_of(connection, kernel):
    """The weight from each neuron of the source to each output of `connection`."""
    neurons = np.prod(connection.source_shape)
    each = np.eye(neurons).reshape(neurons, *connection.source_shape)
    return weighted_sum(connection, kernel, each).reshape(neurons, -1)


def fixed_point(block, largest, largest_of_core):
    """What a weight of 1 is on the chip, and the largest error of weights up to `largest`.

    The largest weight of a core takes all 8 bits: 127.5 steps and a sign. The steps of a synapse
    whose weights are at most half as large are half as large.
    """
    step = 128 * 2.0 ** block.discretize_info['w_exp']
    one = 127.5 * step / largest_of_core
    return one, (step if 2 * largest > largest_of_core else max(step / 2, 64)) / 2 / one


def matrix_of(synapse, sources, target, neurons):
    """The weights (neurons, compartments) of the `synapse` of a core as whole numbers."""
    matrix = np.zeros((neurons, target.block.n_neurons))
    for source in sources:
        for axon in source.block.axons:
            if axon.target is not synapse:
                continue
            for compartment, spike in enumerate(axon.map_spikes(np.arange(len(source.neurons)))):
                if spike is not None:
                    weights, indices = synapse.axon_weights_indices(spike.axon_idx, spike.atom)
                    base = synapse.axon_compartment_base(spike.axon_idx)
                    np.add.at(matrix[source.neurons[compartment]], base + indices, weights)
    return matrix


@pytest.mark.parametrize(
    'layers',
    [
        (Convolution(50, 3, padding=1), Convolution(70, 3, padding=1), Dense(60), Dense(3)),
        (Convolution(40, 1), AveragePooling(2), Convolution(260, 5, 2, 2), Dense(3)),
        RESIDUAL,
    ],
)
def test_what_cores_take_is_what_nengo_loihi_counts_and_accepts(layers):
    model = random_model(input_shape=(12, 11, 3), layers=layers)
    placement = place(model.network)
    assert placement.cores > 10
    cores = build(model, placement, 0.001)
    for placed, layer in zip(placement.layers, cores, strict=True):
        used = []
        for core in layer:
            validate_block(core.block)
            used.append([amount for amount, _ in core.block.utilization().values()])
        assert placed.cores == len(layer)
        assert placed.synapse_bits == sum(bits for *_, bits in used)
        most = (placed.compartments, placed.input_axons, placed.output_axons, placed.memory)
        assert most == tuple(np.max(used, axis=0))


# A neuron of the chip fires up to a step after it crosses the threshold, and its refractory
# period is within a step of half a step less than it should be: it fires within 1.5 steps of the
# right time. Over many neurons both are spread evenly, and on average nothing is left.
@pytest.mark.parametrize('neuron', [LIF(), LIF(tau_ref=0.0013), LIF(0.03, 0.004), IF()])
@pytest.mark.parametrize('dt', [0.0005, 0.001, 0.0025])
def test_intervals_between_spikes_are_right_within_a_step_and_a_half_and_on_average(neuron, dt):
    units, steps = 500, 10_000
    model = random_model(layers=(Dense(units), Dense(2)), dt=dt)
    network = dataclasses.replace(model.network, neuron=neuron)
    first = dataclasses.replace(
        model.weights[0],
        kernels=(model.weights[0].kernel * 0,),
        bias=np.linspace(2, 6, units, dtype=np.float32),
    )
    model = dataclasses.replace(model, network=network, weights=(first, model.weights[1]))
    simulator = LoihiSimulator(model)
    emulator, bias = simulator.emulator, simulator._bias(random_images(model, 1)[0])
    counts = np.zeros(units, np.int32)
    emulator.run(emulator.rest(), bias, steps, counts)
    # All intervals of a neuron are alike, so they are whole numbers.
    found = np.round(steps / counts)
    expected = 1 / neuron.rate(first.bias) * simulator.chip_steps / dt
    # Decays of 12 bits change intervals by up to 0.5 %.
    assert (np.abs(found - expected) <= 1.5 + 0.005 * expected).all()
    assert abs((found - expected).mean()) <= 0.05 + 0.005 * expected.mean()


@pytest.mark.parametrize(
    'neuron', [LIF(initial_potential=0.5), IF(initial_potential=0.3), LIF(phases=16)]
)
def test_the_first_spikes_come_as_early_as_in_the_reference(neuron):
    units, steps = 200, 60
    model = random_model(layers=(Dense(units), Dense(2)))
    bias = np.linspace(1.5, 6, units, dtype=np.float32)
    first = dataclasses.replace(
        model.weights[0], kernels=(model.weights[0].kernel * 0,), bias=bias
    )
    network = dataclasses.replace(model.network, neuron=neuron)
    model = dataclasses.replace(model, network=network, weights=(first, model.weights[1]))
    simulator = LoihiSimulator(model)
    emulator, shown = simulator.emulator, simulator._bias(random_images(model, 1)[0])
    counts, memory = np.zeros((steps, units), np.int32), emulator.rest()
    for count in counts:
        emulator.run(memory, shown, 1, count)
    state = neuron.rest((1, 1, units))
    spikes = [neuron.step(bias[None, None], state, model.dt) for _ in range(steps)]
    expected = np.stack(spikes).reshape(steps, units)
    assert np.abs(counts.argmax(axis=0) - expected.argmax(axis=0)).max() <= 1


CHAIN = (
    Convolution(16, 3, padding=1),
    Convolution(24, 3, padding=1),
    AveragePooling(2),
    Dense(200),
    Dense(3),
)


@pytest.mark.parametrize(('layers', 'tolerance'), [(CHAIN, 0.03), (RESIDUAL, 0.04)])
def test_layers_fire_as_often_as_in_the_reference(layers, tolerance):
    model = random_model(input_shape=(12, 12, 3), layers=layers, drive=1.6)
    images = random_images(model, 2)
    reference = create_simulator(model, 'reference')
    expected = reference.run(reference.reset(2), images, 500)
    simulator = LoihiSimulator(model)
    found = simulator.run(simulator.reset(2), images, 500)
    spikes = [activity.spikes.sum(axis=0) for activity in (found, expected)]
    assert spikes[1][:-1].min() > 10_000
    assert np.allclose(spikes[0][:-1] / spikes[1][:-1], 1, atol=tolerance)
    operations = [activity.synaptic_operations.sum(axis=0) for activity in (found, expected)]
    assert operations[0][0] == operations[1][0] == 0
    assert np.allclose(operations[0][1:] / operations[1][1:], 1, atol=tolerance)


READOUT_OF_ALL = (
    Convolution(6, 3, name='first'),
    Dense(30, name='second'),
    Sum((Dense(3), Dense(3, source='first'), Dense(3, source='input'))),
)


@pytest.mark.parametrize('layers', [(Dense(30), Dense(3)), READOUT_OF_ALL])
def test_outputs_are_those_of_the_spikes_that_the_readout_hears(layers):
    model = random_model(layers=layers, readout_synapse=Synapse('alpha', 0.003))
    images = random_images(model, 2)
    simulator = LoihiSimulator(model)
    activity = simulator.run(simulator.reset(2), images, 40)
    memory = simulator.rest(2)
    filters = model.network.readout_synapse.rest((2, 3))
    last = len(model.weights) - 1
    for step in range(40):
        shown = simulator._show(memory, images, 1)
        currents, constant = np.zeros((2, 2, 3))
        for connection, kernel in model.connections(last):
            weights = kernel.reshape(-1, 3)
            if connection.source == IMAGE:
                constant += images.reshape(2, -1) @ weights
            else:
                spikes = np.stack([counts[connection.source].ravel() for counts, _ in shown])
                currents += spikes / model.dt @ weights
        filtered = model.network.readout_synapse.step(currents, filters, model.dt)
        expected = filtered + constant + model.weights[last].bias
        assert np.allclose(activity.outputs[step], expected, atol=1e-3)


def test_ten_times_ten_steps_are_a_hundred_steps_in_any_number_of_threads():
    model = random_model()
    images = random_images(model, 3)
    simulator = LoihiSimulator(model, threads=1)
    whole = simulator.run(simulator.reset(3), images, 100)
    simulator = LoihiSimulator(model, threads=3)
    state = simulator.reset(3)
    parts = [simulator.run(state, images, 10) for _ in range(10)]
    assert np.array_equal(whole.outputs, np.concatenate([part.outputs for part in parts]))
    for name in ('spikes', 'synaptic_operations', 'neuron_updates'):
        assert np.array_equal(getattr(whole, name), sum(getattr(part, name) for part in parts))


def test_operations_are_spikes_times_fan_out_and_updates_count_steps_of_the_chip():
    model = random_model(layers=(Convolution(4, 1), Dense(7), Dense(3)), dt=0.0025)
    simulator = create_simulator(model, 'loihi')
    activity = simulator.run(simulator.reset(1), random_images(model, 1), 50)
    spikes, operations = activity.spikes[0], activity.synaptic_operations[0]
    assert simulator.chip_steps == 2
    assert spikes[0] > 0
    assert operations.tolist() == [0, spikes[0] * 7, spikes[1] * 3]
    assert activity.neuron_updates[0].tolist() == [100 * 4 * 110, 100 * 7, 0]


@pytest.mark.parametrize(('dt', 'delay'), [(0.001, 0.002), (0.0025, 0.00375)])
def test_the_readout_waits_until_spikes_have_come_through(dt, delay):
    model = random_model(layers=(Dense(6), Dense(6), Dense(6), Dense(3)), dt=dt)
    readout = LoihiSimulator(model).model.readout
    # Two layers on, half a step of the model and half one of the chip each.
    assert readout.start_time == pytest.approx(model.readout.start_time + delay)
    assert readout.presentation_time == pytest.approx(model.readout.presentation_time + delay)


def test_the_readout_waits_for_the_longest_way_and_rates_are_counted_as_late_as_a_layer_hears():
    layers = (
        Dense(6, name='first'),
        Dense(6, name='second'),
        Sum((Dense(6, source='first'), Dense(6, source='input')), name='aside'),
        Sum((Dense(6, source='second'), Dense(6, source='first'), Dense(6, source='aside'))),
        Dense(3),
    )
    model = random_model(layers=layers)
    simulator = LoihiSimulator(model)
    waits = simulator.model.readout.start_time - model.readout.start_time
    assert waits == pytest.approx(2 * simulator.delay)
    images = random_images(model, 2)
    state = simulator.reset(2)
    total = round(simulator.model.readout.presentation_time / model.dt)
    spikes = np.stack([simulator.run(state, images, 1).spikes for _ in range(total)])
    begin = round(model.readout.start_time / model.dt)
    for index, late in enumerate((0, 1, 1, 2)):
        counted = spikes[begin + late : total - 2 + late, :, index].sum(axis=0)
        rate = simulator.firing_rates(images)[index].sum(axis=(1, 2, 3))
        assert np.allclose(rate * (total - 2 - begin) * model.dt, counted)


def test_a_layer_is_a_step_behind_the_layer_before():
    model = random_model(layers=(Dense(1), Dense(1), Dense(1), Dense(2)), synapse=Synapse())
    strong = [
        dataclasses.replace(
            weights, kernels=(np.ones_like(weights.kernel),), bias=weights.bias * 0
        )
        for weights in model.weights[:3]
    ]
    model = dataclasses.replace(model, weights=(*strong, model.weights[3]))
    images = np.full((1, *model.network.input_shape), 0.02, np.float32)
    simulator = LoihiSimulator(model)
    memory, first = simulator.rest(1), []
    for step in range(40):
        ((counts, _),) = simulator._show(memory, images, 1)
        first += [(index, step) for index, count in enumerate(counts) if count.any()]
    begin = min(step for index, step in first if index == 0)
    assert [min(step for i, step in first if i == index) - begin for index in range(3)] == [
        0,
        1,
        2,
    ]


def test_rates_are_the_spikes_that_become_evidence():
    model = random_model()
    readout = dataclasses.replace(model.readout, presentation_time=0.05, start_time=0.02)
    model = dataclasses.replace(model, readout=readout)
    images = random_images(model, 2)
    simulator = LoihiSimulator(model)
    state = simulator.reset(2)
    spikes = np.stack([simulator.run(state, images, 1).spikes for _ in range(52)])
    rates = simulator.firing_rates(images)
    assert [rate.shape for rate in rates] == [
        (2, *stage.output_shape) for stage in model.network.populations[:-1]
    ]
    # Each layer is 1 ms behind the layer before.
    for index, rate in enumerate(rates):
        counted = spikes[20 + index : 50 + index, :, index].sum(axis=0)
        assert np.allclose(rate.sum(axis=(1, 2, 3)) * 0.03, counted)


def test_weight_errors_are_those_of_8_bits():
    model = random_model(layers=(Dense(50), Dense(60), Dense(3)))
    kernel = np.random.default_rng(0).uniform(-1, 1, (50, 60)).astype(np.float32)
    weights = dataclasses.replace(model.weights[1], kernels=(kernel,))
    model = dataclasses.replace(model, weights=(model.weights[0], weights, model.weights[2]))
    analog, error = LoihiSimulator(model).weight_errors
    assert analog is None
    # Uniform within half a step of 1 / 127 beside uniform weights up to 1.
    assert error.relative == pytest.approx(0.5 / 127, rel=0.05)
    assert error.largest == pytest.approx(0.5, abs=0.01)


def test_digits_are_recognised_and_layers_fire_as_without_the_chip():
    model = load_model('mnist')
    files = [next((IMAGES / 'digits' / label).iterdir()) for label in model.labels]
    inputs = np.stack([prepare(read_image(file), model.preprocessing) for file in files])
    simulator, event = (create_simulator(model, backend) for backend in ('loihi', 'event'))
    decisions = simulator.classify_batch(inputs)
    assert [decision.label for decision in decisions] == list(model.labels)
    found, expected = (
        engine.run(engine.reset(10), inputs, 60).spikes.sum(axis=0)[:-1]
        for engine in (simulator, event)
    )
    assert np.allclose(found / expected, 1, atol=0.07)
    assert all(error.relative < 0.02 for error in simulator.weight_errors[1:])
    assert simulator.overflows == 0


@pytest.mark.parametrize(
    ('change', 'reason'),
    [
        (
            {'synapse': Synapse('alpha', 0.003)},
            'Loihi runs synapses of type none and exponential, not alpha',
        ),
        ({'neuron': AdaptiveLIF()}, 'runs neurons of type lif and if, not AdaptiveLIF'),
        ({'neuron': Theta()}, 'runs neurons of type lif and if, not Theta'),
        (
            {'neuron': LIF(tau_rc=0.5)},
            r'takes a tau_rc of at most 400 steps of 0\.001 s, not 0\.5 s',
        ),
        ({'neuron': LIF(tau_ref=0.07)}, 'takes a tau_ref of at most 62 steps'),
        ({'synapse': Synapse('exponential', 0.6)}, 'takes a tau of the synapse of at most 400'),
    ],
)
def test_what_the_chip_does_not_have_is_refused(change, reason):
    model = random_model()
    network = dataclasses.replace(model.network, **change)
    with pytest.raises(ValueError, match=reason):
        create_simulator(dataclasses.replace(model, network=network), 'loihi')


# With the smaller bias nengo-loihi would make all weights twice as large as they are.
@pytest.mark.parametrize('bias', [1e5, 1e7])
def test_biases_that_fixed_point_cannot_hold_beside_the_weights_are_refused(bias):
    model = random_model()
    heavy = dataclasses.replace(model.weights[1], bias=model.weights[1].bias + np.float32(bias))
    model = dataclasses.replace(model, weights=(model.weights[0], heavy, *model.weights[2:]))
    with pytest.raises(ValueError, match=r'layer 1 \(convolution\) does not fit into fixed point'):
        create_simulator(model, 'loihi')


@pytest.mark.parametrize('scale', [0.05, 0.001, 0.0005, 0.0001])
def test_small_weights_beside_large_ones_on_a_core_keep_their_size(scale):
    layers = (
        Convolution(4, 3, padding=1, name='stem'),
        Sum((Convolution(4, 3, padding=1), Identity(scale, source='stem'))),
        Dense(3),
    )
    model = random_model(layers=layers)
    largest = float(np.abs(model.weights[1].kernel).max())
    ((core,),) = LoihiSimulator(model).cores[1:]
    one, error = fixed_point(core.block, scale, max(scale, largest))
    assert np.allclose(core.synapses[1].weights[0] / one, scale, rtol=0, atol=error * 1.001)


def test_a_network_too_large_for_the_chip_is_refused_in_a_sentence():
    layers = (Convolution(32, 1), Dense(1), Dense(2))
    model = random_model(input_shape=(64, 64, 1), layers=layers)
    with pytest.raises(ValueError, match='needs 2097152 bits of synapse memory'):
        create_simulator(model, 'loihi')


def test_another_device_and_a_negative_number_of_threads_are_refused():
    with pytest.raises(ValueError, match='backend loihi is an emulation on cpu, not on cuda'):
        create_simulator(random_model(), 'loihi', 'cuda')
    with pytest.raises(ValueError, match='threads must be 0 or more, not -1'):
        create_simulator(random_model(), 'loihi', threads=-1)


def test_a_missing_library_is_named_with_the_command_that_installs_it(monkeypatch):
    for name in list(sys.modules):
        if name.startswith(('nengo_loihi', 'snn_perception.backends.loihi')):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, 'nengo_loihi', None)
    sentence = 'backend loihi needs nengo_loihi, which is not installed: pip install nengo-loihi'
    with pytest.raises(ValueError, match=sentence):
        create_simulator(random_model(), 'loihi')
