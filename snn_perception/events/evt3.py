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

"""EVT 3.0, the events of Prophesee's cameras in words of 16 bits.

The upper four bits of a word say what it is: a row; an event at a column; the column from which
vectors of 12 or 8 bits count; the upper or lower 12 bits of the time; an edge at a trigger input.
Whatever stays the same is not said again. The time wraps round after 2^24 us, 16.78 s.
"""

from __future__ import annotations

import threading

import numpy as np
from numpy.typing import NDArray

from snn_perception.events.decoder import NEVER, Columns, Decoded, Decoder, readable
from snn_perception.events.evt3_kernels import (
    BLOCK,
    LARGEST,
    MOST_IN_A_WORD,
    NOWHERE,
    count_events,
    decode_words,
)

MOST_HELD = 2**16
"""Words that may wait for the next time."""


class Evt3Decoder(Decoder):
    """Decodes EVT 3.0; see `Decoder`.

    Times are the camera's, which say nothing about the wraps before the first one. A time that
    jumps, and what follows, waits for the next time to confirm it, as bits are wrong at times.
    """

    word = np.dtype(np.uint16)

    def __init__(self, width: int, height: int) -> None:
        super().__init__(width, height)
        # Upper bits of the time, with all wraps, and lower ones, -1 if not known; row; column and
        # polarity of vectors; times of the last trigger and the last event.
        self._state = np.array([-1, -1, NOWHERE, NOWHERE, 0, 0, NEVER], np.int64)
        self._held = np.empty(0, np.uint16)

    def _decode(self, words: NDArray, time_base: int, final: bool) -> Decoded:
        if len(self._held):
            words = np.concatenate([self._held, words])
        final = final or len(self._held) > MOST_HELD
        decoded, read = decode_evt3(words, self.width, self.height, final, self._state)
        self._held = words[read:].copy()
        return decoded

    def lose_track(self) -> None:
        """Forget the row and the column, which the next words may take for granted."""
        self._state[2:4] = NOWHERE


def decode_evt3(
    words: NDArray[np.uint16], width: int, height: int, final: bool, state: NDArray[np.int64]
) -> tuple[Decoded, int]:
    """What is in `words`, and how many of them were read: all if they are the `final` ones.

    `state` is that of Evt3Decoder, and is advanced.
    """
    words = readable(words)
    room = Columns(*count_events(words))
    read, events, triggers = decode_words(
        *(words, min(width, LARGEST), min(height, LARGEST), final, state, _packed()),
        *room.arrays,
    )
    return room.decoded(width, height, events, triggers), read


def _packed() -> NDArray[np.int64]:
    """Room to work in, of each thread, since threads decode at the same time."""
    if not hasattr(_ROOM, 'packed'):
        _ROOM.packed = np.empty(BLOCK * MOST_IN_A_WORD + 1, np.int64)
    return _ROOM.packed


_ROOM = threading.local()
