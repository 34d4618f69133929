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

"""The emulator of nengo-loihi, compiled, for blocks without learning and noise.

It computes in int32, bit for bit, what `nengo_loihi.emulator` does:

    q     = sum of the weights of the spikes of the step before            wraps at 21 bits
    u     = decay(u, decay_u + 1) + q                                      wraps at 23 bits
    v     = decay(v, decay_v) + (u + bias), clipped, 0 while refractory    u + bias wraps, too
    spike = v > threshold, then v = 0 and refractory for some steps

where decay(x, d) is x (4096 - d) / 4096, rounded towards 0.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from nengo_loihi.block import Axon, LoihiBlock, Synapse
from nengo_loihi.builder.discretize import Q_BITS, U_BITS
from nengo_loihi.emulator.interface import BlockInfo, CompartmentState
from numpy.typing import NDArray

from snn_perception.compiled import compiled, part

Whole = NDArray[np.int32]


NO_EVENTS = np.zeros(0, np.uint8)


class Compartments(NamedTuple):
    """Parameters of all compartments, (compartments,) each; `keep_u` and `keep_v` are out of
    4096.
    """

    keep_u: Whole
    keep_v: Whole
    threshold: Whole
    lowest: Whole
    highest: Whole
    refractory_steps: Whole


class Routes(NamedTuple):
    """Where spikes go.

    Those of compartment i take the routes from `first[i]` up to, but not including,
    `first[i + 1]`. A route has `length` entries of `weights` and `indices`, from `start` on: each
    weight is added to the compartment at `base` plus the index.
    """

    first: NDArray[np.int64]
    start: NDArray[np.int64]
    length: Whole
    base: Whole
    weights: Whole
    indices: Whole


class ChipMemory(NamedTuple):
    """What compartments remember, (compartments,) each: `u`, `v`, the refractory steps that are
    left, and which of them spiked in the last step.
    """

    current: Whole
    voltage: Whole
    refractory: Whole
    spiked: NDArray[np.bool_]


class Emulator:
    """Blocks of nengo-loihi in fixed point; their compartments follow one another.

    Before any input, voltages are `initial_potential` of the threshold, one for all or each its
    own, to which the host must set them on a chip. Spikes from outside come from the
    compartments of the block `sensor`, which has axons alone.
    """

    def __init__(
        self,
        blocks: list[LoihiBlock],
        sensor: LoihiBlock | None = None,
        initial_potential: float | NDArray[np.float64] = 0.0,
    ) -> None:
        with np.errstate(invalid='ignore'):
            state = CompartmentState(BlockInfo(blocks))
        self.compartments = Compartments(
            4095 - state.decay_u,
            4096 - state.decay_v,
            state.vth,
            state.vmin,
            state.vmax,
            state.ref,
        )
        self.bias = state.bias
        self.voltage = np.rint(initial_potential * state.vth).astype(np.int32)
        self.routes = _routes(blocks if sensor is None else [*blocks, sensor])

    def rest(self) -> ChipMemory:
        """The memory of compartments that have had no input."""
        size = len(self.bias)
        current, refractory = np.zeros((2, size), np.int32)
        return ChipMemory(current, self.voltage.copy(), refractory, np.zeros(size, bool))

    def run(
        self,
        memory: ChipMemory,
        bias: Whole,
        steps: int,
        counts: Whole,
        events: NDArray[np.uint8] = NO_EVENTS,
    ) -> int:
        """Advance `memory` in place by `steps`; add spikes to `counts` (compartments,).

        The spikes `events` (compartments of the sensor,) arrive in the first step. Returns how
        often a value wrapped around.
        """
        return _run(self.compartments, self.routes, memory, bias, steps, counts, events)


_NO_ROUTES = np.zeros((4, 1, 0), np.int32)


class _Target(NamedTuple):
    """A synapse written out: for each axon into it, what the fields of `Routes` need.

    `start` is where the weights of the first channel begin.
    """

    start: NDArray[np.int64]
    length: Whole
    base: Whole


def _routes(blocks: list[LoihiBlock]) -> Routes:
    """The routes of all axons of `blocks`, whose synapses have population weights."""
    firsts = np.cumsum([0, *(block.n_neurons for block in blocks)])
    synapses = [
        (synapse, first)
        for block, first in zip(blocks, firsts, strict=False)
        for synapse in block.synapses
    ]
    targets, start = {}, 0
    for synapse, first in synapses:
        targets[synapse] = _target(synapse, start, first)
        start += synapse.size()
    found = [
        _routes_of(axon, first, targets[axon.target])
        for block, first in zip(blocks, firsts, strict=False)
        for axon in block.axons
    ]
    sources, start_of, length, base = (
        np.concatenate(parts) for parts in (zip(*found, strict=True) if found else _NO_ROUTES)
    )
    order = np.argsort(sources, kind='stable')
    counts = np.bincount(sources, minlength=firsts[-1])
    return Routes(
        np.concatenate([[0], counts.cumsum()]),
        start_of[order],
        length[order],
        base[order],
        _flat([weights for synapse, _ in synapses for weights in synapse.weights]),
        _flat([indices for synapse, _ in synapses for indices in synapse.indices]),
    )


def _target(synapse: Synapse, start: int, first: int) -> _Target:
    """`synapse` of a block that begins with compartment `first`; its weights begin at `start`."""
    part = synapse.axon_to_weight_map
    sizes = np.array([weights.size for weights in synapse.weights])
    lengths = np.array([weights.shape[1] for weights in synapse.weights], np.int32)
    starts = start + sizes.cumsum() - sizes
    base = (synapse.axon_compartment_bases + first).astype(np.int32)
    return _Target(starts[part], lengths[part], base)


def _routes_of(axon: Axon, first: int, target: _Target) -> tuple[NDArray, ...]:
    """The compartments that have a route along `axon`, and the fields of `Routes` for these."""
    (reaching,) = np.nonzero(axon.compartment_map >= 0)
    place = axon.compartment_map[reaching]
    length = target.length[place]
    start = target.start[place] + axon.compartment_atoms[reaching] * length
    return (reaching + first).astype(np.int32), start, length, target.base[place]


def _flat(arrays: list[NDArray]) -> Whole:
    return np.concatenate([np.zeros(0, np.int32), *(array.ravel() for array in arrays)])


@compiled()
def _run(
    compartments: Any,
    routes: Any,
    memory: Any,
    bias: Any,
    steps: int,
    counts: Any,
    events: Any,
) -> int:
    """See `Emulator.run`."""
    inputs = np.zeros(bias.size, np.int32)
    _deliver(routes, bias.size, events, inputs)
    overflows = 0
    for _ in range(steps):
        _deliver(routes, 0, memory.spiked, inputs)
        overflows += _update(compartments, memory, bias, inputs)
        for i in range(bias.size):
            inputs[i] = 0
            counts[i] += memory.spiked[i]
    return overflows


@part()
def _deliver(routes: Any, first: int, spikes: Any, inputs: Any) -> None:
    """Add to `inputs` what so many `spikes` of the compartments from number `first` on bring."""
    for source in range(spikes.size):
        if not spikes[source]:
            continue
        for route in range(routes.first[first + source], routes.first[first + source + 1]):
            start, base = routes.start[route], routes.base[route]
            for place in range(start, start + routes.length[route]):
                inputs[base + routes.indices[place]] += routes.weights[place] * spikes[source]


@part()
def _update(compartments: Any, memory: Any, bias: Any, inputs: Any) -> int:
    """Advance all compartments by one step; returns how often a value wrapped around."""
    overflows = 0
    for i in range(bias.size):
        synaptic = _wrapped(inputs[i], Q_BITS)
        sum_of_both = _decayed(memory.current[i], compartments.keep_u[i]) + synaptic
        current = _wrapped(sum_of_both, U_BITS)
        drive = _wrapped(current + bias[i], U_BITS)
        overflows += (
            (synaptic != inputs[i]) + (current != sum_of_both) + (drive != current + bias[i])
        )
        voltage = _decayed(memory.voltage[i], compartments.keep_v[i]) + drive
        voltage = min(max(voltage, compartments.lowest[i]), compartments.highest[i])
        left = memory.refractory[i]
        if left > 0:
            voltage = 0
        spiked = voltage > compartments.threshold[i]
        if spiked:
            voltage, left = 0, compartments.refractory_steps[i]
        memory.current[i], memory.voltage[i], memory.spiked[i] = current, voltage, spiked
        memory.refractory[i] = max(left - 1, 0)
    return overflows


@part()
def _decayed(value: int, keep: int) -> int:
    """`value` x `keep` / 4096, rounded towards zero."""
    size = (abs(value) * keep) >> 12
    return size if value > 0 else -size


@part()
def _wrapped(value: int, bits: int) -> int:
    """`value` wrapped around to a number of `bits` bits and a sign."""
    sign = value & (1 << bits)
    return (value & ((1 << bits) - 1)) - sign
