"""The soft-LIF rate as one differentiable operation.

The curve is a function of one number, so on a CPU it is tabulated once and looked up: one
fused pass over the activations gives the rate and its slope. Elsewhere both are computed from
the equations of `neurons.SoftLIF`. Backward is one product with the slope, the only thing
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
        is_tabulated = current.device.type == 'cpu' and current.dtype != torch.float64
        rate, slope = (_look_up if is_tabulated else _compute)(current.detach(), neuron)
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
    """Rate and slope by interpolation in the table of `neuron`."""
    precise = _dense(current.float())
    rate, slope = torch.empty_like(precise), torch.empty_like(precise)
    currents, rates, slopes = (_flat(tensor) for tensor in (precise, rate, slope))
    table, step = _table(neuron), np.float32(neuron.gamma / POINTS_PER_GAMMA)

    def run(first: int, last: int) -> None:
        _interpolate(currents[first:last], rates[first:last], slopes[first:last], table, step)

    in_parallel(run, currents.size, torch.get_num_threads())
    return rate.to(current.dtype), slope.to(current.dtype)


def _dense(tensor: Tensor) -> Tensor:
    """`tensor` itself if its values fill its memory in any order, otherwise a copy."""
    if tensor.is_contiguous() or tensor.permute(_memory_order(tensor)).is_contiguous():
        return tensor
    return tensor.contiguous()


def _flat(tensor: Tensor) -> NDArray[np.float32]:
    """The values of a dense tensor in the order of its memory, without a copy."""
    return tensor.permute(_memory_order(tensor)).view(-1).numpy()


def _memory_order(tensor: Tensor) -> list[int]:
    """The dimensions from the one with the largest stride to that with the smallest."""
    return sorted(range(tensor.dim()), key=tensor.stride, reverse=True)


@lru_cache
def _table(neuron: SoftLIF) -> NDArray[np.float32]:
    """Rate and slope (2, points) on the grid of currents."""
    step = neuron.gamma / POINTS_PER_GAMMA
    points = math.ceil((HIGHEST_CURRENT - LOWEST_CURRENT) / step) + 2
    currents = LOWEST_CURRENT + step * np.arange(points)
    table = np.stack((neuron.rate(currents), neuron.rate_derivative(currents)))
    return np.ascontiguousarray(table, np.float32)


@numba.njit(nogil=True, cache=True, fastmath=True, error_model='numpy')
def _interpolate(current: Any, rate: Any, slope: Any, table: Any, step: Any) -> None:
    rates, slopes = table[0], table[1]
    lowest = np.float32(LOWEST_CURRENT)
    inverse = np.float32(1) / step
    last = np.float32(table.shape[1] - 2)
    for i in range(current.size):
        position = min(max((current[i] - lowest) * inverse, np.float32(0)), last)
        left = np.int32(position)
        part = position - np.float32(left)
        rate[i] = rates[left] + part * (rates[left + 1] - rates[left])
        slope[i] = slopes[left] + part * (slopes[left + 1] - slopes[left])
