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

"""Recordings of event cameras from disk: files of several kinds, and folders of them per class."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from snn_perception.datasets.base import DatasetError
from snn_perception.datasets.finding import is_clutter, listed
from snn_perception.datasets.layout import class_root
from snn_perception.datasets.recordings_aedat import read_aedat4
from snn_perception.datasets.recordings_bags import BAG_FILE, read_bag
from snn_perception.datasets.recordings_plain import read_bin, read_columns
from snn_perception.datasets.recordings_raw import read_raw
from snn_perception.events.decoder import Decoded, Faults
from snn_perception.events.stream import Events, concatenate

logger = logging.getLogger(__name__)

Size = tuple[int, int]
"""Width and height of a sensor."""

READERS: dict[str, Callable[[Path, Size | None], Iterator[Decoded]]] = {
    '.raw': read_raw,
    '.aedat4': read_aedat4,
    '.bin': read_bin,
    '.npz': read_columns,
    '.npy': read_columns,
    '.db3': read_bag,
    '.mcap': read_bag,
}
"""By the endings of files, in lower case; a folder is a bag if BAG_FILE is in it."""


@dataclass(frozen=True)
class Recordings:
    """Recordings with the class of each: int64 `labels` (count,), indices of `class_names`.

    `part` is what they are of what lies on the disk, as in `Dataset`.
    """

    paths: tuple[Path, ...]
    labels: NDArray[np.int64]
    class_names: tuple[str, ...]
    part: str = 'whole'

    def __len__(self) -> int:
        return len(self.paths)


def load_recording(path: Path, size: Size | None = None) -> Events:
    """All events of the recording at `path`; what is wrong with some, a warning in the log says.

    A file of Prophesee (.raw, EVT 2.0, 2.1 or 3.0), iniVation (.aedat4), N-MNIST (.bin) or NumPy
    (.npz, .npy: t in microseconds, x, y, and p or polarity), or a bag of ROS 2, a folder or one
    of its files. Events are of the sensor that it names, else of one of `size`, its width and
    height. Raises DatasetError for what cannot be read at all.
    """
    pieces = list(read_recording(path, size))
    faults = sum((piece.faults for piece in pieces), Faults())
    if faults:
        logger.warning(f'{path}: {faults}')
    try:
        return concatenate([piece.events for piece in pieces])
    except ValueError as reason:
        raise DatasetError(f'{path} cannot be used: {reason}') from None


def read_recording(path: Path, size: Size | None = None) -> Iterator[Decoded]:
    """The same piece by piece, at least one, so that long ones need not be in memory."""
    reader = _reader_of(path)
    try:
        yield from reader(path, size)
    except DatasetError:
        raise
    except (OSError, ValueError) as reason:
        raise DatasetError(f'{path} cannot be read: {reason}') from None


def find_recordings(folder: Path, held_out: bool = False) -> Recordings:
    """The recordings in the folder of each class in `folder`, as N-MNIST has them.

    Where data is divided they are those for training, or with `held_out` those for testing or
    validation. What is skipped, a warning in the log says. Raises DatasetError if there are none.
    """
    if not folder.is_dir():
        raise DatasetError(f'{folder} is not a folder')
    root, part = class_root(folder, held_out)
    found: list[Path] = []
    others: list[Path] = []
    for path in _walked(root):
        is_one = path.parent != root and (path.is_dir() or path.suffix.lower() in READERS)
        (found if is_one else others).append(path)
    if not found:
        raise DatasetError(
            f'{root} holds no folder of recordings per class; recordings are bags of ROS 2 and '
            f'files that end in {", ".join(READERS)}'
        )
    if others:
        skipped = listed([path.name for path in others])
        logger.warning(f'{root}: skipped {len(others)} files that are no recordings ({skipped})')
    names = sorted({path.relative_to(root).parts[0] for path in found})
    labels = [names.index(path.relative_to(root).parts[0]) for path in found]
    return Recordings(tuple(found), np.array(labels, np.int64), tuple(names), part)


def _reader_of(path: Path) -> Callable[[Path, Size | None], Iterator[Decoded]]:
    if path.is_dir():
        if (path / BAG_FILE).is_file():
            return read_bag
        raise DatasetError(f'{path} is a folder and no bag of ROS 2, in which is a {BAG_FILE}')
    if not path.is_file():
        raise DatasetError(f'there is no recording {path}')
    try:
        return READERS[path.suffix.lower()]
    except KeyError:
        raise DatasetError(
            f'{path} is of no known format; recordings end in {", ".join(READERS)}'
        ) from None


def _walked(folder: Path) -> Iterator[Path]:
    """Files below `folder`, and bags of which each is a folder, in order of their paths."""
    for path in sorted(folder.iterdir()):
        if is_clutter(path.name):
            continue
        if path.is_dir() and not (path / BAG_FILE).is_file():
            yield from _walked(path)
        else:
            yield path
