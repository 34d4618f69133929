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

"""The time from the stamp of a frame to its answer, as far as the stamps tell it.

Frames may come without stamps, or be recorded or simulated and stamped by another clock. A
latency is believed if it is neither negative nor longer than LONGEST seconds.
"""

from __future__ import annotations

import math
from typing import NamedTuple

LONGEST = 60.0
"""Seconds; what seems to have taken longer has a stamp of another clock."""

DAY = 86_400.0


class Latency(NamedTuple):
    """A latency in `seconds`, NaN if it is not known; then `doubt` says why."""

    seconds: float
    doubt: str = ''


def latency(stamp: int, now: int) -> Latency:
    """The latency of an answer at `now` to a frame stamped `stamp`, both in ns; a stamp of 0 is
    that of a camera that does not stamp its frames.
    """
    if stamp == 0:
        return Latency(math.nan, 'the frames have no stamps')
    seconds = (now - stamp) / 1e9
    if 0 <= seconds <= LONGEST:
        return Latency(seconds)
    side = 'behind' if seconds > 0 else 'ahead of'
    doubt = (
        f'the stamps are {_span(abs(seconds))} {side} the clock of this node; for recorded or '
        f'simulated frames set use_sim_time and publish /clock'
    )
    return Latency(math.nan, doubt)


def _span(seconds: float) -> str:
    return f'{seconds / DAY:.0f} days' if seconds >= 2 * DAY else f'{seconds:.3g} s'
