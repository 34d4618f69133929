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

"""Events as words of EVT 3.0, for a camera that is played: see `evt3` for what they are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from snn_perception.events.evt3_kernels import LARGEST
from snn_perception.events.stream import Events


def encode_evt3(events: Events) -> NDArray[np.uint16]:
    """Words that a decoder reads without having read others; none for no events.

    What is the same as for the event before is not said again. Raises ValueError for a sensor
    that is too large for the encoding.
    """
    if max(events.width, events.height) > LARGEST:
        raise ValueError(
            f'EVT 3.0 has room for {LARGEST} x {LARGEST} pixels, and the sensor has '
            f'{events.width} x {events.height}'
        )
    high, low = events.t >> 12 & 0xFFF, events.t & 0xFFF
    words = np.stack(
        [
            0x8000 | high,
            0x6000 | low,
            events.y.astype(np.int64),
            0x2000 | events.polarity.astype(np.int64) << 11 | events.x,
        ],
        1,
    ).astype(np.uint16)
    said = np.ones(words.shape, bool)
    said[1:, :3] = words[1:, :3] != words[:-1, :3]
    # The lower bits are said again after the upper ones.
    said[:, 1] |= said[:, 0]
    return words[said]
