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

"""Encodings with 64 bits an event: mono, trigger and libcaer, of ROS messages.

mono      from the lowest bit: 32 bits of time (ns after the packet's time base), 16 of column,
          15 of row, polarity; deprecated, but still in recordings
trigger   the same with a channel for the row: edges at trigger inputs; deprecated, too
libcaer   as iniVation's library has it: whether it is valid, polarity, 15 bits of row, 15 of
          column, 31 of time (us after the packet's time base), which wraps round
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from snn_perception.compiled import compiled
from snn_perception.events.decoder import (
    BACKWARDS,
    NEVER,
    OUTSIDE,
    RESTART,
    UNKNOWN,
    Columns,
    Decoded,
    Decoder,
    Faults,
    readable,
)
from snn_perception.events.stream import Events, Triggers

TIME_MASK = 2**32 - 1


class Layout(NamedTuple):
    """Where in a word what is."""

    column: int
    column_mask: int
    row: int
    polarity: int
    time: int
    tick: int  # ns
    wrap: int  # ticks after which the time begins anew, 0 if it does not
    valid: int  # bits that must be set


ROW_MASK = 0x7FFF
MONO = Layout(32, 0xFFFF, 48, 63, 0, 1, 0, 0)
LIBCAER = Layout(17, 0x7FFF, 2, 1, 32, 1000, 2**31, 1)


class _WideDecoder(Decoder):
    word = np.dtype(np.uint64)
    layout: Layout

    def __init__(self, width: int, height: int) -> None:
        super().__init__(width, height)
        # Time of the last event, and what to add to times.
        self._state = np.array([NEVER, 0], np.int64)

    def _decode(self, words: NDArray, time_base: int, final: bool) -> Decoded:
        room = Columns(len(words))
        events = _decode_words(
            *(
                readable(words.view(np.int64)),
                self.width,
                self.height,
                self.layout,
                time_base,
                self._state,
            ),
            *(room.t, room.x, room.y, room.polarity, room.faults),
        )
        return room.decoded(self.width, self.height, events)


class MonoDecoder(_WideDecoder):
    """Decodes mono; see `Decoder`. Times are the camera's."""

    layout = MONO


class LibcaerDecoder(_WideDecoder):
    """Decodes libcaer; see `Decoder`. Times are those of the host's clock, since 1970."""

    layout = LIBCAER


class TriggerDecoder(Decoder):
    """Decodes trigger; see `Decoder`. Times are the camera's."""

    word = np.dtype(np.uint64)

    def __init__(self, width: int, height: int) -> None:
        super().__init__(width, height)
        self._last = NEVER

    def _decode(self, words: NDArray, time_base: int, final: bool) -> Decoded:
        times = (time_base + (words & np.uint64(TIME_MASK)).astype(np.int64)) // 1000
        t = np.maximum.accumulate(np.maximum(times, self._last))
        self._last = int(t[-1]) if len(t) else self._last
        channel = (words >> np.uint64(48)).astype(np.uint8)
        edge = (words >> np.uint64(63)).astype(np.uint8)
        faults = Faults(backwards=int(np.count_nonzero(times < t)))
        nothing = Events.none(self.width, self.height)
        return Decoded(nothing, Triggers(t, channel, edge), faults)


@compiled()
def _decode_words(
    words: Any,
    width: Any,
    height: Any,
    layout: Any,
    base: Any,
    state: Any,
    t: Any,
    x: Any,
    y: Any,
    polarity: Any,
    faults: Any,
) -> Any:
    """How many events are in `words`."""
    events = 0
    last, offset = state
    before = 0
    for word in words:
        tick = (word >> layout.time) & TIME_MASK
        if before - tick > layout.wrap // 2 and layout.wrap > 0:
            base += layout.wrap * layout.tick
        before = tick
        now = (base + tick * layout.tick) // 1000 + offset
        column = (word >> layout.column) & layout.column_mask
        row = (word >> layout.row) & ROW_MASK
        if word & layout.valid != layout.valid:
            faults[UNKNOWN] += 1
            continue
        if column >= width or row >= height:
            faults[OUTSIDE] += 1
            continue
        if now < last:
            faults[BACKWARDS] += 1
            if last - now > RESTART:
                offset += last - now
            now = last
        last = now
        t[events] = now
        x[events] = column
        y[events] = row
        polarity[events] = (word >> layout.polarity) & 1
        events += 1
    state[:] = last, offset
    return events
