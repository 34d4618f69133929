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

"""What the layers of a network did in the course of one presentation, for pictures."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from snn_perception.activity import Counts


@dataclass
class Record:
    """What the layers did in the course of one presentation, for pictures; filled by `classify`.

    From one entry to the next there are at most `interval` time steps. Fewer make the simulation
    slower: with 5 a decision takes a fifth longer at most, with 1 up to three times as long.
    """

    interval: int = 5
    _steps: list[int] = field(default_factory=list)
    _spikes: list[Counts] = field(default_factory=list)

    @property
    def steps(self) -> NDArray[np.int64]:
        """Time steps (entries,) done by each entry."""
        return np.array(self._steps, np.int64)

    @property
    def spikes(self) -> Counts:
        """Spikes (entries, batch, layers) of each population since the entry before.

        The last layer is the readout, which has none.
        """
        return np.array(self._spikes, np.int64)

    def add(self, steps: int, spikes: Counts) -> None:
        """Note the `spikes` (batch, layers) that came until `steps` were done."""
        self._steps.append(steps)
        self._spikes.append(spikes)
