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

"""The integrate-and-fire neuron (IF), which has no leak: any positive current makes it fire.

tau_rc dv/dt = J        spike at v = 1, then v = 0 for tau_ref
f(j)         = 1 / (tau_ref + tau_rc / j)
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from snn_perception.neurons.base import (
    Neuron,
    State,
    check_potential,
    check_step,
    check_times,
    namespace,
)
from snn_perception.neurons.phases import check_phases


@dataclass(frozen=True)
class IF(Neuron):
    """Integrate-and-fire neuron without a leak.

    `tau_rc` is the time (s) in which a current of 1 takes the membrane from 0 to the threshold,
    `tau_ref` the refractory period (s), and `initial_potential` and `phases` as of `LIF`. A
    population remembers the same as with `LIF`, except that a refractory time below 0 is time
    that the next step still has to integrate, which makes rates exact even without a
    refractory period. Raises ValueError for values out of range.
    """

    tau_rc: float = 0.02
    tau_ref: float = 0.002
    initial_potential: float = field(default=0.0, kw_only=True)
    phases: int = field(default=1, kw_only=True)

    rheobase: ClassVar[float] = 0.0
    names: ClassVar[tuple[str, ...]] = ('membrane_potential', 'refractory_time')

    def __post_init__(self) -> None:
        check_times('IF', {'tau_rc': self.tau_rc}, {'tau_ref': self.tau_ref})
        check_potential('IF', self.initial_potential)
        check_phases('IF', self.phases, self.initial_potential)

    @property
    def resting(self) -> tuple[float, ...]:
        """See `Neuron.resting`."""
        return self.initial_potential, 0.0

    def rate_at(self, log_excess: NDArray[np.float64]) -> NDArray[np.float64]:
        """See `Neuron.rate_at`."""
        excess = np.exp(log_excess)
        return excess / (self.tau_ref * excess + self.tau_rc)

    def slope_at(self, log_excess: NDArray[np.float64]) -> NDArray[np.float64]:
        """See `Neuron.slope_at`: tau_rc j / (tau_ref j + tau_rc)^2."""
        excess = np.exp(log_excess)
        return self.tau_rc * excess / (self.tau_ref * excess + self.tau_rc) ** 2

    def step(self, current: Any, state: State, dt: float) -> Any:
        """See `Neuron.step`; the membrane potential never falls below 0."""
        check_step(dt)
        library = namespace(current)
        potential, refractory = state
        active = library.clip(dt - refractory, 0, None)
        potential += current * active / self.tau_rc
        potential[...] = library.clip(potential, 0, None)
        spiked = potential > 1
        # Time from the threshold crossing to the end of the step, but at most a whole step: else
        # a neuron driven beyond one spike per step would fall further behind with every step.
        overshoot = (potential - 1) * self.tau_rc / library.where(spiked, current, 1.0)
        overshoot = library.clip(overshoot, 0, dt)
        left = library.clip(refractory - dt, 0, None)
        refractory[...] = library.where(spiked, self.tau_ref - overshoot, left)
        potential[...] = library.where(spiked, 0.0, potential)
        return spiked
