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

"""Recordings of an event camera that never was: simulated from labelled images in motion."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from snn_perception.datasets.base import Dataset, DatasetError, spread
from snn_perception.datasets.event_set import EventSet, packed
from snn_perception.events.saccades import SACCADES, Motion, moved
from snn_perception.events.simulation import Sensor, SimulatedSensor
from snn_perception.events.stream import Events
from snn_perception.threads import default_threads

Progress = Callable[[Iterable], Iterable]


@dataclass(frozen=True)
class Simulation:
    """How recordings are made of images: each moves once before a sensor, which starts at rest.

    At most `images` of them are taken, evenly drawn, or all if it is 0. On the sensor an image
    has `image_shape` (rows, columns) pixels, or those of the sensor if there are none, and is as
    sharp as if it were seen through a Gaussian of `blur` pixels. `invert` swaps light and dark
    first. With `numbered`, recordings of the same scenes are named by the numbers of the images,
    from 1, as in N-MNIST. A network that learns from real recordings, too, sees each of these
    `repeats` times as often. Raises ValueError for values out of range.
    """

    images: int = 0
    image_shape: tuple[int, int] | None = None
    blur: float = 0.0
    invert: bool = False
    numbered: bool = False
    repeats: int = 1
    sensor: Sensor = field(default_factory=Sensor)
    motion: Motion = SACCADES

    def __post_init__(self) -> None:
        for name, least in (('images', 0), ('repeats', 1)):
            if (value := getattr(self, name)) < least:
                raise ValueError(f'{name} of the simulation must be {least} or more, not {value}')
        if self.image_shape is not None and min(self.image_shape) < 1:
            raise ValueError(
                f'image_shape of the simulation must be two numbers of pixels, '
                f'not {self.image_shape}'
            )
        if not 0 <= self.blur < 100:
            raise ValueError(f'blur of the simulation must be 0 to 100 pixels, not {self.blur}')

    def record(self, image: NDArray[np.uint8], height: int, width: int, seed: int) -> Events:
        """What a sensor of `height` x `width` pixels, drawn with `seed`, sees of `image`.

        image: grey levels of the size that it has on the sensor.
        """
        if self.invert:
            image = np.bitwise_not(image)
        if self.blur:
            # As far as the motion shows what is beyond the edges.
            edge = max(height, width)
            image = np.pad(image, edge, mode='edge')
            image = np.asarray(cv2.GaussianBlur(image, (0, 0), self.blur), np.uint8)
        sensor = SimulatedSensor(self.sensor, height, width, seed)
        return sensor.see(*moved(image, self.motion, height, width))


def simulated(
    dataset: Dataset,
    simulation: Simulation,
    height: int,
    width: int,
    seed: int = 0,
    progress: Progress = iter,
) -> EventSet:
    """Recordings of a sensor of `height` x `width` pixels, of the images of `dataset`.

    Images are grey and of the size that they have on the sensor. Recordings are named by the
    numbers of their images in `dataset`, from 1, and depend on nothing else but them, the
    `simulation` and `seed`; `progress` wraps the numbers. Raises DatasetError for images in
    colour.
    """
    if dataset.images.shape[3] != 1:
        raise DatasetError('events are simulated of grey images, and these have colours')
    count = min(simulation.images or len(dataset), len(dataset))
    chosen = spread(len(dataset), count)

    def record(index: int) -> Events:
        own_seed = int(np.random.SeedSequence((seed, index)).generate_state(1)[0])
        return simulation.record(dataset.images[index, :, :, 0], height, width, own_seed)

    with ThreadPoolExecutor(default_threads(), 'simulation') as pool:
        recordings = progress(pool.map(record, chosen.tolist()))
        names = [f'{index + 1:05d}' for index in chosen]
        return packed(recordings, dataset.labels[chosen], names, dataset.class_names)
