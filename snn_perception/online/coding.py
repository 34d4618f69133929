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

"""From the events of a sensor to what input circuits say, step by step."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from snn_perception.events.stream import Events

SILENT, OFF, ON = 0, 1, 2
KINDS = {'polarity': 2, 'binary': 1, 'rate': 2, 'binary_rate': 1}
"""Symbols of a circuit beside silence, by the kind of coding."""
MOST_STEPS = 100_000


@dataclass(frozen=True)
class Coding:
    """How events become symbols; raises ValueError for values out of range.

    There is a circuit for each of `shape` (rows, columns) squares of `pool` x `pool` pixels in the
    middle of the `sensor` (width, height), and time goes in `steps` of `dt` (s) from the first
    event on. `kind` is what a circuit says in a step:

    polarity: off or on, whichever more of its events are (on, if equally many are), or silence.
    binary: that there were events, or silence.
    rate: off and on as often as by polarity, but at random times: each step is drawn alike.
    binary_rate: the same without polarity.
    """

    sensor: tuple[int, int]
    shape: tuple[int, int]
    pool: int
    steps: int
    dt: float
    kind: str = 'polarity'

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(f'kind must be one of {", ".join(KINDS)}, not {self.kind!r}')
        if not 1 <= self.steps <= MOST_STEPS:
            raise ValueError(f'steps must be from 1 to {MOST_STEPS}, not {self.steps}')
        if not 1e-6 <= self.dt < np.inf:
            raise ValueError(f'dt must be at least a microsecond, not {self.dt} s')
        if min(*self.sensor, *self.shape, self.pool) < 1:
            raise ValueError('sensor, shape and pool must be at least 1')
        (width, height), (rows, columns) = self.sensor, self.shape
        if columns * self.pool > width or rows * self.pool > height:
            raise ValueError(
                f'{columns} x {rows} squares of {self.pool} pixels do not fit on a sensor of '
                f'{width} x {height}'
            )

    @property
    def symbols(self) -> int:
        """How many symbols a circuit has beside silence."""
        return KINDS[self.kind]

    @property
    def circuits(self) -> int:
        return self.shape[0] * self.shape[1]

    def counts(self, events: Events) -> NDArray[np.int64]:
        """How many events (steps, circuits, 2) are off and on.

        Those beyond the last step and beside the squares do not count. Raises ValueError for
        events of a sensor of another size.
        """
        width, height = self.sensor
        if (events.width, events.height) != (width, height):
            raise ValueError(
                f'events of a sensor of {events.width} x {events.height} pixels are not for a '
                f'model of one of {width} x {height}'
            )
        counts = np.zeros((self.steps, self.circuits, 2), np.int64)
        if not len(events):
            return counts
        rows, columns = self.shape
        step = ((events.t - events.t[0]) / (1e6 * self.dt)).astype(np.int64)
        # Negative ones do not count either, so the division must round down.
        column = (events.x.astype(np.int64) - (width - columns * self.pool) // 2) // self.pool
        row = (events.y.astype(np.int64) - (height - rows * self.pool) // 2) // self.pool
        counted = (step < self.steps) & (column >= 0) & (column < columns)
        counted &= (row >= 0) & (row < rows)
        place = step, row * columns + column, events.polarity.astype(np.int64)
        np.add.at(counts, tuple(each[counted] for each in place), 1)
        return counts

    def encode(self, events: Events, generator: np.random.Generator) -> NDArray[np.int16]:
        """What the circuits say, int16 (steps, circuits); `generator` draws the times of rates."""
        off, on = np.moveaxis(self.counts(events), 2, 0)
        symbols = np.where(off + on > 0, np.where(on >= off, ON, OFF), SILENT)
        if self.symbols == 1:
            symbols = np.minimum(symbols, 1)
        return by_rate(symbols, generator) if 'rate' in self.kind else symbols.astype(np.int16)


def by_rate(symbols: NDArray, generator: np.random.Generator) -> NDArray[np.int16]:
    """Symbols (steps, circuits) drawn as often as in `symbols`, but in each step alike."""
    steps, circuits = symbols.shape
    moments = generator.integers(steps, size=symbols.shape)
    return np.asarray(symbols[moments, np.arange(circuits)], np.int16)
