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

"""Compiled loops over neurons and time (numba), without the GIL.

A layer is a row of neurons, pixel by pixel, with the channels of a pixel side by side. A block
of neurons goes through all steps before the next block does, so that its state stays in the
first-level cache. Arrays of uint16 hold the bits of bfloat16 numbers.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numba
import numpy as np
from numba.extending import overload
from numpy.typing import DTypeLike, NDArray

from snn_perception.compiled import compiled, part
from snn_perception.neurons import LIF

NEURONS_OF_A_BLOCK = 1024

LONGEST_SHORT_STEP = 0.25
"""dt / tau_rc up to which the error of the series below is less than float32 can show."""

BFLOAT16_ONE = np.uint16(0x3F80)


class Neurons(NamedTuple):
    """State of one float type: `filters` of the synapse (order, neurons), membrane `potentials`
    and refractory times in s, (neurons,) each.
    """

    filters: NDArray
    potentials: NDArray
    refractories: NDArray


class Times(NamedTuple):
    """The decay of the synapse in one step, and 1 minus it; the neuron's times and the step in s.

    All are of one float type.
    """

    decay: np.floating
    gain: np.floating
    tau_rc: np.floating
    tau_ref: np.floating
    dt: np.floating

    @classmethod
    def of(cls, decay: float, neuron: LIF, dt: float, dtype: DTypeLike) -> Times:
        """For a synapse that keeps the fraction `decay` in a step of `dt` seconds; as `dtype`."""
        return cls(*np.array((decay, 1 - decay, neuron.tau_rc, neuron.tau_ref, dt), dtype))


def integrate(
    sums: NDArray,
    spikes: NDArray,
    neurons: Neurons,
    bias: NDArray,
    times: Times,
    first: int,
    end: int,
) -> None:
    """Take synapse and LIF neurons through all steps, by the equations of `neurons.LIF.step`.

    sums: (steps or 1, neurons), the weighted sums of the inputs in each step; a single row is a
    constant input. spikes: (steps, neurons), set to 1 or 0. neurons: advanced in place. bias:
    (channels,). All are of the same float type, except that sums and spikes may be bfloat16.
    Only the pixels from `first` up to `end`, excluding it, are touched.
    """
    is_short = times.dt <= LONGEST_SHORT_STEP * times.tau_rc
    fits_vectors = bool(is_short and bias.dtype == np.float32)
    mark = BFLOAT16_ONE if spikes.dtype == np.uint16 else spikes.dtype.type(1)
    block = np.tile(bias, max(NEURONS_OF_A_BLOCK // bias.size, 1))
    pixels = first * bias.size, end * bias.size
    compiled_loop: Any = _integrate
    compiled_loop(fits_vectors, sums, spikes, neurons, block, times, mark, *pixels)


def _number(value: Any) -> Any:
    """`value`, or the number it stands for if it holds the bits of a bfloat16."""
    return _of_bits(value) if isinstance(value, np.uint16) else _of_number(value)


def _of_bits(value: Any) -> Any:
    return np.uint32(np.uint32(value) << np.uint32(16)).view(np.float32)


def _of_number(value: Any) -> Any:
    return value


@overload(_number, inline='always')
def _compile_number(value: Any) -> Any:
    return _of_bits if value == numba.types.uint16 else _of_number


@part()
def _filter(sums: Any, filters: Any, bias: Any, times: Any, start: int, current: Any) -> None:
    """Write to `current` the currents of the neurons from `start` on in one step.

    sums: their inputs. Their part of `filters` (order, neurons) is advanced.
    """
    for i in range(current.size):
        current[i] = _number(sums[i])
    for order in range(filters.shape[0]):
        # Sliced like this it is known to be contiguous, which vectors need.
        values = filters[order, start : start + current.size]
        for i in range(current.size):
            value = values[i] * times.decay + times.gain * current[i]
            values[i] = value
            current[i] = value
    for i in range(current.size):
        current[i] += bias[i]


@part(fastmath={'contract'})
def _step_vectors(
    current: Any, potentials: Any, refractories: Any, spikes: Any, times: Any, mark: Any
) -> None:
    """Advance the neurons by one short step in float32, without branches and calls.

    This compiles to vector instructions. With x = -t / tau_rc, the Taylor series of expm1(x) up
    to x^7 omits less than |x|^8 / 8!; log1p(-y) is -2 atanh(y / (2 - y)), whose series up to z^9
    omits less than 2 z^11 / 11 / (1 - z^2).
    """
    tau_rc, tau_ref, dt = times.tau_rc, times.tau_ref, times.dt
    zero, one, two = np.float32(0), np.float32(1), np.float32(2)
    half, third, quarter = np.float32(1 / 2), np.float32(1 / 3), np.float32(1 / 4)
    fifth, sixth, seventh = np.float32(1 / 5), np.float32(1 / 6), np.float32(1 / 7)
    ninth = np.float32(1 / 9)
    inverse = -one / tau_rc
    # The largest z there can be: a potential starts below 1 and has at most dt to rise.
    highest = -np.float32(math.expm1(-dt / tau_rc))
    highest = highest / (two - highest)
    nothing = mark - mark
    for i in range(current.size):
        potential, refractory = potentials[i], refractories[i]
        x = min(max(dt - refractory, zero), dt) * inverse
        growth = one + x * fifth * (one + x * sixth * (one + x * seventh))
        growth = one + x * third * (one + x * quarter * growth)
        growth = x * (one + x * half * growth)
        potential = max(potential - (current[i] - potential) * growth, zero)
        excess = potential - one
        fired = excess > zero
        z = min(excess / (two * (current[i] - one) - excess), highest)
        square = z * z
        overshoot = fifth + square * (seventh + square * ninth)
        overshoot = z + z * square * (third + square * overshoot)
        refractories[i] = tau_ref - two * tau_rc * overshoot if fired else refractory - dt
        potentials[i] = zero if fired else potential
        spikes[i] = mark if fired else nothing


@part()
def _step(
    current: Any, potentials: Any, refractories: Any, spikes: Any, times: Any, mark: Any
) -> None:
    """Advance the neurons by one step of any length and type, with the C library's functions."""
    tau_rc, tau_ref, dt = times.tau_rc, times.tau_ref, times.dt
    one = dt / dt
    zero = one - one
    for i in range(current.size):
        potential, refractory = potentials[i], refractories[i]
        growth = math.expm1(-min(max(dt - refractory, zero), dt) / tau_rc)
        potential = max(potential - (current[i] - potential) * growth, zero)
        refractory -= dt
        spikes[i] = mark - mark
        if potential > one:
            overshoot = -tau_rc * math.log1p((one - potential) / (current[i] - one))
            refractory = tau_ref - overshoot
            potential = zero
            spikes[i] = mark
        potentials[i], refractories[i] = potential, refractory


@compiled()
def _integrate(
    fits_vectors: bool,
    sums: Any,
    spikes: Any,
    neurons: Any,
    bias: Any,
    times: Any,
    mark: Any,
    first: int,
    end: int,
) -> None:
    """`integrate` for the neurons from `first` up to `end`; `bias` is that of a whole block."""
    for start in range(first, end, bias.size):
        stop = min(start + bias.size, end)
        current = np.empty(stop - start, bias.dtype)
        potentials = neurons.potentials[start:stop]
        refractories = neurons.refractories[start:stop]
        for step in range(spikes.shape[0]):
            row = min(step, sums.shape[0] - 1)
            _filter(sums[row, start:stop], neurons.filters, bias, times, start, current)
            spiked = spikes[step, start:stop]
            if fits_vectors:
                _step_vectors(current, potentials, refractories, spiked, times, mark)
            else:
                _step(current, potentials, refractories, spiked, times, mark)
