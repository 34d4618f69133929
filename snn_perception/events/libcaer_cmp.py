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

"""libcaer_cmp, what the ROS driver of iniVation's cameras makes of their events.

It is EVT 3.0 with other numbers for the kinds of words, and with columns in the place of rows.
Times are those after the time base of a packet, so that each begins with 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from snn_perception.compiled import compiled
from snn_perception.events.decoder import NEVER, RESTART, Decoded, Decoder, readable
from snn_perception.events.evt3 import decode_evt3
from snn_perception.events.evt3_kernels import (
    BASE,
    COLUMN,
    NOWHERE,
    ROW,
    TIME_LOW,
    VECTOR_8,
    VECTOR_12,
)
from snn_perception.events.stream import Events
from snn_perception.events.time_words import TIME_HIGH

KINDS = (TIME_HIGH, TIME_LOW, ROW, COLUMN, BASE, VECTOR_8, VECTOR_12)
"""What EVT 3.0 has for the kinds of words here, which are 0 to 6."""

UNKNOWN_KIND = 1
"""Of EVT 3.0: there is none."""

_KINDS = np.array((*KINDS, *[UNKNOWN_KIND] * (16 - len(KINDS))), np.uint16) << 12


class LibcaerCmpDecoder(Decoder):
    """Decodes libcaer_cmp; see `Decoder`. Times are those of the host's clock, since 1970."""

    word = np.dtype(np.uint16)

    def __init__(self, width: int, height: int) -> None:
        super().__init__(width, height)
        # As Evt3Decoder has it.
        self._state = np.array([0, 0, NOWHERE, NOWHERE, 0, 0, 0], np.int64)
        self._last = NEVER
        self._offset = 0

    def _decode(self, words: NDArray, time_base: int, final: bool) -> Decoded:
        if not len(words):
            return self._empty
        base = time_base // 1000 + self._offset
        if self._last - base > RESTART:
            self._offset += self._last - base
            base = self._last
        self._state[:2] = 0
        self._state[-1] = self._last - base
        translated = np.empty(len(words), np.uint16)
        _translate(readable(words), _KINDS, translated)
        turned, _ = decode_evt3(translated, self.height, self.width, True, self._state)
        self._last = int(self._state[-1]) + base
        events = turned.events
        events.t[:] += base
        upright = Events(events.t, events.y, events.x, events.polarity, self.width, self.height)
        return Decoded(upright, turned.triggers, turned.faults)

    def lose_track(self) -> None:
        """Forget the column and the row, which the next words may take for granted."""
        self._state[2:4] = NOWHERE


@compiled()
def _translate(words: Any, kinds: Any, translated: Any) -> None:
    for index in range(len(words)):
        word = words[index]
        translated[index] = kinds[word >> 12] | (word & 0xFFF)
