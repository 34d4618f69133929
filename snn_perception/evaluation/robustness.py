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

"""How often answers are still right on images with the kinds of damage that cameras cause."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray

from snn_perception.backends import Simulator
from snn_perception.datasets import Dataset
from snn_perception.evaluation.accuracy import Evaluation, evaluate
from snn_perception.images import decode_compressed

IMAGES = 500
"""The most images that are damaged; every kind of damage is done to the same ones."""
SEED = 0
"""For the choice of images and for the noise."""
QUALITIES = (50, 25, 10)
BLURS = (0.5 / 32, 1 / 32, 1.5 / 32)
"""Standard deviations as fractions of the shorter side of an image."""
NOISES = (5, 10, 20)
"""Standard deviations in levels, which go from 0 to 255."""
BRIGHTNESSES = (0.5, 0.75, 1.5)

Images = NDArray[np.uint8]


@dataclass(frozen=True)
class Condition:
    """The results on the same images with one kind of damage, or with none.

    `example` (height, width, channels) is one of the damaged images, `index` its position in the
    evaluation.
    """

    damage: str
    evaluation: Evaluation
    example: Images
    index: int

    @property
    def simulated_time(self) -> float:
        """Mean simulated time (s) of the decisions."""
        times = [decision.simulated_time for decision in self.evaluation.decisions]
        return float(np.mean(times))


def measure(simulator: Simulator, rates: Simulator, dataset: Dataset) -> list[Condition]:
    """Run both networks on up to IMAGES images of `dataset`, first undamaged, then damaged.

    The images have the size of the network's input, and the labels are indices into the model's
    labels.
    """
    order = np.random.default_rng(SEED).permutation(len(dataset))
    chosen = dataset.subset(np.sort(order[:IMAGES]))
    conditions: list[Condition] = []
    index = 0
    for name, damage in damages(min(chosen.images.shape[1:3])).items():
        images = damage(chosen.images)
        evaluation = evaluate(simulator, rates, Dataset(images, chosen.labels, chosen.class_names))
        if not conditions:
            # An image that is classified correctly best shows when damage changes that.
            index = int(np.argmax(evaluation.answers == evaluation.labels))
        conditions.append(Condition(name, evaluation, images[index], index))
    return conditions


def damages(size: int) -> dict[str, Callable[[Images], Images]]:
    """Every kind of damage by name, 'undamaged' first, for images of shorter side `size` pixels.

    Each maps images (count, height, width, channels), grey or RGB, to images of the same shape,
    the same way every time.
    """
    found: dict[str, Callable[[Images], Images]] = {'undamaged': np.copy}
    for quality in QUALITIES:
        found[f'JPEG, quality {quality}'] = partial(jpeg, quality=quality)
    for share in BLURS:
        found[f'blur, {share * size:.2f} pixels'] = partial(blur, deviation=share * size)
    for deviation in NOISES:
        found[f'noise, {deviation} of 255'] = partial(noise, deviation=deviation)
    for factor in BRIGHTNESSES:
        found[f'brightness, {factor:g} times'] = partial(brightness, factor=factor)
    return found


def jpeg(images: Images, quality: int) -> Images:
    """`images` after JPEG compression with a `quality` from 0 to 100."""
    options = [cv2.IMWRITE_JPEG_QUALITY, quality]
    damaged = np.empty_like(images)
    for image, place in zip(images, damaged, strict=True):
        # From RGB to the BGR of OpenCV; a single channel stays as it is.
        _, content = cv2.imencode('.jpg', np.ascontiguousarray(image[:, :, ::-1]), options)
        place[:] = decode_compressed(content.tobytes()).reshape(image.shape)
    return damaged


def blur(images: Images, deviation: float) -> Images:
    """`images` out of focus: convolved with a Gaussian of `deviation` pixels."""
    blurred = [cv2.GaussianBlur(image, (0, 0), deviation) for image in images]
    return np.stack(blurred).reshape(images.shape)


def noise(images: Images, deviation: float) -> Images:
    """`images` with normal noise of `deviation` levels, drawn for every pixel and channel."""
    random = np.random.default_rng(SEED)
    damaged = np.empty_like(images)
    for image, place in zip(images, damaged, strict=True):
        place[:] = _levels(image + random.normal(0, deviation, image.shape))
    return damaged


def brightness(images: Images, factor: float) -> Images:
    """`images` exposed `factor` times as long; too bright values saturate."""
    levels = _levels(factor * np.arange(256))
    return levels[images]


def _levels(values: NDArray[np.float64]) -> Images:
    """`values` rounded to levels from 0 to 255."""
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)
