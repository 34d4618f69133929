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

"""Random damage to training images, as cameras in the field do it."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from snn_perception.training import camera_effects as effects

BEST_QUALITY = 95
"""Of JPEG; compression beyond this is not seen."""
BOUNDS = {
    'share': 1.0,
    'chance': 1.0,
    'defocus': 64.0,
    'motion': 128.0,
    'exposure': 8.0,
    'white_balance': 4.0,
    'haze': 1.0,
    'shot_noise': 255.0,
    'read_noise': 255.0,
    'contrast': 1.0,
    'saturation': 1.0,
    'shrinking': 0.9,
    'jpeg': 94.0,
    'mixing': 1.0,
}
"""The largest value of each field; the lowest is 0."""


@dataclass(frozen=True)
class CameraAugmentation:
    """How strong the effects of lens, sensor and processing get; 0 leaves one out.

    The `share` of images (0 to 1) meets a camera. Each effect happens to the part `chance` of
    these, with a strength between none and what is said here, all equally likely:

    - haze: share of white light over the whole image,
    - defocus: radius in pixels of what becomes of a point, motion: length in pixels of the way
      while the image was exposed, both in pixels of the network's input,
    - exposure: stops, more or less; white_balance: stops of red and of blue, more or less,
    - shot_noise: standard deviation in levels of 255 of the noise of photons where the image is
      white; read_noise: that of the noise that is the same everywhere,
    - contrast and saturation: fractions, more or less,
    - shrinking: fraction of the rows and columns that are lost when an image is made smaller,
      and larger again, by filters drawn by chance,
    - jpeg: the lowest quality.

    They follow on each other in this order. `mixing` is the largest share that the image as it
    was keeps (as in AugMix: Hendrycks et al., "AugMix: A simple data processing method to
    improve robustness and uncertainty", 2020). Raises ValueError for values out of range.
    """

    share: float = 0.0
    chance: float = 0.4
    haze: float = 0.0
    defocus: float = 0.0
    motion: float = 0.0
    exposure: float = 0.0
    white_balance: float = 0.0
    shot_noise: float = 0.0
    read_noise: float = 0.0
    contrast: float = 0.0
    saturation: float = 0.0
    shrinking: float = 0.0
    jpeg: float = 0.0
    mixing: float = 0.0

    def __post_init__(self) -> None:
        for name, highest in BOUNDS.items():
            value = getattr(self, name)
            if not 0 <= value <= highest:
                raise ValueError(
                    f'{name} of the camera in the augmentation must be between 0 and '
                    f'{highest:g}, not {value}'
                )

    def apply(self, images: Tensor, generator: Generator | None = None) -> Tensor:
        """Copies of `images` (batch, channels, height, width) in 0..1, some of them damaged.

        Random numbers come from `generator`, which must be on the device of `images`.
        """
        draw = Draw(images.device, generator)
        meets = draw.uniform(len(images)) < self.share
        result = images.clone()
        for effect in self._effects:
            hit = torch.nonzero(meets & (draw.uniform(len(images)) < self.chance)).flatten()
            if len(hit):
                result[hit] = effect(result[hit], draw)
        if self.mixing:
            kept = draw.uniform(len(images), 0, self.mixing)
            result = torch.lerp(result, images, kept.view(-1, 1, 1, 1))
        return result.clamp_(0, 1)

    @property
    def seen_damages(self) -> frozenset[str]:
        """The kinds of `evaluation.damage` that these effects resemble."""
        names = (name for name, kinds in RESEMBLED.items() if self.share and getattr(self, name))
        return frozenset(kind for name in names for kind in RESEMBLED[name])

    @property
    def _effects(self) -> list[Effect]:
        """Those that there are, in the order in which light and data meet them."""
        all_of_them: tuple[tuple[float, Effect], ...] = (
            (self.haze, self._veil),
            (self.defocus, self._defocus),
            (self.motion, self._move),
            (self.exposure, self._expose),
            (self.white_balance, self._balance_white),
            (self.shot_noise + self.read_noise, self._add_noise),
            (self.contrast, self._change_contrast),
            (self.saturation, self._change_saturation),
            (self.shrinking, self._shrink),
            (self.jpeg, self._compress),
        )
        return [effect for strength, effect in all_of_them if strength]

    def _veil(self, images: Tensor, draw: Draw) -> Tensor:
        return effects.veil(images, draw.uniform(len(images), 0, self.haze))

    def _defocus(self, images: Tensor, draw: Draw) -> Tensor:
        return effects.defocus(images, draw.uniform(len(images), 0, self.defocus))

    def _move(self, images: Tensor, draw: Draw) -> Tensor:
        length, angle = (draw.uniform(len(images), 0, most) for most in (self.motion, math.pi))
        return effects.move(images, length, angle)

    def _expose(self, images: Tensor, draw: Draw) -> Tensor:
        return effects.expose(images, draw.more_or_less(len(images), self.exposure))

    def _balance_white(self, images: Tensor, draw: Draw) -> Tensor:
        red, blue = (draw.more_or_less(len(images), self.white_balance) for _ in range(2))
        return effects.balance_white(images, red, blue)

    def _add_noise(self, images: Tensor, draw: Draw) -> Tensor:
        deviations = self.shot_noise / 255, self.read_noise / 255
        shot, read = (draw.uniform(len(images), 0, most) for most in deviations)
        return effects.add_noise(images, shot, read, draw.generator)

    def _change_contrast(self, images: Tensor, draw: Draw) -> Tensor:
        return effects.change_contrast(images, 1 + draw.more_or_less(len(images), self.contrast))

    def _change_saturation(self, images: Tensor, draw: Draw) -> Tensor:
        factor = 1 + draw.more_or_less(len(images), self.saturation)
        return effects.change_saturation(images, factor)

    def _shrink(self, images: Tensor, draw: Draw) -> Tensor:
        factor = 1 / (1 - draw.uniform(len(images), 0, self.shrinking))
        filters = draw.uniform(len(images), 0, effects.FILTERS).long()
        return effects.shrink(images, factor, filters)

    def _compress(self, images: Tensor, draw: Draw) -> Tensor:
        return effects.compress(images, draw.uniform(len(images), self.jpeg, BEST_QUALITY))


@dataclass(frozen=True)
class Draw:
    """Random numbers on `device` from `generator`, or from PyTorch's own."""

    device: torch.device
    generator: Generator | None

    def uniform(self, count: int, low: float = 0.0, high: float = 1.0) -> Tensor:
        """`count` numbers from `low` to `high`."""
        drawn = torch.rand(count, device=self.device, generator=self.generator)
        return drawn * (high - low) + low

    def more_or_less(self, count: int, most: float) -> Tensor:
        """`count` numbers from -`most` to `most`."""
        return self.uniform(count, -most, most)


Effect = Callable[[Tensor, Draw], Tensor]

RESEMBLED = {
    'haze': ('fog',),
    'defocus': ('defocus_blur', 'gaussian_blur'),
    'motion': ('motion_blur',),
    'exposure': ('brightness', 'darkness', 'camera'),
    'white_balance': ('camera',),
    'shot_noise': ('shot_noise', 'camera'),
    'read_noise': ('gaussian_noise', 'camera'),
    'contrast': ('contrast',),
    'saturation': ('saturate',),
    'shrinking': ('pixelate',),
    'jpeg': ('jpeg_compression', 'camera'),
}
"""Kinds of damage in `evaluation.damage` that are like an effect here."""
