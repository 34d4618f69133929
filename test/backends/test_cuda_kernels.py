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

"""The fused CUDA kernel against the NumPy neuron; without a GPU in Triton's interpreter."""

from __future__ import annotations

import inspect

import numpy as np
import pytest
import torch

from snn_perception.backends.population_state import PopulationState
from snn_perception.neurons import LIF
from snn_perception.synapses import Synapse

triton = pytest.importorskip('triton')

# One program and a part of another.
SHAPE = (3, 5, 2, 11)
SYNAPSES = [Synapse(), Synapse('exponential', 0.005), Synapse('alpha', 0.003)]
DEVICE = 'cuda' if torch.cuda.is_available() else 'cpu'


@pytest.fixture
def kernels(monkeypatch):
    """The module of the kernel, which on the CPU is made anew for the interpreter."""
    from snn_perception.backends import cuda_kernels

    if DEVICE == 'cpu':
        monkeypatch.setenv('TRITON_INTERPRET', '1')
        monkeypatch.setattr(cuda_kernels, '_integrate', triton.jit(cuda_kernels._integrate.fn))
    return cuda_kernels


def random_sums(steps=60, dtype=torch.float64, seed=0):
    random = np.random.default_rng(seed)
    steady = random.normal(0.8, 1.5, (1, *SHAPE))
    sums = steady + random.normal(0, 0.4, (steps, *SHAPE))
    return torch.from_numpy(sums).to(DEVICE, dtype)


def random_bias(like):
    bias = np.random.default_rng(1).normal(0, 0.3, SHAPE[-1])
    return torch.from_numpy(bias).to(like)


def run(kernels, sums, state=None, synapse=SYNAPSES[0], neuron=LIF(), dt=0.001, steps=None):  # noqa: B008
    """Spikes and the state after them, from rest if there is no `state`."""
    bias = random_bias(sums.new_zeros((), dtype=torch.promote_types(sums.dtype, torch.float32)))
    state = state or PopulationState.rest(SHAPE, synapse, neuron, bias)
    steps = steps or len(sums)
    return kernels.integrate(sums.clone(), bias, steps, state, synapse, neuron, dt), state


def reference(sums, synapse=SYNAPSES[0], neuron=LIF(), dt=0.001):  # noqa: B008
    """Spikes (steps, ...) and the state of the NumPy neuron after them, in float64."""
    filters, state = synapse.rest(SHAPE), neuron.rest(SHAPE)
    bias, spikes = random_bias(sums).cpu().double().numpy(), []
    for row in sums.cpu().double().numpy():
        current = synapse.step(row, filters, dt) + bias
        spikes.append(neuron.step(current, state, dt))
    return np.array(spikes), filters, state


def assert_equal(one, other):
    for value, expected in zip(one.tensors, other.tensors, strict=True):
        assert torch.equal(value, expected)


@pytest.mark.parametrize('synapse', SYNAPSES, ids=lambda synapse: synapse.type)
@pytest.mark.parametrize(
    ('dt', 'tau_ref'), [(0.0005, 0.002), (0.001, 0.002), (0.001, 0.0), (0.005, 0.0125)]
)
def test_float64_is_the_numpy_neuron_spike_for_spike(kernels, synapse, dt, tau_ref):
    sums, neuron = random_sums(), LIF(tau_ref=tau_ref)
    spikes, state = run(kernels, sums, synapse=synapse, neuron=neuron, dt=dt)
    expected, filters, (potential, refractory) = reference(sums, synapse, neuron, dt)
    assert 0.002 < expected.mean() < 0.6
    assert np.array_equal(spikes.cpu().numpy(), expected)
    assert np.allclose(state.filters.cpu(), filters)
    assert np.allclose(state.neuron[0].cpu(), potential)
    assert np.allclose(state.neuron[1].cpu(), refractory, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize('synapse', SYNAPSES, ids=lambda synapse: synapse.type)
def test_float32_is_as_exact_as_float32(kernels, synapse):
    sums = random_sums(dtype=torch.float32)
    spikes, state = run(kernels, sums, synapse=synapse)
    expected, _, (potential, refractory) = reference(sums, synapse)
    assert spikes.dtype == torch.float32
    alike = (spikes.cpu().numpy() == expected).all(axis=0)
    assert alike.mean() > 0.99
    assert np.abs(state.neuron[0].cpu().numpy() - potential)[alike].max() < 1e-4
    assert np.abs(state.neuron[1].cpu().numpy() - refractory)[alike].max() < 1e-6


@pytest.mark.parametrize('synapse', SYNAPSES, ids=lambda synapse: synapse.type)
def test_steps_in_parts_are_the_steps_of_the_whole_bit_for_bit(kernels, synapse):
    sums = random_sums(dtype=torch.float32)
    whole, expected = run(kernels, sums, synapse=synapse)
    first, state = run(kernels, sums[:1], synapse=synapse)
    second, state = run(kernels, sums[1:38], state, synapse)
    third, state = run(kernels, sums[38:], state, synapse)
    assert torch.equal(torch.cat((first, second, third)), whole)
    assert_equal(state, expected)


def test_one_row_of_sums_is_for_all_steps(kernels):
    sums = random_sums(1, torch.float32)
    spikes, state = run(kernels, sums, synapse=SYNAPSES[1], steps=40)
    expected, other = run(kernels, sums.repeat(40, 1, 1, 1, 1), synapse=SYNAPSES[1])
    assert spikes.sum() > 0
    assert torch.equal(spikes, expected)
    assert_equal(state, other)


def test_bfloat16_sums_count_as_what_they_are_and_spikes_come_back_in_kind(kernels):
    sums = random_sums(dtype=torch.bfloat16)
    spikes, state = run(kernels, sums)
    expected, other = run(kernels, sums.float())
    assert spikes.dtype == torch.bfloat16
    assert torch.equal(spikes.float(), expected)
    assert_equal(state, other)


def test_neurons_just_above_threshold_stay_finite(kernels):
    above = np.nextafter(np.float32(1), np.float32(2))
    bias = random_bias(torch.zeros((), device=DEVICE))
    # Rounded, some of these currents are the threshold itself.
    sums = (above - bias).expand(1, *SHAPE).contiguous()
    for dt, steps in ((0.001, 200), (0.05, 40)):
        spikes, state = run(kernels, sums, dt=dt, steps=steps)
        assert spikes.max() <= 1
        assert all(value.isfinite().all() for value in state.tensors)


# What the interpreter accepts the compiler may refuse; that needs no GPU either.
@pytest.mark.parametrize('order', [0, 1, 2])
@pytest.mark.parametrize(
    ('state', 'spikes'), [('fp32', 'fp32'), ('fp32', 'bf16'), ('fp64', 'fp64')]
)
def test_the_kernel_compiles_for_a_gpu(order, state, spikes, monkeypatch, tmp_path):
    from triton.backends.compiler import GPUTarget
    from triton.compiler import ASTSource

    from snn_perception.backends.cuda_kernels import _integrate

    monkeypatch.setenv('TRITON_CACHE_DIR', str(tmp_path))
    times = {'decay': 0.8, 'leak': 0.95, 'tau_rc': 0.02, 'tau_ref': 0.002, 'dt': 0.001}
    constants = {'order': order, 'block': 256, **times}
    kinds = dict.fromkeys(inspect.signature(_integrate.fn).parameters, 'i32')
    kinds |= dict.fromkeys(('bias', 'filters', 'potentials', 'refractories'), f'*{state}')
    kinds |= {'sums': f'*{spikes}', 'spikes': f'*{spikes}'}
    kinds |= dict.fromkeys(constants, 'constexpr')
    source = ASTSource(_integrate, kinds, constants)
    assert triton.compile(source, GPUTarget('cuda', 80, 32)).asm['cubin']
