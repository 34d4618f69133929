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

"""A softened rate curve as one differentiable operation, for every kind of neuron.

The curve is a function of one number, so it is tabulated once and then looked up: on a CPU one
pass over the currents gives both rate and slope, exactly in bfloat16, which has only 65,536
values, and by interpolation in float32. In float64 both are computed from the neuron's
equations. The backward pass is one product with the slope, the only thing that is stored.
Results have the dtype and memory format of the input.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from snn_perception.compiled import compiled
from snn_perception.neurons import Softened
from snn_perception.threads import in_parallel

# With steps of a twentieth of gamma, linear interpolation is off by less than 0.02 Hz for the LIF
# parameters in use; below -4 the rate is under 0.3 Hz, above 16 its slope is under 0.5 Hz.
LOWEST_CURRENT, HIGHEST_CURRENT = -4.0, 16.0
POINTS_PER_GAMMA = 20
SMALLEST_STEP = 1e-5
"""Between currents of a table, however hard the curve: 2 million of them."""


def soft_rate(current: Tensor, neuron: Softened) -> Tensor:
    """The softened firing rate in Hz at `current`, with its shape, dtype and memory format."""
    return _SoftRate.apply(current, neuron)


class _SoftRate(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, current: Tensor, neuron: Softened) -> Tensor:
        values = current.detach()
        if values.dtype == torch.float64:
            rate, slope = _compute(values, neuron)
        elif values.device.type != 'cpu':
            rate, slope = _interpolate_on_device(values, neuron)
        else:
            look_up = _look_up if values.dtype == torch.bfloat16 else _interpolate
            rate, slope = look_up(values, neuron)
        ctx.save_for_backward(slope)
        return rate

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (slope,) = ctx.saved_tensors
        return gradients[0] * slope, None


def _compute(current: Tensor, neuron: Softened) -> tuple[Tensor, Tensor]:
    """Rate and slope from the equations, in float64."""
    values = current.cpu().numpy()
    curves = neuron.rate(values), neuron.rate_derivative(values)
    rate, slope = (torch.empty_like(current).copy_(torch.from_numpy(curve)) for curve in curves)
    return rate, slope


def _interpolate_on_device(current: Tensor, neuron: Softened) -> tuple[Tensor, Tensor]:
    """`_interpolate` by PyTorch's operations, on the device of the currents."""
    step = _step(neuron)
    tables = [torch.from_numpy(values).to(current.device) for values in _table(neuron)]
    position = ((current.float() - LOWEST_CURRENT) / step).clamp(0, len(tables[0]) - 2)
    left = position.nan_to_num().long()
    part = position - left
    rate, slope = (torch.lerp(values[left], values[left + 1], part) for values in tables)
    return rate.to(current.dtype), slope.to(current.dtype)


def _look_up(current: Tensor, neuron: Softened) -> tuple[Tensor, Tensor]:
    """Rate and slope at bfloat16 currents: the table of `neuron` has all of them."""
    precise = _dense(current)
    rate, slope = torch.empty_like(precise), torch.empty_like(precise)
    arrays = [_flat(tensor.view(torch.uint16)) for tensor in (precise, rate, slope)]
    _share_out(_copy_entries, *arrays, _table_of_bfloat16(neuron))
    return rate, slope


def _interpolate(current: Tensor, neuron: Softened) -> tuple[Tensor, Tensor]:
    """Rate and slope by interpolation in the table of `neuron`, computed in float32."""
    precise = _dense(current.float())
    rate, slope = torch.empty_like(precise), torch.empty_like(precise)
    arrays = [_flat(tensor) for tensor in (precise, rate, slope)]
    step = np.float32(_step(neuron))
    _share_out(_interpolate_entries, *arrays, _table(neuron), step)
    return rate.to(current.dtype), slope.to(current.dtype)


def _share_out(
    loop: Any, current: NDArray, rate: NDArray, slope: NDArray, *constants: Any
) -> None:
    """Call `loop` on parts of the arrays, in as many threads as PyTorch uses."""

    def run(first: int, end: int) -> None:
        loop(current[first:end], rate[first:end], slope[first:end], *constants)

    in_parallel(run, current.size, torch.get_num_threads())


def _dense(tensor: Tensor) -> Tensor:
    """`tensor` itself if its values fill its memory without gaps, otherwise a copy."""
    if tensor.is_contiguous() or tensor.permute(_memory_order(tensor)).is_contiguous():
        return tensor
    return tensor.contiguous()


def _flat(tensor: Tensor) -> NDArray:
    """The values of a dense tensor in the order of its memory, without a copy."""
    return tensor.permute(_memory_order(tensor)).view(-1).numpy()


def _memory_order(tensor: Tensor) -> list[int]:
    """The dimensions, from the largest stride to the smallest."""
    return sorted(range(tensor.dim()), key=tensor.stride, reverse=True)


class _Table(NamedTuple):
    """The curve at some currents: rates (Hz) and slopes."""

    rates: NDArray
    slopes: NDArray


def _step(neuron: Softened) -> float:
    """From one current of the table to the next."""
    return max(neuron.gamma / POINTS_PER_GAMMA, SMALLEST_STEP)


@lru_cache
def _table(neuron: Softened) -> _Table:
    """The curve on the grid of currents, in float32."""
    step = _step(neuron)
    points = math.ceil((HIGHEST_CURRENT - LOWEST_CURRENT) / step) + 2
    currents = LOWEST_CURRENT + step * np.arange(points)
    return _Table(
        neuron.rate(currents).astype(np.float32),
        neuron.rate_derivative(currents).astype(np.float32),
    )


@lru_cache
def _table_of_bfloat16(neuron: Softened) -> _Table:
    """The curve as bfloat16 at each of its 65,536 values, all as their bits (uint16)."""
    every = torch.arange(2**16, dtype=torch.int32).to(torch.uint16).view(torch.bfloat16)
    currents = every.double().clamp(LOWEST_CURRENT, HIGHEST_CURRENT).numpy()
    with np.errstate(invalid='ignore'):  # some of the values are NaN
        curves = neuron.rate(currents), neuron.rate_derivative(currents)
    return _Table(
        *(torch.from_numpy(curve).bfloat16().view(torch.uint16).numpy() for curve in curves)
    )


@compiled()
def _copy_entries(current: Any, rate: Any, slope: Any, table: Any) -> None:
    for i in range(current.size):
        rate[i] = table.rates[current[i]]
        slope[i] = table.slopes[current[i]]


@compiled(fastmath={'contract'})
def _interpolate_entries(current: Any, rate: Any, slope: Any, table: Any, step: Any) -> None:
    lowest = np.float32(LOWEST_CURRENT)
    inverse = np.float32(1) / step
    rates, slopes = table
    last = np.float32(rates.size - 2)
    for i in range(current.size):
        position = (current[i] - lowest) * inverse
        position = np.float32(0) if position < 0 else position
        position = last if position > last else position
        # NaN has no place in the table; it comes out again as NaN by way of `part`.
        left = np.int32(position if position == position else 0)
        part = position - np.float32(left)
        rate[i] = rates[left] + part * (rates[left + 1] - rates[left])
        slope[i] = slopes[left] + part * (slopes[left + 1] - slopes[left])
