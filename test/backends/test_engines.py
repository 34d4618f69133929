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

"""Every spiking engine against the NumPy reference, spike for spike."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
import torch
from engines import EVERY_ENGINE
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from random_models import random_graph_model, random_images, random_model

from snn_perception.backends import create_simulator
from snn_perception.backends.rate_curve import HIGHEST_CURRENT, LOWEST_CURRENT
from snn_perception.backends.reference import weighted_sum
from snn_perception.backends.torch import TorchSimulator
from snn_perception.graph import IMAGE
from snn_perception.layers import AveragePooling, Convolution, Dense
from snn_perception.neurons import LIF, NEURON_TYPES, Softened
from snn_perception.synapses import Synapse

SYNAPSES = [Synapse(), Synapse('exponential', 0.005), Synapse('alpha', 0.003)]


def run_both(model, steps, dtype, batch=3):
    """Activity of the reference and of the torch engine on the same random images."""
    images = random_images(model, batch)
    reference = create_simulator(model, 'reference')
    engine = TorchSimulator(model, 'cpu', dtype)
    return (
        reference.run(reference.reset(batch), images, steps),
        engine.run(engine.reset(batch), images, steps),
    )


def assert_equal_counts(one, other):
    assert np.array_equal(one.spikes, other.spikes)
    assert np.array_equal(one.synaptic_operations, other.synaptic_operations)
    assert np.array_equal(one.neuron_updates, other.neuron_updates)


@pytest.mark.parametrize('synapse', SYNAPSES, ids=lambda synapse: synapse.type)
@pytest.mark.parametrize('dt', [0.0005, 0.001, 0.002])
def test_torch_in_float64_equals_the_reference_spike_for_spike(synapse, dt):
    model = random_model(synapse=synapse, readout_synapse=synapse, dt=dt)
    reference, engine = run_both(model, 80, torch.float64)
    assert reference.spikes[:, :-1].min() > 0
    assert_equal_counts(reference, engine)
    assert np.allclose(reference.outputs, engine.outputs, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(
    'neuron',
    [*(kind() for kind in NEURON_TYPES.values()), LIF(initial_potential=0.5), LIF(phases=16)],
    ids=repr,
)
def test_torch_runs_every_kind_of_neuron_as_the_reference_does(neuron):
    model = random_model()
    model = dataclasses.replace(model, network=dataclasses.replace(model.network, neuron=neuron))
    reference, engine = run_both(model, 60, torch.float64)
    assert reference.spikes[:, :-1].min() > 0
    assert_equal_counts(reference, engine)
    assert np.allclose(reference.outputs, engine.outputs, rtol=1e-6, atol=1e-6)


# A spike falls into a neighbouring step where rounding moves a potential across the threshold;
# after that, what it causes may move too. In float32 this is one spike in some thousands.
def test_torch_in_float32_differs_by_less_than_one_spike_in_a_thousand():
    for seed in range(5):
        reference, engine = run_both(random_model(seed), 100, torch.float32)
        difference = np.abs(reference.spikes - engine.spikes).sum()
        assert difference <= 0.001 * reference.spikes.sum()
        assert np.allclose(reference.outputs, engine.outputs, atol=0.02)


@given(
    seed=st.integers(0, 1000),
    kernel=st.integers(1, 4),
    stride=st.integers(1, 3),
    padding=st.integers(0, 2),
    pooling=st.integers(1, 3),
    drive=st.floats(0.5, 20),
    synapse=st.sampled_from(SYNAPSES),
)
@settings(max_examples=25)
def test_random_networks_spike_alike_in_float64(
    seed, kernel, stride, padding, pooling, drive, synapse
):
    layers = (
        Convolution(5, kernel, stride, padding),
        AveragePooling(pooling),
        Dense(9),
        Dense(4),
    )
    # The map after the convolution must hold a pool at least.
    assume((8 + 2 * padding - kernel) // stride + 1 >= pooling)
    model = random_model(seed, (9, 8, 1 + 2 * (seed % 2)), layers, synapse, drive=drive)
    assert_equal_counts(*run_both(model, 40, torch.float64, batch=2))


@given(
    seed=st.integers(0, 10_000),
    kind=st.sampled_from(list(NEURON_TYPES.values())),
    synapse=st.sampled_from(SYNAPSES),
    readout_synapse=st.sampled_from(SYNAPSES),
)
@settings(max_examples=25, deadline=None)
def test_random_graphs_spike_alike_in_float64(seed, kind, synapse, readout_synapse):
    model = random_graph_model(seed, kind(), synapse, readout_synapse)
    reference, engine = run_both(model, 30, torch.float64, batch=2)
    assert_equal_counts(reference, engine)
    assert np.allclose(reference.outputs, engine.outputs, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize('seed', range(4))
def test_the_rate_engine_sums_all_that_leads_into_a_population(seed):
    model = random_graph_model(seed)
    images = random_images(model, 2)
    simulator = create_simulator(model, 'rate', 'cpu')
    soft = Softened(model.network.neuron, model.network.gamma)
    values = dict(enumerate(simulator.firing_rates(images))) | {IMAGE: images}
    for population, weights in zip(model.network.populations, model.weights, strict=True):
        current = weights.bias + sum(
            weighted_sum(connection, kernel, values[connection.source].astype(float))
            for connection, kernel in model.connections(population.index)
        )
        if not population.is_readout:
            expected = soft.rate(np.clip(current, LOWEST_CURRENT, HIGHEST_CURRENT))
            assert np.allclose(values[population.index], expected, rtol=1e-3, atol=0.02)
    outputs = simulator.run(simulator.reset(2), images, 1).outputs
    assert np.allclose(outputs[0], current.reshape(2, -1), rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize('backend', ['event', 'torch', 'reference', 'nengo'])
@pytest.mark.parametrize('make', [random_model, random_graph_model])
def test_ten_times_ten_steps_are_a_hundred_steps(backend, make):
    model = make()
    images = random_images(model, 2)
    simulator = create_simulator(model, backend)
    whole = simulator.run(simulator.reset(2), images, 100)
    state = simulator.reset(2)
    parts = [simulator.run(state, images, 10) for _ in range(10)]
    assert np.array_equal(whole.outputs, np.concatenate([part.outputs for part in parts]))
    assert np.array_equal(whole.spikes, sum(part.spikes for part in parts))


@pytest.mark.parametrize('backend', ['event', 'torch', 'reference', 'nengo'])
def test_operations_are_spikes_times_fan_out(backend):
    layers = (Convolution(4, 1), Dense(7), Dense(3))
    model = random_model(layers=layers)
    simulator = create_simulator(model, backend)
    activity = simulator.run(simulator.reset(1), random_images(model, 1), 50)
    spikes, operations = activity.spikes[0], activity.synaptic_operations[0]
    assert operations[0] == 0
    assert operations[1] == spikes[0] * 7
    assert operations[2] == spikes[1] * 3
    assert list(activity.neuron_updates[0]) == [50 * 4 * 110, 50 * 7, 0]


@pytest.mark.parametrize('backend', EVERY_ENGINE)
def test_images_of_a_batch_do_not_know_each_other(backend):
    model = random_model()
    images = random_images(model, 3)
    simulator = create_simulator(model, backend)
    together = simulator.run(simulator.reset(3), images, 30)
    alone = simulator.run(simulator.reset(1), images[1:2], 30)
    assert np.allclose(together.outputs[:, 1], alone.outputs[:, 0], atol=1e-4)


def test_the_rate_engine_computes_the_soft_lif_network():
    model = random_model(layers=(Dense(6), Dense(3)))
    images = random_images(model, 2)
    simulator = create_simulator(model, 'rate')
    first, last = model.weights
    current = images.reshape(2, -1).astype(float) @ first.kernel + first.bias
    rate = Softened(LIF(), model.network.gamma).rate(current)
    outputs = simulator.run(simulator.reset(2), images, 2).outputs
    assert np.allclose(outputs[1], rate @ last.kernel + last.bias, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize('backend', ['event', 'torch'])
@pytest.mark.parametrize('current', [1.02, 1.5, 4.0])
def test_long_run_spike_rates_go_to_the_lif_curve(current, backend):
    layers = (Dense(5), Dense(2))
    model = random_model(layers=layers)
    zero = dataclasses.replace(
        model.weights[0],
        kernels=(model.weights[0].kernel * 0,),
        bias=np.full(5, current, np.float32),
    )
    model = dataclasses.replace(model, weights=(zero, model.weights[1]))
    simulator = create_simulator(model, backend)
    activity = simulator.run(simulator.reset(1), random_images(model, 1), 2000)
    expected = float(model.network.neuron.rate(current)) * 2
    assert activity.spikes[0, 0] / 5 == pytest.approx(expected, abs=1)


@pytest.mark.parametrize('backend', EVERY_ENGINE)
def test_what_does_not_fit_is_refused_and_changes_nothing(backend):
    model = random_model()
    simulator = create_simulator(model, backend)
    state, images = simulator.reset(2), random_images(model, 2)
    broken = images.copy()
    broken[1, 2, 3] = np.nan
    for wrong, steps, reason in (
        (random_images(model, 3), 5, 'images must have the shape'),
        (broken, 5, 'images must be finite float32 .* not float32'),
        ((255 * images).astype(np.uint8), 5, 'images must be finite float32 .* not uint8'),
        (images, 0, 'steps must be at least 1'),
    ):
        with pytest.raises(ValueError, match=reason):
            simulator.run(state, wrong, steps)
    outputs = simulator.run(state, images, 20).outputs
    assert np.array_equal(outputs, simulator.run(simulator.reset(2), images, 20).outputs)


@pytest.mark.parametrize('backend', EVERY_ENGINE)
def test_the_state_of_another_model_or_engine_is_refused(backend):
    model = random_model()
    simulator, images = create_simulator(model, backend), random_images(model, 1)
    other = create_simulator(dataclasses.replace(model, name='other'), backend).reset()
    with pytest.raises(ValueError, match='state is of model other'):
        simulator.run(other, images, 5)
    elsewhere = create_simulator(model, 'event' if backend == 'reference' else 'reference')
    with pytest.raises(ValueError, match='cannot be advanced with model random on backend'):
        simulator.run(elsewhere.reset(), images, 5)
    with pytest.raises(ValueError, match='batch must be at least 1, not 0'):
        simulator.reset(0)


@pytest.mark.parametrize('backend', ['event', 'torch', 'rate'])
def test_engines_say_when_a_layer_is_done(backend):
    model = random_model()
    simulator, images = create_simulator(model, backend), random_images(model, 1)
    silent = simulator.run(simulator.reset(), images, 40)
    done = []
    simulator.on_layer = done.append
    watched = simulator.run(simulator.reset(), images, 40)
    layers = list(range(len(model.network.populations)))
    assert done
    assert done == layers * (len(done) // len(layers))
    assert np.array_equal(silent.outputs, watched.outputs)


def test_weights_have_the_precision_of_the_model_unless_another_is_asked_for():
    model = dataclasses.replace(random_model(), precision='int8')
    images = random_images(model, 1)

    def outputs(**options):
        simulator = create_simulator(model, 'event', **options)
        return simulator.run(simulator.reset(), images, 40).outputs

    exact = create_simulator(model, 'torch', 'cpu', precision='auto')
    assert np.array_equal(outputs(), outputs(precision='int8'))
    assert not np.array_equal(outputs(), outputs(precision='float32'))
    expected = exact.run(exact.reset(), images, 40).outputs
    assert np.allclose(outputs(precision='float32'), expected, atol=0.02)


def test_unknown_backends_and_devices_are_refused_with_what_there_is():
    with pytest.raises(ValueError, match=r"unknown backend 'abacus'.*torch"):
        create_simulator(random_model(), 'abacus')
    with pytest.raises(ValueError, match=r"unknown device 'tpu'.*cuda"):
        create_simulator(random_model(), 'torch', 'tpu')
    for backend in ('reference', 'event'):
        with pytest.raises(ValueError, match=f'{backend} runs on cpu'):
            create_simulator(random_model(), backend, 'cuda')
