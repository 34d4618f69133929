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

"""The dense engine on a GPU, and what recording its runs relies on."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from random_models import event_model, random_events, random_images, random_model

import snn_perception.backends.torch as engine
from snn_perception.backends import create_simulator
from snn_perception.backends.cuda_graphs import (
    LARGEST_BATCH,
    MOST_RUNS,
    MOST_STEPS,
    RecordedRuns,
    copy_memory,
    parts_of,
)
from snn_perception.backends.population_state import PopulationState
from snn_perception.backends.torch import TorchSimulator
from snn_perception.synapses import Synapse

SYNAPSES = [Synapse(), Synapse('exponential', 0.005), Synapse('alpha', 0.003)]

needs_gpu = pytest.mark.skipif(not torch.cuda.is_available(), reason='there is no GPU')


def values(memory):
    """All tensors of a memory."""
    return [value for state in memory for value in state.tensors]


def assert_alike(one, other):
    """The same spikes, and what they cause but for rounding."""
    for field in ('spikes', 'synaptic_operations', 'neuron_updates'):
        assert np.array_equal(getattr(one, field), getattr(other, field))
    assert np.allclose(one.outputs, other.outputs, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize('synapse', SYNAPSES, ids=lambda synapse: synapse.type)
def test_a_memory_is_advanced_in_place(synapse):
    model = random_model(synapse=synapse)
    simulator = TorchSimulator(model, 'cpu')
    state = simulator.reset(2)
    before = [(value.data_ptr(), value.clone()) for value in values(state.memory)]
    simulator.run(state, random_images(model, 2), 20)
    after = [(value.data_ptr(), value) for value in values(state.memory)]
    assert [pointer for pointer, _ in before] == [pointer for pointer, _ in after]
    for (_, old), (_, new) in zip(before[:-3], after[:-3], strict=True):
        assert new.numel() == 0 or not torch.equal(old, new)


@torch.inference_mode()
def test_a_run_on_another_memory_copied_back_is_the_run_itself():
    model = random_model(synapse=Synapse())
    simulator = TorchSimulator(model, 'cpu')
    images = torch.from_numpy(random_images(model, 2))
    memory, expected, workspace = (simulator.rest(2) for _ in range(3))
    simulator.simulate(workspace, images, 7)  # leaves what must not matter
    for steps in (15, 1, 20):
        outputs, counts = simulator.simulate(expected, images, steps)
        copy_memory(memory, workspace)
        again = simulator.simulate(workspace, images, steps)
        copy_memory(workspace, memory)
        assert torch.equal(outputs, again[0])
        assert torch.equal(counts, again[1])
    for one, other in zip(values(memory), values(expected), strict=True):
        assert torch.equal(one, other)


@given(st.integers(1, 10_000))
def test_a_run_is_put_together_from_few_kinds_of_parts(steps):
    parts = parts_of(steps)
    assert sum(parts) == steps
    assert all(part & (part - 1) == 0 and part <= MOST_STEPS for part in parts)
    assert len(set(parts)) == len(parts[parts.count(MOST_STEPS) :]) + (MOST_STEPS in parts)


class EagerRecording:
    """In place of a graph: runs anew, into the same results, as a graph does."""

    def __init__(self, simulate, memory, images, steps):
        self.run = partial(simulate, steps=steps)
        self.results = simulate([state.clone() for state in memory], images, steps)

    def replay(self, memory, images):
        for result, value in zip(self.results, self.run(memory, images), strict=True):
            result.copy_(value)
        return self.results


@torch.inference_mode()
def test_a_stream_of_frames_that_all_differ_in_time_needs_few_recordings():
    model = random_model(synapse=Synapse())
    simulator = TorchSimulator(model, 'cpu')
    images = torch.from_numpy(random_images(model, 2))
    memory, expected = simulator.rest(2), simulator.rest(2)
    made = []

    def record(*arguments):
        made.append(arguments[-1])
        return EagerRecording(*arguments)

    recorded = RecordedRuns(record)
    for steps in (*range(20, 60), 300):
        outputs, counts = recorded.run(simulator.simulate, memory, images, steps)
        whole = simulator.simulate(expected, images, steps)
        assert torch.equal(outputs, whole[0])
        assert torch.equal(counts, whole[1])
    assert sorted(made) == [1, 2, 4, 8, 16, 32, 64]


@torch.inference_mode()
def test_each_part_of_a_run_hears_its_own_events():
    model = event_model(1)
    simulator = TorchSimulator(model, 'cpu', torch.float64)
    memory, expected, made = simulator.rest(2), simulator.rest(2), []

    def record(*arguments):
        made.append(arguments[-1])
        return EagerRecording(*arguments)

    recorded = RecordedRuns(record)
    for steps in (23, 7, 40):
        events = torch.from_numpy(random_events(model, steps, 2, seed=steps)).double()
        outputs, counts = recorded.run(simulator.simulate, memory, events, steps)
        whole = simulator.simulate(expected, events, steps)
        assert torch.allclose(outputs, whole[0])
        assert torch.equal(counts, whole[1])
    assert sorted(made) == [1, 2, 4, 8, 16, 32]


@needs_gpu
@pytest.mark.parametrize('batch', [1, LARGEST_BATCH + 1])
def test_a_gpu_hears_events_as_the_reference_does(batch):
    model = event_model(1)
    events = random_events(model, 45, batch)
    reference, simulator = (
        create_simulator(model, 'reference'),
        TorchSimulator(model, 'cuda', torch.float64),
    )
    expected = reference.run(reference.reset(batch), events, 45)
    assert_alike(simulator.run(simulator.reset(batch), events, 45), expected)


@pytest.mark.parametrize('synapse', SYNAPSES, ids=lambda synapse: synapse.type)
def test_without_triton_the_steps_are_those_of_the_compiled_loop(synapse):
    model = random_model()
    sums = torch.from_numpy(np.random.default_rng(0).normal(1, 1, (60, 2, 3, 4, 5)))
    results = []
    for integrate in (engine._integrate_stepwise, engine._integrate_compiled):
        state = PopulationState.rest(sums.shape[1:], synapse, model.network.neuron, sums)
        arguments = (sums.new_full((5,), 0.1), 60, state, synapse, model.network.neuron, 0.001)
        results.append((integrate(sums.clone(), *arguments), *state.tensors))
    assert results[0][0].mean() > 0.01
    for one, other in zip(*results, strict=True):
        assert torch.allclose(one, other)


@needs_gpu
@pytest.mark.parametrize('has_triton', sorted({False, engine.HAS_TRITON}))
@pytest.mark.parametrize('synapse', SYNAPSES, ids=lambda synapse: synapse.type)
@pytest.mark.parametrize('batch', [1, 3, LARGEST_BATCH + 1])
def test_a_gpu_in_float64_equals_the_reference_spike_for_spike(
    synapse, batch, has_triton, monkeypatch
):
    monkeypatch.setattr(engine, 'HAS_TRITON', has_triton)
    model = random_model(synapse=synapse, readout_synapse=synapse)
    images = random_images(model, batch)
    reference = create_simulator(model, 'reference')
    simulator = TorchSimulator(model, 'cuda', torch.float64)
    expected = reference.run(reference.reset(batch), images, 80)
    assert_alike(simulator.run(simulator.reset(batch), images, 80), expected)


@needs_gpu
def test_replayed_runs_are_the_eager_runs_over_resets_and_with_carried_states():
    model = random_model()
    recorded, eager = (TorchSimulator(model, 'cuda', torch.float64) for _ in range(2))
    eager.on_layer = lambda index: None
    for seed in range(3):
        states = [[simulator.reset(batch) for batch in (1, 2)] for simulator in (recorded, eager)]
        for steps in (10, 5, 10, 10, 3):
            for index, batch in enumerate((1, 2)):
                images = random_images(model, batch, seed)
                expected = eager.run(states[1][index], images, steps)
                assert_alike(recorded.run(states[0][index], images, steps), expected)
        for one, other in zip(*states, strict=True):
            for value, expected in zip(values(one.memory), values(other.memory), strict=True):
                assert torch.allclose(value, expected)
    assert set(recorded.recorded.runs) == {(batch, s) for batch in (1, 2) for s in (8, 4, 2, 1)}
    assert not eager.recorded.runs


@needs_gpu
def test_only_the_runs_used_last_are_kept():
    model = random_model()
    simulator, images = TorchSimulator(model, 'cuda', torch.float64), random_images(model, 1)
    first = simulator.run(simulator.reset(), images, 1)
    others = [(batch, 2**power) for batch in (2, 3, 4) for power in range(6)][:MOST_RUNS]
    for batch, steps in others:
        simulator.run(simulator.reset(batch), random_images(model, batch), steps)
    assert set(simulator.recorded.runs) == set(others)
    assert_alike(simulator.run(simulator.reset(), images, 1), first)


@needs_gpu
def test_large_batches_are_not_recorded():
    model, batch = random_model(), LARGEST_BATCH + 1
    simulator = TorchSimulator(model, 'cuda')
    simulator.run(simulator.reset(batch), random_images(model, batch), 5)
    assert not simulator.recorded.runs
