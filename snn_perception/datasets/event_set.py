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

"""Labelled recordings of events in memory."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snn_perception.datasets.base import DatasetError, labels_in, spread
from snn_perception.datasets.finding import is_clutter
from snn_perception.datasets.recordings import (
    READERS,
    Recordings,
    find_recordings,
    load_recording,
)
from snn_perception.datasets.recordings_bags import BAG_FILE
from snn_perception.events.binning import binned
from snn_perception.events.shaping import EventShaping
from snn_perception.events.stream import Events
from snn_perception.threads import default_threads

LONGEST = np.iinfo(np.uint32).max
"""Microseconds that a recording may have, 71 minutes."""


@dataclass(frozen=True)
class EventSet:
    """Recordings of sensors of `width` x `height` pixels, with labels int64 (count,).

    Recording i is the events from `bounds[i]` to `bounds[i + 1]` of `t` (us from the beginning of
    the recording), `x`, `y` and `polarity` (1: on), in order of time. `names` tell recordings of
    one class apart. Otherwise as `Dataset`.
    """

    t: NDArray[np.uint32]
    x: NDArray[np.unsignedinteger]
    y: NDArray[np.unsignedinteger]
    polarity: NDArray[np.uint8]
    bounds: NDArray[np.int64]
    labels: NDArray[np.int64]
    names: NDArray[np.str_]
    class_names: tuple[str, ...]
    width: int
    height: int
    part: str = 'whole'
    unreadable: int = 0
    takes: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def recording(self, index: int) -> Events:
        """The recording number `index`."""
        part = slice(self.bounds[index], self.bounds[index + 1])
        return Events(
            self.t[part].astype(np.int64), self.x[part].astype(np.uint16),
            self.y[part].astype(np.uint16), self.polarity[part], self.width, self.height,
        )  # fmt: skip

    def counts(
        self, indices: NDArray[np.int64], shaping: EventShaping, dt: float, steps: int
    ) -> NDArray[np.uint8]:
        """Events of those at `indices` in `steps` steps of `dt` (s), see `inputs`.

        They have been through `shaping` already. Raises ValueError if that makes another size.
        """
        if shaping.shape[:2] != (self.height, self.width):
            raise ValueError(
                f'these recordings are of {self.height} rows and {self.width} columns, not of '
                f'{shaping.shape[0]} and {shaping.shape[1]}'
            )
        return np.stack(
            [binned(self.recording(index), dt, steps, 0) for index in indices.tolist()], axis=1
        )

    def subset(self, indices: NDArray[np.int64]) -> EventSet:
        """The recordings at `indices`."""
        lengths = np.diff(self.bounds)[indices]
        bounds = np.concatenate([[0], np.cumsum(lengths)])
        # Each event is as far from the first of its recording as before.
        chosen = np.arange(bounds[-1]) + np.repeat(self.bounds[indices] - bounds[:-1], lengths)
        takes = None if self.takes is None else self.takes[indices]
        return replace(
            self, t=self.t[chosen], x=self.x[chosen], y=self.y[chosen],
            polarity=self.polarity[chosen], bounds=bounds, labels=self.labels[indices],
            names=self.names[indices], takes=takes,
        )  # fmt: skip

    def matched_to(self, labels: tuple[str, ...]) -> EventSet:
        """See `Dataset.matched_to`."""
        return replace(self, labels=labels_in(labels, self), class_names=labels)


def load_event_set(
    folder: Path,
    shaping: EventShaping,
    held_out: bool = False,
    limit: int | None = None,
    progress: Callable[[Iterable], Iterable] = iter,
) -> EventSet:
    """The recordings per class in `folder`, as the network of `shaping` hears them.

    `held_out` chooses the part, see `find_recordings`; `limit` keeps an evenly spread part of at
    most so many. `progress` wraps their numbers. Raises DatasetError.
    """
    return _loaded(find_recordings(folder, held_out), shaping, limit, progress)


def load_unlabelled(
    folder: Path,
    shaping: EventShaping,
    limit: int | None = None,
    progress: Callable[[Iterable], Iterable] = iter,
) -> EventSet:
    """The same of all recordings below `folder`, however deep; their labels mean nothing."""
    if not folder.is_dir():
        raise DatasetError(f'{folder} is not a folder')
    paths = recordings_at(folder)
    if not paths:
        raise DatasetError(
            f'{folder} holds no recordings; these are bags of ROS 2 and files that end in '
            f'{", ".join(READERS)}'
        )
    found = Recordings(tuple(paths), np.zeros(len(paths), np.int64), ('',))
    return _loaded(found, shaping, limit, progress)


def recordings_at(path: Path) -> list[Path]:
    """The recording at `path`, or those below a folder; none if that is something else."""
    if path.is_dir() and not (path / BAG_FILE).is_file():
        inside = [one for one in sorted(path.iterdir()) if not is_clutter(one.name)]
        return [found for one in inside for found in recordings_at(one)]
    return [path] if path.is_dir() or path.suffix.lower() in READERS else []


def _loaded(
    found: Recordings,
    shaping: EventShaping,
    limit: int | None,
    progress: Callable[[Iterable], Iterable],
) -> EventSet:
    count = len(found) if limit is None else min(limit, len(found))
    chosen = spread(len(found), count)
    with ThreadPoolExecutor(default_threads(), 'recordings') as pool:
        paths = [found.paths[index] for index in chosen]
        recordings = pool.map(lambda path: _shaped(path, shaping), progress(paths))
        names = [path.stem for path in paths]
        events = packed(recordings, found.labels[chosen], names, found.class_names)
    return replace(events, part=found.part)


def _shaped(path: Path, shaping: EventShaping) -> Events:
    events = load_recording(path)
    try:
        return shaping.apply(shaping.rest(events.width, events.height), events)
    except ValueError as reason:
        raise DatasetError(f'{path} cannot be used: {reason}') from None


def packed(
    recordings: Iterable[Events],
    labels: NDArray[np.int64],
    names: Sequence[str],
    class_names: tuple[str, ...],
) -> EventSet:
    """The `recordings` with their `labels` and `names`.

    Raises DatasetError unless they are of sensors of one size, and none is too long.
    """
    parts, lengths, sizes = [], [], set()
    for events in recordings:
        start = events.t[0] if len(events) else 0
        if len(events) and events.t[-1] - start > LONGEST:
            raise DatasetError('recordings must not be longer than 71 minutes: cut them')
        # A byte less for each place on small sensors.
        place = np.min_scalar_type(max(events.width, events.height) - 1)
        columns: tuple[NDArray[Any], ...] = (
            events.t - start,
            events.x,
            events.y,
            events.polarity,
        )
        kinds: tuple[Any, ...] = np.uint32, place, place, np.uint8
        parts.append([each.astype(kind) for each, kind in zip(columns, kinds, strict=True)])
        lengths.append(len(events))
        sizes.add((events.width, events.height))
    if len(sizes) != 1:
        raise DatasetError(f'recordings must be of sensors of one size, not of {sizes or "none"}')
    [(width, height)] = sizes
    t, x, y, polarity = (np.concatenate(columns) for columns in zip(*parts, strict=True))
    bounds = np.concatenate([[0], np.cumsum(lengths)])
    return EventSet(t, x, y, polarity, bounds, labels, np.array(names), class_names, width, height)


def joined(parts: Sequence[EventSet]) -> EventSet:
    """All recordings of `parts`, one after the other; raises DatasetError if they do not fit."""
    first = parts[0]
    for part in parts:
        if (part.width, part.height) != (first.width, first.height):
            raise DatasetError(
                f'recordings of {part.width} x {part.height} pixels do not go together with '
                f'those of {first.width} x {first.height}'
            )
        if part.class_names != first.class_names:
            raise DatasetError(
                f'recordings of the classes {", ".join(part.class_names)} do not go together '
                f'with those of {", ".join(first.class_names)}'
            )
    ends = np.cumsum([0, *(part.bounds[-1] for part in parts)])
    bounds = [part.bounds[1:] + end for part, end in zip(parts, ends, strict=False)]
    names = ('t', 'x', 'y', 'polarity', 'labels', 'names')
    whole = {name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
    return replace(first, **whole, bounds=np.concatenate([[0], *bounds]), takes=None)
