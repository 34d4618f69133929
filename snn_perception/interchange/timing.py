"""What time and a spike mean in a NIR file: NIR leaves it to the library that runs the file.

In continuous time a LIF node of NIR is

    tau dv/dt = v_leak - v + r I        spike at v > v_threshold, then v = v_reset

and a spike a Dirac pulse of unit area, as ours is, 1 / dt high for one step of dt. The libraries
that read NIR (snnTorch, Norse, Lava) take steps h of Euler instead, and a spike is 1 for one
step, so its area is h:

    v += h / tau (v_leak - v + r I)

That is our exact exponential for the time constant -h / ln(1 - h / tau).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

LONGEST_STEP = 0.1
LONGEST_TIME_CONSTANT = 1.0
"""Time constant (s) above which a file is taken to count in steps or ms instead of s."""


@dataclass(frozen=True)
class Timing:
    """How the library at the other end runs a file: with steps of `step` s, or in continuous time.

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
        """Integral over the time (s) of one spike."""
        return self.step or 1.0

    def for_nir(self, time_constant: float) -> float:
        """The tau of NIR (s) that decays as our `time_constant` (s) does; raises ValueError."""
        # In shorter ones nearly all is gone after a step, and float32 cannot tell how much.
        if not self.step / 10 <= time_constant <= LONGEST_TIME_CONSTANT:
            raise ValueError(
                f'a time constant of {time_constant:.6g} s must be at most '
                f'{LONGEST_TIME_CONSTANT} s, and not under a tenth of the step of {self.step} s'
            )
        if not self.step:
            return time_constant
        return self.step / -math.expm1(-self.step / time_constant)

    def from_nir(self, tau: float) -> float:
        """Our time constant (s) that decays as the `tau` of NIR (s); raises ValueError."""
        if not self.step < tau <= LONGEST_TIME_CONSTANT + self.step:
            raise ValueError(
                f'a time constant of {tau:.6g} must be in s, at most {LONGEST_TIME_CONSTANT} '
                f'and over the time step of {self.step} s'
            )
        return -self.step / math.log1p(-self.step / tau) if self.step else tau
