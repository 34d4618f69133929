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

"""Recordings and a recipe so small that training on events takes a second."""

from __future__ import annotations

import numpy as np
from tiny_training import CONTENT, tiny_recipe

from snn_perception.datasets.event_set import EventSet, packed
from snn_perception.events.stream import Events

CLASSES = ('nw', 'ne', 'sw', 'se')
PARTS = {
    'input': {'kind': 'events', 'shape': [8, 8, 2]},
    'augmentation': {},
    'event_augmentation': {'translation': 0.5, 'jitter': 0.001},
    'fine_tuning': {
        **CONTENT['fine_tuning'],
        'presentation_time': 0.05,
        'start_time': 0.01,
        'time_step': 0.002,
        'parts': 5,
    },
}


def event_recipe(**changes):
    return tiny_recipe(**{**PARTS, **changes})


def tiny_recordings(count: int = 400) -> EventSet:
    """60 ms of noise of 30 Hz a pixel, and 150 Hz more in the quarter that is the class."""
    random = np.random.default_rng(0)
    labels = np.arange(count) % 4
    names = [f'{number:05d}' for number in range(count)]
    recordings = (_recording(int(label), random) for label in labels)
    return packed(recordings, labels.astype(np.int64), names, CLASSES)


def _recording(label: int, random: np.random.Generator) -> Events:
    row, column = divmod(label, 2)
    noise, signal = random.poisson(30 * 64 * 0.06), random.poisson(150 * 16 * 0.06)
    x = np.concatenate(
        [random.integers(8, size=noise), 4 * column + random.integers(4, size=signal)]
    )
    y = np.concatenate([random.integers(8, size=noise), 4 * row + random.integers(4, size=signal)])
    total = noise + signal
    order = random.permutation(total)
    times = np.sort(random.integers(60_000, size=total))
    return Events.of(times, x[order], y[order], random.integers(2, size=total), 8, 8)


def same(one: Events, other: Events) -> bool:
    return all(
        np.array_equal(getattr(one, name), getattr(other, name)) and
        getattr(one, name).dtype == getattr(other, name).dtype
        for name in ('t', 'x', 'y', 'polarity')
    )  # fmt: skip


def written(folder, recordings):
    """The recordings as files of NumPy in a folder for each class."""
    for index, (label, name) in enumerate(zip(recordings.labels, recordings.names, strict=True)):
        place = folder / recordings.class_names[label]
        place.mkdir(parents=True, exist_ok=True)
        events = recordings.recording(index)
        np.savez(
            place / f'{name}.npz', t=events.t + 10**9, x=events.x, y=events.y, p=events.polarity,
            width=8, height=8,
        )  # fmt: skip
