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
    """Looks at each frame of one camera, and doubts some.

    Frames are doubted once what the network sees of them has been almost black or almost white
    for `empty_after` s, or all that the camera sends the very same for `frozen_after` s (0: no
    matter how long). The noise of its sensor changes every frame of a real camera, so the same
    again and again is of a driver that hangs, or of a file. What was sent last is kept to compare
    with, and not copied.
    """

    def __init__(self, empty_after: float = 1.0, frozen_after: float = 5.0) -> None:
        self.frozen_after = frozen_after
        self._empty_after = empty_after
        self.reset()

    def reset(self) -> None:
        """Forget all frames so far."""
        self._now = 0.0
        self._kind = ''
        self._kind_since = 0.0
        self._sent: object = None
        self._sent_since = 0.0
        self._equal = 0
        self._is_16_bit = False

    def see(
        self, pixels: NDArray[np.uint8], sent: object, now: float, is_16_bit: bool = False
    ) -> None:
        """Look at `pixels`, uint8 grey or RGB of any shape, that are part of what was `sent`.

        `sent` is the buffer of the message, `now` in s of a clock that does not go back.
        `is_16_bit` says whether its numbers have 16 bits.
        """
        kind = 'black' if pixels.max() <= BLACK else 'white' if pixels.min() >= WHITE else ''
        if kind != self._kind:
            self._kind, self._kind_since = kind, now
        # Of a camera with noise the comparison ends at one of the first bytes.
        if sent != self._sent:
            self._sent_since, self._equal = now, 0
        self._sent = sent
        self._equal += 1
        self._now, self._is_16_bit = now, is_16_bit

    @property
    def is_frozen(self) -> bool:
        """Whether the camera sends the very same again and again."""
        same = self._now - self._sent_since
        return self._equal >= FEWEST and 0 < self.frozen_after <= same

    @property
    def doubt(self) -> str:
        """What the last frames are, as in 'the frames are almost black ...'; '' if all is well."""
        empty = self._now - self._kind_since
        if self._kind and empty >= self._empty_after:
            return f'almost {self._kind}, for {empty:.0f} s by now: {self._advice()}'
        if self.is_frozen:
            same = self._now - self._sent_since
            return (
                f'identical, the last {self._equal} of them for {same:.0f} s by now: is the '
                f'camera or its driver frozen?'
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
