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

"""What time and a spike mean in a NIR file: NIR leaves that to the library that runs the file.

In continuous time a LIF node of NIR is

    tau dv/dt = v_leak - v + r I        spike at v > v_threshold, then v = v_reset

and a spike is a Dirac pulse of unit area. So is ours, which is 1 / dt high for one step dt. The
libraries that read NIR (snnTorch, Norse, Lava) take Euler steps h instead, and a spike is 1 for
one step, so its area is h:

    v += h / tau (v_leak - v + r I)

This equals our exact exponential with the time constant -h / ln(1 - h / tau).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

LONGEST_STEP = 0.1
LONGEST_TIME_CONSTANT = 1.0
"""Above this time constant (s), a file probably counts in steps or ms instead of s."""


@dataclass(frozen=True)
class Timing:
    """How the other library runs a file: in steps of `step` (s), or in continuous time.

    `step` is 0 for continuous time. Raises ValueError unless it is between 0 and LONGEST_STEP.
    """

    step: float

    def __post_init__(self) -> None:
        if not 0 <= self.step <= LONGEST_STEP:
            raise ValueError(
                f'step must be a time between 0 (continuous) and {LONGEST_STEP} s, not {self.step}'
            )

    @property
    def spike_area(self) -> float:
        """Integral of one spike over time (s)."""
        return self.step or 1.0

    def for_nir(self, time_constant: float) -> float:
        """The tau of NIR (s) that decays like our `time_constant` (s); raises ValueError."""
        # With a shorter one nearly everything decays in one step, and float32 loses how much.
        if not self.step / 10 <= time_constant <= LONGEST_TIME_CONSTANT:
            raise ValueError(
                f'a time constant must be at most {LONGEST_TIME_CONSTANT} s and at least a tenth '
                f'of the time step of {self.step} s, not {time_constant:.6g} s'
            )
        if not self.step:
            return time_constant
        return self.step / -math.expm1(-self.step / time_constant)

    def from_nir(self, tau: float) -> float:
        """Our time constant (s) that decays like the `tau` of NIR (s); raises ValueError."""
        if not self.step < tau <= LONGEST_TIME_CONSTANT + self.step:
            raise ValueError(
                f'a time constant must be in s, at most {LONGEST_TIME_CONSTANT} and above the '
                f'time step of {self.step} s, not {tau:.6g}'
            )
        return -self.step / math.log1p(-self.step / tau) if self.step else tau
