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

"""Learning online: a rule with three factors, of which two are at the synapse.

Jang, Skatchkovsky and Simeone, "VOWEL: a local online learning rule for recurrent networks of
probabilistic spiking winner-take-all circuits", 2020.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from snn_perception.online import loops
from snn_perception.online.network import WtaNetwork
from snn_perception.online.running import Floats, State, Symbols, Weights, layout_of


@dataclass(frozen=True)
class Rule:
    """How fast and by what a network learns; raises ValueError for values out of range.

    `output_rate` and `hidden_rate` are the sizes of steps. `kappa` is the part of the eligibility
    that is left after a step, `beta` that of what is remembered of earlier signals (0 to 1).
    `alpha` is the weight of the regulariser, which draws hidden circuits to be silent with the
    probability `silence`, and to say all other symbols equally often.
    """

    output_rate: float
    hidden_rate: float
    kappa: float = 0.9
    beta: float = 0.99
    alpha: float = 1.0
    silence: float = 0.8

    def __post_init__(self) -> None:
        for name in ('output_rate', 'hidden_rate', 'alpha'):
            value = getattr(self, name)
            if not 0 <= value < math.inf:
                raise ValueError(f'{name} must be 0 or more, not {value}')
        for name in ('kappa', 'beta'):
            value = getattr(self, name)
            if not 0 <= value <= 1:
                raise ValueError(f'{name} must be from 0 to 1, not {value}')
        if not 0 < self.silence < 1:
            raise ValueError(f'silence must be between 0 and 1, not {self.silence}')

    def slowed(self, share: float) -> Rule:
        """The same with `share` of the rates."""
        return replace(
            self, output_rate=share * self.output_rate, hidden_rate=share * self.hidden_rate
        )

    def log_reference(self, symbols: int) -> Floats:
        """What the regulariser draws to: log-probabilities of silence and of each of `symbols`."""
        return np.log([self.silence, *[(1 - self.silence) / symbols] * symbols])


class Memory(NamedTuple):
    """What the synapses of hidden circuits remember, all of the shape of their weights.

    The `eligibility`, only where a row is `eligible` (rows,): where anything was heard since
    rest. `moment` and `weight` are running means of signal x eligibility^2 and eligibility^2.
    """

    eligibility: Floats
    eligible: NDArray[np.bool_]
    moment: Floats
    weight: Floats

    def rest(self) -> None:
        """Forget the eligibility, after a long silence."""
        self.eligibility[self.eligible] = 0
        self.eligible[:] = False


class _Rates(NamedTuple):
    """A rule for loops."""

    output_rate: float
    hidden_rate: float
    kappa: float
    beta: float
    alpha: float


def new_memory(network: WtaNetwork) -> Memory:
    """The memory of synapses that have learned nothing yet."""
    shape = network.hidden_group.shape
    return Memory(np.zeros(shape), np.zeros(shape[0], bool), np.zeros(shape), np.zeros(shape))


def learn(
    network: WtaNetwork,
    weights: Weights,
    memory: Memory,
    state: State,
    symbols: Symbols,
    rule: Rule,
    generator: np.random.Generator,
) -> Floats:
    """Show `symbols`, with all outputs known, and let `weights` learn in every step.

    Advances `state` and `memory`. Returns the log-probabilities (steps, circuits) of what was
    said, each before that step was learned from.
    """
    symbols = symbols.copy()
    log_chances = np.zeros(symbols.shape)
    rates = _Rates(*(float(getattr(rule, name)) for name in _Rates._fields))
    loops.learn(
        layout_of(network), network.hidden_group, network.output_group,
        weights.hidden, weights.outputs, state.history,
        generator.random(symbols.shape), symbols, log_chances,
        memory, rates, rule.log_reference(network.hidden.symbols),
    )  # fmt: skip
    return log_chances
