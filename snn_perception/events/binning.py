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

"""Counting events in time steps: what a network driven by events is given."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from snn_perception.compiled import compiled
from snn_perception.events.stream import Events

MOST = 255
"""Larger counts are this."""


def binned(
    events: Events, dt: float, steps: int | None = None, start: int | None = None
) -> NDArray[np.uint8]:
    """How many events each pixel sent in each step: uint8 (steps, height, width, 2).

    Step number k is from `start + k * dt` on, `start` in microseconds, by default that of the
    first event, and `dt` in seconds. By default there are as many `steps` as the last event needs.
    Other events do not count, and no count is larger than 255. The last axis is off and on.
    Raises ValueError for a `dt` of less than a microsecond.
    """
    if not dt >= 1e-6:
        raise ValueError(f'dt must be a microsecond or more, in seconds, not {dt}')
    if start is None:
        start = int(events.t[0]) if len(events) else 0
    if steps is None:
        duration = int(events.t[-1]) - start if len(events) else -1
        steps = max(0, int(duration // (dt * 1e6)) + 1)
    edges = start + np.rint(np.arange(steps + 1) * (dt * 1e6)).astype(np.int64)
    counts = np.zeros((steps, events.height, events.width, 2), np.uint8)
    if steps:
        part = events.between(int(edges[0]), int(edges[-1]))
        _count(part.t, part.x, part.y, part.polarity, edges, counts)
    return counts


@compiled()
def _count(t: Any, x: Any, y: Any, polarity: Any, edges: Any, counts: Any) -> None:
    step = 0
    for index in range(len(t)):
        while t[index] >= edges[step + 1]:
            step += 1
        count = counts[step, y[index], x[index], polarity[index]]
        counts[step, y[index], x[index], polarity[index]] = count + (count < MOST)
