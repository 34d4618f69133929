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

"""A network of winner-take-all circuits as data: how many there are, and who hears whom.

A circuit is a few neurons of which at most one fires in each step, so that the circuit says one of
several symbols: 0, silence, or the number of the neuron. What neuron `c` of circuit `i` reaches is

    u_ic(t) = bias_ic + sum_jbk W_icjbk sum_d a_k(d) [s_j(t - d) = b]
                      + sum_k F_ick sum_d f_k(d) [s_i(t - d) = c]
    p(s_i(t) = c | past) = exp(u_ic(t)) / (1 + sum_b exp(u_ib(t)))

with the raised cosines `a` of synapses and `f` of a neuron's own past; silence has u = 0.

Input circuits are given. Hidden circuits hear the inputs and, if `recurrent`, each other; outputs
hear the hidden circuits, with `direct` the inputs, too, and with `output_history` each other and
themselves. Every neuron that learns has its weights as a column of a matrix. The rows are, as far
as its group hears them: a row for each symbol and kernel of the inputs, the bias, the same of the
hidden circuits and of the outputs, and the kernels of its own past.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from snn_perception.online.cosines import RaisedCosines

MOST_SYMBOLS = 255
MOST_WEIGHTS = 100_000_000


@dataclass(frozen=True)
class Circuits:
    """`count` circuits with `symbols` neurons each; raises ValueError for values out of range."""

    count: int
    symbols: int = 1

    def __post_init__(self) -> None:
        if self.count < 0:
            raise ValueError(f'count of circuits must be 0 or more, not {self.count}')
        if not 1 <= self.symbols <= MOST_SYMBOLS:
            raise ValueError(
                f'symbols of a circuit must be from 1 to {MOST_SYMBOLS}, not {self.symbols}'
            )

    @property
    def neurons(self) -> int:
        return self.count * self.symbols


class Group(NamedTuple):
    """Circuits that learn, for compiled loops: hidden ones or outputs.

    They are circuits `first` and following of the network. Of the rows of all that the network
    says they hear those from `begin` to `end`, and after those their weights have `feedback` rows
    for their own past. `own` is the row where what they say themselves begins.
    """

    first: int
    circuits: int
    symbols: int
    begin: int
    end: int
    own: int
    feedback: int

    @property
    def shape(self) -> tuple[int, int]:
        return self.end - self.begin + self.feedback, self.circuits * self.symbols


@dataclass(frozen=True)
class WtaNetwork:
    """Winner-take-all circuits and their connections; see above.

    Raises ValueError for a network without inputs or outputs, or one that is too large.
    """

    inputs: Circuits
    hidden: Circuits
    outputs: Circuits
    synapse: RaisedCosines
    feedback: RaisedCosines = field(default_factory=lambda: RaisedCosines(1, 5))
    recurrent: bool = True
    direct: bool = True
    output_history: bool = False

    def __post_init__(self) -> None:
        for name in ('inputs', 'outputs'):
            if getattr(self, name).count < 1:
                raise ValueError(f'count of {name} must be at least 1')
        if not self.direct and not self.hidden.count:
            raise ValueError('the outputs hear nothing: direct must be true without hidden ones')
        weights = sum(rows * neurons for rows, neurons in (self.hidden_group.shape,
                                                           self.output_group.shape))  # fmt: skip
        if weights > MOST_WEIGHTS:
            raise ValueError(
                f'{weights} weights are more than the {MOST_WEIGHTS} that are allowed'
            )

    @property
    def circuits(self) -> int:
        """How many there are: first the inputs, then the hidden ones, then the outputs."""
        return self.inputs.count + self.hidden.count + self.outputs.count

    @property
    def neurons(self) -> int:
        """How many neurons learn."""
        return self.hidden.neurons + self.outputs.neurons

    @property
    def memory(self) -> int:
        """How many steps of the past matter."""
        return max(self.synapse.length, self.feedback.length)

    @property
    def symbols(self) -> NDArray[np.int64]:
        """How many symbols each circuit has beside silence, int64 (circuits,)."""
        groups = self.inputs, self.hidden, self.outputs
        return np.repeat([each.symbols for each in groups], [each.count for each in groups])

    @property
    def starts(self) -> NDArray[np.int64]:
        """The row where the symbols of each circuit begin, int64 (circuits + 1,); see `bias`."""
        rows = np.concatenate([[0], np.cumsum(self.symbols * self.synapse.count)])
        rows[self.inputs.count :] += 1  # Behind the inputs is the bias.
        return rows

    @property
    def bias(self) -> int:
        """The row of the biases, behind those of the inputs."""
        return self.inputs.neurons * self.synapse.count

    @property
    def hidden_group(self) -> Group:
        """The hidden circuits, for loops."""
        own = self.bias + 1
        end = own + (self.hidden.neurons * self.synapse.count if self.recurrent else 0)
        first, feedback = self.inputs.count, self.feedback.count
        return Group(first, self.hidden.count, self.hidden.symbols, 0, end, own, feedback)

    @property
    def output_group(self) -> Group:
        """The outputs, for loops."""
        own = self.bias + 1 + self.hidden.neurons * self.synapse.count
        end = own + (self.outputs.neurons * self.synapse.count if self.output_history else 0)
        first = self.inputs.count + self.hidden.count
        begin = 0 if self.direct else self.bias
        feedback = self.feedback.count if self.output_history else 0
        return Group(first, self.outputs.count, self.outputs.symbols, begin, end, own, feedback)
