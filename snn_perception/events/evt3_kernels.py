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

"""The loops over the words of EVT 3.0, compiled.

Kinds of words follow each other without a rule, so that branches would be guessed wrongly: what
most words are is done without any, and an event is first packed into one number.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from snn_perception.compiled import compiled, part
from snn_perception.events.decoder import BACKWARDS, MISREAD, OUTSIDE, UNKNOWN, UNPLACED
from snn_perception.events.time_words import (
    CONTRADICTED,
    TIME_HIGH,
    UNDECIDED,
    change_of_time,
)

ROW, COLUMN, BASE, VECTOR_12, VECTOR_8, TIME_LOW, TRIGGER = 0, 2, 3, 4, 5, 6, 10
CONTINUED_4, OTHERS, CONTINUED_12 = 7, 14, 15
"""These say nothing about events."""

QUIET = sum(1 << code for code in (ROW, COLUMN, TIME_LOW, CONTINUED_4, OTHERS, CONTINUED_12))
"""Kinds of words that need no branch."""

TIME_BITS = 12
MOST_BACK = 10
"""The upper bits of the time may be so much less than before without having wrapped round."""

NOWHERE = 2**20
"""As a row or column: not known."""

BLOCK = 4096
"""Words whose events are packed, and unpacked while they are still in the nearest cache."""

MOST_IN_A_WORD = 12

# An event as one number: time, 11 bits of row, polarity, 11 bits of column.
TIME, PACKED_ROW, PACKED_POLARITY, PLACE = 23, 12, 11, 0x7FF
LARGEST = PLACE + 1
"""Columns and rows that words can name."""


@compiled()
def count_events(words: Any) -> Any:
    """At most how many events and triggers are in `words`."""
    events = 0
    triggers = 0
    for index in range(len(words)):
        word = words[index]
        code = word >> 12
        bits = word & (0xFFF if (code == VECTOR_12) | (code == VECTOR_8) else 0)
        # Adds them up by pairs, by fours, and the three sums of these.
        bits = (bits & 0x555) + ((bits >> 1) & 0x555)
        bits = (bits & 0x333) + ((bits >> 2) & 0x333)
        events += (bits & 0xF) + ((bits >> 4) & 0xF) + (bits >> 8) + (code == COLUMN)
        triggers += code == TRIGGER
    return events, triggers


@compiled()
def decode_words(
    words: Any,
    width: Any,
    height: Any,
    final: Any,
    state: Any,
    packed: Any,
    t: Any,
    x: Any,
    y: Any,
    polarity: Any,
    trigger_t: Any,
    channel: Any,
    edge: Any,
    faults: Any,
) -> Any:
    """How many words were read, and how many events and triggers were found in them.

    `state` is that of Evt3Decoder; `packed` has room for the events of BLOCK words.
    """
    events = 0
    triggers = 0
    read = _first_time(words, state, faults) if state[1] < 0 else 0
    while read < len(words):
        end = min(read + BLOCK, len(words))
        origin = state[0]
        read, found, edges = _pack(
            *(words, read, end, width, height, final, state, packed),
            *(trigger_t[triggers:], channel[triggers:], edge[triggers:], faults),
        )
        state[6] = _unpack(
            *(packed, found, origin << TIME_BITS, state[6]),
            *(t[events:], x[events:], y[events:], polarity[events:], faults),
        )
        events += found
        triggers += edges
        if read < end:
            break
    return read, events, triggers


@part()
def _pack(
    words: Any,
    start: Any,
    end: Any,
    width: Any,
    height: Any,
    final: Any,
    state: Any,
    packed: Any,
    trigger_t: Any,
    channel: Any,
    edge: Any,
    faults: Any,
) -> Any:
    """The index after what was read from `start` to `end`, the numbers of events and triggers.

    The times of packed events count from the upper bits of the time before.
    """
    events = 0
    triggers = 0
    high, low, row, base, sign, last_trigger, _ = state
    origin = high
    for index in range(start, end):
        word = np.int64(words[index])
        code = word >> 12
        value = word & 0xFFF
        row ^= (row ^ (value & PLACE)) & -np.int64(code == ROW)
        low ^= (low ^ value) & -np.int64(code == TIME_LOW)
        now = ((high - origin) << TIME_BITS) + low
        packed[events] = (now << TIME) | (row << PACKED_ROW) | value
        is_event = (code == COLUMN) & (row < height) & ((value & PLACE) < width)
        events += is_event
        is_quiet = ((QUIET >> code) & 1) | ((code == TIME_HIGH) & (value == high & 0xFFF))
        if is_quiet & ((code != COLUMN) | is_event):
            continue
        if code in (VECTOR_12, VECTOR_8):
            length = 12 if code == VECTOR_12 else 8
            bits = value & ((1 << length) - 1)
            if row >= height or base + length > width:
                bits = _on_sensor(bits, row, base, width, height, faults)
            event = (now << TIME) | (row << PACKED_ROW) | (sign << PACKED_POLARITY)
            for bit in range(length):
                packed[events] = event + base + bit
                events += (bits >> bit) & 1
            base += length
        elif code == TIME_HIGH:
            change = change_of_time(words, index, high, TIME_BITS, MOST_BACK, final)
            if change == UNDECIDED:
                end = index
                break
            if change == CONTRADICTED:
                faults[MISREAD] += 1
            else:
                high += change
        elif code == BASE:
            base, sign = value & PLACE, value >> PACKED_POLARITY
        elif code == TRIGGER:
            last_trigger = max((high << TIME_BITS) + low, last_trigger)
            trigger_t[triggers] = last_trigger
            channel[triggers] = value >> 8
            edge[triggers] = value & 1
            triggers += 1
        elif code == COLUMN:
            faults[UNPLACED if row == NOWHERE else OUTSIDE] += 1
        else:
            faults[UNKNOWN] += 1
    state[:6] = high, low, row, base, sign, last_trigger
    return end, events, triggers


@part()
def _unpack(
    packed: Any,
    count: Any,
    origin: Any,
    last: Any,
    t: Any,
    x: Any,
    y: Any,
    polarity: Any,
    faults: Any,
) -> Any:
    """Write out `count` of the `packed` events; the time of the last one, at least `last`."""
    late = 0
    for index in range(count):
        event = packed[index]
        now = origin + (event >> TIME)
        late += now < last
        last = max(now, last)
        t[index] = last
        x[index] = event & PLACE
        y[index] = (event >> PACKED_ROW) & PLACE
        polarity[index] = (event >> PACKED_POLARITY) & 1
    faults[BACKWARDS] += late
    return last


@part(inline='always')
def _first_time(words: Any, state: Any, faults: Any) -> Any:
    """The index after the words that came before a time was known."""
    for index in range(len(words)):
        word = np.int64(words[index])
        code, value = word >> 12, word & 0xFFF
        if code == TIME_HIGH:
            state[0] = value
        elif code == TIME_LOW and state[0] >= 0:
            state[1] = value
            return index + 1
        elif code == ROW:
            state[2] = value & PLACE
        elif code == BASE:
            state[3], state[4] = value & PLACE, value >> PACKED_POLARITY
        elif code in (COLUMN, VECTOR_12, VECTOR_8, TRIGGER):
            faults[UNPLACED] += 1
        elif not (QUIET >> code) & 1:
            faults[UNKNOWN] += 1
    return len(words)


@part()
def _on_sensor(bits: Any, row: Any, base: Any, width: Any, height: Any, faults: Any) -> Any:
    """Those of `bits`, pixels of `row` from column `base` on, that the sensor has."""
    kept = 0
    if row < height and base < width:
        kept = bits & ((1 << (width - base)) - 1)
    for bit in range(12):
        if ((bits ^ kept) >> bit) & 1:
            faults[UNPLACED if max(row, base) >= NOWHERE else OUTSIDE] += 1
    return kept
