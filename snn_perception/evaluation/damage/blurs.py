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

"""Blur: out of focus, behind glass, or moving.

Images are float32 (height, width, channels) with values from 0 to 1.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from snn_perception.evaluation.damage.pixels import Image, like

KERNEL_RADIUS = 8
"""Of the kernels of defocus, unless the disk needs more."""


def gaussian_blur(image: Image, random: np.random.Generator, deviation: float) -> Image:
    """A normal blur of `deviation` pixels."""
    blurred = cv2.GaussianBlur(image, (0, 0), deviation, borderType=cv2.BORDER_REPLICATE)
    return like(image, blurred)


def defocus_blur(
    image: Image, random: np.random.Generator, radius: float, softness: float
) -> Image:
    """Each point becomes a disk of `radius`; its rim is softened by a deviation of `softness`."""
    reach = max(KERNEL_RADIUS, math.ceil(radius))
    places = np.arange(-reach, reach + 1)
    disk = (places**2 + places[:, None] ** 2 <= radius**2).astype(np.float32)
    width = 3 if reach == KERNEL_RADIUS else 5
    kernel = cv2.GaussianBlur(disk / disk.sum(), (width, width), softness)
    return like(image, cv2.filter2D(image, -1, kernel))


def glass_blur(
    image: Image, random: np.random.Generator, deviation: float, distance: int, times: int
) -> Image:
    """As through frosted glass: pixels of a blurred image come from up to `distance` off.

    So `times` over, and blurred once more. The published images were made by swapping pixels in
    a way by which the second of a pair kept its colour, so here none moves far either.
    """
    damaged = gaussian_blur(image, random, deviation)
    rows, columns = np.indices(image.shape[:2])
    for _ in range(times):
        down, right = random.integers(-distance, distance, (2, *rows.shape))
        damaged = damaged[
            np.clip(rows + down, 0, len(rows) - 1),
            np.clip(columns + right, 0, rows.shape[1] - 1),
        ]
    return gaussian_blur(damaged, random, deviation)


def motion_blur(image: Image, random: np.random.Generator, radius: int, deviation: float) -> Image:
    """A camera that moved, within 45 degrees of sideways; see `moved`."""
    return moved(image, random.uniform(-45, 45), radius, deviation)


def moved(image: Image, angle: float, radius: int, deviation: float) -> Image:
    """`image` with a trail in the direction of `angle` (degrees), as ImageMagick draws them.

    The trail has 2 `radius` + 1 points a pixel apart, weighted by one half of a normal curve of
    `deviation` pixels.
    """
    steps = np.arange(2 * radius + 1)
    weights = np.exp(-(steps**2) / (2 * deviation**2))
    weights /= weights.sum()
    turn = math.radians(angle)
    rows, columns = (
        np.ceil(steps * part - 0.5).astype(int) for part in (math.sin(turn), math.cos(turn))
    )
    middle = 2 * radius + 1
    kernel = np.zeros((2 * middle + 1, 2 * middle + 1), np.float32)
    np.add.at(kernel, (middle + rows, middle + columns), weights.astype(np.float32))
    blurred = cv2.filter2D(image, -1, kernel, borderType=cv2.BORDER_REPLICATE)
    return like(image, blurred)


def zoom_blur(image: Image, random: np.random.Generator, end: float, step: float) -> Image:
    """The mean of the image and of larger ones, 1 to `end` times as large in `step`s."""
    factors = np.arange(1, end, step)
    larger = [zoomed(image, factor) for factor in factors]
    return (image + np.sum(larger, axis=0)) / np.float32(len(factors) + 1)


def zoomed(image: Image, factor: float) -> Image:
    """The middle of `image` (height, width, channels), `factor` times as large."""
    height, width = image.shape[:2]
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), 0, factor)
    larger = cv2.warpAffine(image, matrix, (width, height), borderMode=cv2.BORDER_REPLICATE)
    return like(image, larger)
