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

"""Every kind of damage by name, and how much of it: `gaussian_noise:3`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from snn_perception.evaluation.damage import blurs, camera, digital, noises, weather
from snn_perception.evaluation.damage.pixels import Image, levels, values
from snn_perception.evaluation.damage.published import Row, published_for
from snn_perception.sentences import shown

SEED = 0
SEVERITIES = 1, 2, 3, 4, 5
ALL = 'all'
"""Stands for all kinds of damage."""

KINDS: dict[str, Callable[..., Image]] = {
    each.__name__: each
    for each in (
        *(noises.gaussian_noise, noises.shot_noise, noises.impulse_noise, noises.speckle_noise),
        *(blurs.defocus_blur, blurs.gaussian_blur, blurs.glass_blur, blurs.motion_blur),
        *(blurs.zoom_blur, weather.fog, weather.snow, digital.brightness, digital.saturate),
        *(digital.contrast, digital.elastic_transform, digital.pixelate),
        *(digital.jpeg_compression, camera.darkness, camera.camera),
    )
}
OWN: dict[str, Row] = {'darkness': camera.DARKNESS, 'camera': camera.CAMERA}
"""The severities of the kinds that are ours; they are the same for images of any size."""


@dataclass(frozen=True)
class Damage:
    """A `kind` of damage, one of KINDS, at a `severity`, one of SEVERITIES."""

    kind: str
    severity: int

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(
                f'unknown kind of damage {shown(self.kind)}; known are {", ".join(KINDS)}'
            )
        if self.severity not in SEVERITIES:
            raise ValueError(f'severity of damage must be from 1 to 5, not {self.severity}')

    def __str__(self) -> str:
        return f'{self.kind}:{self.severity}'


def parse(text: str, channels: int = 3) -> list[Damage]:
    """The damage that `text` names, such as `fog:3`; `all:3` is all kinds for these `channels`.

    Raises ValueError with a sentence that says what there is.
    """
    kind, colon, severity = text.partition(':')
    if not colon or severity not in map(str, SEVERITIES):
        raise ValueError(
            f'damage must be KIND:SEVERITY with a severity from 1 to 5, such as fog:3, not '
            f'{shown(text)}'
        )
    if kind == ALL:
        return every_kind(int(severity), channels)
    if kind not in KINDS:
        raise ValueError(
            f'unknown kind of damage {shown(kind)}; known are {", ".join(KINDS)}, and {ALL}'
        )
    return [Damage(kind, int(severity))]


def every_kind(severity: int, channels: int) -> list[Damage]:
    """All kinds at `severity` for images of so many `channels`: grey ones cannot be saturated."""
    return [Damage(kind, severity) for kind in KINDS if channels > 1 or kind != 'saturate']


def damage_images(images: NDArray[np.uint8], kind: str, severity: int) -> NDArray[np.uint8]:
    """`images` (count, height, width, channels), grey or RGB, with this damage; a new array.

    The published severities are those for the size nearest to that of the images, see
    `published`. An image is damaged the same way every time, and in a way of its own that depends
    on its position alone. Raises ValueError for an unknown kind or severity.
    """
    damage = Damage(kind, severity)
    rows = OWN if kind in OWN else published_for(min(images.shape[1:3]))
    parameters: Sequence[float] = rows[kind][damage.severity - 1]
    damaged = np.empty_like(images)
    for index, image in enumerate(images):
        random = np.random.default_rng((SEED, index))
        damaged[index] = levels(KINDS[kind](values(image), random, *parameters))
    return damaged
