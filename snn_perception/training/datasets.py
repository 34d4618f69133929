"""Labelled images from disk: MNIST idx files, or a folder of images per class."""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from snn_perception.images import (
    IMAGE_SUFFIXES,
    Preprocessing,
    convert_channels,
    fit_image,
    read_image,
)

MAXIMUM_BYTES = 8 * 2**30
"""Largest data set that is read, as images of the network's size."""


class DatasetError(ValueError):
    """Data that cannot be used; the message is one sentence for the user."""


@dataclass(frozen=True)
class Dataset:
    """Images uint8 (count, height, width, channels) with labels int64 (count,).

    A label is an index of `class_names`.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    class_names: tuple[str, ...]

    def __len__(self) -> int:
        return len(self.labels)

    def subset(self, indices: NDArray[np.int64]) -> Dataset:
        """The images at `indices`."""
        return Dataset(self.images[indices], self.labels[indices], self.class_names)

    def matched_to(self, labels: tuple[str, ...]) -> Dataset:
        """The same with labels as indices of `labels`, the class names of a model.

        Raises DatasetError for a class that the model does not know.
        """
        unknown = [name for name in self.class_names if name not in labels]
        if unknown:
            raise DatasetError(
                f'the model does not know the class {", ".join(unknown)}; '
                f'it knows {", ".join(labels)}'
            )
        new = np.array([labels.index(name) for name in self.class_names], np.int64)
        return Dataset(self.images, new[self.labels], labels)


def load_dataset(
    folder: Path,
    preprocessing: Preprocessing,
    held_out: bool = False,
    limit: int | None = None,
    progress: Callable[[list[Path]], Iterator[Path]] = iter,
) -> Dataset:
    """The data in `folder`, at the size and with the channels of `preprocessing`.

    MNIST idx files (gzipped or not) if there are any: the `train` pair, or with `held_out`
    the `t10k` pair if it is there; otherwise a folder per class of images. `limit` keeps an
    evenly spread part of at most so many images; `progress` wraps the list of files that are
    read one by one. Raises DatasetError.
    """
    if not folder.is_dir():
        raise DatasetError(f'{folder} is not a folder')
    prefixes = ('t10k', 'train') if held_out else ('train',)
    for prefix in prefixes:
        images = _idx_file(folder, f'{prefix}-images-idx3-ubyte')
        labels = _idx_file(folder, f'{prefix}-labels-idx1-ubyte')
        if images and labels:
            return _load_idx(images, labels, preprocessing, limit)
        if images or labels:
            raise DatasetError(f'{folder} has only one of the two {prefix} idx files')
    return _load_folders(folder, preprocessing, limit, progress)


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
    chosen = by_class[_spread(len(dataset), held_out)]
    rest = np.setdiff1d(np.arange(len(dataset)), chosen)
    missing = set(range(len(dataset.class_names))) - set(dataset.labels[rest].tolist())
    if missing:
        names = ', '.join(dataset.class_names[index] for index in sorted(missing))
        raise DatasetError(f'no training images are left of the class {names}')
    return dataset.subset(rest), dataset.subset(np.sort(chosen))


def _spread(count: int, wanted: int) -> NDArray[np.int64]:
    """Indices of `wanted` evenly spread items out of `count`."""
    return ((np.arange(wanted) + 0.5) * (count / max(wanted, 1))).astype(np.int64)


def _idx_file(folder: Path, name: str) -> Path | None:
    """The file `name` in `folder`, gzipped or not, also with a dot before idx."""
    for candidate in (name, f'{name}.gz', name.replace('-idx', '.idx')):
        if (folder / candidate).is_file():
            return folder / candidate
    return None


def _load_idx(
    images_path: Path, labels_path: Path, preprocessing: Preprocessing, limit: int | None
) -> Dataset:
    images, labels = _read_idx(images_path, 3), _read_idx(labels_path, 1).astype(np.int64)
    if len(images) != len(labels):
        raise DatasetError(
            f'{images_path.name} has {len(images)} images but {labels_path.name} has '
            f'{len(labels)} labels'
        )
    if len(labels) == 0:
        raise DatasetError(f'{images_path} holds no images')
    if labels.max() > 9:
        raise DatasetError(f'{labels_path} holds the label {labels.max()}; 9 is the largest')
    if limit is not None and limit < len(labels):
        chosen = _spread(len(labels), limit)
        images, labels = images[chosen], labels[chosen]
    names = tuple(str(digit) for digit in range(10))
    if images.shape[1:] == preprocessing.shape[:2] and preprocessing.shape[2] == 1:
        return Dataset(images[..., None], labels, names)
    fitted = np.stack([_at_size(image, preprocessing) for image in images])
    return Dataset(fitted, labels, names)


def _read_idx(path: Path, dimensions: int) -> NDArray[np.uint8]:
    """The array of bytes in an idx file; its size is checked before it is read whole."""
    try:
        with (gzip.open if path.suffix == '.gz' else open)(path, 'rb') as file:
            header = file.read(4 + 4 * dimensions)
            if len(header) < 4 + 4 * dimensions:
                raise DatasetError(f'{path} is truncated: it ends within its header')
            magic, *shape = struct.unpack(f'>{dimensions + 1}I', header)
            if magic != 0x0800 + dimensions:
                raise DatasetError(
                    f'{path} is not an idx file of bytes with {dimensions} dimensions'
                )
            size = math.prod(shape)
            if size > MAXIMUM_BYTES:
                raise DatasetError(f'{path} claims {size} bytes, more than {MAXIMUM_BYTES}')
            content = file.read(size + 1)
    except (OSError, EOFError, zlib.error) as reason:
        raise DatasetError(f'{path} cannot be read: {reason}') from None
    if len(content) != size:
        found = 'more' if len(content) > size else len(content)
        raise DatasetError(f'{path} is damaged: {size} bytes were expected, {found} were found')
    return np.frombuffer(content, np.uint8).reshape(shape)


def _load_folders(
    folder: Path,
    preprocessing: Preprocessing,
    limit: int | None,
    progress: Callable[[list[Path]], Iterator[Path]],
) -> Dataset:
    classes = sorted(path for path in folder.iterdir() if path.is_dir())
    # An archive that unpacks to train/<class>/ is meant just as well.
    if len(classes) == 1 and any(path.is_dir() for path in classes[0].iterdir()):
        classes = sorted(path for path in classes[0].iterdir() if path.is_dir())
    files = []
    for index, path in enumerate(classes):
        found = sorted(file for file in path.iterdir() if file.suffix.lower() in IMAGE_SUFFIXES)
        if not found:
            raise DatasetError(f'{path} holds no images')
        files += [(file, index) for file in found]
    if not files:
        raise DatasetError(
            f'{folder} holds neither MNIST idx files nor a folder of images per class'
        )
    if limit is not None and limit < len(files):
        files = [files[index] for index in _spread(len(files), limit)]
    if len(files) * math.prod(preprocessing.shape) > MAXIMUM_BYTES:
        raise DatasetError(f'{len(files)} images of {preprocessing.shape} are too large to read')
    images = np.empty((len(files), *preprocessing.shape), np.uint8)
    for position, path in enumerate(progress([file for file, _ in files])):
        try:
            images[position] = _at_size(read_image(path), preprocessing)
        except ValueError as reason:
            raise DatasetError(str(reason)) from None
    labels = np.array([index for _, index in files], np.int64)
    return Dataset(images, labels, tuple(path.name for path in classes))


def _at_size(image: NDArray[np.uint8], preprocessing: Preprocessing) -> NDArray[np.uint8]:
    """`image` with the size and channels of the network, still uint8 and not inverted."""
    fitted = convert_channels(fit_image(image, preprocessing), preprocessing.shape[2])
    return fitted.reshape(preprocessing.shape)
