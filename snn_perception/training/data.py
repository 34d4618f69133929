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

"""The images of a training on the device that computes, handed out in batches."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import torch
from torch import Generator, Tensor

from snn_perception.datasets import Dataset, DatasetError, drawn, split
from snn_perception.datasets.base import L, spread
from snn_perception.images import Preprocessing
from snn_perception.training import fingerprint
from snn_perception.training.augmentation import Augmentation
from snn_perception.training.recipe import Recipe

SAMPLE, SAMPLED_AT_ONCE = 5000, 250
"""How many images stand for all of them, and how many of these are in memory at a time."""
UNCHANGED = Augmentation()
FEWEST_HELD_OUT = 2
"""Images for validation: one half fits the readout, the other measures."""


def divide(dataset: L, recipe: Recipe) -> tuple[L, L]:
    """The training and the validation images of `recipe`, of these at least two.

    Where whole takes are held out, which may be more than the recipe asks for, as many of their
    images as it asks for: the others look like these and only take time. Raises DatasetError
    unless images of each class remain for training.
    """
    count = recipe.validation_images
    wanted = round(count if count >= 1 else count * len(dataset))
    held_out = max(wanted, FEWEST_HELD_OUT)
    training, validation = split(dataset, held_out, recipe.seed)
    if len(validation) > held_out:
        _, validation = drawn(validation, held_out, recipe.seed)
    if len(validation) < FEWEST_HELD_OUT:
        raise DatasetError(
            f'of {len(dataset)} images only {len(validation)} can be held out for validation, '
            f'and {FEWEST_HELD_OUT} are needed; add images'
        )
    return training, validation


class Split:
    """Training and validation images on `device`, and how the network takes them.

    `digests` tell them from all others, see `fingerprint.of_data`.
    """

    def __init__(
        self,
        training: Dataset,
        validation: Dataset,
        preprocessing: Preprocessing,
        device: str = 'cpu',
        augmentation: Augmentation = UNCHANGED,
    ) -> None:
        self.device = device
        self.augmentation = augmentation
        self.digests = fingerprint.of_data(training, validation)
        self.training = Images(training, preprocessing.invert, device)
        self.validation = Images(validation, preprocessing.invert, device)
        self._mean = torch.tensor(preprocessing.mean, device=device).view(-1, 1, 1)
        self._deviation = torch.tensor(preprocessing.deviation, device=device).view(-1, 1, 1)

    def normalise(self, images: Tensor) -> Tensor:
        """`images` (batch, channels, height, width) in 0..1 as the network takes them.

        Returns (batch, height, width, channels).
        """
        return ((images - self._mean) / self._deviation).permute(0, 2, 3, 1).contiguous()

    def in_steps(self, steps: int, dt: float) -> Split:
        """The same: images stay as they are in all steps."""
        return self

    def examples(self, indices: Tensor, epoch: int, generator: Generator) -> tuple[Tensor, Tensor]:
        """Training examples at `indices` as the network takes them, augmented, and their labels.

        They are what is shown in this `epoch`, with random numbers of `generator`.
        """
        images, labels = self.training.batch(indices)
        return self.normalise(self.augmentation.apply(images, indices + epoch, generator)), labels

    def held_out(self, indices: Tensor) -> tuple[Tensor, Tensor]:
        """Validation examples at `indices` as the network takes them, and their labels."""
        images, labels = self.validation.batch(indices)
        return self.normalise(images), labels

    def sample(self) -> Iterator[Tensor]:
        """Batches of up to SAMPLE training images, evenly drawn, as the network takes them."""
        count = len(self.training)
        chosen = torch.from_numpy(spread(count, min(SAMPLE, count)))
        for part in chosen.split(SAMPLED_AT_ONCE):
            yield self.normalise(self.training.batch(part)[0])


class Images:
    """A data set on a device."""

    def __init__(self, dataset: Dataset, invert: bool, device: str) -> None:
        images = 255 - dataset.images if invert else dataset.images
        self.images = torch.from_numpy(np.ascontiguousarray(images)).to(device)
        self.labels = torch.from_numpy(dataset.labels).to(device)

    def __len__(self) -> int:
        return len(self.labels)

    def batch(self, indices: Tensor) -> tuple[Tensor, Tensor]:
        """Images (batch, channels, height, width) in 0..1 and labels at `indices`."""
        indices = indices.to(self.labels.device)
        return self.images[indices].permute(0, 3, 1, 2).float() / 255, self.labels[indices]
