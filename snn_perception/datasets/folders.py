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

"""A folder of images per class."""

from __future__ import annotations

import logging
import math
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from snn_perception.datasets.base import MAXIMUM_BYTES, Dataset, DatasetError, spread
from snn_perception.datasets.finding import find_images, folders_in, listed
from snn_perception.datasets.layout import class_root
from snn_perception.datasets.takes import take_numbers
from snn_perception.image_files import read_image
from snn_perception.images import Preprocessing, convert_channels, fit_image

logger = logging.getLogger(__name__)


def load_folders(
    folder: Path,
    preprocessing: Preprocessing,
    held_out: bool,
    limit: int | None,
    progress: Callable[[list[Path]], Iterator[Path]],
    skip_unreadable: bool,
) -> Dataset:
    """The images in `folder`; see `load_dataset`."""
    root, part = class_root(folder, held_out)
    if part != 'whole':
        logger.warning(f'{folder}: the images in {root} are read')
    names, files, labels, empty = _classified(root)
    if limit is not None and limit < len(files):
        chosen = spread(len(files), limit)
        files, labels = [files[index] for index in chosen], labels[chosen]
    takes = take_numbers(files, root)
    images, readable, faults = read_images(files, preprocessing, progress)
    _complain([*(f'{path} holds no images' for path in empty), *faults], root, skip_unreadable)
    if not len(readable):
        raise DatasetError(f'none of the {len(files)} images in {root} can be read')
    lost = set(labels.tolist()) - set(labels[readable].tolist())
    kept = [index for index in range(len(names)) if index not in lost]
    return Dataset(
        images,
        np.searchsorted(kept, labels[readable]),
        tuple(names[index] for index in kept),
        part,
        unreadable=len(faults),
        takes=None if takes is None else takes[readable],
    )


def _classified(root: Path) -> tuple[list[str], list[Path], NDArray[np.int64], list[Path]]:
    """Names of the classes in `root`, its images in order with their labels, empty classes.

    An image belongs to the class in whose folder it is, however deep. Says what it skips.
    """
    found = find_images(root)
    places = [path.relative_to(root).parts for path in found.images]
    names = sorted({place[0] for place in places if len(place) > 1})
    unclassed = [path for path in found.images if path.parent == root]
    skipped = found.skipped(unclassed)
    if not names:
        raise DatasetError(
            f'{root} holds neither MNIST idx files nor CIFAR-10 batches nor a folder of images '
            f'per class' + (skipped and f', but {skipped}')
        )
    if skipped:
        logger.warning(f'{root}: skipped {skipped}')
    numbers = {name: number for number, name in enumerate(names)}
    files = [path for path in found.images if path.parent != root]
    labels = [numbers[place[0]] for place in places if len(place) > 1]
    empty = [path for path in folders_in(root) if path.name not in numbers]
    return names, files, np.array(labels, np.int64), empty


def read_images(
    files: list[Path],
    preprocessing: Preprocessing,
    progress: Callable[[list[Path]], Iterator[Path]],
) -> tuple[NDArray[np.uint8], NDArray[np.int64], list[str]]:
    """The images of `files` that can be read, which ones these are, and what the others lack.

    Images are uint8 (readable, height, width, channels), at the size of the network; `progress`
    wraps `files`. Raises DatasetError if they would take more than MAXIMUM_BYTES.
    """
    if len(files) * math.prod(preprocessing.shape) > MAXIMUM_BYTES:
        raise DatasetError(
            f'{len(files)} images of {preprocessing.shape} are too large to read: more than '
            f'{MAXIMUM_BYTES / 2**30:g} GiB'
        )
    images = np.empty((len(files), *preprocessing.shape), np.uint8)
    readable: list[int] = []
    faults = []
    for position, path in enumerate(progress(files)):
        try:
            images[len(readable)] = at_size(read_image(path), preprocessing)
            readable.append(position)
        except ValueError as reason:
            faults.append(str(reason))
    return images[: len(readable)], np.array(readable, np.int64), faults


def _complain(faults: list[str], root: Path, skip_unreadable: bool) -> None:
    """Say all `faults` of `root` at once, as a warning if they are to be skipped."""
    if not faults:
        return
    what = listed(faults, 8, '; ')
    if len(faults) > 1:
        what = f'{len(faults)} images or classes in {root} cannot be used: {what}'
    if not skip_unreadable:
        raise DatasetError(f'{what}; --skip-unreadable goes on without them')
    logger.warning(f'{what}; skipped')


def at_size(image: NDArray[np.uint8], preprocessing: Preprocessing) -> NDArray[np.uint8]:
    """`image` with the size and channels of the network, still uint8 and not inverted."""
    fitted = convert_channels(fit_image(image, preprocessing), preprocessing.shape[2])
    return fitted.reshape(preprocessing.shape)
