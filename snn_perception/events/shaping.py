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

"""From the events of a sensor to those that a network sees: filters, crop and pooling of pixels.

First a pixel that fires without end is silenced, then what follows an event of the same pixel too
soon is left out, then pixels are cropped and pooled. What that takes to remember is in an explicit
state, so that a stream may come in parts of any length.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from snn_perception.events.stream import Events

HOT_WINDOW = 100_000
"""Microseconds for which a pixel may fire faster than allowed before it is silenced, and for which
it must fire more slowly before it is heard again."""

NEVER = -(2**60)
LOST = 2**16 - 1
"""As a row or column of the network: it does not see that pixel."""


@dataclass(frozen=True)
class EventShaping:
    """How the events of any sensor become the input of one network.

    shape: the network's (height, width, 2); the channels are off and on.
    crop: what it sees of a sensor, (left, top, width, height) in pixels; all of it if None.
    pooling: so many by so many pixels become one; 0 for as many as the crop has room for. What
        remains of the crop is its middle; what it is too small for stays empty.
    hot_pixel_rate: pixels that fire more often for longer, Hz, are silenced; 0 for none.
    refractory: events that follow one of the same pixel sooner, microseconds, are left out.
    Raises ValueError for values that do not fit.
    """

    shape: tuple[int, int, int]
    crop: tuple[int, int, int, int] | None = None
    pooling: int = 0
    hot_pixel_rate: float = 0.0
    refractory: int = 0

    def __post_init__(self) -> None:
        if len(self.shape) != 3 or min(self.shape) < 1 or self.shape[2] != 2:
            raise ValueError(f'shape must be height, width and 2 for off and on, not {self.shape}')
        if max(self.shape) >= LOST:
            raise ValueError(f'shape must have fewer than {LOST} rows and columns')
        if self.crop is not None and (
            len(self.crop) != 4 or min(self.crop) < 0 or min(self.crop[2:]) < 1
        ):
            raise ValueError(
                f'crop must be left, top, width and height in pixels, not {self.crop}'
            )
        if self.pooling < 0:
            raise ValueError(f'pooling must be a number of pixels or 0, not {self.pooling}')
        if not 0 <= self.hot_pixel_rate <= 1e6:
            raise ValueError(
                f'hot_pixel_rate must be from 0 (no filter) to 1e6 Hz, not {self.hot_pixel_rate}'
            )
        if self.refractory < 0:
            raise ValueError(f'refractory must be microseconds or 0, not {self.refractory}')

    def rest(self, width: int, height: int) -> ShapingState:
        """The state before the first event of a sensor of `width` x `height` pixels.

        Raises ValueError for a crop that reaches over the sensor.
        """
        left, top, across, down = self.crop or (0, 0, width, height)
        if left + across > width or top + down > height:
            raise ValueError(
                f'crop {self.crop} reaches over the sensor of {width} x {height} pixels'
            )
        rows, columns, _ = self.shape
        pooling = self.pooling or max(1, min(across // columns, down // rows))
        return ShapingState(
            _places(width, left, across, pooling, columns),
            _places(height, top, down, pooling, rows),
            np.full((height, width, 2), NEVER, np.int64),
        )

    def apply(self, state: ShapingState, events: Events) -> Events:
        """What the network sees of `events`, at its rows and columns; `state` advances.

        Raises ValueError for events of a sensor of another size than the state's.
        """
        height, width, _ = state.times.shape
        if (events.width, events.height) != (width, height):
            raise ValueError(
                f'events are of a sensor of {events.width} x {events.height} pixels, and those '
                f'before of one of {width} x {height}'
            )
        # numba takes a second, too long for a command that only reads a model.
        from snn_perception.events.shaping_kernel import shape

        rows, columns, _ = self.shape
        size = len(events)
        t, polarity = np.empty(size + 1, np.int64), np.empty(size + 1, np.uint8)
        x, y = np.empty(size + 1, np.uint16), np.empty(size + 1, np.uint16)
        period = round(1e6 / self.hot_pixel_rate) if self.hot_pixel_rate else 0
        count = shape(
            *(events.t, events.x, events.y, events.polarity),
            *(state.columns, state.rows, state.times, state.counts),
            # A single event is no sign of a rate.
            *(period, self.refractory, max(HOT_WINDOW, period), LOST),
            *(t, x, y, polarity),
        )
        return Events(t[:count], x[:count], y[:count], polarity[:count], columns, rows)


@dataclass(frozen=True)
class ShapingState:
    """What shaping remembers of one stream, changed in place.

    columns, rows: uint16, where in the network's input a column and row of the sensor is, or LOST.
    times: int64 (height, width, 2), microseconds: until when a pixel has used up what it may fire,
        and when it fired last.
    counts: int64 (3,), events left out so far: of hot pixels, too soon, and outside the crop.
    """

    columns: NDArray[np.uint16]
    rows: NDArray[np.uint16]
    times: NDArray[np.int64]
    counts: NDArray[np.int64] = field(default_factory=lambda: np.zeros(3, np.int64))

    @property
    def hot(self) -> int:
        """Events of hot pixels, left out."""
        return int(self.counts[0])

    @property
    def too_soon(self) -> int:
        """Events within the refractory time of their pixel, left out."""
        return int(self.counts[1])

    @property
    def outside(self) -> int:
        """Events that the network does not see."""
        return int(self.counts[2])


def _places(size: int, first: int, length: int, pooling: int, places: int) -> NDArray[np.uint16]:
    """Where each of `size` pixels is among `places`, of the middle of `length` from `first` on."""
    offset = first + (length - places * pooling) // 2
    pixels = np.arange(size)
    found = (pixels - offset) // pooling
    seen = (found >= 0) & (found < places) & (first <= pixels) & (pixels < first + length)
    return np.where(seen, found, LOST).astype(np.uint16)
