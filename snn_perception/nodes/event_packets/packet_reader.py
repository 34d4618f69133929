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

"""From packets to the events that a network hears, and what is wrong with some of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from snn_perception.events.decoder import Faults
from snn_perception.events.packets import PacketDecoder
from snn_perception.events.shaping import EventShaping, ShapingState
from snn_perception.events.stream import Events

MOST_PIXELS = 2**24
"""Of a sensor; a packet that speaks of more would fill the memory."""

PATIENCE = 10
"""Packets of another sensor in a row that are refused; those after them are believed."""


@dataclass(frozen=True)
class Seen:
    """The events of a packet or part of one, without a long silence between them.

    events: all of them, on the sensor.
    shaped: those that the network hears, on its own pixels.
    hot: how many events of hot pixels were left out.
    """

    events: Events
    shaped: Events
    hot: int


class PacketReader:
    """Decodes and shapes the packets of one camera, for one thread.

    A packet of another encoding or sensor is refused, but not for ever: a camera may have been
    exchanged.
    """

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Forget the camera: the next packet may be of any."""
        self._decoder = PacketDecoder()
        self._refused = 0
        self._shaping: EventShaping | None = None
        self._state: ShapingState | None = None

    @property
    def state(self) -> ShapingState | None:
        """Where pixels of the sensor are in the network's input, once there were some."""
        return self._state

    def read(
        self, packet: Any, shaping: EventShaping, longest_gap: float
    ) -> tuple[list[Seen], Faults]:
        """The events of `packet`, cut where nothing came for more than `longest_gap` s.

        Raises ValueError, a sentence, for a packet that cannot be used.
        """
        _check(packet)
        try:
            decoded = self._decoder.decode(packet)
        except ValueError:
            self._refused += 1
            if self._refused <= PATIENCE:
                raise
            self.reset()
            decoded = self._decoder.decode(packet)
        self._refused = 0
        return list(self._shaped(decoded.events, shaping, longest_gap)), decoded.faults

    def _shaped(self, events: Events, shaping: EventShaping, longest_gap: float) -> Iterator[Seen]:
        state = self._state
        size = (events.height, events.width)
        if state is None or shaping != self._shaping or state.times.shape[:2] != size:
            self._state = state = shaping.rest(events.width, events.height)
            self._shaping = shaping
        for part in _cut(events, longest_gap):
            before = state.hot
            shaped = shaping.apply(state, part)
            yield Seen(part, shaped, state.hot - before)


def _check(packet: Any) -> None:
    if packet.width * packet.height > MOST_PIXELS:
        raise ValueError(
            f'a packet is of a sensor of {packet.width} x {packet.height} pixels, and there is no '
            f'such sensor: {MOST_PIXELS} pixels are the most'
        )
    if not len(packet.events):
        raise ValueError('a packet is empty; it must hold the events of a camera')


def _cut(events: Events, longest_gap: float) -> Iterator[Events]:
    """The parts of `events` between which there is more than `longest_gap` s; none if empty."""
    if not len(events):
        return
    if events.t[-1] - events.t[0] <= 1e6 * longest_gap:
        yield events
        return
    places = np.flatnonzero(np.diff(events.t) > 1e6 * longest_gap) + 1
    ends = [0, *places.tolist(), len(events)]
    for first, last in pairwise(ends):
        yield events[first:last]
