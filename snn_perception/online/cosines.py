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

"""Raised cosines: how the past of a spike train reaches a membrane.

    a_k(d) = (1 + cos(clip((ln(d + s) - c_k) pi / (2 w), -pi, pi))) / 2,    d = 1 ... length

Bumps that are equally wide in the logarithm of the delay `d`, so that the recent past is seen
sharply and the remote one blurred (Pillow et al., "Prediction and decoding of retinal ganglion
cell responses with a probabilistic spiking model", 2005). Their centres `c_k` are `w` apart and
go from the first delay to the last; `s` is the `stretch`. Neighbours add up to one in between.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

LONGEST = 1000
"""Steps. Every step looks through all of the remembered past."""


@dataclass(frozen=True)
class RaisedCosines:
    """`count` bumps over the last `length` steps; raises ValueError for values out of range."""

    count: int
    length: int
    stretch: float = 1.0

    def __post_init__(self) -> None:
        if not 1 <= self.length <= LONGEST:
            raise ValueError(f'length of kernels must be from 1 to {LONGEST}, not {self.length}')
        if not 1 <= self.count <= self.length:
            raise ValueError(
                f'count of kernels must be from 1 to their length {self.length}, not {self.count}'
            )
        if not 0 < self.stretch < np.inf:
            raise ValueError(f'stretch of kernels must be above 0, not {self.stretch}')

    @property
    def values(self) -> NDArray[np.float64]:
        """What a spike adds `d` steps later, float64 (count, length); `d` - 1 is the column."""
        place = np.log(np.arange(1, self.length + 1) + self.stretch)
        # A single bump falls from the first delay to zero just after the last.
        end = place[-1] if self.count > 1 else np.log(self.length + 1 + self.stretch)
        centres = np.linspace(place[0], end, max(self.count, 2))
        phase = (place - centres[: self.count, None]) * np.pi / (centres[1] - centres[0])
        return (1 + np.cos(np.clip(phase, -np.pi, np.pi))) / 2
