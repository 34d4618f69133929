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

"""The synapse: a linear filter with unit gain between a spike train and the current it causes.

    exponential   y[n] = d y[n-1] + (1 - d) x[n],   d = exp(-dt / tau)
    alpha         two exponential filters of the same time constant in a row
    none          y[n] = x[n]

Filtering is linear, so it can follow the weighted sum of the spikes: each neuron stores `order`
values, and no presynaptic trace is needed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike, NDArray

ORDERS = {'none': 0, 'exponential': 1, 'alpha': 2}


@dataclass(frozen=True)
class Synapse:
    """A synaptic filter: `type` is none, exponential or alpha, `tau` its time constant (s).

    Raises ValueError for an unknown type or a time constant that does not fit the type.
    """

    type: str = 'none'
    tau: float = 0.0

    def __post_init__(self) -> None:
        if self.type not in ORDERS:
            raise ValueError(f'synapse type must be one of {", ".join(ORDERS)}, not {self.type!r}')
        if not math.isfinite(self.tau) or (self.tau > 0) != (self.order > 0):
            wanted = '0' if self.order == 0 else 'positive'
            raise ValueError(f'tau of a synapse of type {self.type} must be {wanted}, in s, '
                             f'not {self.tau}')  # fmt: skip

    @property
    def order(self) -> int:
        """Number of filter values that each neuron remembers."""
        return ORDERS[self.type]

    @property
    def mean_delay(self) -> float:
        """Mean time (s) by which it delays a signal: the time constant of each of its filters."""
        return self.order * self.tau

    def decay(self, dt: float) -> float:
        """Factor by which a filter value decays in one step of `dt` (s)."""
        return math.exp(-dt / self.tau) if self.order else 0.0

    def step(self, current: NDArray, state: NDArray, dt: float) -> NDArray:
        """Advance `state` (order, *shape) in place by `dt` (s); return the filtered current.

        current: float, any shape. The returned array is a view of `state` unless the
        synapse is of type none.
        """
        decay = self.decay(dt)
        for value in state:
            value *= decay
            value += (1 - decay) * current
            current = value
        return current

    def rest(self, shape: tuple[int, ...], dtype: DTypeLike = np.float64) -> NDArray:
        """State (order, *shape) of a filter that has received no input."""
        return np.zeros((self.order, *shape), dtype)
