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

"""Images of nothing that any model knows, made here: noise, textures, blank walls, a dark lens.

They show, without any data, whether a model notices that it has no answer.
"""

from __future__ import annotations

from collections.abc import Callable

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from snn_perception.images import Preprocessing

SEED = 0
IMAGES = 100
"""Of each kind."""

Levels = NDArray[np.float64]
Painter = Callable[[Generator, int, int], Levels]
"""Makes a picture (height, width, 3) of levels; those that are not from 0 to 255 are cut off."""


def made_images(preprocessing: Preprocessing, count: int = IMAGES) -> dict[str, NDArray[np.uint8]]:
    """`count` images of each kind, uint8 (count, height, width, channels), always the same ones.

    They have the size and the channels of the network that `preprocessing` is for.
    """
    height, width, channels = preprocessing.shape
    made = {}
    for number, (kind, painters) in enumerate(KINDS.items()):
        random = np.random.default_rng((SEED, number))
        pictures = [
            painters[index % len(painters)](random, height, width) for index in range(count)
        ]
        levels = np.clip(np.rint(pictures), 0, 255).astype(np.uint8)
        if channels == 1:
            levels = np.stack([cv2.cvtColor(each, cv2.COLOR_RGB2GRAY) for each in levels])
        made[kind] = levels.reshape(count, height, width, channels)
    return made


# --- noise ---


def coloured_noise(random: Generator, height: int, width: int) -> Levels:
    """Each channel of each pixel for itself, about some colour."""
    return _colour(random) + random.normal(0, random.uniform(20, 80), (height, width, 3))


def grey_noise(random: Generator, height: int, width: int) -> Levels:
    """Grey pixels, about some grey."""
    return _in_colour(
        random.normal(random.uniform(40, 215), random.uniform(20, 80), (height, width))
    )


def salt_and_pepper(random: Generator, height: int, width: int) -> Levels:
    """Black and white pixels."""
    return _in_colour(255.0 * random.integers(0, 2, (height, width)))


# --- textures ---


def stripes(random: Generator, height: int, width: int) -> Levels:
    """Waves or stripes of two colours in any direction."""
    _, across = _turned(random, height, width)
    wave = np.sin(2 * np.pi * (random.uniform(2, 12) * across + random.uniform(0, 1)))
    return _between(random, np.sign(wave) if random.random() < 0.5 else wave)


def checks(random: Generator, height: int, width: int) -> Levels:
    """A chequerboard of two colours, turned by any angle."""
    down, across = _turned(random, height, width)
    fields = random.uniform(3, 14)
    return _between(random, 2.0 * ((np.floor(fields * down) + np.floor(fields * across)) % 2) - 1)


def tiles(random: Generator, height: int, width: int) -> Levels:
    """Patches of many colours, each of all pixels that are nearest to a point."""
    points = random.uniform(-0.5, 0.5, (random.integers(6, 40), 2))
    down, across = _grid(height, width)
    distances = (down[..., None] - points[:, 0]) ** 2 + (across[..., None] - points[:, 1]) ** 2
    return random.uniform(0, 255, (len(points), 3))[distances.argmin(axis=2)]


def clouds(random: Generator, height: int, width: int) -> Levels:
    """Soft blobs of colour."""
    size = max(height, width) * random.uniform(0.03, 0.15)
    soft = cv2.GaussianBlur(random.normal(0, 1, (height, width, 3)), (0, 0), size)
    soft = (soft - soft.mean()) / soft.std()
    return random.uniform(60, 190) + soft * random.uniform(20, 60)


# --- blank ---


def one_colour(random: Generator, height: int, width: int) -> Levels:
    """The same colour everywhere."""
    return np.tile(_colour(random), (height, width, 1))


def gradient(random: Generator, height: int, width: int) -> Levels:
    """One colour that becomes another from one side to the other."""
    _, across = _turned(random, height, width)
    return _between(random, np.clip(2 * across, -1, 1))


def wall(random: Generator, height: int, width: int) -> Levels:
    """A grey wall, darker towards the corners, with the noise of a sensor."""
    return grey_wall(random, height, width, random.uniform(20, 235))


def grey_wall(random: Generator, height: int, width: int, brightness: float) -> Levels:
    """A wall of this `brightness` (0 to 255) of almost no colour, with vignetting and noise."""
    down, across = _grid(height, width)
    fall = 1 - random.uniform(0, 0.7) * 2 * (down**2 + across**2)
    colour = brightness * (1 + random.uniform(-0.06, 0.06, 3))
    return fall[..., None] * colour + random.normal(0, random.uniform(0.5, 4), (height, width, 3))


# --- dark ---


def covered_lens(random: Generator, height: int, width: int) -> Levels:
    """Black, with the noise of a sensor."""
    deviation = random.uniform(0.3, 4)
    return random.uniform(0, 10) + random.normal(0, deviation, (height, width, 3))


KINDS: dict[str, tuple[Painter, ...]] = {
    'noise': (coloured_noise, grey_noise, salt_and_pepper),
    'textures': (stripes, checks, tiles, clouds),
    'blank': (one_colour, gradient, wall),
    'dark': (covered_lens,),
}
"""What is drawn of each kind, in turns."""


def _colour(random: Generator) -> Levels:
    return random.uniform(0, 255, 3)


def _in_colour(levels: Levels) -> Levels:
    return np.repeat(levels[..., None], 3, axis=2)


def _grid(height: int, width: int) -> tuple[Levels, Levels]:
    """How far down and across each pixel is, (height, width), from -0.5 to 0.5."""
    down, across = np.meshgrid(
        *(np.linspace(-0.5, 0.5, size) for size in (height, width)), indexing='ij'
    )
    return down, across


def _turned(random: Generator, height: int, width: int) -> tuple[Levels, Levels]:
    """`_grid`, turned by any angle."""
    down, across = _grid(height, width)
    angle = random.uniform(0, 2 * np.pi)
    return (
        np.cos(angle) * down - np.sin(angle) * across,
        np.sin(angle) * down + np.cos(angle) * across,
    )


def _between(random: Generator, values: Levels) -> Levels:
    """Two colours, and what is between them where `values` are between -1 and 1."""
    first, second = _colour(random), _colour(random)
    return first + (second - first) * (values[..., None] + 1) / 2
