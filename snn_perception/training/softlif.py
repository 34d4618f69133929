"""The soft-LIF rate as one differentiable operation.

The curve is a function of one number, so on a CPU it is tabulated once and looked up: one
fused pass over the activations gives the rate and its slope, exactly in bfloat16, of which
there are only 65,536 values, and by interpolation in float32. Elsewhere both are computed
from the equations of `neurons.SoftLIF`. Backward is one product with the slope, the only thing
that is kept in between. Dtype and memory format are those of the input.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import Any

import numba
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from snn_perception.backends.rate import soft_lif_terms
from snn_perception.neurons import SoftLIF
from snn_perception.threads import in_parallel

# Linear interpolation at a twentieth of the softening errs by less than 0.02 Hz for the LIF
# parameters in use; below -4 the rate is under 0.3 Hz, above 16 its slope under 0.5 Hz.
LOWEST_CURRENT, HIGHEST_CURRENT = -4.0, 16.0
POINTS_PER_GAMMA = 20


def soft_lif_rate(current: Tensor, neuron: SoftLIF) -> Tensor:
    """Soft-LIF firing rate (Hz) under `current`, of the same shape, dtype and layout."""
    return _SoftLIFRate.apply(current, neuron)


class _SoftLIFRate(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, current: Tensor, neuron: SoftLIF) -> Tensor:
        dtype = current.dtype if current.device.type == 'cpu' else torch.float64
        compute = {torch.float64: _compute, torch.bfloat16: _look_up}.get(dtype, _interpolate)
        rate, slope = compute(current.detach(), neuron)
        ctx.save_for_backward(slope)
        return rate

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (slope,) = ctx.saved_tensors
        return gradients[0] * slope, None


def _compute(current: Tensor, neuron: SoftLIF) -> tuple[Tensor, Tensor]:
    """Rate and slope from the equations, in at least float32."""
    terms = soft_lif_terms(current, neuron)
    # sigmoid(x) / j / (1 + j), where ln(1 + j) = ln j + ln(1 + 1/j)
    slope = F.logsigmoid(terms.x).sub_(terms.log_softened, alpha=2).sub_(terms.log_inverse).exp_()
    slope.mul_(terms.rate).mul_(terms.rate).mul_(neuron.tau_rc)
    return terms.rate.to(current.dtype), slope.to(current.dtype)


def _look_up(current: Tensor, neuron: SoftLIF) -> tuple[Tensor, Tensor]:
    """Rate and slope of bfloat16 currents: the table of `neuron` has every one of them."""
    precise = _dense(current)
    rate, slope = torch.empty_like(precise), torch.empty_like(precise)
    arrays = [_flat(tensor.view(torch.uint16)) for tensor in (precise, rate, slope)]
    _share_out(_copy_entries, *arrays, *_table_of_bfloat16(neuron))
    return rate, slope


def _interpolate(current: Tensor, neuron: SoftLIF) -> tuple[Tensor, Tensor]:
    """Rate and slope by interpolation in the table of `neuron`, in float32."""
    precise = _dense(current.float())
    rate, slope = torch.empty_like(precise), torch.empty_like(precise)
    arrays = [_flat(tensor) for tensor in (precise, rate, slope)]
    step = np.float32(neuron.gamma / POINTS_PER_GAMMA)
    _share_out(_interpolate_entries, *arrays, *_table(neuron), step)
    return rate.to(current.dtype), slope.to(current.dtype)


def _share_out(
    loop: Any, current: NDArray, rate: NDArray, slope: NDArray, *constants: Any
) -> None:
    """Call `loop` on parts of the arrays, in as many threads as PyTorch uses."""

    def run(first: int, last: int) -> None:
        loop(current[first:last], rate[first:last], slope[first:last], *constants)

    in_parallel(run, current.size, torch.get_num_threads())


def _dense(tensor: Tensor) -> Tensor:
    """`tensor` itself if its values fill its memory in any order, otherwise a copy."""
    if tensor.is_contiguous() or tensor.permute(_memory_order(tensor)).is_contiguous():
        return tensor
    return tensor.contiguous()


def _flat(tensor: Tensor) -> NDArray:
    """The values of a dense tensor in the order of its memory, without a copy."""
    return tensor.permute(_memory_order(tensor)).view(-1).numpy()


def _memory_order(tensor: Tensor) -> list[int]:
    """The dimensions from the one with the largest stride to that with the smallest."""
    return sorted(range(tensor.dim()), key=tensor.stride, reverse=True)


@lru_cache
def _table(neuron: SoftLIF) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Rate and slope on the grid of currents."""
    step = neuron.gamma / POINTS_PER_GAMMA
    points = math.ceil((HIGHEST_CURRENT - LOWEST_CURRENT) / step) + 2
    currents = LOWEST_CURRENT + step * np.arange(points)
    return (
        neuron.rate(currents).astype(np.float32),
        neuron.rate_derivative(currents).astype(np.float32),
    )


@lru_cache
def _table_of_bfloat16(neuron: SoftLIF) -> tuple[NDArray[np.uint16], NDArray[np.uint16]]:
    """Rate and slope as bfloat16 of each of its 65,536 values, all as their bits."""
    every = torch.arange(2**16, dtype=torch.int32).to(torch.uint16).view(torch.bfloat16)
    currents = every.double().clamp(LOWEST_CURRENT, HIGHEST_CURRENT).numpy()
    with np.errstate(invalid='ignore'):  # some of the values are no numbers
        rate, slope = neuron.rate(currents), neuron.rate_derivative(currents)
    rate, slope = (
        torch.from_numpy(values).bfloat16().view(torch.uint16).numpy() for values in (rate, slope)
    )
    return rate, slope


@numba.njit(nogil=True, cache=True, error_model='numpy')
def _copy_entries(current: Any, rate: Any, slope: Any, rates: Any, slopes: Any) -> None:
    for i in range(current.size):
        rate[i] = rates[current[i]]
        slope[i] = slopes[current[i]]


@numba.njit(nogil=True, cache=True, fastmath={'contract'}, error_model='numpy')
def _interpolate_entries(
    current: Any, rate: Any, slope: Any, rates: Any, slopes: Any, step: Any
) -> None:
    lowest = np.float32(LOWEST_CURRENT)
    inverse = np.float32(1) / step
    last = np.float32(rates.size - 2)
    for i in range(current.size):
        position = (current[i] - lowest) * inverse
        position = np.float32(0) if position < 0 else position
        position = last if position > last else position
        # What is no number has no place in the table, but comes out as what it is.
        left = np.int32(position if position == position else 0)
        part = position - np.float32(left)
        rate[i] = rates[left] + part * (rates[left + 1] - rates[left])
        slope[i] = slopes[left] + part * (slopes[left + 1] - slopes[left])
