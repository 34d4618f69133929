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

"""Recordings of events from folders: read where there are some, else simulated from images."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from pathlib import Path

from tqdm import tqdm

from snn_perception.datasets import DatasetError, load_dataset
from snn_perception.datasets.event_set import EventSet, joined, load_event_set
from snn_perception.datasets.recordings import find_recordings
from snn_perception.datasets.simulated import Progress, Simulation, simulated
from snn_perception.events.shaping import EventShaping
from snn_perception.images import Preprocessing

LOG = logging.getLogger(__name__)


def load_events(
    folders: list[Path],
    shaping: EventShaping,
    simulation: Simulation,
    seed: int,
    skip_unreadable: bool = False,
) -> tuple[EventSet, EventSet | None]:
    """What is in `folders`, each of recordings or images per class, as a network hears it.

    From images recordings are made by `simulation` with `seed`. Returns the real recordings and
    the simulated ones, or all that there is and None. Raises DatasetError.
    """
    real, made = [], []
    for folder in folders:
        reason = _why_no_recordings(folder)
        if not reason:
            real.append(load_event_set(folder, shaping, progress=_progress('reading')))
            continue
        try:
            made.append(_simulated(folder, shaping, simulation, seed, skip_unreadable))
        except DatasetError as other:
            raise DatasetError(f'{reason}; and for images to simulate: {other}') from None
    if not real:
        return joined(made), None
    return joined(real), joined(made) if made else None


def _why_no_recordings(folder: Path) -> str:
    """Why there are no recordings per class in `folder`, empty if there are."""
    try:
        find_recordings(folder)
    except DatasetError as reason:
        return str(reason)
    return ''


def _simulated(
    folder: Path, shaping: EventShaping, simulation: Simulation, seed: int, skip_unreadable: bool
) -> EventSet:
    height, width, _ = shaping.shape
    shape = *(simulation.image_shape or (height, width)), 1
    images = load_dataset(
        folder, Preprocessing(shape, (0.0,), (1.0,)), skip_unreadable=skip_unreadable
    )
    LOG.info('%s: recordings are simulated from these images', folder)
    return simulated(images, simulation, height, width, seed, _progress('simulating'))


def _progress(what: str) -> Progress:
    def wrapped(items: Iterable) -> Iterable:
        return tqdm(items, desc=what, unit='recording', disable=None)

    return wrapped
