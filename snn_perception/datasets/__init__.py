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

"""Labelled images from disk: MNIST idx files, CIFAR-10 batches, a folder of images per class."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from snn_perception.datasets.base import Dataset, DatasetError, L, Labelled, spread
from snn_perception.datasets.cifar import holds_cifar, load_cifar
from snn_perception.datasets.finding import folders_in, listed
from snn_perception.datasets.folders import at_size, load_folders
from snn_perception.datasets.idx import holds_idx, load_idx
from snn_perception.datasets.takes import choose_takes
from snn_perception.images import Preprocessing

__all__ = [
    'Dataset',
    'DatasetError',
    'Labelled',
    'drawn',
    'halves',
    'load_dataset',
    'sample',
    'split',
    'spread',
]


logger = logging.getLogger(__name__)


def load_dataset(
    folder: Path,
    preprocessing: Preprocessing,
    held_out: bool = False,
    limit: int | None = None,
    progress: Callable[[list[Path]], Iterator[Path]] = iter,
    skip_unreadable: bool = False,
) -> Dataset:
    """The data in `folder`, at the size and with the channels of `preprocessing`.

    MNIST idx files or CIFAR-10 batches (binary or of Python) if there are any, in `folder` or
    where torchvision puts them below it; otherwise a folder per class of images. Where data is
    divided it is the part for training, or with `held_out` that for testing or validation if
    it is there; `Dataset.part` says which. `limit` keeps an evenly spread part of at most so
    many images; `progress` wraps the list of files that are read one by one.

    With `skip_unreadable`, images that cannot be read and classes without images are left out;
    without it, DatasetError names them. What else is skipped or chosen, a warning in the log
    says. Raises DatasetError.
    """
    if not folder.is_dir():
        raise DatasetError(f'{folder} is not a folder')
    try:
        dataset = _load_archived(folder, held_out)
        if dataset is not None:
            dataset = _fit(dataset, preprocessing, limit)
        else:
            dataset = load_folders(
                folder, preprocessing, held_out, limit, progress, skip_unreadable
            )
    except OSError as reason:
        raise DatasetError(f'{folder} cannot be read: {reason}') from None
    if held_out and dataset.part == 'training':
        logger.warning(
            f'{folder} has no images for testing, so those for training are used; a model that '
            f'was trained on them does better on them than on others'
        )
    return dataset


def split(dataset: L, held_out: int, seed: int) -> tuple[L, L]:
    """`dataset` without, and only, `held_out` images, the same share of each class.

    Where takes are known whole takes are held out, and so only about as many images. The choice
    depends on nothing but the labels, the takes, `held_out` and `seed`. Raises DatasetError
    unless images of each class remain for training.
    """
    if not 0 <= held_out < len(dataset):
        raise DatasetError(
            f'{held_out} validation images cannot be held out of {len(dataset)} images'
        )
    if dataset.takes is None or not held_out:
        rest, chosen = drawn(dataset, held_out, seed)
    else:
        indices = choose_takes(dataset.labels, dataset.takes, held_out, seed)
        rest, chosen = _parted(dataset, indices)
    missing = set(range(len(dataset.class_names))) - set(rest.labels.tolist())
    if missing:
        names = ', '.join(dataset.class_names[index] for index in sorted(missing))
        raise DatasetError(
            f'no training images are left of the class {names} once {held_out} images are held '
            f'out for validation; add images of it, or hold out fewer'
        )
    return rest, chosen


def halves(dataset: L, seed: int) -> tuple[L, L]:
    """Two halves of `dataset` with no image in common and the same share of each class.

    The choice depends on nothing but the labels and `seed`. A single image more goes to the
    second half.
    """
    second, first = drawn(dataset, len(dataset) // 2, seed)
    return first, second


def drawn(dataset: L, count: int, seed: int) -> tuple[L, L]:
    """`dataset` without, and only, `count` of its images, evenly drawn from the classes."""
    return _parted(dataset, _evenly_drawn(dataset, count, seed))


def sample(dataset: L, count: int, seed: int) -> L:
    """Only `count` of the images of `dataset`, as `drawn` has them, or all if it has no more."""
    return dataset.subset(_evenly_drawn(dataset, min(count, len(dataset)), seed))


def _evenly_drawn(dataset: Labelled, count: int, seed: int) -> NDArray[np.int64]:
    order = np.random.default_rng(seed).permutation(len(dataset))
    # Sorted by class, every class in random order; then evenly spaced over all.
    by_class = order[np.argsort(dataset.labels[order], kind='stable')]
    return np.sort(by_class[spread(len(dataset), count)])


def _parted(dataset: L, chosen: NDArray[np.int64]) -> tuple[L, L]:
    """`dataset` without, and only, the images at `chosen`."""
    rest = np.setdiff1d(np.arange(len(dataset)), chosen)
    return dataset.subset(rest), dataset.subset(chosen)


def _load_archived(folder: Path, held_out: bool) -> Dataset | None:
    """MNIST's or CIFAR-10's files in `folder`, or in the one place below it that has some."""
    inner = [folder]
    if not holds_idx(folder) and not holds_cifar(folder):
        below = (place for path in folders_in(folder) for place in (path, path / 'raw'))
        inner = [place for place in below if holds_idx(place) or holds_cifar(place)]
    if len(inner) > 1:
        places = listed([str(place) for place in inner])
        raise DatasetError(f'{folder} holds several data sets; give one of {places}')
    for place in inner:
        if place != folder:
            logger.warning(f'{folder}: the images in {place} are read')
        for load in (load_idx, load_cifar):
            dataset = load(place, held_out)
            if dataset is not None:
                return dataset
    return None


def _fit(dataset: Dataset, preprocessing: Preprocessing, limit: int | None) -> Dataset:
    """At most `limit` images of `dataset`, at the size of the network."""
    if limit is not None and limit < len(dataset):
        dataset = dataset.subset(spread(len(dataset), limit))
    if dataset.images.shape[1:] == preprocessing.shape:
        return dataset
    images = np.stack([at_size(image, preprocessing) for image in dataset.images])
    return replace(dataset, images=images)
