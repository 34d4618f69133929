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

"""Events in colours, for people."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from snn_perception.events.stream import Events

GROUND = np.array([30, 34, 40], np.float32)
ON, OFF = np.array([120, 200, 255], np.float32), np.array([255, 150, 60], np.float32)
"""Colours of a pixel where nothing happened, and where it got brighter or darker."""

FULL = 3
"""Events that give a pixel its whole colour."""


def added(counts: NDArray[np.float32], events: Events) -> NDArray[np.float32]:
    """`counts` (height, width, 2), off and on, and `events`; these alone if the sensor differs."""
    shape = (events.height, events.width, 2)
    places = (events.y.astype(np.int64) * events.width + events.x) * 2 + events.polarity
    added = np.bincount(places, minlength=2 * events.height * events.width)
    new = added.reshape(shape).astype(np.float32)
    return counts + new if counts.shape == shape else new


def coloured(counts: NDArray[np.float32]) -> NDArray[np.uint8]:
    """`counts` (height, width, 2), off and on, in colours, uint8 RGB."""
    total = counts.sum(2, keepdims=True)
    share = counts[..., 1:] / np.maximum(total, 1)
    colour = OFF + share * (ON - OFF)
    strength = np.minimum(total / FULL, 1)
    return np.asarray(GROUND + strength * (colour - GROUND), np.float32).astype(np.uint8)


def picture_of(events: Events) -> NDArray[np.uint8]:
    """All of `events`, added up and in colours, uint8 RGB (height, width, 3)."""
    return coloured(added(np.zeros((1, 1, 2), np.float32), events))
