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

"""Times of recorded events, which must not descend."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from snn_perception.compiled import compiled
from snn_perception.events.decoder import NEVER, RESTART


def begin() -> NDArray[np.int64]:
    """What is known before the first event: its `ascend` takes the time of the last one, us, and
    what to add to times."""
    return np.array([NEVER, 0], np.int64)


@compiled()
def ascend(t: Any, state: Any) -> Any:
    """Change `t`, int64 (count,), us, so that no time is before the last; how many were.

    These get the time of the last one; if that is more than RESTART later, the clock was started
    anew, and goes on from there. `state` is from `begin`, and is changed.
    """
    late = 0
    last, offset = state
    for index in range(len(t)):
        now = t[index] + offset
        if now < last:
            late += 1
            if last - now > RESTART:
                offset += last - now
            now = last
        t[index] = last = now
    state[:] = last, offset
    return late
