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

"""What an event camera can play: recordings, and images that move before a simulated sensor."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from snn_perception.datasets.event_set import recordings_at
from snn_perception.datasets.recordings import load_recording
from snn_perception.datasets.simulated import Simulation
from snn_perception.datasets.sources import Picture, open_source
from snn_perception.events.stream import Events
from snn_perception.locations import resolve_path

BLUR = 0.5
"""Pixels by which the lens of the simulated sensor blurs."""


@dataclass(frozen=True)
class Clip:
    """Events from 0 us on, and a picture of what they are of, None of a recording."""

    events: Events
    name: str
    label: str
    picture: NDArray[np.uint8] | None = None


def open_clips(
    location: str,
    size: tuple[int, int],
    image_size: int,
    loop: bool,
    shuffle: bool,
    warn: Callable[[str], None],
) -> Iterator[Clip]:
    """What there is at `location`, one after the other, again and again with `loop`.

    Images become `image_size` pixels large before a sensor of `size` (width, height), which is
    also that of recordings that do not say it. Looks for the source at once; raises ValueError
    with a sentence if there is none, or none that can be played, then or while it is played.
    Single recordings and images of a folder that cannot be are skipped with a sentence to `warn`.
    """
    path = resolve_path(location)
    recordings = recordings_at(path)
    if recordings:
        return _played(recordings, size, loop, warn)
    pictures = open_source(location, loop, shuffle, warn)
    return (
        _simulated(picture, size, image_size, seed)
        for picture, seed in zip(pictures, count(), strict=False)
    )


def _played(
    paths: list[Path], size: tuple[int, int], loop: bool, warn: Callable[[str], None]
) -> Iterator[Clip]:
    left = list(paths)
    while True:
        for path in paths:
            if path not in left:
                continue
            try:
                events = _from_zero(path, size)
            except ValueError as reason:
                left.remove(path)
                if not left:
                    raise
                warn(f'a recording is skipped: {reason}')
                continue
            yield Clip(events, str(path), path.parent.name)
        if not loop:
            return


def _from_zero(path: Path, size: tuple[int, int]) -> Events:
    events = load_recording(path, size)
    if not len(events):
        raise ValueError(f'{path} has no events to play')
    return Events(
        events.t - events.t[0],
        *(events.x, events.y, events.polarity, events.width, events.height),
    )


def _simulated(picture: Picture, size: tuple[int, int], image_size: int, seed: int) -> Clip:
    pixels = picture.pixels
    grey = np.asarray(cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)) if pixels.ndim == 3 else pixels
    scale = image_size / max(grey.shape)
    rows, columns = (max(1, round(scale * edge)) for edge in grey.shape)
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    image = np.asarray(cv2.resize(grey, (columns, rows), interpolation=method), np.uint8)
    events = Simulation(blur=BLUR).record(image, size[1], size[0], seed)
    return Clip(events, picture.name, picture.label, pixels)
