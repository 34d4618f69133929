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

"""Recordings of events as the input of a network in training, changed at random on the way."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from snn_perception.compiled import compiled
from snn_perception.datasets.event_set import EventSet


@dataclass(frozen=True)
class EventAugmentation:
    """Bounds of uniform random changes to each recording in time and space.

    `rotation` is in degrees, `scale`, `shear` and `speed` are fractions, `translation` is in
    pixels. A recording is seen from a moment on that is between 0 and `latest_start` (s) after
    its beginning, or for `delay` (s) before that there is nothing. All these moments are
    equally likely, unless `beginnings` says in what share of recordings the beginning is seen.
    The time of each event is off by a normal `jitter` (s). `drop` is the largest share of
    events that get lost, and `noise_rate` (Hz) the largest rate of events by chance in each
    pixel. With `flip_polarity`, half of the recordings have light and dark swapped. Raises
    ValueError for values out of range.
    """

    rotation: float = 0.0
    scale: float = 0.0
    shear: float = 0.0
    translation: float = 0.0
    speed: float = 0.0
    latest_start: float = 0.0
    delay: float = 0.0
    beginnings: float = 0.0
    jitter: float = 0.0
    drop: float = 0.0
    noise_rate: float = 0.0
    flip_polarity: bool = False

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not (math.isfinite(value) and value >= 0):
                raise ValueError(
                    f'{field.name} of the event_augmentation must be 0 or more, not {value}'
                )
            if field.name in ('scale', 'speed', 'drop', 'beginnings') and value >= 1:
                raise ValueError(
                    f'{field.name} of the event_augmentation must be under 1, not {value}'
                )

    @property
    def turns_space(self) -> bool:
        """Whether events are moved at all."""
        return any((self.rotation, self.scale, self.shear, self.translation))

    def draw(self, count: int, random: Generator) -> NDArray[np.float64]:
        """Changes of `count` recordings by chance, (count, 11) as `binned` takes them."""
        uniform = random.uniform(-1, 1, (count, 11))
        angle = uniform[:, 0] * math.radians(self.rotation)
        across, down = 1 + uniform[:, 1] * self.scale, 1 + uniform[:, 2] * self.scale
        shear = uniform[:, 3] * self.shear
        cosine, sine = np.cos(angle), np.sin(angle)
        moments = -self.delay, 0, self.latest_start
        beginnings = self.beginnings or self.delay / ((self.delay + self.latest_start) or 1)
        start = np.interp((uniform[:, 6] + 1) / 2, (0, beginnings, 1), moments)
        return np.column_stack(
            [
                across * cosine, across * (shear * cosine - sine),
                uniform[:, 4] * self.translation,
                down * sine, down * (shear * sine + cosine),
                uniform[:, 5] * self.translation,
                1e6 * start, 1 + uniform[:, 7] * self.speed,
                (uniform[:, 8] + 1) / 2 * self.drop, (uniform[:, 9] + 1) / 2 * self.noise_rate,
                (uniform[:, 10] < 0) & self.flip_polarity,
            ]
        )  # fmt: skip


NOTHING = EventAugmentation()


def binned(
    recordings: EventSet,
    indices: NDArray[np.int64],
    steps: int,
    dt: float,
    augmentation: EventAugmentation = NOTHING,
    random: Generator | None = None,
) -> NDArray[np.uint8]:
    """Counts of events (steps, batch, height, width, 2) of the `recordings` at `indices`.

    Each of the `steps` has `dt` (s). The changes of the `augmentation` come from `random`.
    """
    random = random or np.random.default_rng(0)
    shape = steps, len(indices), recordings.height, recordings.width, 2
    counts = np.zeros(shape, np.uint8)
    _bin(
        recordings.t, recordings.x, recordings.y, recordings.polarity, recordings.bounds,
        np.asarray(indices), 1e6 * dt, augmentation.draw(len(indices), random),
        augmentation.turns_space, 1e6 * augmentation.jitter, random, counts,
    )  # fmt: skip
    return counts


@compiled()
def _bin(
    t: Any,
    x: Any,
    y: Any,
    polarity: Any,
    bounds: Any,
    indices: Any,
    dt: Any,
    changes: Any,
    turns: Any,
    jitter: Any,
    random: Any,
    counts: Any,
) -> None:
    """Count events in `counts`; times and `dt` are in us."""
    steps, _, height, width, _ = counts.shape
    middle_x, middle_y = (width - 1) / 2, (height - 1) / 2
    for place in range(len(indices)):
        change = changes[place]
        start, speed, drop, flip = change[6], change[7], change[8], change[10] > 0
        for event in range(bounds[indices[place]], bounds[indices[place] + 1]):
            time = (t[event] - start) / speed
            if jitter > 0:
                time += jitter * random.standard_normal()
            step = int(np.floor(time / dt))
            if step >= steps + 5 * jitter / dt:
                break
            if not 0 <= step < steps or (drop > 0 and random.random() < drop):
                continue
            column, row = int(x[event]), int(y[event])
            if turns:
                # Somewhere within the pixel.
                across = column - middle_x + random.random() - 0.5
                down = row - middle_y + random.random() - 0.5
                column = int(
                    np.floor(change[0] * across + change[1] * down + change[2] + middle_x + 0.5)
                )
                row = int(
                    np.floor(change[3] * across + change[4] * down + change[5] + middle_y + 0.5)
                )
                if not (0 <= column < width and 0 <= row < height):
                    continue
            channel = (polarity[event] != 0) != flip
            if counts[step, place, row, column, int(channel)] < 255:
                counts[step, place, row, column, int(channel)] += 1
        noise = random.poisson(change[9] * 1e-6 * dt * steps * height * width)
        for _ in range(noise):
            step, row = int(random.random() * steps), int(random.random() * height)
            column, channel = int(random.random() * width), int(random.random() * 2)
            if counts[step, place, row, column, channel] < 255:
                counts[step, place, row, column, channel] += 1
