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

"""The leaky integrate-and-fire neuron (LIF), without and with adaptation.

    tau_rc dv/dt = J - v        spike at v = 1, then v = 0 for tau_ref
    f(j)         = 1 / (tau_ref + tau_rc ln(1 + 1 / j))

`v` is the membrane potential and `J` the input current, in units in which the firing threshold
is 1. Equations: Hunsberger and Eliasmith, "Spiking Deep Networks with LIF Neurons", 2015.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from snn_perception.neurons.base import (
    BISECTIONS,
    Neuron,
    State,
    check_potential,
    check_step,
    check_times,
    namespace,
)
from snn_perception.neurons.phases import check_phases


@dataclass(frozen=True)
class LIF(Neuron):
    """Leaky integrate-and-fire neuron with exact integration inside each step.

    `tau_rc` is the membrane time constant (s), `tau_ref` the refractory period (s). At first the
    membrane is at `initial_potential`, of a threshold of 1: from 0, a neuron that fires at f
    Hz keeps silent for 1 / f, whatever the phase of its spikes should be; from above 0 it is
    heard earlier (Bu et al., "Optimized Potential Initialization for Low-latency Spiking
    Neural Networks", 2022). With more than one of `phases` it depends on the place of the
    neuron where the membrane is at first; see `neurons.phases`. A population remembers its
    membrane potentials and the refractory time (s) left at the end of the last step; if
    negative, the refractory period ended that long before. Raises ValueError for values out of
    range.
    """

    tau_rc: float = 0.02
    tau_ref: float = 0.002
    initial_potential: float = field(default=0.0, kw_only=True)
    phases: int = field(default=1, kw_only=True)

    rheobase: ClassVar[float] = 1.0
    names: ClassVar[tuple[str, ...]] = ('membrane_potential', 'refractory_time')

    def __post_init__(self) -> None:
        check_times('LIF', {'tau_rc': self.tau_rc}, {'tau_ref': self.tau_ref})
        check_potential('LIF', self.initial_potential)
        check_phases('LIF', self.phases, self.initial_potential)

    @property
    def resting(self) -> tuple[float, ...]:
        """See `Neuron.resting`."""
        return self.initial_potential, 0.0

    def rate_at(self, log_excess: NDArray[np.float64]) -> NDArray[np.float64]:
        """See `Neuron.rate_at`."""
        return 1 / (self.tau_ref + self.tau_rc * np.logaddexp(0, -log_excess))

    def slope_at(self, log_excess: NDArray[np.float64]) -> NDArray[np.float64]:
        """See `Neuron.slope_at`: tau_rc f^2 / (1 + j)."""
        return self.tau_rc * self.rate_at(log_excess) ** 2 * np.exp(-np.logaddexp(0, log_excess))

    def step(self, current: Any, state: State, dt: float) -> Any:
        """See `Neuron.step`; Nengo's LIF has the same semantics.

        The membrane follows its exact exponential from the moment the refractory period ends.
        The spike time within the step is solved for and the refractory period starts there,
        which keeps the rate on the analytic curve at dt = 1 ms. The membrane potential never
        falls below 0.
        """
        check_step(dt)
        library = namespace(current)
        potential, refractory = state
        active = library.clip(dt - refractory, 0, dt)
        potential -= (current - potential) * library.expm1(-active / self.tau_rc)
        potential[...] = library.clip(potential, 0, None)
        spiked = potential > 1
        above_threshold = library.where(spiked, current - 1, 1.0)
        # The time from the threshold crossing to the end of the step follows from
        # (1 - v) / (J - 1) = expm1(-overshoot / tau_rc); rounding must not make it exceed dt.
        change = (1 - potential) / above_threshold
        change = library.clip(change, math.expm1(-dt / self.tau_rc), None)
        overshoot = -self.tau_rc * library.log1p(change)
        refractory[...] = library.where(spiked, self.tau_ref - overshoot, refractory - dt)
        potential[...] = library.where(spiked, 0.0, potential)
        return spiked


def as_lif(neuron: Neuron, user: str) -> LIF:
    """`neuron` if it is a plain LIF; else raises ValueError saying that `user` needs one."""
    if isinstance(neuron, LIF) and type(neuron) is LIF:
        return neuron
    raise ValueError(f'{user} runs neurons of type lif, not {type(neuron).__name__}')


@dataclass(frozen=True)
class AdaptiveLIF(LIF):
    """LIF neuron that tires: each spike adds to a current that is subtracted from the input.

        tau_rc dv/dt = J - n - v,    tau_n dn/dt = -n,    n grows by inc_n / tau_n at a spike
        f(j) solves    j = e + inc_n f   with f the rate of the LIF at the excess e

    `tau_n` (s) is the time constant of the adaptation and `inc_n` its mean current per Hz of
    firing rate (names as in Nengo). Raises ValueError for values out of range.
    """

    tau_n: float = 0.1
    inc_n: float = 0.01

    names: ClassVar[tuple[str, ...]] = (*LIF.names, 'adaptation')

    def __post_init__(self) -> None:
        check_times(
            'adaptive LIF',
            {'tau_rc': self.tau_rc, 'tau_n': self.tau_n},
            {'tau_ref': self.tau_ref, 'inc_n': self.inc_n},
        )
        check_potential('adaptive LIF', self.initial_potential)
        check_phases('adaptive LIF', self.phases, self.initial_potential)

    @property
    def resting(self) -> tuple[float, ...]:
        """See `Neuron.resting`."""
        return self.initial_potential, 0.0, 0.0

    def rate_at(self, log_excess: NDArray[np.float64]) -> NDArray[np.float64]:
        """See `Neuron.rate_at`."""
        excess = np.exp(log_excess)
        low, high = np.zeros_like(excess), LIF.rate_at(self, np.asarray(log_excess))
        for _ in range(BISECTIONS):
            middle = (low + high) / 2
            is_below = self._lif_excess(middle) + self.inc_n * middle < excess
            low, high = np.where(is_below, middle, low), np.where(is_below, high, middle)
        return high

    def slope_at(self, log_excess: NDArray[np.float64]) -> NDArray[np.float64]:
        """See `Neuron.slope_at`: j / (de/df + inc_n)."""
        rate = self.rate_at(log_excess)
        excess = self._lif_excess(rate)
        with np.errstate(divide='ignore', invalid='ignore'):
            per_hertz = excess * (1 + excess) / (self.tau_rc * rate**2)
        return np.exp(log_excess) / (np.nan_to_num(per_hertz) + self.inc_n)

    def _lif_excess(self, rate: NDArray[np.float64]) -> NDArray[np.float64]:
        """The excess at which a LIF without adaptation fires at this rate (Hz)."""
        with np.errstate(divide='ignore', over='ignore'):
            return 1 / np.expm1((1 / rate - self.tau_ref) / self.tau_rc)

    def step(self, current: Any, state: State, dt: float) -> Any:
        """See `Neuron.step`.

        During a step the membrane sees the mean of the adaptation. The adaptation itself grows
        at the exact time of the spike and decays exactly.
        """
        check_step(dt)
        library = namespace(current)
        *membrane, adaptation = state
        mean = -math.expm1(-dt / self.tau_n) * self.tau_n / dt
        spiked = super().step(current - mean * adaptation, tuple(membrane), dt)
        since_spike = self.tau_ref - membrane[1]
        grown = self.inc_n / self.tau_n * library.exp(-since_spike / self.tau_n)
        adaptation *= math.exp(-dt / self.tau_n)
        adaptation += library.where(spiked, grown, 0.0)
        return spiked
