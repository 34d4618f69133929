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

"""Parts of sets of recordings, and what input circuits say of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from snn_perception.datasets.recordings import Recordings, load_recording
from snn_perception.online.coding import Coding
from snn_perception.sentences import shown


def part_of(recordings: Recordings, indices: NDArray[np.int64]) -> Recordings:
    """Those at `indices`."""
    paths = tuple(recordings.paths[index] for index in indices)
    return replace(recordings, paths=paths, labels=recordings.labels[indices])


def first_of_each(recordings: Recordings, count: int) -> Recordings:
    """The first `count` of each class."""
    return part_of(recordings, np.concatenate([each[:count] for each in _by_class(recordings)]))


def evenly(recordings: Recordings, count: int) -> Recordings:
    """At most `count`, evenly spread."""
    if count >= len(recordings):
        return recordings
    return part_of(recordings, np.linspace(0, len(recordings) - 1, count).astype(np.int64))


def divided(recordings: Recordings, share: float) -> tuple[Recordings, Recordings]:
    """All but the last `share` of each class, and those; at least one of each class each.

    Raises ValueError for a class with too few.
    """
    taught, kept = [], []
    for name, indices in zip(recordings.class_names, _by_class(recordings), strict=True):
        count = max(1, round(share * len(indices)))
        if count >= len(indices):
            raise ValueError(
                f'of class {name} there are {len(indices)} recordings, too few to hold out {count}'
            )
        taught.append(indices[:-count])
        kept.append(indices[-count:])
    return tuple(part_of(recordings, np.concatenate(each)) for each in (taught, kept))  # type: ignore[return-value]


def require_labels(recordings: Recordings, labels: Sequence[str]) -> None:
    """Raise ValueError unless the classes of `recordings` are `labels`."""
    if recordings.class_names != tuple(labels):
        raise ValueError(
            f'the model knows {shown(list(labels))}, and the recordings are of '
            f'{shown(list(recordings.class_names))}'
        )


def encoded(
    recordings: Recordings, coding: Coding, generator: np.random.Generator
) -> list[NDArray[np.int16]]:
    """What the input circuits say (steps, circuits) of each; raises ValueError for odd ones."""
    said = []
    for path in recordings.paths:
        events = load_recording(path, coding.sensor)
        try:
            said.append(coding.encode(events, generator))
        except ValueError as reason:
            raise ValueError(f'{path}: {reason}') from None
    return said


def _by_class(recordings: Recordings) -> list[NDArray[np.int64]]:
    """The indices of each class."""
    numbers = range(len(recordings.class_names))
    return [np.flatnonzero(recordings.labels == number) for number in numbers]
