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

"""Which label of a model a folder of images stands for."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from snn_perception.datasets.finding import listed

MOST_LISTED = 20
"""A message names no more labels, of those that it is not about."""


class LabelError(ValueError):
    """Names of classes that are no labels of a model; the message is one sentence for the user."""


def label_indices(names: Sequence[str], labels: Sequence[str]) -> list[int]:
    """For each of `names` the index of the label that it stands for.

    A label may be several names with commas in between, such as 'gas pump, petrol pump'. A name
    stands for the label that is exactly it. Otherwise it may be the label or one of its names in
    small or capital letters, and with '_' for ' ', if that fits one label only. Several names
    may stand for the same label. Raises LabelError for names that stand for none, or may stand
    for several.
    """
    exact = {label: [index] for index, label in reversed(list(enumerate(labels)))}
    loose = defaultdict(list)
    for index, label in enumerate(labels):
        for name in {plain(name) for name in (label, *label.split(','))}:
            loose[name].append(index)
    found = {name: exact.get(name) or loose.get(plain(name), []) for name in names}
    unknown = [name for name, indices in found.items() if not indices]
    if unknown:
        raise LabelError(
            f'the model does not know the class {together(unknown)}; '
            f'it knows {together(labels, MOST_LISTED)}'
        )
    unclear = {name: indices for name, indices in found.items() if len(indices) > 1}
    if unclear:
        said = '; '.join(
            f'{name} is a name of {" and of ".join(repr(labels[index]) for index in indices)}'
            for name, indices in unclear.items()
        )
        raise LabelError(
            f'the model has several labels for a class: {said}; a whole label is clear'
        )
    return [found[name][0] for name in names]


def together(labels: Sequence[str], most: int | None = None) -> str:
    """`labels` in one line, at most `most` of them, kept apart though they may have commas."""
    separator = '; ' if any(',' in label for label in labels) else ', '
    return listed(labels, len(labels) if most is None else most, separator)


def plain(name: str) -> str:
    """`name` as names are compared that a person wrote: in small letters, with ' ' for '_'."""
    return ' '.join(name.replace('_', ' ').split()).casefold()
