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

"""Images without classes, to learn from another network's answers and to calibrate with."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from snn_perception.datasets.base import DatasetError, spread
from snn_perception.datasets.finding import find_images, listed
from snn_perception.datasets.folders import read_images
from snn_perception.images import Preprocessing

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Images:
    """Images uint8 (count, height, width, channels), at the size of a network.

    `groups` (count,) are the folders that they lie in, as paths from the folder that was given,
    in which those that lie there directly are of the group '.'. `unreadable` counts the files
    that could not be read and were skipped.
    """

    images: NDArray[np.uint8]
    groups: tuple[str, ...]
    unreadable: int = 0

    def __len__(self) -> int:
        return len(self.images)


def load_images(
    folder: Path,
    preprocessing: Preprocessing,
    limit: int | None = None,
    progress: Callable[[list[Path]], Iterator[Path]] = iter,
) -> Images:
    """All images below `folder`, however deep, at the size and with the channels wanted.

    They are in the order of their paths; `limit` keeps an evenly spread part of at most so many,
    and `progress` wraps the list of files. What is skipped, a warning in the log says. Raises
    DatasetError if no image can be read, or all together are too large.
    """
    if not folder.is_dir():
        raise DatasetError(f'{folder} is not a folder')
    try:
        found = find_images(folder)
    except OSError as reason:
        raise DatasetError(f'{folder} cannot be read: {reason}') from None
    files, skipped = list(found.images), found.skipped()
    if not files:
        raise DatasetError(f'{folder} holds no images' + (skipped and f', but {skipped}'))
    if skipped:
        logger.warning(f'{folder}: skipped {skipped}')
    if limit is not None and limit < len(files):
        files = [files[index] for index in spread(len(files), limit)]
    images, readable, faults = read_images(files, preprocessing, progress)
    what = f'of the {len(files)} images in {folder}'
    if not len(readable):
        raise DatasetError(f'none {what} can be read: {listed(faults, 3, "; ")}')
    if faults:
        logger.warning(
            f'{len(faults)} {what} cannot be read and are skipped: {listed(faults, 3, "; ")}'
        )
    groups = (files[index].parent.relative_to(folder).as_posix() for index in readable)
    return Images(images, tuple(groups), len(faults))
