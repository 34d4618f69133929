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

"""MNIST's files: idx, gzipped or not."""

from __future__ import annotations

import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from snn_perception.datasets.base import MAXIMUM_BYTES, Dataset, DatasetError

PREFIXES = {'training': 'train', 'test': 't10k'}


def load_idx(folder: Path, held_out: bool) -> Dataset | None:
    """The `train` pair in `folder`, or with `held_out` the `t10k` pair if it is there.

    None if there is no pair; raises DatasetError for one that cannot be used.
    """
    for part in ('test', 'training') if held_out else ('training',):
        images, labels = _pair(folder, part)
        if images and labels:
            return _load_pair(images, labels, part)
        if images or labels:
            raise DatasetError(f'{folder} has only one of the two {PREFIXES[part]} idx files')
    if holds_idx(folder):
        raise DatasetError(f"{folder} holds MNIST's idx files for testing, but none for training")
    return None


def holds_idx(folder: Path) -> bool:
    """Whether idx files of MNIST lie in `folder` itself."""
    return any(any(_pair(folder, part)) for part in PREFIXES)


def _load_pair(images_path: Path, labels_path: Path, part: str) -> Dataset:
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
    return Dataset(images[..., None], labels, tuple(str(digit) for digit in range(10)), part)


def _pair(folder: Path, part: str) -> tuple[Path | None, Path | None]:
    """The files of images and of labels in `folder`, None where one is missing."""
    prefix = PREFIXES[part]
    return (
        _idx_file(folder, f'{prefix}-images-idx3-ubyte'),
        _idx_file(folder, f'{prefix}-labels-idx1-ubyte'),
    )


def _idx_file(folder: Path, name: str) -> Path | None:
    """The file `name` in `folder`, with a dash or a dot before idx, gzipped or not."""
    names = (name, name.replace('-idx', '.idx'))
    candidates = (folder / f'{name}{suffix}' for suffix in ('', '.gz') for name in names)
    return next((path for path in candidates if path.is_file()), None)


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
