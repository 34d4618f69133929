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

"""The dense engine: PyTorch on CPU or CUDA, layer by layer, for any batch.

In a run of K steps, each layer is computed for all K steps before the next layer: one convolution
over K x batch images, then a scan of the neurons over time. In a feed-forward network this does
not change a single spike.
"""

from __future__ import annotations

from functools import partial
from importlib.util import find_spec
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from snn_perception.activity import Activity
from snn_perception.backends import kernels
from snn_perception.backends.base import Simulator
from snn_perception.backends.cuda_graphs import LARGEST_BATCH, RecordedRun, RecordedRuns
from snn_perception.backends.population_state import Memory, PopulationState
from snn_perception.backends.torch_connections import place_weights
from snn_perception.backends.torch_turns import TurnMemory, TurnTaking
from snn_perception.graph import EVENTS, IMAGE
from snn_perception.inputs import batch_of
from snn_perception.model import Model
from snn_perception.neurons import LIF, Neuron
from snn_perception.synapses import Synapse
from snn_perception.threads import in_parallel

# Triton comes with PyTorch for CUDA on Linux, and is imported only where it is used.
HAS_TRITON = find_spec('triton') is not None


class TorchSimulator(Simulator):
    """The model in PyTorch, in float32 unless `dtype` says otherwise.

    On a CUDA device, small batches run as recorded graphs, one at a time.
    """

    name: ClassVar[str] = 'torch'
    gains_by_batches: ClassVar[bool] = True
    takes_turns: ClassVar[bool] = True

    def __init__(
        self, model: Model, device: str = 'auto', dtype: torch.dtype = torch.float32
    ) -> None:
        super().__init__(model, choose_device(device))
        self.like = torch.zeros((), dtype=dtype, device=self.device)
        self.populations = place_weights(model, 1 / model.dt, self.like)
        self.recorded = None
        self.turns = None
        if model.network.firing_window:
            self.turns = TurnTaking(model, self.like, self.layer_done)
        elif self.device == 'cuda':
            pool = torch.cuda.graph_pool_handle()
            self.recorded = RecordedRuns(partial(RecordedRun, pool=pool))

    @torch.inference_mode()
    def rest(self, batch: int) -> Memory | TurnMemory:
        """See `Simulator.rest`."""
        if self.turns:
            return self.turns.rest(batch)
        network = self.model.network
        return [
            PopulationState.rest(
                (batch, *population.output_shape),
                network.synapse_of(population.index),
                network.neuron,
                self.like,
            )
            for population in network.populations
        ]

    @torch.inference_mode()
    def advance(self, memory: Memory | TurnMemory, inputs: NDArray, steps: int) -> Activity:
        """See `Simulator.advance`."""
        values = torch.from_numpy(np.ascontiguousarray(inputs)).to(self.like)
        # The ten bits of TensorFloat32 are too few to match the spikes of the reference.
        with torch.backends.cudnn.flags(enabled=True, allow_tf32=False):
            if self.turns is not None and isinstance(memory, TurnMemory):
                outputs, counts = self.turns.simulate(memory, values, steps)
                return Activity(outputs.cpu().numpy(), *counts.cpu().numpy().astype(np.int64))
            assert not isinstance(memory, TurnMemory)
            # A recorded graph cannot call `on_layer` between its layers.
            is_small = batch_of(inputs) <= LARGEST_BATCH
            if self.recorded and is_small and self.on_layer is None:
                outputs, counts = self.recorded.run(self.simulate, memory, values, steps)
            else:
                outputs, counts = self.simulate(memory, values, steps)
        updates = np.zeros(counts.shape[1:], np.int64)
        updates[:, :-1] = [
            steps * population.neurons for population in self.model.network.populations[:-1]
        ]
        spikes, operations = counts.cpu().numpy().astype(np.int64)
        return Activity(outputs.cpu().numpy(), spikes, operations, updates)

    def simulate(self, memory: Memory, inputs: Tensor, steps: int) -> tuple[Tensor, Tensor]:
        """`advance` on the device: outputs (steps, batch, classes) float32, and counts.

        Counts are float64 (2, batch, layers): spikes and synaptic operations. Nothing here may
        wait for the device, or the run could not be recorded.
        """
        network, dt = self.model.network, self.model.dt
        shape = 2, inputs.shape[-4], len(self.populations)
        counts = self.like.new_zeros(shape, dtype=torch.float64)
        fired: dict[int, Tensor] = {}  # by each population, (batch, height, width)
        values = {IMAGE: inputs[None]}
        if network.hears_events:
            values = {EVENTS: inputs}
            fired[EVENTS] = inputs.sum(dim=(0, 4), dtype=torch.float64)
        for placed, state in zip(self.populations, memory, strict=True):
            index, synapse = placed.population.index, network.synapse_of(placed.population.index)
            for source, fan_out in placed.fan_outs:
                counts[1, :, index] += (fired[source] * fan_out).sum(dim=(1, 2))
            sums, constant = placed.spiking_sum(values), placed.constant_sum(values)
            if placed.population.is_readout:
                outputs = constant + placed.bias
                if sums is not None:
                    outputs = filter_currents(sums, state.filters, synapse, dt) + outputs
                self.layer_done(index)
                break
            if sums is None:
                sums = constant
            elif placed.population.sees_image:
                # What a filter of unit gain has always received it lets through as it is.
                sums += constant
                state.filters.add_(constant)
            values[index] = integrate(sums, placed.bias, steps, state, synapse, network.neuron, dt)
            if placed.population.sees_image:
                state.filters.sub_(constant)
            fired[index] = values[index].sum(dim=(0, 4), dtype=torch.float64)
            counts[0, :, index] = fired[index].sum(dim=(1, 2))
            for source in network.read_last[index]:
                del values[source]
            self.layer_done(index)
        return outputs.expand(steps, *outputs.shape[1:]).flatten(2).float(), counts

    def layer_done(self, index: int) -> None:
        """See `Simulator.layer_done`; first waits until the device has finished the layer."""
        if self.on_layer is not None and self.device == 'cuda':
            torch.cuda.synchronize()
        super().layer_done(index)


def choose_device(device: str) -> str:
    """`device`, with 'auto' resolved to 'cuda' or 'cpu'.

    Raises ValueError if CUDA is asked for and not available.
    """
    if device == 'auto':
        return 'cuda' if torch.cuda.is_available() else 'cpu'
    if device == 'cuda' and not torch.cuda.is_available():
        raise ValueError('device cuda is not available here; use cpu or auto')
    return device


def filter_currents(sums: Tensor, filters: Tensor, synapse: Synapse, dt: float) -> Tensor:
    """`sums` (steps, ...) filtered over time, in place; advances `filters` (order, ...)."""
    decay = synapse.decay(dt)
    for value in filters:
        for current in sums:
            current.mul_(1 - decay).add_(value, alpha=decay)
            value.copy_(current)
    return sums


def integrate(
    sums: Tensor,
    bias: Tensor,
    steps: int,
    state: PopulationState,
    synapse: Synapse,
    neuron: Neuron,
    dt: float,
) -> Tensor:
    """Spikes (steps, ...), 1 or 0, of neurons with weighted inputs `sums` (steps or 1, ...).

    Spikes have the dtype of `sums`, which is the dtype of `bias` and `state`, or bfloat16.
    Advances `state` in place. LIF neurons have compiled loops of their own; see
    `neurons.LIF.step` for the equations.
    """
    if type(neuron) is not LIF:
        return _integrate_stepwise(sums, bias, steps, state, synapse, neuron, dt)
    if sums.device.type == 'cpu':
        return _integrate_compiled(sums, bias, steps, state, synapse, neuron, dt)
    if HAS_TRITON and sums.device.type == 'cuda':
        from snn_perception.backends import cuda_kernels

        return cuda_kernels.integrate(sums, bias, steps, state, synapse, neuron, dt)
    return _integrate_stepwise(sums, bias, steps, state, synapse, neuron, dt)


def _integrate_stepwise(
    sums: Tensor,
    bias: Tensor,
    steps: int,
    state: PopulationState,
    synapse: Synapse,
    neuron: Neuron,
    dt: float,
) -> Tensor:
    """`integrate` in PyTorch operations, for any kind of neuron on any device."""
    currents = filter_currents(sums.to(bias.dtype), state.filters, synapse, dt).add_(bias)
    currents = currents.expand(steps, *sums.shape[1:])
    spikes = torch.empty_like(currents, memory_format=torch.contiguous_format)
    for current, spiked in zip(currents, spikes, strict=True):
        spiked.copy_(neuron.step(current, state.neuron, dt))
    return spikes.to(sums.dtype)


def _integrate_compiled(
    sums: Tensor,
    bias: Tensor,
    steps: int,
    state: PopulationState,
    synapse: Synapse,
    neuron: LIF,
    dt: float,
) -> Tensor:
    """`integrate` on the CPU, with the pixels shared out over as many threads as PyTorch uses."""
    spikes = torch.empty((steps, *sums.shape[1:]), dtype=sums.dtype)
    constants = bias.detach().numpy()
    potential, refractory = (values.view(-1).numpy() for values in state.neuron)
    run = partial(
        kernels.integrate,
        _bits(sums).flatten(1).numpy(),
        _bits(spikes).flatten(1).numpy(),
        kernels.Neurons(state.filters.flatten(1).numpy(), potential, refractory),
        constants,
        kernels.Times.of(synapse.decay(dt), neuron, dt, constants.dtype),
    )
    in_parallel(run, potential.size // constants.size, torch.get_num_threads())
    return spikes


def _bits(values: Tensor) -> Tensor:
    """`values`, or their bits if they are bfloat16, which NumPy does not know."""
    return values.view(torch.uint16) if values.dtype == torch.bfloat16 else values
