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

"""Noise: what a sensor with little light, or a faulty one, adds to an image.

Images are float32 (height, width, channels) with values from 0 to 1; results may leave them.
"""

from __future__ import annotations

import numpy as np

from snn_perception.evaluation.damage.pixels import Image


def gaussian_noise(image: Image, random: np.random.Generator, deviation: float) -> Image:
    """Normal noise of `deviation` in every pixel and channel."""
    return image + deviation * _normal(image, random)


def shot_noise(image: Image, random: np.random.Generator, photons: float) -> Image:
    """Noise of counting light, of which white is `photons` on average."""
    return (random.poisson(photons * image.astype(np.float64)) / photons).astype(np.float32)


def impulse_noise(image: Image, random: np.random.Generator, share: float) -> Image:
    """A `share` of all values is lost: one half to 0, the other to 1."""
    drawn = random.random(image.shape, np.float32)
    damaged = np.where(drawn < share, np.float32(0), image)
    return np.where(drawn < share / 2, np.float32(1), damaged)


def speckle_noise(image: Image, random: np.random.Generator, deviation: float) -> Image:
    """Normal noise of `deviation` times the value."""
    return image + deviation * image * _normal(image, random)


def _normal(image: Image, random: np.random.Generator) -> Image:
    """Numbers for each value of `image`, with mean 0 and deviation 1."""
    return random.standard_normal(image.shape, np.float32)
