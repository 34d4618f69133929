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

"""EVT 2.1, the events of Prophesee's cameras in words of 64 bits, each for 32 pixels in a row.

The upper half of a word is one of EVT 2.0. That of events names the first of 32 columns, and the
bits of the lower half, from the lowest on, say at which of them there is an event.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from snn_perception.events.decoder import Decoded, Decoder
from snn_perception.events.evt2 import ON, TIME_BITS, Evt2Decoder

COLUMN = 11
"""Where the column is in a word of EVT 2.0."""


class Evt21Decoder(Decoder):
    """Decodes EVT 2.1; see `Decoder`. Times are the camera's, with the care of `Evt2Decoder`."""

    word = np.dtype(np.uint64)

    def __init__(self, width: int, height: int) -> None:
        super().__init__(width, height)
        self._single = Evt2Decoder(width, height)

    def _decode(self, words: NDArray, time_base: int, final: bool) -> Decoded:
        return self._single._decode(_single(words), time_base, final)


class Evt21LegacyDecoder(Evt21Decoder):
    """Decodes the same with the upper half of each word before the lower one."""

    def _decode(self, words: NDArray, time_base: int, final: bool) -> Decoded:
        half = np.uint64(32)
        return super()._decode(words << half | words >> half, time_base, final)


def _single(words: NDArray[np.uint64]) -> NDArray[np.uint32]:
    """The words of EVT 2.0 that say the same."""
    upper = (words >> np.uint64(32)).astype(np.uint32)
    lower = words.astype('<u4').view(np.uint8).reshape(-1, 4)
    bits = np.unpackbits(lower, axis=1, bitorder='little')
    bits[upper >> TIME_BITS > ON] = np.arange(32) == 0
    places, pixels = np.nonzero(bits)
    # First columns are multiples of 32.
    return upper[places] | (pixels << COLUMN).astype(np.uint32)
