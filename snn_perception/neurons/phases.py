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

"""Different membrane potentials for neighbouring neurons to start from.

A neuron that starts at a potential of v_0 and would fire x times in the time that it has, fires
floor(x + v_0) times: with one v_0 for all, those with a small x never do. Where values of
neighbours are summed, as in a pooling, their potentials should therefore be spread evenly, as the
thresholds are in ordered dithering (Bayer, "An optimum method for two-level rendition of
continuous-tone pictures", 1973).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

COUNTS = (1, 4, 16, 64)
"""How many phases there can be: those of squares of 1, 2, 4 and 8 pixels."""
BLOCK = np.array([[0, 2], [3, 1]])
NEXT_CHANNEL = 5
"""By how many phases a channel is ahead of the one before it, at the same pixel."""


def check_phases(kind: str, phases: int, initial_potential: float) -> None:
    """Raise ValueError unless a `kind` of neuron can have `phases`."""
    if phases not in COUNTS:
        counts = ', '.join(map(str, COUNTS))
        raise ValueError(f'phases of a {kind} neuron must be one of {counts}, not {phases}')
    if phases > 1 and initial_potential:
        raise ValueError(
            f'a {kind} neuron has either phases or an initial_potential; leave one of them out'
        )


def spread_potentials(shape: tuple[int, ...], phases: int) -> NDArray[np.float64]:
    """Potentials (height, width, channels) of a population of that `shape`, of a threshold of 1.

    They are the middles of `phases` equal parts of 0 to 1. Each channel has all of them in every
    square of as many pixels.
    """
    ranks = np.zeros((1, 1), int)
    while ranks.size < phases:
        ranks = np.kron(BLOCK, np.ones_like(ranks)) + 4 * np.tile(ranks, (2, 2))
    height, width, channels = shape
    rows, columns = (np.arange(size) % len(ranks) for size in (height, width))
    ahead = NEXT_CHANNEL * np.arange(channels)
    return ((ranks[rows][:, columns, None] + ahead) % phases + 0.5) / phases
