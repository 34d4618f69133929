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

"""What a camera does to light, by kinds of our own: too short an exposure, and the whole path."""

from __future__ import annotations

import cv2
import numpy as np

from snn_perception.evaluation.damage.digital import jpeg_compression
from snn_perception.evaluation.damage.pixels import Image
from snn_perception.evaluation.damage.published import Row

WHITE = 65535
"""The level of white on the sensor."""

DARKNESS: Row = ((1,), (2,), (3,), (4,), (5,))
"""Stops of exposure, for the severities 1 to 5."""

CAMERA: Row = (
    (4000, 0.002, 0.04, 95),
    (2000, 0.003, 0.07, 90),
    (750, 0.005, 0.12, 85),
    (250, 0.010, 0.15, 80),
    (60, 0.030, 0.25, 65),
)
"""What `camera` takes, for the severities 1 to 5."""


def darkness(image: Image, random: np.random.Generator, stops: int) -> Image:
    """Exposed too little: the light is halved for each of these `stops`."""
    return encoded(linear(image) * np.float32(2.0**-stops))


def camera(
    image: Image,
    random: np.random.Generator,
    electrons: float,
    read_noise: float,
    cast: float,
    quality: int,
) -> Image:
    """As a camera with one sensor sees it, shrinks it and sends it.

    The balance of the light is off: red and blue are changed by random factors, with a deviation
    of `cast` in their logarithms. The sensor has two pixels by two for each of the picture, and
    they see red, green, green and blue alone. Each counts up to some `electrons`, so that the
    noise depends on the light, and reading adds normal noise of a deviation of `read_noise`, of a
    white of 1. The other colours of a pixel are those of its neighbours, in the mean; then the
    picture is shrunk, and compressed as a JPEG of `quality`. A grey camera has neither colours to
    mix up nor to guess.
    """
    light = linear(image).repeat(2, axis=0).repeat(2, axis=1)
    if image.shape[2] == 3:
        red, blue = np.exp(cast * random.standard_normal(2, np.float32))
        tinted = light * np.array([red, 1, blue], np.float32)
        raw = _sensed(mosaic(tinted), random, electrons, read_noise)
        # OpenCV names the order of the filters after the second pixel of the second row.
        colours = cv2.cvtColor(np.rint(WHITE * raw).astype(np.uint16), cv2.COLOR_BayerBG2RGB)
        light = colours.astype(np.float32) / WHITE
    else:
        light = _sensed(light, random, electrons, read_noise)
    shrunk = (light[::2, ::2] + light[1::2, ::2] + light[::2, 1::2] + light[1::2, 1::2]) / 4
    return jpeg_compression(encoded(shrunk), random, quality)


def mosaic(light: Image) -> Image:
    """What the pixels (height, width) see behind filters: red, green and green, blue in turns."""
    seen = light[..., 1].copy()
    seen[::2, ::2] = light[::2, ::2, 0]
    seen[1::2, 1::2] = light[1::2, 1::2, 2]
    return seen


def linear(image: Image) -> Image:
    """The light, from 0 to 1, of the values of an sRGB image."""
    return np.where(image <= 0.04045, image / 12.92, ((image + 0.055) / 1.055) ** 2.4)


def encoded(light: Image) -> Image:
    """The values of an sRGB image of this `light`, from 0 to 1; what is brighter is white."""
    light = np.clip(light, 0, 1)
    return np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def _sensed(
    light: Image, random: np.random.Generator, electrons: float, read_noise: float
) -> Image:
    """What a sensor reads of `light`, from 0 to 1, of the same shape."""
    counted = random.poisson(electrons * light.astype(np.float64)) / electrons
    read = counted + read_noise * random.standard_normal(light.shape)
    return np.clip(read, 0, 1).astype(np.float32)
