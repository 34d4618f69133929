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

"""What the data of a model looks like, one picture for each image or recording."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from snn_perception.datasets import Dataset
from snn_perception.evaluation.accuracy import Recordings, inputs_of
from snn_perception.model import Model

GREY, FULL = 128, 3
"""The level of a pixel where nothing happened, and so many events more of one polarity than of
the other make it white or black."""

Look = Callable[[int], NDArray[np.uint8]]
"""The picture, uint8 (height, width, channels), of what has this number."""


def look_of(dataset: Dataset | Recordings, model: Model) -> Look:
    """How to look at `dataset`: its images, or the events that `model` hears of its recordings."""
    if isinstance(dataset, Dataset):
        images = dataset.images
        return lambda index: images[index]
    return lambda index: light_and_dark(inputs_of(model, dataset, np.array([index]))[:, 0])


def light_and_dark(counts: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Events (steps, height, width, 2), off and on, as a picture (height, width, 1) of them all.

    Pixels are light where more were on than off, and dark where more were off.
    """
    off, on = np.moveaxis(counts.sum(axis=0, dtype=np.float64), 2, 0)
    level = GREY * (1 + (on - off) / FULL)
    return np.clip(level, 0, 255).astype(np.uint8)[..., None]
