"""The spiking neuron: leaky integrate-and-fire (LIF), its firing rate and the softened rate.

    tau_rc dv/dt = J - v        spike at v = 1, then v = 0 for tau_ref
    rate(J)      = 1 / (tau_ref + tau_rc ln(1 + 1 / max(J - 1, 0)))
    soft rate(J) = the same with gamma ln(1 + exp((J - 1) / gamma)) for max(J - 1, 0)

`J` is the input current in units in which the firing threshold is 1, `v` the membrane
potential in the same units, times are in s and rates in Hz. Equations: Hunsberger and
Eliasmith, "Spiking Deep Networks with LIF Neurons", 2015, section 2.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray


class NeuronState(NamedTuple):
    """What a population of LIF neurons remembers between two steps.

    `membrane_potential` and `refractory_time` (s left of the refractory period, at the end
    of the last step; negative values mean that it ended that long ago) have the shape of the
    population. Both are advanced in place.
    """

    membrane_potential: NDArray
    refractory_time: NDArray


@dataclass(frozen=True)
class LIF:
    """Leaky integrate-and-fire neuron with exact integration inside each step.

    `tau_rc` is the membrane time constant (s), `tau_ref` the refractory period (s).
    Raises ValueError if `tau_rc` is not positive or `tau_ref` is negative.
    """

    tau_rc: float = 0.02
    tau_ref: float = 0.002

    def __post_init__(self) -> None:
        if not (math.isfinite(self.tau_rc) and self.tau_rc > 0):
            raise ValueError(f'tau_rc must be a positive time in s, not {self.tau_rc}')
        if not (math.isfinite(self.tau_ref) and self.tau_ref >= 0):
            raise ValueError(f'tau_ref must be a time in s, 0 or more, not {self.tau_ref}')

    def rest(self, shape: tuple[int, ...], dtype: DTypeLike = np.float64) -> NeuronState:
        """State of `shape` neurons at rest: no potential, no refractory time left."""
        return NeuronState(np.zeros(shape, dtype), np.zeros(shape, dtype))

    def rate(self, current: ArrayLike) -> NDArray:
        """Firing rate (Hz) under a constant `current`; 0 at and below the threshold of 1."""
        above_threshold = np.maximum(np.asarray(current) - 1, 0)
        with np.errstate(divide='ignore'):
            return 1 / (self.tau_ref + self.tau_rc * np.log1p(1 / above_threshold))

    def step(self, current: NDArray, state: NeuronState, dt: float) -> NDArray:
        """Advance `state` in place by `dt` (s) under `current`; return who spiked.

        The current is constant over the step, so the membrane follows its exact exponential
        from the moment the refractory period ends. The spike time inside the step is solved
        for and the refractory period starts there, which keeps the rate on the analytic
        curve at dt = 1 ms. The membrane potential never falls below 0, and a neuron spikes
        at most once a step (Nengo's LIF has the same semantics).

        current: float, the shape of the population. Returns bool of the same shape.
        Raises ValueError if `dt` is not positive.
        """
        if not dt > 0:
            raise ValueError(f'dt must be a positive time in s, not {dt}')
        potential, refractory = state
        active = np.clip(dt - refractory, 0, dt)
        potential -= (current - potential) * np.expm1(-active / self.tau_rc)
        np.maximum(potential, 0, out=potential)
        refractory -= dt
        spiked = potential > 1
        # Time from the threshold crossing to the end of the step.
        overshoot = -self.tau_rc * np.log1p((1 - potential[spiked]) / (current[spiked] - 1))
        refractory[spiked] = self.tau_ref - overshoot
        potential[spiked] = 0
        return spiked


@dataclass(frozen=True)
class SoftLIF(LIF):
    """The LIF rate curve with a softened threshold, whose derivative is finite everywhere.

    `gamma` is the width of the softening in units of current; as it goes to 0 the curve
    goes to that of the LIF. Raises ValueError if `gamma` is not positive.
    """

    gamma: float = 0.02

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (math.isfinite(self.gamma) and self.gamma > 0):
            raise ValueError(f'gamma must be a positive current, not {self.gamma}')

    def _log1p_inverse(self, current: ArrayLike) -> tuple[NDArray, NDArray]:
        """ln(1 + 1/j) and j of the softened j = gamma ln(1 + exp((J - 1) / gamma))."""
        x = (np.asarray(current) - 1) / self.gamma
        softened = self.gamma * np.logaddexp(0, x)
        # Far below threshold j underflows; there ln(1 + 1/j) is -ln j = -x - ln gamma.
        far_below = x < -30
        safe = np.where(far_below, 1, softened)
        log_term = np.where(far_below, -x - math.log(self.gamma), np.log1p(1 / safe))
        return log_term, softened

    def rate(self, current: ArrayLike) -> NDArray:
        """Softened firing rate (Hz) under a constant `current`."""
        log_term, _ = self._log1p_inverse(current)
        return 1 / (self.tau_ref + self.tau_rc * log_term)

    def rate_derivative(self, current: ArrayLike) -> NDArray:
        """Derivative of `rate` with respect to the current, in Hz per unit of current."""
        log_term, softened = self._log1p_inverse(current)
        x = (np.asarray(current) - 1) / self.gamma
        # d ln j / dJ = sigmoid(x) / j, which goes to 1 / gamma far below threshold.
        far_below = x < -30
        safe = np.where(far_below, 1, softened)
        slope = np.where(far_below, 1 / self.gamma, np.exp(-np.logaddexp(0, -x)) / safe)
        rate = 1 / (self.tau_ref + self.tau_rc * log_term)
        return self.tau_rc * rate**2 * slope / (1 + softened)
