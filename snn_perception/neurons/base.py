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

"""What all kinds of neurons have in common: a rate curve, its softening, and a step in time.

    rate(J)      = f(j)   with the excess j = max(J - rheobase, 0)
    soft rate(J) = f(j)   with j = gamma ln(1 + exp((J - rheobase) / gamma))

`J` is the input current and `rheobase` the current above which a neuron eventually fires. Times
are in s, rates in Hz. The softening is from Hunsberger and Eliasmith, "Spiking Deep Networks with
LIF Neurons", 2015, section 2; it works for any curve f.
"""

from __future__ import annotations

import math
import sys
from abc import ABC, abstractmethod
from dataclasses import dataclass
from types import ModuleType
from typing import Any, ClassVar, TypeAlias

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from snn_perception.neurons.phases import spread_potentials

BISECTIONS = 60
"""Halvings of an interval of rates, enough to make it narrower than the spacing of floats."""

State: TypeAlias = tuple[Any, ...]
"""Arrays of the shape of a population, which a step advances in place."""


class Neuron(ABC):
    """A kind of neuron: immutable parameters and three equations.

    rheobase: the current above which it fires, in units of the input current.
    names: the names of the arrays that a population remembers from step to step.
    phases: how many potentials its neurons start from; see `neurons.phases`.
    """

    rheobase: ClassVar[float]
    names: ClassVar[tuple[str, ...]]
    phases: int = 1

    @property
    @abstractmethod
    def resting(self) -> tuple[float, ...]:
        """The value of each array in `names` at rest, before any input, with one phase."""

    @abstractmethod
    def rate_at(self, log_excess: NDArray[np.float64]) -> NDArray[np.float64]:
        """Firing rate (Hz) for ln j, the logarithm of the excess; 0 where that is -inf."""

    @abstractmethod
    def slope_at(self, log_excess: NDArray[np.float64]) -> NDArray[np.float64]:
        """Derivative of `rate_at` with respect to ln j, in Hz, for finite ln j."""

    @abstractmethod
    def step(self, current: Any, state: State, dt: float) -> Any:
        """Advance `state` in place by `dt` (s) under `current`; return which neurons spiked.

        The current is constant over the step. It is a NumPy array or a PyTorch tensor, of the
        same kind and shape as the arrays of `state`. A neuron spikes at most once per step.
        Returns bool of that kind and shape. Raises ValueError if `dt` is not positive.
        """

    def rest(self, shape: tuple[int, ...], dtype: DTypeLike = np.float64) -> State:
        """State of neurons at rest, of `shape` (..., height, width, channels)."""
        state = tuple(np.full(shape, value, dtype) for value in self.resting)
        if self.phases > 1:
            state[0][...] = spread_potentials(shape[-3:], self.phases)
        return state

    def rate(self, current: ArrayLike) -> NDArray[np.float64]:
        """Firing rate (Hz) under a constant `current`, in the long run."""
        with np.errstate(divide='ignore'):
            return self.rate_at(np.log(np.maximum(np.asarray(current, float) - self.rheobase, 0)))

    def current_at(self, rate: float) -> float:
        """The constant current at which the neuron fires at `rate` (Hz) in the long run.

        Raises ValueError for a rate that no current brings about.
        """
        low, high = -700.0, 700.0  # of ln j, so that j and 1 / j are finite
        bounds = self.rate_at(np.array([low, high]))
        if not bounds[0] <= rate <= bounds[1]:
            raise ValueError(
                f'rate of a {type(self).__name__} neuron must be between {bounds[0]:.3g} and '
                f'{bounds[1]:.3g} Hz here, not {rate}'
            )
        for _ in range(BISECTIONS):
            middle = (low + high) / 2
            is_below = self.rate_at(np.array([middle]))[0] < rate
            low, high = (middle, high) if is_below else (low, middle)
        return self.rheobase + math.exp(high)


@dataclass(frozen=True)
class Softened:
    """The rate curve of `neuron` with a softened threshold, whose slope is finite everywhere.

    `gamma` is the width of the softening in units of current; as it approaches 0, the curve
    approaches the neuron's own. Raises ValueError if `gamma` is not positive.
    """

    neuron: Neuron
    gamma: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.gamma) and self.gamma > 0):
            raise ValueError(f'gamma must be a positive current, not {self.gamma}')

    def rate(self, current: ArrayLike) -> NDArray[np.float64]:
        """Softened firing rate (Hz) under a constant `current`."""
        return self.neuron.rate_at(self._log_excess(current)[0])

    def rate_derivative(self, current: ArrayLike) -> NDArray[np.float64]:
        """Derivative of `rate` with respect to the current, in Hz per unit of current."""
        log_excess, slope = self._log_excess(current)
        return self.neuron.slope_at(log_excess) * slope

    def _log_excess(self, current: ArrayLike) -> tuple[NDArray, NDArray]:
        """ln j of the softened excess, and its derivative with respect to the current."""
        x = (np.asarray(current, float) - self.neuron.rheobase) / self.gamma
        # Far below threshold j underflows; there ln j is x + ln gamma.
        far_below = x < -30
        softplus = np.where(far_below, 1, np.logaddexp(0, x))
        log_excess = np.where(far_below, x, np.log(softplus)) + math.log(self.gamma)
        slope = np.where(far_below, 1, np.exp(-np.logaddexp(0, -x)) / softplus) / self.gamma
        return log_excess, slope


def namespace(array: Any) -> ModuleType:
    """The library of `array`, NumPy or PyTorch: both use the same names for what steps need."""
    return np if isinstance(array, np.ndarray | np.generic) else sys.modules['torch']


def check_times(kind: str, positive: dict[str, float], others: dict[str, float]) -> None:
    """Raise ValueError unless the times in `positive` (s) are above 0 and `others` at least 0."""
    for name, value in positive.items():
        if not (math.isfinite(value) and value > 0):
            raise ValueError(f'{name} of a {kind} neuron must be positive, in s, not {value}')
    for name, value in others.items():
        if not (math.isfinite(value) and value >= 0):
            raise ValueError(f'{name} of a {kind} neuron must be 0 or more, not {value}')


def check_potential(kind: str, value: float) -> None:
    """Raise ValueError unless a `kind` of neuron can start at the potential `value`."""
    if not 0 <= value < 1:
        raise ValueError(
            f'initial_potential of a {kind} neuron must be at least 0 and under 1, not {value}'
        )


def check_step(dt: float) -> None:
    """Raise ValueError unless `dt` (s) is positive."""
    if not dt > 0:
        raise ValueError(f'dt must be a positive time in s, not {dt}')
