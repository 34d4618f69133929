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

"""Frames that look like one that is kept already."""

from __future__ import annotations

from collections import deque

import cv2
import numpy as np
from numpy.typing import NDArray

SIDE = 32
"""Pixels of the pictures that are compared: small, so that the noise of a sensor averages out."""
MOST = 200
"""Frames of a class that a new one is compared with, the last."""


class Likeness:
    """Remembers the frames of one class, and says how far another one is from the nearest."""

    def __init__(self) -> None:
        self._kept: deque[NDArray[np.float32]] = deque(maxlen=MOST)

    def distance(self, seen: NDArray[np.uint8]) -> float:
        """Of `seen`, as the network sees a frame, from the most similar one that is kept.

        The root of the mean squared difference of their pixels, in levels of 0 to 255; infinite
        if none is kept.
        """
        if not self._kept:
            return float('inf')
        others = np.stack(self._kept) - _small(seen)
        return float(np.sqrt(np.square(others).mean(axis=(1, 2, 3)).min()))

    def keep(self, seen: NDArray[np.uint8]) -> None:
        """Have later frames compared with `seen`."""
        self._kept.append(_small(seen))

    def forget_last(self) -> None:
        """Undo the last `keep` that is not undone."""
        if self._kept:
            self._kept.pop()


def _small(seen: NDArray[np.uint8]) -> NDArray[np.float32]:
    small = cv2.resize(seen, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32).reshape(SIDE, SIDE, -1)
