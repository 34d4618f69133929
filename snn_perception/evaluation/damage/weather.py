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

"""Weather: fog and snow.

Images are float32 (height, width, channels) with values from 0 to 1; results may leave them.
"""

from __future__ import annotations

import math

import numpy as np

from snn_perception.evaluation.damage.blurs import moved, zoomed
from snn_perception.evaluation.damage.pixels import Image

LUMINANCE = np.array([0.299, 0.587, 0.114], np.float32)


def fog(image: Image, random: np.random.Generator, thickness: float, decay: float) -> Image:
    """Clouds of up to `thickness`, whose details are smaller by `decay` on each smaller scale.

    As dark as to leave the brightest value as bright as it was.
    """
    height, width = image.shape[:2]
    size = 2 ** max(1, math.ceil(math.log2(max(height, width))))
    clouds = thickness * plasma(size, decay, random)[:height, :width, None]
    brightest = image.max()
    return (image + clouds) * (brightest / (brightest + thickness))


def plasma(size: int, decay: float, random: np.random.Generator) -> Image:
    """A random landscape (size, size) from 0 to 1 that joins itself at its edges.

    Made by the method of diamonds and squares: a point between four has their mean plus a random
    part, which shrinks by `decay` squared from one scale to the next. `size` is a power of two.
    """
    heights = np.zeros((size, size))
    step, roughness = size, 1.0
    while step > 1:
        half = step // 2
        corners = heights[::step, ::step]
        noise = random.uniform(-roughness, roughness, (3, *corners.shape))
        middles = (
            corners
            + np.roll(corners, -1, 0)
            + np.roll(corners, -1, 1)
            + np.roll(corners, (-1, -1), (0, 1))
        ) / 4 + noise[0]
        heights[half::step, half::step] = middles
        # Between two corners, and between the middles on either side of them.
        across = corners + np.roll(corners, -1, 1) + middles + np.roll(middles, 1, 0)
        down = corners + np.roll(corners, -1, 0) + middles + np.roll(middles, 1, 1)
        heights[::step, half::step] = across / 4 + noise[1]
        heights[half::step, ::step] = down / 4 + noise[2]
        step, roughness = half, roughness / decay**2
    heights -= heights.min()
    return (heights / heights.max()).astype(np.float32)


def snow(
    image: Image,
    random: np.random.Generator,
    mean: float,
    deviation: float,
    zoom: float,
    threshold: float,
    radius: int,
    length: float,
    clearness: float,
) -> Image:
    """Falling flakes on a whitened image.

    Flakes are normal noise of `mean` and `deviation`, `zoom` times as large, without what is
    below `threshold`. They fall within 45 degrees of straight down, with trails of `length`, see
    `moved`. What is not `clearness` of the image is replaced by a bleached one.
    """
    shape = (*image.shape[:2], 1)
    flakes = mean + deviation * random.standard_normal(shape, np.float32)
    flakes = zoomed(flakes, zoom)
    flakes = np.where(flakes < threshold, np.float32(0), np.clip(flakes, 0, 1))
    flakes = moved(flakes, random.uniform(-135, -45), radius, length)
    grey = image if image.shape[2] == 1 else (image @ LUMINANCE)[..., None]
    bleached = np.maximum(image, 1.5 * grey + 0.5)
    whitened = clearness * image + (1 - clearness) * bleached
    return whitened + flakes + flakes[::-1, ::-1]
