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

"""Random changes to training images that keep their meaning, with a single resampling."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from snn_perception.training.camera_augmentation import CameraAugmentation


@dataclass(frozen=True)
class Augmentation:
    """Bounds of uniform random changes to each image.

    `rotation` is in degrees, `scale` and `shear` are fractions, `translation` is in pixels.
    `elastic` is the standard deviation in pixels of a smooth random displacement. `shift` moves
    an image by whole pixels, which blurs nothing, and fills the gap with its mirror image.
    `flip` mirrors each image every second time that it is shown. `erase` is the side in pixels
    of a square that is painted, at a random place, in the mean colour of the image, as if
    something hid it. `camera` is what cameras do to images. Raises ValueError for values out of
    range.
    """

    rotation: float = 0.0
    scale: float = 0.0
    shear: float = 0.0
    translation: float = 0.0
    elastic: float = 0.0
    shift: int = 0
    flip: bool = False
    erase: int = 0
    camera: CameraAugmentation = field(default_factory=CameraAugmentation)

    def __post_init__(self) -> None:
        for name in ('rotation', 'scale', 'shear', 'translation', 'elastic', 'shift', 'erase'):
            value = getattr(self, name)
            if not (math.isfinite(value) and value >= 0):
                raise ValueError(f'{name} of the augmentation must be 0 or more, not {value}')
        if self.scale >= 1:
            raise ValueError(f'scale of the augmentation must be under 1, not {self.scale}')

    @property
    def resamples(self) -> bool:
        """Whether images are resampled at all."""
        return any((self.rotation, self.scale, self.shear, self.translation, self.elastic))

    def apply(self, images: Tensor, turns: Tensor, generator: Generator | None = None) -> Tensor:
        """Changed copies of `images` (batch, channels, height, width) in 0..1.

        `turns` (batch) are integers that go up by one each time the same image is shown; it is
        mirrored when they are odd (alternating flips: Jordan, "94% on CIFAR-10 in 3.29 seconds on
        a single GPU", 2024). Random numbers come from `generator`, which must be on the device of
        `images`.
        """
        random: dict[str, Any] = {'device': images.device, 'generator': generator}
        if self.flip:
            mirrored = (turns.to(images.device) % 2 == 1).view(-1, 1, 1, 1)
            images = torch.where(mirrored, images.flip(3), images)
        if self.resamples:
            grid = self._grid(images, random)
            images = F.grid_sample(images, grid, padding_mode='zeros', align_corners=False)
        if self.shift:
            images = self._shifted(images, random)
        if self.erase:
            mean = images.mean(dim=(2, 3), keepdim=True)
            images = torch.where(self._outside_square(images, random), images, mean)
        return self.camera.apply(images, generator) if self.camera.share else images

    @property
    def seen_damages(self) -> frozenset[str]:
        """See `CameraAugmentation.seen_damages`."""
        return self.camera.seen_damages

    def _grid(self, images: Tensor, random: dict[str, Any]) -> Tensor:
        """The place that each pixel is taken from: (batch, height, width, 2), in -1..1."""
        batch, _, height, width = images.shape
        uniform = torch.rand(6, batch, **random) * 2 - 1
        angle = uniform[0] * math.radians(self.rotation)
        scale_x, scale_y = 1 + uniform[1] * self.scale, 1 + uniform[2] * self.scale
        shear = uniform[3] * self.shear
        cosine, sine = torch.cos(angle), torch.sin(angle)
        shift = uniform[4:] * self.translation
        rows = (
            (scale_x * cosine, scale_x * (shear * cosine - sine), 2 * shift[0] / width),
            (scale_y * sine, scale_y * (shear * sine + cosine), 2 * shift[1] / height),
        )
        theta = torch.stack([torch.stack(row, dim=1) for row in rows], dim=1)
        grid = F.affine_grid(theta, list(images.shape), align_corners=False)
        if self.elastic:
            coarse = torch.randn(batch, 2, 5, 5, **random)
            smooth = F.interpolate(coarse, (height, width), mode='bicubic', align_corners=True)
            size = torch.tensor((width, height), device=images.device)
            grid = grid + smooth.permute(0, 2, 3, 1) * (2 * self.elastic / size)
        return grid

    def _shifted(self, images: Tensor, random: dict[str, Any]) -> Tensor:
        """Each image moved by random whole pixels of its own."""
        batch, channels, height, width = images.shape
        padded = F.pad(images, (self.shift,) * 4, mode='reflect')
        first = torch.randint(2 * self.shift + 1, (2, batch, 1), **random)
        rows = first[0] + torch.arange(height, device=images.device)
        columns = first[1] + torch.arange(width, device=images.device)
        places = rows[:, :, None] * padded.shape[3] + columns[:, None, :]
        places = places.view(batch, 1, -1).expand(batch, channels, -1)
        return padded.flatten(2).gather(2, places).view_as(images)

    def _outside_square(self, images: Tensor, random: dict[str, Any]) -> Tensor:
        """False inside the random square of each image, True elsewhere."""
        batch, _, height, width = images.shape
        corner = torch.rand(2, batch, 1, 1, **random)
        keep = []
        for size, first, shape in ((height, corner[0], (-1, 1)), (width, corner[1], (1, -1))):
            start = (first * (size - self.erase + 1)).floor()
            position = torch.arange(size, device=images.device).view(shape)
            keep.append((position < start) | (position >= start + self.erase))
        return (keep[0] | keep[1])[:, None]
