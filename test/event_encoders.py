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

"""Encoders of events, as small as can be, and where real ones are: to test decoders with."""

from pathlib import Path

import numpy as np
from hypothesis import strategies as st

from snn_perception.events.stream import Events

WIDTH, HEIGHT = 40, 30

REAL = Path(__file__).parents[2] / 'shared' / 'data' / 'events'
"""Real recordings, where they are."""


@st.composite
def streams(draw, largest_gap=200_000, width=WIDTH, height=HEIGHT, first=2**24):
    """Events at any places, some at one time, some in a row; gaps up to `largest_gap` us."""
    gaps = st.one_of(st.sampled_from([0, 0, 0, 1, 4096]), st.integers(0, largest_gap))
    events = draw(
        st.lists(
            st.tuples(gaps, st.integers(0, width - 1), st.integers(0, height - 1), st.booleans()),
            max_size=60,
        )
    )
    start = draw(st.integers(0, first))
    gaps, x, y, polarity = zip(*events, strict=True) if events else ((),) * 4
    return Events.of(start + np.cumsum(gaps), x, y, polarity, width, height)


def evt3(events, vectors=False, triggers=()):
    """Words of EVT 3.0; `triggers` are of (time, channel, edge), in order.

    The upper bits of the time are said for each event, as cameras do; what else has not changed is
    left out.
    """
    words = []
    low = row = None
    edges = list(triggers)
    index = 0
    while index < len(events) or edges:
        of_edge = edges and (index == len(events) or edges[0][0] <= events.t[index])
        now = int(edges[0][0] if of_edge else events.t[index])
        words.append(0x8000 | (now >> 12 & 0xFFF))
        if now & 0xFFF != low:
            low = now & 0xFFF
            words.append(0x6000 | low)
        if of_edge:
            _, channel, edge = edges.pop(0)
            words.append(0xA000 | channel << 8 | edge)
            continue
        if events.y[index] != row:
            row = int(events.y[index])
            words.append(row)
        count = _run(events, index) if vectors else 1
        x, sign = int(events.x[index]), int(events.polarity[index]) << 11
        if count == 1:
            words.append(0x2000 | sign | x)
        else:
            words.append(0x3000 | sign | x)
            bits = sum(1 << int(column) - x for column in events.x[index : index + count])
            words.append((0x5000 if bits < 256 else 0x4000) | bits)
        index += count
    return np.array(words, '<u2')


def _run(events, index):
    """How many events from `index` on one vector can say."""
    count = 1
    while index + count < len(events):
        same = all(
            column[index] == column[index + count]
            for column in (events.t, events.y, events.polarity)
        )
        after = int(events.x[index + count]) - int(events.x[index + count - 1])
        if not same or after < 1 or events.x[index + count] - events.x[index] >= 12:
            break
        count += 1
    return count


def evt2(events):
    """Words of EVT 2.0."""
    words = []
    high = None
    for t, x, y, polarity in _rows(events):
        if t >> 6 != high:
            high = t >> 6
            words.append(8 << 28 | high & (2**28 - 1))
        words.append(polarity << 28 | (t & 63) << 22 | x << 11 | y)
    return np.array(words, '<u4')


def evt21(events):
    """Words of EVT 2.1, the next events in one where they fit."""
    words = []
    before, high = None, None
    for t, x, y, polarity in _rows(events):
        if t >> 6 != high:
            high = t >> 6
            words.append(8 << 60 | (high & (2**28 - 1)) << 32)
        block = (t, x // 32, y, polarity)
        # Pixels of a word are in order of their columns.
        if block == before and words[-1] & 0xFFFFFFFF < 1 << x % 32:
            words[-1] |= 1 << x % 32
        else:
            upper = polarity << 28 | (t & 63) << 22 | x // 32 * 32 << 11 | y
            words.append(upper << 32 | 1 << x % 32)
        before = block
    return np.array(words, '<u8')


def mono(events, time_base):
    """Words of mono after `time_base`, nanoseconds."""
    return np.array(
        [
            polarity << 63 | y << 48 | x << 32 | t * 1000 - time_base
            for t, x, y, polarity in _rows(events)
        ],
        '<u8',
    )


def libcaer(events, time_base):
    """Words of libcaer after `time_base`, microseconds."""
    return np.array(
        [
            (t - time_base) % 2**31 << 32 | x << 17 | y << 2 | polarity << 1 | 1
            for t, x, y, polarity in _rows(events)
        ],
        '<u8',
    )


def libcaer_cmp(events, time_base):
    """Words of libcaer_cmp after `time_base`, microseconds, without vectors."""
    words = []
    high, low, column = 0, 0, None
    for t, x, y, polarity in _rows(events):
        after = t - time_base
        if after >> 12 != high:
            high = after >> 12
            words.append(high & 0xFFF)
        if after & 0xFFF != low:
            low = after & 0xFFF
            words.append(1 << 12 | low)
        if x != column:
            column = x
            words.append(2 << 12 | x)
        words.append(3 << 12 | polarity << 11 | y)
    return np.array(words, '<u2')


def _rows(events):
    columns = (events.t, events.x, events.y, events.polarity)
    return zip(*(column.tolist() for column in columns), strict=True)
