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

"""CIFAR-10's files: its binary batches, and those of Python.

https://www.cs.toronto.edu/~kriz/cifar.html has both layouts.
"""

from __future__ import annotations

import pickle
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snn_perception.datasets.base import Dataset, DatasetError

CLASSES = (
    *('airplane', 'automobile', 'bird', 'cat', 'deer'),
    *('dog', 'frog', 'horse', 'ship', 'truck'),
)
SHAPE = (3, 32, 32)
PIXELS = 3 * 32 * 32

LARGEST_BATCH = 100_000_000
"""Bytes; the official batches have 31 million."""

# All that an array of bytes in a pickle is made of, under NumPy's old and new names.
HARMLESS = {
    ('numpy', 'ndarray'),
    ('numpy', 'dtype'),
    ('numpy.core.multiarray', '_reconstruct'),
    ('numpy._core.multiarray', '_reconstruct'),
    # How Python 3 writes bytes for Python 2.
    ('_codecs', 'encode'),
}


def load_cifar(folder: Path, held_out: bool) -> Dataset | None:
    """The training batches in `folder`, or with `held_out` the test batch if it is there.

    None if there are no batches; raises DatasetError for those that cannot be used.
    """
    parts = {'test': 'test_batch', 'training': 'data_batch_?'}
    for part in ('test', 'training') if held_out else ('training',):
        for suffix, read in (('.bin', _read_binary), ('', _read_python)):
            files = sorted(folder.glob(parts[part] + suffix))
            if files:
                images, labels = zip(*map(read, files), strict=True)
                return _dataset(folder, np.concatenate(images), np.concatenate(labels), part)
    if holds_cifar(folder):
        raise DatasetError(f'{folder} holds the test batch of CIFAR-10, but none for training')
    return None


def holds_cifar(folder: Path) -> bool:
    """Whether batches of CIFAR-10 lie in `folder` itself."""
    names = ('data_batch_1', 'test_batch')
    return any((folder / f'{name}{suffix}').is_file() for name in names for suffix in ('', '.bin'))


def _dataset(folder: Path, pixels: NDArray[np.uint8], labels: NDArray, part: str) -> Dataset:
    if len(labels) == 0:
        raise DatasetError(f'the CIFAR-10 batches in {folder} hold no images')
    if labels.min() < 0 or labels.max() >= len(CLASSES):
        raise DatasetError(
            f'the CIFAR-10 batches in {folder} hold labels from {labels.min()} to '
            f'{labels.max()}; 0 to 9 are right'
        )
    images = pixels.reshape(-1, *SHAPE).transpose(0, 2, 3, 1)
    return Dataset(np.ascontiguousarray(images), labels.astype(np.int64), CLASSES, part)


def _read_binary(path: Path) -> tuple[NDArray[np.uint8], NDArray]:
    """Pixels (count, PIXELS) and labels: each image is a byte of label and then its bytes."""
    content = np.frombuffer(_read(path), np.uint8)
    if content.size % (1 + PIXELS):
        raise DatasetError(
            f'{path} is damaged: its {content.size} bytes are not a multiple of {1 + PIXELS}'
        )
    rows = content.reshape(-1, 1 + PIXELS)
    return rows[:, 1:], rows[:, 0]


def _read_python(path: Path) -> tuple[NDArray[np.uint8], NDArray]:
    """Pixels (count, PIXELS) and labels of a pickled batch; nothing but arrays is unpickled."""
    content = _read(path)
    try:
        batch = _Unpickler(content).load()
        pixels, labels = batch[b'data'], np.array(batch[b'labels'])
    except DatasetError as reason:
        raise DatasetError(f'{path} is refused: {reason}') from None
    except Exception as reason:  # a damaged pickle can raise anything
        raise DatasetError(f'{path} is not a batch of CIFAR-10: {reason!r}') from None
    is_right = isinstance(pixels, np.ndarray) and pixels.dtype == np.uint8
    if not is_right or pixels.shape != (len(labels), PIXELS) or labels.dtype.kind != 'i':
        raise DatasetError(f'{path} does not hold as many labels as rows of {PIXELS} bytes')
    return pixels, labels


class _Unpickler(pickle.Unpickler):
    """Unpickles lists, dictionaries, strings, numbers and arrays, and refuses all else."""

    def __init__(self, content: bytes) -> None:
        super().__init__(BytesIO(content), encoding='bytes')

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in HARMLESS:
            raise DatasetError(f'it wants {module}.{name}, and only plain arrays are unpickled')
        return {'_reconstruct': _reconstruct, 'encode': _encode}.get(name) or getattr(np, name)


def _reconstruct(kind: Any, shape: Any, type_code: Any) -> NDArray:
    """The empty array that a pickle then fills; NumPy's own has moved between versions."""
    if kind is not np.ndarray:
        raise DatasetError('it wants another array than one of NumPy')
    return np.empty((0,), np.uint8)


def _encode(text: str, encoding: str) -> bytes:
    return text.encode('latin1')


def _read(path: Path) -> bytes:
    """The content of a file; its size is looked at before."""
    try:
        size = path.stat().st_size
        if size > LARGEST_BATCH:
            raise DatasetError(f'{path} has {size} bytes, more than {LARGEST_BATCH}')
        return path.read_bytes()
    except OSError as reason:
        raise DatasetError(f'{path} cannot be read: {reason}') from None
