"""Labelled images from disk: MNIST idx files, CIFAR-10 batches, a folder of images per class."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from snn_perception.datasets.base import Dataset, DatasetError, spread
from snn_perception.datasets.cifar import load_cifar
from snn_perception.datasets.folders import at_size, load_folders
from snn_perception.datasets.idx import load_idx
from snn_perception.images import Preprocessing

__all__ = ['Dataset', 'DatasetError', 'load_dataset', 'split']


def load_dataset(
    folder: Path,
    preprocessing: Preprocessing,
    held_out: bool = False,
    limit: int | None = None,
    progress: Callable[[list[Path]], Iterator[Path]] = iter,
) -> Dataset:
    """The data in `folder`, at the size and with the channels of `preprocessing`.

    MNIST idx files or CIFAR-10 batches (binary or of Python) if there are any: those for
    training, or with `held_out` those for testing if they are there; otherwise a folder per
    class of images. `limit` keeps an evenly spread part of at most so many images; `progress`
    wraps the list of files that are read one by one. Raises DatasetError.
    """
    if not folder.is_dir():
        raise DatasetError(f'{folder} is not a folder')
    for load in (load_idx, load_cifar):
        dataset = load(folder, held_out)
        if dataset is not None:
            return _fit(dataset, preprocessing, limit)
    return load_folders(folder, preprocessing, limit, progress)


def split(dataset: Dataset, held_out: int, seed: int) -> tuple[Dataset, Dataset]:
    """`dataset` without, and only, `held_out` images, the same share of each class.

    The choice depends on nothing but the labels, `held_out` and `seed`. Raises DatasetError
    unless images of each class remain for training.
    """
    if not 0 <= held_out < len(dataset):
        raise DatasetError(
            f'{held_out} validation images cannot be held out of {len(dataset)} images'
        )
    order = np.random.default_rng(seed).permutation(len(dataset))
    # Sorted by class, every class in random order; then evenly spaced over all.
    by_class = order[np.argsort(dataset.labels[order], kind='stable')]
    chosen = by_class[spread(len(dataset), held_out)]
    rest = np.setdiff1d(np.arange(len(dataset)), chosen)
    missing = set(range(len(dataset.class_names))) - set(dataset.labels[rest].tolist())
    if missing:
        names = ', '.join(dataset.class_names[index] for index in sorted(missing))
        raise DatasetError(f'no training images are left of the class {names}')
    return dataset.subset(rest), dataset.subset(np.sort(chosen))


def _fit(dataset: Dataset, preprocessing: Preprocessing, limit: int | None) -> Dataset:
    """At most `limit` images of `dataset`, at the size of the network."""
    if limit is not None and limit < len(dataset):
        dataset = dataset.subset(spread(len(dataset), limit))
    if dataset.images.shape[1:] == preprocessing.shape:
        return dataset
    images = np.stack([at_size(image, preprocessing) for image in dataset.images])
    return Dataset(images, dataset.labels, dataset.class_names)
