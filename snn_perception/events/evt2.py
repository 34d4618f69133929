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

"""EVT 2.0, the events of Prophesee's cameras in words of 32 bits, one an event.

The upper four bits of a word say what it is: an event, off or on, with the lower 6 bits of its
time; the upper 28 bits of the time, which wraps round after 2^34 us, 4.8 hours; an edge at a
trigger input.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from snn_perception.compiled import compiled
from snn_perception.events.decoder import (
    BACKWARDS,
    MISREAD,
    NEVER,
    OUTSIDE,
    RESTART,
    UNKNOWN,
    UNPLACED,
    Columns,
    Decoded,
    Decoder,
    readable,
)
from snn_perception.events.time_words import (
    CONTRADICTED,
    TIME_HIGH,
    UNDECIDED,
    change_of_time,
)

OFF, ON, TRIGGER, OTHERS, CONTINUED = 0, 1, 10, 14, 15
TIME_BITS, TIME_LOW_BITS = 28, 6
MOST_BACK = 2 ** (TIME_BITS - 1)
MOST_HELD = 2**15
"""Words that may wait for the next time."""


class Evt2Decoder(Decoder):
    """Decodes EVT 2.0; see `Decoder`. Times are the camera's.

    A time that jumps, and what follows, waits for the next time to confirm it.
    """

    word = np.dtype(np.uint32)

    def __init__(self, width: int, height: int) -> None:
        super().__init__(width, height)
        # Upper bits of the time, with all wraps, -1 if not known; what to add to times; times of
        # the last trigger and the last event.
        self._state = np.array([-1, 0, NEVER, NEVER], np.int64)
        self._held = np.empty(0, np.uint32)

    def _decode(self, words: NDArray, time_base: int, final: bool) -> Decoded:
        if len(self._held):
            words = np.concatenate([self._held, words])
        final = final or len(self._held) > MOST_HELD
        room = Columns(len(words), int(np.count_nonzero(words >> 28 == TRIGGER)))
        read, events, triggers = _decode_words(
            readable(words), self.width, self.height, final, self._state, *room.arrays
        )
        self._held = words[read:].copy()
        return room.decoded(self.width, self.height, events, triggers)


@compiled()
def _decode_words(
    words: Any,
    width: Any,
    height: Any,
    final: Any,
    state: Any,
    t: Any,
    x: Any,
    y: Any,
    polarity: Any,
    trigger_t: Any,
    channel: Any,
    edge: Any,
    faults: Any,
) -> Any:
    """How many words were read, and how many events and triggers were found in them."""
    events = 0
    triggers = 0
    high, offset, last_trigger, last = state
    read = len(words)
    for index in range(len(words)):
        word = np.int64(words[index])
        code = word >> TIME_BITS
        now = (high << TIME_LOW_BITS) + ((word >> 22) & 0x3F) + offset
        if code in (OFF, ON):
            column, row = (word >> 11) & 0x7FF, word & 0x7FF
            if high < 0:
                faults[UNPLACED] += 1
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
            polarity[events] = code
            events += 1
        elif code == TIME_HIGH:
            value = word & ((1 << TIME_BITS) - 1)
            change = value - high
            if high >= 0 and value != high & ((1 << TIME_BITS) - 1):
                change = change_of_time(words, index, high, TIME_BITS, MOST_BACK, final)
                if change == UNDECIDED:
                    read = index
                    break
                if change == CONTRADICTED:
                    faults[MISREAD] += 1
                    change = 0
            elif high >= 0:
                change = 0
            high += change
        elif code == TRIGGER:
            if high < 0:
                faults[UNPLACED] += 1
                continue
            last_trigger = max(now, last_trigger)
            trigger_t[triggers] = last_trigger
            channel[triggers] = (word >> 8) & 0x1F
            edge[triggers] = word & 1
            triggers += 1
        elif code != OTHERS and code != CONTINUED:
            faults[UNKNOWN] += 1
    state[:] = high, offset, last_trigger, last
    return read, events, triggers
