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

"""A step of each kind of neuron in float32, as code for LLVM's vectors in the sparse engine.

The equations are those of `neurons`, in other variables: exponentials of times instead of times,
or a point on a circle instead of its angle. So a step needs no exp, log or tan, and nothing in it
branches: every neuron of a vector takes the same instructions, and a choice is a selection.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from snn_perception.backends.lanes import Lanes
from snn_perception.neurons import IF, LIF, NEURON_TYPES, AdaptiveLIF, Neuron, Theta

SHORTEST_STEP = 1e-4
"""Shortest time step, in time constants; in shorter ones float32 loses what changes."""

LONGEST_STEP = 2.0
"""Longest time step, in tau_rc; in longer ones float32 cannot tell when a neuron fired."""

LONGEST_REFRACTORY_TIME = 40.0
"""Longest refractory time, in tau_rc; its exponential must fit into a float32."""

LONGEST_STEP_OF_ADAPTATION = 1.0
"""Longest time step, in tau_rc and in tau_n, for which GROWTH_TERMS are exact to 2e-6."""

GROWTH_TERMS = 7
"""Coefficients of the polynomial that says how much of its growth an adaptation keeps."""

LONGEST_STEP_OF_THETA = 10.0
"""Longest time step, in tau; a neuron that fires in every one fires once in pi tau."""

MOST_REFRACTORY_STEPS = 10_000.0
"""Longest refractory time, in steps; a float32 resolves a thousandth of a step there."""


class NeuronCode(ABC):
    """A kind of neuron as the sparse engine runs it; it has no state of its own.

    states: how many float32 values a neuron remembers.
    """

    states: ClassVar[int] = 2

    @abstractmethod
    def check(self, neuron: Any, dt: float) -> None:
        """Raise ValueError, with a sentence, for times that do not suit float32."""

    @abstractmethod
    def resting(self, neuron: Any, dt: float) -> tuple[float, ...]:
        """The value at rest of each of the `states`."""

    @abstractmethod
    def constants(self, neuron: Any, dt: float) -> NDArray[np.float32]:
        """What the step needs to know of `neuron` and of `dt` (s); as many for each neuron."""

    @abstractmethod
    def step(
        self, current: Lanes, state: list[Lanes], constants: list[Lanes]
    ) -> tuple[Any, list[Lanes]]:
        """The code of `neurons.Neuron.step`: who fires (a vector of i1), and the new state.

        `state` and `constants` are as many as `resting` and `constants` return.
        """


class LIFCode(NeuronCode):
    """LIF neurons without exp and log.

    A potential keeps the fraction exp(-t / tau_rc) of its distance from the current J, where t is
    the part of the step in which it is not refractory. With r for the refractory time that is
    left, this fraction is exp((r - dt) / tau_rc), which is what the second state is, but at least
    `leak`, exp(-dt / tau_rc), and at most 1. A potential that has gone from 1 to v since its spike
    has kept 1 - (v - 1) / (J - 1), so this is exp(-t / tau_rc) for the time t since then.
    `longest` is exp((tau_ref - dt) / tau_rc).
    """

    def check(self, neuron: Any, dt: float) -> None:
        """See `NeuronCode.check`."""
        _check_steps(dt, neuron, 'tau_rc', LONGEST_STEP)
        _check_refractory_time(neuron, neuron.tau_rc * LONGEST_REFRACTORY_TIME, '40 tau_rc')

    def resting(self, neuron: Any, dt: float) -> tuple[float, ...]:
        """See `NeuronCode.resting`."""
        return neuron.initial_potential, 0.0

    def constants(self, neuron: Any, dt: float) -> NDArray[np.float32]:
        """See `NeuronCode.constants`."""
        times = np.array([-dt, neuron.tau_ref - dt])
        return np.exp(times / neuron.tau_rc).astype(np.float32)

    def step(
        self, current: Lanes, state: list[Lanes], constants: list[Lanes]
    ) -> tuple[Any, list[Lanes]]:
        """See `NeuronCode.step`."""
        fired, state, _ = self._step(current, state, constants)
        return fired, state

    def _step(
        self, current: Lanes, state: list[Lanes], constants: list[Lanes]
    ) -> tuple[Any, list[Lanes], Lanes]:
        """`step`, and for those that fire (v - 1) / (J - 1), which tells when they did."""
        (potential, refractory), (leak, longest) = state, constants
        refractory = refractory.at_least(leak)
        potential = current + (potential - current) * refractory.at_most(1)
        fired = potential > 1
        lost = (potential - 1) * (current - 1).reciprocal()
        refractory = (refractory * leak).unless(fired, longest - longest * lost)
        return fired, [potential.at_least(0).unless(fired, 0), refractory], lost


class AdaptiveLIFCode(LIFCode):
    """LIF neurons whose third state is what the adaptation takes off the current.

    A spike adds exp(-t / tau_n) of a growth, where t is the time since then. With u for
    (v - 1) / (J - 1) that is (1 - u)^(tau_rc / tau_n); u is between 0 and 1 - exp(-dt / tau_rc),
    where a polynomial is as good.
    """

    states: ClassVar[int] = 3

    def check(self, neuron: Any, dt: float) -> None:
        """See `NeuronCode.check`."""
        super().check(neuron, dt)
        for name in ('tau_rc', 'tau_n'):
            _check_steps(dt, neuron, name, LONGEST_STEP_OF_ADAPTATION)

    def resting(self, neuron: Any, dt: float) -> tuple[float, ...]:
        """See `NeuronCode.resting`."""
        return neuron.initial_potential, 0.0, 0.0

    def constants(self, neuron: Any, dt: float) -> NDArray[np.float32]:
        """See `NeuronCode.constants`: those of LIF, the decay less 1, then the polynomial."""
        decay = math.expm1(-dt / neuron.tau_n)
        growth = neuron.inc_n * -decay / dt  # of the mean that a step sees
        most = -math.expm1(-dt / neuron.tau_rc)
        kept = np.polynomial.Chebyshev.interpolate(
            lambda u: (1 - u) ** (neuron.tau_rc / neuron.tau_n), GROWTH_TERMS - 1, [0, most]
        )
        terms = kept.convert(kind=np.polynomial.Polynomial, domain=[-1, 1]).coef
        terms = np.pad(terms, (0, GROWTH_TERMS - len(terms)))  # numpy drops zeros at the end
        lif = super().constants(neuron, dt)
        return np.concatenate([lif, [decay], growth * terms]).astype(np.float32)

    def step(
        self, current: Lanes, state: list[Lanes], constants: list[Lanes]
    ) -> tuple[Any, list[Lanes]]:
        """See `NeuronCode.step`."""
        *membrane, adaptation = state
        leak, longest, decay, *growth = constants
        fired, membrane, lost = self._step(current - adaptation, membrane, [leak, longest])
        grown = lost.polynomial(growth)
        adaptation = adaptation * decay + adaptation
        return fired, [*membrane, adaptation.unless(fired, adaptation + grown)]


class IFCode(NeuronCode):
    """IF neurons, with times in steps.

    The second state is the part of the next step in which the neuron is not refractory: below 0
    if it still is at its end, above 1 if it has time of this step to make up for.
    """

    def check(self, neuron: Any, dt: float) -> None:
        """See `NeuronCode.check`."""
        _check_refractory_time(neuron, dt * MOST_REFRACTORY_STEPS, '10000 steps')

    def resting(self, neuron: Any, dt: float) -> tuple[float, ...]:
        """See `NeuronCode.resting`."""
        return neuron.initial_potential, 1.0

    def constants(self, neuron: Any, dt: float) -> NDArray[np.float32]:
        """See `NeuronCode.constants`."""
        return np.array([dt / neuron.tau_rc, 1 - neuron.tau_ref / dt], np.float32)

    def step(
        self, current: Lanes, state: list[Lanes], constants: list[Lanes]
    ) -> tuple[Any, list[Lanes]]:
        """See `NeuronCode.step`."""
        (potential, active), (rate, after_spike) = state, constants
        rise = current * rate
        potential = (potential + rise * active.at_least(0)).at_least(0)
        fired = potential > 1
        overshoot = ((potential - 1) * rise.reciprocal()).at_most(1)
        active = (active + 1).at_most(1).unless(fired, after_spike + overshoot)
        return fired, [potential.unless(fired, 0), active]


class ThetaCode(NeuronCode):
    """Theta neurons as points on a circle, v = p / q, of which only the ratio matters.

    With times in steps, dp/dt = x q and dq/dt = -p, where x = (J - 1) (dt / tau)^2. In half a step
    (p, q) becomes (c p + s x q, c q - s p), where s / c is tan(sqrt(x) / 2) / sqrt(x), and the
    same with tanh(sqrt(-x) / 2) / sqrt(-x) below the rheobase. One fraction of two polynomials
    serves both. The neuron fires where q changes its sign.
    """

    SINE: ClassVar = 0.5, -0.015867016, 8.3073105e-05, -4.8375272e-08
    COSINE: ClassVar = 1.0, -0.11506736, 1.4217583e-03, -2.936174e-06
    """Coefficients of s and c; their quotient is off by 3e-8 for x from FAR to pi^2."""

    FAR: ClassVar = -64.0
    """Below this tanh(sqrt(-x)) is 1, up to rounding."""

    def check(self, neuron: Any, dt: float) -> None:
        """See `NeuronCode.check`."""
        _check_steps(dt, neuron, 'tau', LONGEST_STEP_OF_THETA)

    def resting(self, neuron: Any, dt: float) -> tuple[float, ...]:
        """See `NeuronCode.resting`: at v = -1, where time in steps makes it -dt / tau."""
        step = dt / neuron.tau
        return -step / (1 + step), 1 / (1 + step)

    def constants(self, neuron: Any, dt: float) -> NDArray[np.float32]:
        """See `NeuronCode.constants`."""
        return np.array([(dt / neuron.tau) ** 2], np.float32)

    def step(
        self, current: Lanes, state: list[Lanes], constants: list[Lanes]
    ) -> tuple[Any, list[Lanes]]:
        """See `NeuronCode.step`."""
        (p, q), (scale,) = state, constants
        # Half a turn of the rotation is one spike, and a step has one spike at most.
        x = ((current - 1) * scale).at_most(math.pi**2)
        is_near = x > self.FAR
        # Far below the rheobase v goes to -sqrt(-x) whatever s is, as fast as c is near x s.
        sine = x.polynomial(self.SINE).select(is_near, abs(x).near_reciprocal_root())
        cosine = x.polynomial(self.COSINE).select(is_near, 1)
        push, before = x * sine, q
        for _ in range(2):
            p, q = p * cosine + q * push, q * cosine - p * sine
        # What is left of the size does not matter, as long as it does not grow.
        size = (abs(p) + abs(q)).rough_reciprocal()
        return q.differs_in_sign(before), [p * size, q * size]


CODES: dict[type[Neuron], NeuronCode] = {
    LIF: LIFCode(),
    AdaptiveLIF: AdaptiveLIFCode(),
    IF: IFCode(),
    Theta: ThetaCode(),
}
"""The code of each kind of neuron."""


def code_of(neuron: Neuron, dt: float) -> NeuronCode:
    """The code that runs `neuron` in steps of `dt` (s).

    Raises ValueError, with a sentence, for a kind without code and for times that do not suit it.
    """
    code = CODES.get(type(neuron))
    if code is None:
        raise ValueError(
            f'backend event runs neurons of type {", ".join(NEURON_TYPES)}, '
            f'not {type(neuron).__name__}'
        )
    code.check(neuron, dt)
    return code


def _check_steps(dt: float, neuron: Neuron, name: str, longest: float) -> None:
    """Raise ValueError unless `dt` suits the time constant of `neuron` that has this name."""
    time = getattr(neuron, name)
    for is_wrong, word, limit in (
        (dt > longest * time, 'most', longest),
        (dt < SHORTEST_STEP * time, 'least', SHORTEST_STEP),
    ):
        if is_wrong:
            raise ValueError(
                f'backend event takes steps of at {word} {limit:g} {name}, which is '
                f'{limit * time:g} s here, not {dt:g} s; use backend torch'
            )


def _check_refractory_time(neuron: LIF | IF, longest: float, name: str) -> None:
    if neuron.tau_ref > longest:
        raise ValueError(
            f'backend event takes refractory times of at most {name}, which is '
            f'{longest:g} s here, not {neuron.tau_ref:g} s; use backend torch'
        )
