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

"""What the augmentation of a recipe does to images, each effect by itself and all together."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor

from snn_perception.datasets import Dataset
from snn_perception.training.augmentation import Augmentation
from snn_perception.training.camera_augmentation import CameraAugmentation
from snn_perception.training.checkpoint import random_seed

IMAGES = 8
"""How many images are shown."""
DRAWS = 4
"""How many times all effects together are shown."""
FREQUENCIES = ('share', 'chance', 'mixing')
"""Fields that say how often or how much the other ones matter."""


def preview(
    augmentation: Augmentation, dataset: Dataset, seed: int
) -> dict[str, NDArray[np.uint8]]:
    """Rows of up to IMAGES images of `dataset`, (images, height, width, channels), by their names.

    First come the images as they are, then each effect with the strengths that it may have, then
    all of them as often as in training.
    """
    chosen = np.linspace(0, len(dataset) - 1, min(IMAGES, len(dataset))).astype(int)
    pixels = torch.from_numpy(dataset.images[chosen]).permute(0, 3, 1, 2).float() / 255
    rows = {'as they are': pixels}
    turns = torch.arange(len(pixels))
    for number, (name, single) in enumerate(_singly(augmentation).items()):
        generator = Generator().manual_seed(random_seed(seed, number))
        rows[name] = single.apply(pixels, turns, generator)
    for number in range(DRAWS):
        generator = Generator().manual_seed(random_seed(seed, number, 1))
        rows[f'in training, {number + 1}'] = augmentation.apply(pixels, turns + number, generator)
    return {name: _levels(row) for name, row in rows.items()}


def _singly(augmentation: Augmentation) -> dict[str, Augmentation]:
    """Each effect that there is by itself, happening to every image."""
    found = {}
    for field in fields(Augmentation):
        value = getattr(augmentation, field.name)
        if field.name != 'camera' and value:
            found[f'{field.name} {value:g}'] = replace(Augmentation(), **{field.name: value})
    if not augmentation.camera.share:
        return found
    for field in fields(CameraAugmentation):
        value = getattr(augmentation.camera, field.name)
        if field.name not in FREQUENCIES and value:
            camera = replace(CameraAugmentation(share=1, chance=1), **{field.name: value})
            found[f'{field.name} {value:g}'] = Augmentation(camera=camera)
    return found


def _levels(images: Tensor) -> NDArray[np.uint8]:
    return (images * 255).round().byte().permute(0, 2, 3, 1).numpy()
