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

"""The loop over events that shapes them, compiled.

It is a file of its own since numba takes a second to import, and whoever reads a model needs the
settings of the shaping alone.
"""

from __future__ import annotations

from typing import Any

from snn_perception.compiled import compiled


@compiled()
def shape(
    t: Any,
    x: Any,
    y: Any,
    polarity: Any,
    columns: Any,
    rows: Any,
    times: Any,
    counts: Any,
    period: Any,
    refractory: Any,
    hot_window: Any,
    lost: Any,
    shaped_t: Any,
    shaped_x: Any,
    shaped_y: Any,
    shaped_polarity: Any,
) -> Any:
    """Fill the `shaped` arrays; returns how many events are left. See `shaping`."""
    kept = 0
    for index in range(len(t)):
        now = t[index]
        column, row = columns[x[index]], rows[y[index]]
        if column == lost or row == lost:
            counts[2] += 1
            continue
        pixel = times[y[index], x[index]]
        if period > 0:
            # A leaky bucket, kept as the time at which it will be empty.
            ahead = max(pixel[0] - now, 0) + period
            if ahead > 2 * hot_window + period:
                # Not of this stream's past: the time went back.
                ahead = period
            is_hot = ahead > hot_window
            pixel[0] = now + min(ahead, 2 * hot_window)
            if is_hot:
                counts[0] += 1
                continue
        if refractory > 0:
            if 0 <= now - pixel[1] < refractory:
                counts[1] += 1
                continue
            pixel[1] = now
        shaped_t[kept] = now
        shaped_x[kept] = column
        shaped_y[kept] = row
        shaped_polarity[kept] = polarity[index]
        kept += 1
    return kept
