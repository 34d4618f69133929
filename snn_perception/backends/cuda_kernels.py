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

"""Synapse and LIF neurons of a layer through all time steps in one CUDA kernel (Triton)."""

from __future__ import annotations

import math

import triton
import triton.language as tl
from torch import Tensor

from snn_perception.backends.population_state import PopulationState
from snn_perception.neurons import LIF
from snn_perception.synapses import Synapse

NEURONS_OF_A_PROGRAM = 256
WARPS_OF_A_PROGRAM = 2


def integrate(
    sums: Tensor,
    bias: Tensor,
    steps: int,
    state: PopulationState,
    synapse: Synapse,
    neuron: LIF,
    dt: float,
) -> Tensor:
    """`backends.torch.integrate` for tensors on a CUDA device."""
    sums = sums.contiguous()
    spikes = sums.new_empty((steps, *sums.shape[1:]))
    neurons = state.neuron[0].numel()
    _integrate[(triton.cdiv(neurons, NEURONS_OF_A_PROGRAM),)](
        sums,
        bias.detach(),
        *state.tensors,
        spikes,
        steps,
        neurons,
        neurons if len(sums) > 1 else 0,
        bias.numel(),
        order=synapse.order,
        decay=synapse.decay(dt),
        leak=math.exp(-dt / neuron.tau_rc),
        tau_rc=neuron.tau_rc,
        tau_ref=neuron.tau_ref,
        dt=dt,
        block=NEURONS_OF_A_PROGRAM,
        num_warps=WARPS_OF_A_PROGRAM,
    )
    return spikes


# The same code for any number of steps, so that rounding does not depend on it.
@triton.jit(do_not_specialize=['steps'])
def _integrate(  # type: ignore[no-untyped-def]  # Triton reads annotations in its own way
    sums,
    bias,
    filters,
    potentials,
    refractories,
    spikes,
    steps,
    neurons,
    stride,
    channels,
    order: tl.constexpr,
    decay: tl.constexpr,
    leak: tl.constexpr,
    tau_rc: tl.constexpr,
    tau_ref: tl.constexpr,
    dt: tl.constexpr,
    block: tl.constexpr,
):
    """The equations of `neurons.LIF.step` for a block of neurons, their state in registers.

    `stride` is the distance from one row of sums to the next, 0 if the first is for all steps.
    Constants are part of the compiled code, in the type of the state, float32 or float64.

    This does without expm1 and log1p, which Triton's interpreter lacks. In a time t, the distance
    between potential and current shrinks by exp(-t / tau_rc). Here t is the part of the step that
    is not refractory; for a whole step the factor is `leak`. While the potential goes from 1 to
    v, the distance shrinks by (J - v) / (J - 1), which is exp(-t / tau_rc) with t the time since
    the spike; rounding must not make that longer than the step. The refractory time stays in s,
    so that a run in parts gives the same result as the whole run.
    """
    at = tl.program_id(0) * block + tl.arange(0, block)
    here = at < neurons
    constant = tl.load(bias + at % channels, here)
    potential = tl.load(potentials + at, here)
    refractory = tl.load(refractories + at, here)
    if order > 0:
        first = tl.load(filters + at, here)
    if order > 1:
        second = tl.load(filters + neurons + at, here)
    for _ in range(steps):
        current = tl.load(sums + at, here).to(potential.dtype)
        if order > 0:
            first = first * decay + current * (1 - decay)
            current = first
        if order > 1:
            second = second * decay + current * (1 - decay)
            current = second
        current += constant
        partial = tl.exp(tl.minimum(refractory - dt, 0) * (1 / tau_rc))
        potential = current + (potential - current) * tl.where(refractory > 0, partial, leak)
        fired = potential > 1
        decay_since_spike = (current - potential) / (current - 1)
        # `tl.maximum` would round `leak` to float32.
        decay_since_spike = tl.where(decay_since_spike > leak, decay_since_spike, leak)
        since_spike = -tau_rc * tl.log(decay_since_spike)
        refractory = tl.where(fired, tau_ref - since_spike, refractory - dt)
        potential = tl.where(fired, 0, tl.maximum(potential, 0))
        tl.store(spikes + at, tl.where(fired, 1.0, 0.0), here)
        sums += stride
        spikes += neurons
    tl.store(potentials + at, potential, here)
    tl.store(refractories + at, refractory, here)
    if order > 0:
        tl.store(filters + at, first, here)
    if order > 1:
        tl.store(filters + neurons + at, second, here)
