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

"""Labelled images in memory."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from snn_perception.datasets.labels import LabelError, label_indices

MAXIMUM_BYTES = 8 * 2**30
"""Largest data set that is read, as images of the network's size."""


L = TypeVar('L', bound='Labelled')


class DatasetError(ValueError):
    """Data that cannot be used; the message is one sentence for the user."""


class Labelled(Protocol):
    """What labelled images and labelled recordings have in common; see `Dataset`."""

    @property
    def labels(self) -> NDArray[np.int64]: ...

    @property
    def class_names(self) -> tuple[str, ...]: ...

    @property
    def takes(self) -> NDArray[np.int64] | None: ...

    def __len__(self) -> int: ...

    def subset(self: L, indices: NDArray[np.int64]) -> L:
        """Those at `indices`."""


@dataclass(frozen=True)
class Dataset:
    """Images uint8 (count, height, width, channels) with labels int64 (count,).

    A label is an index of `class_names`. `part` is what the images are of what lies on the
    disk: 'training', 'validation' or 'test', or 'whole' if that is not divided. `unreadable`
    counts the files that could not be read and were skipped. Images with the same number in
    `takes`, int64 (count,), are of one take, see `takes`; None if none is known.
    """

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    class_names: tuple[str, ...]
    part: str = 'whole'
    unreadable: int = 0
    takes: NDArray[np.int64] | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def subset(self, indices: NDArray[np.int64]) -> Dataset:
        """The images at `indices`."""
        takes = None if self.takes is None else self.takes[indices]
        return replace(self, images=self.images[indices], labels=self.labels[indices], takes=takes)

    def first_of_each(self, count: int) -> Dataset:
        """The first `count` images of each class, or all of a class that has fewer."""
        places = [np.flatnonzero(self.labels == index)[:count] for index in np.unique(self.labels)]
        return self.subset(np.sort(np.concatenate(places)))

    def matched_to(self, labels: tuple[str, ...]) -> Dataset:
        """The same with labels as indices of `labels`, the class names of a model.

        `label_indices` says which names of classes fit which labels. Raises DatasetError for a
        class that the model does not know.
        """
        return replace(self, labels=labels_in(labels, self), class_names=labels)

    @staticmethod
    def of_no_class(images: NDArray[np.uint8]) -> Dataset:
        """`images` whose labels mean nothing."""
        return Dataset(images, np.zeros(len(images), np.int64), ('',))


def labels_in(labels: tuple[str, ...], dataset: Labelled) -> NDArray[np.int64]:
    """The labels of `dataset` as indices of `labels`; see `Dataset.matched_to`."""
    try:
        new = np.array(label_indices(dataset.class_names, labels), np.int64)
    except LabelError as reason:
        raise DatasetError(str(reason)) from None
    return new[dataset.labels]


def spread(count: int, wanted: int) -> NDArray[np.int64]:
    """Indices of `wanted` evenly spread items out of `count`."""
    return ((np.arange(wanted) + 0.5) * (count / max(wanted, 1))).astype(np.int64)
