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

"""Which events belong to which time step of a network that hears them for as long as they come.

Time is that of the camera. Steps are whole: what follows the last whole one waits for more. Time
without events passes for the network, too, unless it is long: then the network begins anew at
rest with the next event. The time of packets that were dropped is skipped.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from snn_perception.events.binning import binned
from snn_perception.events.stream import Events, concatenate

MOST_STEPS = 20
"""Steps that are counted at once: a decision need not wait for others."""


@dataclass(frozen=True)
class Stretch:
    """Steps that follow each other: uint8 counts (steps, height, width, 2) of events.

    `ends` are the times in us by when each step is over. If `gap` is not empty, it says why the
    network begins at rest; and `skipped` s before the first step were left out.
    """

    counts: NDArray[np.uint8]
    ends: NDArray[np.int64]
    gap: str = ''
    skipped: float = 0.0


class EventClock:
    """Cuts the events of one camera into steps of `dt` s."""

    def __init__(self, dt: float) -> None:
        self._tick = dt * 1e6
        self._dt = dt
        self.reset()

    def reset(self) -> None:
        """Forget all: the next event begins the first step."""
        self._held: Events | None = None
        self._start = 0
        self._index = 0
        self._last: int | None = None

    def advance(
        self, shaped: Events, first: int, last: int, longest_gap: float, follows_gap: bool
    ) -> Iterator[Stretch]:
        """The whole steps that the events of a packet from `first` to `last` us complete.

        `shaped` are those that the network hears, of the same time. After `longest_gap` s without
        events, and where the time goes back, as with another camera, there is a gap; otherwise,
        after missing packets, their time is skipped.
        """
        gap, skipped = '', 0.0
        if self._last is not None:
            silence = (first - self._last) / 1e6
            if silence < 0:
                gap = f'the time went back by {-silence:.3f} s'
            elif silence > longest_gap:
                gap = f'no events for {silence:.3f} s'
            elif follows_gap:
                skipped = silence
        if self._last is None or gap or follows_gap:
            self._start, self._index, self._held = first, 0, None
        self._last = last
        held = self._held
        events = shaped if held is None or not len(held) else concatenate([held, shaped])
        steps = int((last - self._edge(0)) // self._tick)
        for begin in range(0, steps, MOST_STEPS):
            count = min(MOST_STEPS, steps - begin)
            start = self._edge(0)
            ends = np.array([self._edge(step + 1) for step in range(count)], np.int64)
            yield Stretch(binned(events, self._dt, count, start), ends, gap, skipped)
            self._index += count
            gap, skipped = '', 0.0
        if gap or skipped:
            nothing = np.zeros((0, events.height, events.width, 2), np.uint8)
            yield Stretch(nothing, np.empty(0, np.int64), gap, skipped)
        self._held = events[int(np.searchsorted(events.t, self._edge(0))) :]

    def _edge(self, step: int) -> int:
        """When the step that is so many after the next one begins, us."""
        return self._start + round((self._index + step) * self._tick)
