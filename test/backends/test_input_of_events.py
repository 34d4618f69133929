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

"""Networks that hear the events of a sensor: every engine against the reference and by hand."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from engines import EVERY_ENGINE
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from random_models import event_model, random_events

from snn_perception.backends import create_simulator
from snn_perception.backends.event import EventSimulator
from snn_perception.backends.event_sensor import sort_events
from snn_perception.backends.torch import TorchSimulator
from snn_perception.layers import AveragePooling, Convolution, Dense, Identity, Sum
from snn_perception.model import Weights
from snn_perception.neurons import LIF, NEURON_TYPES, Softened
from snn_perception.synapses import Synapse

SYNAPSES = [Synapse(), Synapse('exponential', 0.005), Synapse('alpha', 0.003)]
EXACT = ['event', 'torch', 'reference', 'nengo']


def shown(simulator, counts):
    """The activity of one run over all `counts`, from rest."""
    return simulator.run(simulator.reset(counts.shape[1]), counts, len(counts))


def assert_equal_activity(one, other, tolerance=1e-6):
    assert np.array_equal(one.spikes, other.spikes)
    assert np.array_equal(one.synaptic_operations, other.synaptic_operations)
    assert np.array_equal(one.neuron_updates, other.neuron_updates)
    assert np.allclose(one.outputs, other.outputs, rtol=tolerance, atol=tolerance)


def test_an_event_is_a_spike_through_the_synapse_of_the_layer_that_hears_it():
    synapse = Synapse('exponential', 0.004)
    model = event_model(layers=(Dense(3),), readout_synapse=synapse, input_shape=(2, 2, 2))
    counts = np.zeros((10, 1, 2, 2, 2), np.uint8)
    counts[3, 0, 1, 0, 1] = 2
    outputs = shown(create_simulator(model, 'reference'), counts).outputs[:, 0]
    weight, bias = model.weights[0].kernel.reshape(2, 2, 2, 3)[1, 0, 1], model.weights[0].bias
    for step, output in enumerate(outputs):
        decay = np.exp(-model.dt / synapse.tau)
        height = 2 / model.dt * (1 - decay) * decay ** (step - 3) if step >= 3 else 0
        assert np.allclose(output, bias + height * weight, rtol=1e-5)


@given(
    seed=st.integers(0, 10_000),
    kind=st.sampled_from(list(NEURON_TYPES.values())),
    synapse=st.sampled_from(SYNAPSES),
    readout_synapse=st.sampled_from(SYNAPSES),
)
@settings(max_examples=10, deadline=None)
def test_torch_in_float64_hears_events_as_the_reference_does(seed, kind, synapse, readout_synapse):
    model = event_model(seed, None, kind(), synapse, readout_synapse)
    counts = random_events(model, 30, 2, seed)
    reference = shown(create_simulator(model, 'reference'), counts)
    assert_equal_activity(reference, shown(TorchSimulator(model, 'cpu', torch.float64), counts))
    assert reference.spikes.sum() > 0


@given(
    seed=st.integers(0, 10_000),
    kind=st.sampled_from(list(NEURON_TYPES.values())),
    synapse=st.sampled_from(SYNAPSES),
    readout_synapse=st.sampled_from(SYNAPSES),
)
@settings(max_examples=5, deadline=None)
def test_nengo_hears_events_as_the_reference_does(seed, kind, synapse, readout_synapse):
    pytest.importorskip('nengo')
    model = event_model(seed, None, kind(), synapse, readout_synapse)
    counts = random_events(model, 30, 2, seed)
    reference = shown(create_simulator(model, 'reference'), counts)
    assert_equal_activity(reference, shown(create_simulator(model, 'nengo'), counts))


def hang_on_rounding(model, counts):
    """Whether spikes of the reference change with the fifth digit of weights: of some, or none."""
    expected = shown(create_simulator(model, 'reference'), counts).spikes
    for seed, sign in ((0, 1), (1, -1)):
        random = np.random.default_rng(seed)

        def changed(values, random=random, sign=sign):
            return values * (1 + sign * 1e-5 * random.choice((-1, 1), values.shape))

        weights = tuple(
            Weights(
                tuple(changed(kernel).astype(np.float32) for kernel in each.kernels),
                changed(each.bias).astype(np.float32),
            )
            for each in model.weights
        )
        other = create_simulator(dataclasses.replace(model, weights=weights), 'reference')
        if not np.array_equal(shown(other, counts).spikes, expected):
            return True
    return False


def assert_as_in_the_reference(model, counts, chunks, threads):
    engine, reference = (
        EventSimulator(model, threads=threads),
        create_simulator(model, 'reference'),
    )
    expected, state, done = shown(reference, counts), engine.reset(counts.shape[1]), 0
    parts = []
    for chunk in chunks:
        parts.append(engine.run(state, counts[done : done + chunk], chunk))
        done += chunk
    assert np.array_equal(sum(part.spikes for part in parts), expected.spikes)
    operations = sum(part.synaptic_operations for part in parts)
    assert np.array_equal(operations, expected.synaptic_operations)
    assert np.array_equal(sum(part.neuron_updates for part in parts), expected.neuron_updates)
    outputs = np.concatenate([part.outputs for part in parts])
    assert np.allclose(outputs, expected.outputs, rtol=1e-3, atol=1e-2)


@given(
    seed=st.integers(0, 10_000),
    kind=st.sampled_from(list(NEURON_TYPES.values())),
    synapse=st.sampled_from(SYNAPSES),
    readout_synapse=st.sampled_from(SYNAPSES),
    chunks=st.lists(st.integers(1, 12), min_size=1, max_size=3),
    threads=st.integers(1, 3),
)
@settings(max_examples=8, deadline=None)
def test_the_sparse_engine_hears_events_as_the_reference_does(
    seed, kind, synapse, readout_synapse, chunks, threads
):
    model = event_model(seed, None, kind(), synapse, readout_synapse)
    counts = random_events(model, sum(chunks), 2, seed)
    assume(not hang_on_rounding(model, counts))
    assert_as_in_the_reference(model, counts, chunks, threads)


FIRST_LAYERS = {
    'whole': (Dense(20),),
    'strides': (Convolution(33, (3, 2), (2, 1), (0, 2, 1, 0)),),
    'groups': (Convolution(6, 3, padding=1, groups=2),),
    'depthwise': (Convolution(2, 3, padding=1, groups=2),),
    'large': (Convolution(5, (9, 8), padding=4),),
    'itself': (Sum((Identity(0.05), Convolution(2, 3, padding=1))),),
    'pooled later': (Convolution(8, 3), AveragePooling(2)),
    'none': (),
}


@pytest.mark.parametrize('first', FIRST_LAYERS)
@pytest.mark.parametrize('backend', ['event', 'torch', 'nengo'])
def test_any_layer_may_hear_events(first, backend):
    if backend == 'event' and first == 'none':
        pytest.skip('the sparse engine needs neurons')
    if backend == 'nengo':
        pytest.importorskip('nengo')
    model = event_model(2, (*FIRST_LAYERS[first], Dense(3)))
    counts = random_events(model, 30, 2)
    found = shown(create_simulator(model, backend), counts)
    expected = shown(create_simulator(model, 'reference'), counts)
    assert_equal_activity(found, expected, 1e-3)


@pytest.mark.parametrize('backend', EXACT)
def test_a_pixel_may_send_as_many_events_in_a_step_as_a_byte_holds(backend):
    model = event_model(3, (Convolution(4, 3, 2, 1), Dense(6), Dense(3)))
    quiet = tuple(
        dataclasses.replace(each, kernels=tuple(kernel / 200 for kernel in each.kernels))
        for each in model.weights[:1]
    )
    model = dataclasses.replace(model, weights=(*quiet, *model.weights[1:]))
    counts = np.full((20, 1, *model.network.input_shape), 255, np.uint8)
    counts[5:, :, :4] = np.arange(4, 19, dtype=np.uint8)[:, None, None, None, None]
    found = shown(create_simulator(model, backend), counts)
    expected = shown(create_simulator(model, 'reference'), counts)
    assert_equal_activity(found, expected, 1e-3)
    assert expected.spikes[0, 0] > 0


def reached(connection, y, x):
    """Outputs that hear the pixel (y, x) through `connection`, window by window."""
    layer, (height, width, channels) = connection.convolution, connection.output_shape
    (top, _), (left, _) = layer.margins
    windows = sum(
        0 <= y + top - row * layer.strides[0] < layer.kernel_size[0]
        and 0 <= x + left - column * layer.strides[1] < layer.kernel_size[1]
        for row in range(height)
        for column in range(width)
    )
    return windows * channels // layer.groups


@pytest.mark.parametrize('backend', [*EXACT, 'loihi'])
@pytest.mark.parametrize('first', ['whole', 'strides', 'groups'])
def test_operations_of_events_are_the_synapses_that_each_one_reaches(backend, first):
    if backend in ('nengo', 'loihi'):
        pytest.importorskip({'loihi': 'nengo_loihi'}.get(backend, backend))
    layers = (*FIRST_LAYERS[first], Sum((Dense(3), Dense(3, source='input'))))
    model = event_model(1, layers)
    counts = random_events(model, 25, 2)
    activity = shown(create_simulator(model, backend), counts)
    (connection,) = model.network.populations[0].connections
    for one in range(2):
        each = zip(*np.nonzero(counts[:, one]), strict=True)
        events = [(int(counts[step, one, y, x, p]), y, x) for step, y, x, p in each]
        assert activity.synaptic_operations[one, 0] == sum(
            count * reached(connection, y, x) for count, y, x in events
        )
        ours = 3 * sum(count for count, _, _ in events)
        assert activity.synaptic_operations[one, 1] == ours + 3 * activity.spikes[one, 0]


@pytest.mark.parametrize('backend', [*EXACT, 'loihi'])
@given(
    seed=st.integers(0, 50),
    chunks=st.lists(st.integers(1, 12), min_size=1, max_size=5),
)
@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_a_stream_in_chunks_is_the_stream_in_one_go(backend, seed, chunks):
    if backend in ('nengo', 'loihi'):
        pytest.importorskip({'loihi': 'nengo_loihi'}.get(backend, backend))
    model = event_model(seed)
    counts = random_events(model, sum(chunks), 2, seed)
    simulator = create_simulator(model, backend)
    whole, state, done, parts = shown(simulator, counts), simulator.reset(2), 0, []
    for chunk in chunks:
        parts.append(simulator.run(state, counts[done : done + chunk], chunk))
        done += chunk
    assert np.array_equal(whole.outputs, np.concatenate([part.outputs for part in parts]))
    assert np.array_equal(whole.counts, sum(part.counts for part in parts))


@pytest.mark.parametrize('backend', EVERY_ENGINE)
def test_streams_of_a_batch_do_not_know_each_other(backend):
    model = event_model(4)
    counts = random_events(model, 30, 3)
    simulator = create_simulator(model, backend)
    together, alone = shown(simulator, counts), shown(simulator, counts[:, 1:2])
    assert np.allclose(together.outputs[:, 1], alone.outputs[:, 0], atol=1e-4)
    assert np.array_equal(together.counts[:, 1], alone.counts[:, 0])


@pytest.mark.parametrize('backend', EVERY_ENGINE)
def test_with_mirror_events_are_heard_both_ways_round(backend):
    model = event_model(4)
    both = dataclasses.replace(model, readout=dataclasses.replace(model.readout, mirror=True))
    counts = random_events(model, 20, 2)
    one, other = (
        shown(create_simulator(model, backend), each) for each in (counts, counts[:, :, :, ::-1])
    )
    joined = shown(create_simulator(both, backend), counts)
    assert np.allclose(joined.outputs, (one.outputs + other.outputs) / 2, atol=1e-4)
    assert np.array_equal(joined.counts, one.counts + other.counts)


@pytest.mark.parametrize('backend', EVERY_ENGINE)
def test_events_that_do_not_fit_are_refused_and_change_nothing(backend):
    model = event_model()
    simulator = create_simulator(model, backend)
    state, counts = simulator.reset(2), random_events(model, 5, 2)
    for wrong, steps, reason in (
        (counts[:, :1], 5, r'must have the shape \(5, 2, 9, 8, 2\) .*, not \(5, 1, 9, 8, 2\)'),
        (counts, 6, r'must have the shape \(6, 2, 9, 8, 2\)'),
        (counts[0], 5, 'must have the shape'),
        (counts.astype(np.float32), 5, 'must be uint8, from 0 to 255, not float32'),
        (counts.astype(np.int64), 5, 'must be uint8, from 0 to 255, not int64'),
        (counts.tolist(), 5, 'must be a NumPy array, not list'),
        (counts[:0], 0, 'steps must be at least 1'),
    ):
        with pytest.raises(ValueError, match=reason) as caught:
            simulator.run(state, wrong, steps)
        assert '\n' not in str(caught.value)
    found = simulator.run(state, counts, 5)
    assert np.array_equal(found.outputs, shown(simulator, counts).outputs)


def test_wrong_events_are_refused_before_memory_is_taken():
    simulator = create_simulator(event_model(), 'reference')
    simulator.rest = None  # which takes it
    endless = np.broadcast_to(np.uint8(0), (5, 2**40, 9, 8, 3))
    with pytest.raises(ValueError, match='counts of events must have the shape'):
        simulator.classify_batch(endless)
    for wrong in (np.zeros((0, 9, 8, 2), np.uint8), np.zeros((9, 8, 2), np.uint8), [1]):
        with pytest.raises(ValueError, match='counts of events must'):
            simulator.classify_events(wrong)


def test_events_in_other_memory_layouts_are_the_same_events():
    model = event_model(5)
    counts = random_events(model, 20, 2)
    scattered = np.asfortranarray(counts)
    for backend in ('event', 'torch', 'rate'):
        simulator = create_simulator(model, backend)
        assert np.array_equal(
            shown(simulator, counts).outputs, shown(simulator, scattered).outputs
        )


def test_rounded_weights_leave_the_layer_that_hears_events_as_exact_as_it_should_be():
    model = event_model(1, (Convolution(40, 3, 2, 1), Dense(3)))
    counts = random_events(model, 40)
    exact, whole, short = (
        shown(EventSimulator(model, precision=precision), counts)
        for precision in ('float32', 'int8', 'bfloat16')
    )
    assert np.array_equal(exact.outputs, whole.outputs)
    assert not np.array_equal(exact.outputs, short.outputs)
    assert np.abs(exact.spikes - short.spikes).sum() < 0.05 * exact.spikes.sum()


@given(st.integers(0, 99), st.integers(1, 9), st.integers(1, 3))
@settings(max_examples=30)
def test_the_sparse_engine_sorts_events_by_row_and_step_and_skips_the_silence(seed, steps, batch):
    random = np.random.default_rng(seed)
    height, width = (int(size) for size in random.integers(1, 9, 2))
    counts = random.poisson(0.2, (steps, batch, height, width, 2)).astype(np.uint8)
    events = sort_events(counts)
    assert len(events.numbers) == np.count_nonzero(counts)
    assert np.array_equal(events.arrived, counts.sum(axis=(0, 4)))
    for image, y, step in np.ndindex(batch, height, steps):
        key = (image * height + y) * steps + step
        numbers = events.numbers[events.starts[key] : events.starts[key + 1]]
        row = counts[step, image, y].reshape(-1)
        places = np.flatnonzero(row)
        assert np.array_equal(numbers, places * 256 + row[places])


def test_the_rate_engine_hears_the_mean_rate_of_the_events_since_rest():
    model = event_model(layers=(Dense(6), Dense(3)))
    counts = random_events(model, 30, 2, bursts=0)
    simulator = create_simulator(model, 'rate')
    first, last = model.weights
    mean = counts.sum(axis=0).reshape(2, -1) / (30 * model.dt)
    rate = Softened(LIF(), model.network.gamma).rate(mean @ first.kernel + first.bias)
    state = simulator.reset(2)
    simulator.run(state, counts[:10], 10)
    for found in (shown(simulator, counts), simulator.run(state, counts[10:], 20)):
        expected = np.broadcast_to(rate @ last.kernel + last.bias, found.outputs.shape)
        assert np.allclose(found.outputs, expected, rtol=1e-3, atol=0.01)
    assert np.allclose(simulator.firing_rates(counts)[0].reshape(2, -1), rate, rtol=1e-3, atol=0.1)


def test_a_network_whose_layers_fire_often_agrees_with_its_rates_on_events():
    layers = (Convolution(8, 3, padding=1), Dense(30), Dense(3))
    model = event_model(6, layers, synapse=Synapse('exponential', 0.05))
    counts = random_events(model, 1500, 1, rate=80.0, bursts=0)
    spiking = shown(create_simulator(model, 'event'), counts).outputs[200:].mean(axis=0)
    rates = shown(create_simulator(model, 'rate'), counts).outputs[-1]
    assert np.allclose(spiking, rates, atol=0.1 * np.abs(rates).max())
