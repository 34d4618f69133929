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

"""Frames as a camera would show them, without ROS: things that move before a background."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from snn_perception.nodes.collecting.collection import Frame

COLOURS = {'red': (220, 40, 40), 'green': (40, 200, 60), 'blue': (50, 70, 220)}


def picture(colour: str, step: int, height: int = 48, width: int = 64) -> NDArray[np.uint8]:
    """A square of `colour` on a grey ground, at a place and in a light that `step` decides."""
    random = np.random.default_rng(step)
    shown = np.full((height, width, 3), random.integers(60, 140), np.uint8)
    side = height // 2
    top, left = (
        random.integers(0, height - side),
        random.integers(side // 2, width - 3 * side // 2),
    )
    shown[top : top + side, left : left + side] = COLOURS[colour]
    return shown


def frame(pixels: NDArray[np.uint8], arrived: float = 0.0, number: int = 1) -> Frame:
    """A frame of `pixels`, all of which the network sees."""
    return Frame(number, pixels, pixels, arrived)
