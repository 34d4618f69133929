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

"""Images in motion before a still sensor, as the eye or a camera on a pan-tilt head moves them."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

STEP = 0.002
"""Seconds from one image of a motion to the next."""


@dataclass(frozen=True)
class Motion:
    """Where the centre of an image is over time: at `times` (s, ascending) at `x` and `y`.

    Places are in pixels from the centre of the sensor, to the right and down; between two times
    the image moves evenly. Raises ValueError for lists of unequal lengths or times that do not
    ascend.
    """

    times: tuple[float, ...]
    x: tuple[float, ...]
    y: tuple[float, ...]

    def __post_init__(self) -> None:
        if not len(self.times) == len(self.x) == len(self.y) >= 2:
            raise ValueError('a motion must have two times or more, and an x and a y for each')
        if not np.isfinite([self.times, self.x, self.y]).all():
            raise ValueError('times and places of a motion must be finite')
        if np.any(np.diff(self.times) <= 0):
            raise ValueError('the times of a motion must ascend')

    @property
    def duration(self) -> float:
        """Time (s) from its beginning to its end."""
        return self.times[-1] - self.times[0]

    def at(self, times: NDArray) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """x and y (pixels) at `times` (s) from the beginning; before and after it rests."""
        moments = np.asarray(times) + self.times[0]
        return np.interp(moments, self.times, self.x), np.interp(moments, self.times, self.y)


SACCADES = Motion(
    tuple(number / 100 for number in range(31)),
    (
        *(-2.44, -2.59, -2.54, -2.62, -2.63, -2.39, -1.85, -1.35, -1.17, -1.20),
        *(-0.94, -0.69, -0.41, 0.07, 0.78, 1.37, 1.69, 2.03, 2.25, 2.41),
        *(2.63, 2.75, 2.70, 2.49, 1.80, 0.82, -0.26, -1.14, -1.77, -2.12, -2.10),
    ),
    (
        *(-1.79, -1.59, -1.16, -0.35, 0.76, 1.96, 2.88, 3.39, 3.56, 3.35),
        *(3.41, 3.47, 3.38, 3.03, 2.27, 1.14, 0.02, -0.86, -1.25, -1.47),
        *(-1.52, -1.51, -1.54, -1.52, -1.42, -1.42, -1.51, -1.57, -1.66, -1.67, -1.61),
    ),
)
"""Three saccades of 100 ms each around a triangle: those of N-MNIST, found from its events.

Orchard, Jayawant, Cohen and Thakor, "Converting static image datasets to spiking neuromorphic
datasets using saccades", 2015.
"""


def moved(
    image: NDArray[np.uint8], motion: Motion, height: int, width: int
) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """`image` in `motion` before a sensor of `height` x `width` pixels, one image a STEP.

    image: grey levels, of any size; what it does not cover looks like its edges. Returns images
    (count, height, width) and their times (us, from 0).
    """
    rows, columns = image.shape
    times = np.arange(int(np.floor(motion.duration / STEP + 1e-9)) + 1) * STEP
    left, top = (width - columns) / 2, (height - rows) / 2
    images = np.empty((len(times), height, width), np.uint8)
    for x, y, shown in zip(*motion.at(times), images, strict=True):
        place = np.array([[1, 0, left + x], [0, 1, top + y]])
        cv2.warpAffine(
            image, place, (width, height), shown, cv2.INTER_LINEAR, cv2.BORDER_REPLICATE
        )
    return images, np.round(1e6 * times).astype(np.int64)
