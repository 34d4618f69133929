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

"""Noise that prepares a rate network for what spikes will do to its signals.

    gaussian      the paper's: independent noise on the rates (Hunsberger and Eliasmith, 2015)
    spike_train   a regular spike train of the same rate, filtered by synapse and membrane and
                  sampled at a random phase (Hunsberger, "Spiking Deep Neural Networks:
                  Engineered and Biological Approaches to Object Recognition", 2018)

The mean of both is zero. The gradient passes as if there were no noise.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

TYPES = ('none', 'gaussian', 'spike_train')


@dataclass(frozen=True)
class Noise:
    """The `type` of noise on firing rates; `deviation` is the Gaussian one's, in Hz.

    Spike trains go through two first-order filters with the time constants `tau` (s) of the
    synapse and `tau_rc` (s) of the membrane. Raises ValueError for values out of range.
    """

    type: str = 'none'
    deviation: float = 10.0
    tau: float = 0.005
    tau_rc: float = 0.02

    def __post_init__(self) -> None:
        if self.type not in TYPES:
            raise ValueError(f'noise type must be one of {", ".join(TYPES)}, not {self.type!r}')
        for name in ('deviation', 'tau', 'tau_rc'):
            value = getattr(self, name)
            if not (math.isfinite(value) and value > 0):
                raise ValueError(f'{name} of the noise must be positive, not {value}')
        if self.tau == self.tau_rc:
            raise ValueError('tau and tau_rc of the noise must differ')

    def apply(self, rate: Tensor, generator: Generator | None = None) -> Tensor:
        """`rate` (Hz) with noise from `generator`, of the same shape, dtype and layout."""
        if self.type == 'none':
            return rate
        draw = self._gaussian if self.type == 'gaussian' else self._spike_train
        with torch.no_grad():
            difference = draw(rate, generator).sub_(rate)
        return rate + difference

    def _gaussian(self, rate: Tensor, generator: Generator | None) -> Tensor:
        return torch.empty_like(rate).normal_(0, self.deviation, generator=generator).add_(rate)

    def _spike_train(self, rate: Tensor, generator: Generator | None) -> Tensor:
        """Sum over the spikes so far of the impulse response, at a random phase.

        With exp(-t/a) - exp(-t/b) over a - b for the impulse response and spikes every
        T = 1/rate, the last of them phase x T ago, the sum is a difference of two geometric
        series: exp(-phase T/a) / (1 - exp(-T/a)) - the same with b, over a - b.
        """
        interval = rate.float().clamp(min=1e-3).reciprocal_()
        phase = torch.empty_like(interval).uniform_(generator=generator)
        value = torch.zeros_like(interval)
        for sign, tau in ((1, self.tau_rc), (-1, self.tau)):
            periods = interval / -tau
            series = torch.exp((periods * phase).clamp_(min=-60))
            series.div_(torch.expm1(periods.clamp_(min=-60)).neg_())
            value.add_(series, alpha=sign / (self.tau_rc - self.tau))
        return value.to(rate.dtype)
