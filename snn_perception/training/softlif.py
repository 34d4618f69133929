"""The soft-LIF rate as one differentiable operation.

Forward and backward are each a single pass over the activations with nothing but the slope
kept in between, in the dtype and memory format of the input.
"""

from __future__ import annotations

import math
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from snn_perception.neurons import SoftLIF


class _SoftLIFRate(torch.autograd.Function):
    """Forward: rate in Hz. Backward: its derivative; both as in `neurons.SoftLIF`."""

    @staticmethod
    def forward(ctx: Any, current: Tensor, neuron: SoftLIF) -> Tensor:
        precise = current.float() if current.dtype in (torch.bfloat16, torch.half) else current
        x = (precise - 1).div_(neuron.gamma)
        log_softplus = F.softplus(x, threshold=80).clamp_(min=1e-30).log_()
        # Far below threshold ln(softplus(x)) is x, where softplus itself underflows.
        log_softplus = torch.where(x < -30, x, log_softplus)
        log_softened = log_softplus + math.log(neuron.gamma)
        log_term = F.softplus(-log_softened, threshold=80)  # ln(1 + 1/j)
        rate = log_term.mul(neuron.tau_rc).add_(neuron.tau_ref).reciprocal_()
        if ctx.needs_input_grad[0]:
            # sigmoid(x) / j / (1 + j) = exp(ln sigmoid(x) - ln j - ln(1 + j))
            slope = F.logsigmoid(x).sub_(log_softened).sub_(F.softplus(log_softened))
            slope = slope.exp_().mul_(rate).mul_(rate).mul_(neuron.tau_rc)
            ctx.save_for_backward(slope.to(current.dtype))
        return rate.to(current.dtype)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (slope,) = ctx.saved_tensors
        return gradients[0] * slope, None


def soft_lif_rate(current: Tensor, neuron: SoftLIF) -> Tensor:
    """Soft-LIF firing rate (Hz) under `current`, of the same shape, dtype and layout."""
    return _SoftLIFRate.apply(current, neuron)
