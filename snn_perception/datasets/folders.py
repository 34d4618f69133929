"""A folder of images per class."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from snn_perception.datasets.base import MAXIMUM_BYTES, Dataset, DatasetError, spread
from snn_perception.image_files import IMAGE_SUFFIXES, read_image
from snn_perception.images import Preprocessing, convert_channels, fit_image


def load_folders(
    folder: Path,
    preprocessing: Preprocessing,
    limit: int | None,
    progress: Callable[[list[Path]], Iterator[Path]],
) -> Dataset:
    """The images in `folder`; see `load_dataset`."""
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
            f'{folder} holds neither MNIST idx files nor CIFAR-10 batches nor a folder of images '
            f'per class'
        )
    if limit is not None and limit < len(files):
        files = [files[index] for index in spread(len(files), limit)]
    if len(files) * math.prod(preprocessing.shape) > MAXIMUM_BYTES:
        raise DatasetError(f'{len(files)} images of {preprocessing.shape} are too large to read')
    images = np.empty((len(files), *preprocessing.shape), np.uint8)
    for position, path in enumerate(progress([file for file, _ in files])):
        try:
            images[position] = at_size(read_image(path), preprocessing)
        except ValueError as reason:
            raise DatasetError(str(reason)) from None
    labels = np.array([index for _, index in files], np.int64)
    return Dataset(images, labels, tuple(path.name for path in classes))


def at_size(image: NDArray[np.uint8], preprocessing: Preprocessing) -> NDArray[np.uint8]:
    """`image` with the size and channels of the network, still uint8 and not inverted."""
    fitted = convert_channels(fit_image(image, preprocessing), preprocessing.shape[2])
    return fitted.reshape(preprocessing.shape)
