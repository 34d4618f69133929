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

"""The theta neuron: quadratic integrate-and-fire (QIF), which sweeps through infinity.

    tau dv/dt = v^2 + J - 1        spike at v = infinity, then v continues from -infinity
    f(j)      = sqrt(j) / (pi tau)

With v = tan(theta / 2) the neuron is a point on a circle that spikes at theta = pi. Equations:
Ermentrout and Kopell, "Parabolic bursting in an excitable system coupled with a slow
oscillation", 1986, scaled so that a current of 1 is the rheobase.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from snn_perception.neurons.base import Neuron, State, check_step, check_times, namespace


@dataclass(frozen=True)
class Theta(Neuron):
    """Theta neuron; a population remembers the phases theta, from -pi to pi.

    `tau` is its time constant (s). At rest it is where it settles without input, at v = -1.
    Raises ValueError if `tau` is not positive.
    """

    tau: float = 0.0025

    rheobase: ClassVar[float] = 1.0
    names: ClassVar[tuple[str, ...]] = ('phase',)

    def __post_init__(self) -> None:
        check_times('theta', {'tau': self.tau}, {})

    @property
    def resting(self) -> tuple[float, ...]:
        """See `Neuron.resting`."""
        return (-math.pi / 2,)

    def rate_at(self, log_excess: NDArray[np.float64]) -> NDArray[np.float64]:
        """See `Neuron.rate_at`."""
        return np.exp(log_excess / 2) / (math.pi * self.tau)

    def slope_at(self, log_excess: NDArray[np.float64]) -> NDArray[np.float64]:
        """See `Neuron.slope_at`."""
        return self.rate_at(log_excess) / 2

    def step(self, current: Any, state: State, dt: float) -> Any:
        """See `Neuron.step`.

        v = p / q solves the (Riccati) equation of v if dp/dt = (J - 1) q and dq/dt = -p, with
        times in units of tau: a rotation above the rheobase, a hyperbolic rotation below it.
        Both are computed exactly; the neuron spikes where q changes its sign.
        """
        check_step(dt)
        library = namespace(current)
        (phase,) = state
        # Half a turn of the rotation is one spike, and a step has one spike at most.
        excess = library.clip(current - 1, None, (math.pi * self.tau / dt) ** 2)
        angle = library.sqrt(abs(excess)) * (dt / self.tau)
        is_above = excess > 0
        # Below the rheobase both are divided by cosh(angle), which changes neither v nor signs.
        cosine = library.where(is_above, library.cos(angle), 1.0)
        sine = library.where(is_above, library.sin(angle), library.tanh(angle))
        is_still = angle < 1e-6
        sine = library.where(is_still, 1.0, sine / library.where(is_still, 1.0, angle))
        sine = sine * (dt / self.tau)
        p, q = library.sin(phase / 2), library.cos(phase / 2)
        p, q = p * cosine + excess * q * sine, q * cosine - p * sine
        spiked = q < 0
        sign = library.where(spiked, -1.0, 1.0)
        phase[...] = 2 * library.arctan2(sign * p, sign * q)
        return spiked
