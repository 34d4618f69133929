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


"""Whether what a camera shows can be a picture of anything: it may be black, white or frozen."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

BLACK, WHITE = 16, 239
"""Levels of 0 to 255. A frame none of whose pixels is above BLACK, or below WHITE, is empty.

All that a camera of 12 bits can send is no brighter than BLACK if it is taken for 16 bits.
"""

FEWEST = 5
"""Equal frames that are called frozen: a slow camera may send two of a scene at rest."""


class PictureCheck:
    """Looks at each frame of one camera, as small as the network sees it, and doubts some.

    Frames are doubted once they have been almost black or almost white for `empty_after` s, or
    the very same for `frozen_after` s. The noise of its sensor changes every frame of a real
    camera, so the same picture again and again is of a driver that hangs, or of a file.
    """

    def __init__(self, empty_after: float = 1.0, frozen_after: float = 10.0) -> None:
        self._empty_after = empty_after
        self._frozen_after = frozen_after
        self.reset()

    def reset(self) -> None:
        """Forget all frames so far."""
        self._now = 0.0
        self._kind = ''
        self._kind_since = 0.0
        self._pixels = b''
        self._pixels_since = 0.0
        self._equal = 0
        self._is_16_bit = False

    def see(self, pixels: NDArray[np.uint8], now: float, is_16_bit: bool = False) -> None:
        """Look at `pixels`, uint8 grey or RGB as the camera sent them, at `now` in s.

        `now` is of a clock that does not go back. `is_16_bit` says whether they had 16 bits.
        """
        kind = 'black' if pixels.max() <= BLACK else 'white' if pixels.min() >= WHITE else ''
        if kind != self._kind:
            self._kind, self._kind_since = kind, now
        content = pixels.tobytes()
        if content != self._pixels:
            self._pixels, self._pixels_since, self._equal = content, now, 0
        self._equal += 1
        self._now, self._is_16_bit = now, is_16_bit

    @property
    def doubt(self) -> str:
        """What the last frames are, as in 'the frames are almost black ...'; '' if all is well."""
        empty, same = self._now - self._kind_since, self._now - self._pixels_since
        if self._kind and empty >= self._empty_after:
            return f'almost {self._kind}, for {empty:.0f} s by now: {self._advice()}'
        if self._equal >= FEWEST and same >= self._frozen_after:
            return (
                f'the very same, for {same:.0f} s by now: the camera hangs or sees a still picture'
            )
        return ''

    def _advice(self) -> str:
        if self._kind == 'black' and self._is_16_bit:
            return (
                'if the camera uses fewer than 16 bits, set significant_bits, for example to 12; '
                'if not, look at its lens and its exposure'
            )
        cause = 'lens' if self._kind == 'black' else 'light'
        return f'look at the {cause} and the exposure of the camera'
