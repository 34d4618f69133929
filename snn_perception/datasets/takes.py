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

"""Takes: pictures of a class that a camera saw one after the other, and that look alike.

A take is a folder in that of its class whose name is `take` and a number, such as `take-1`. What
is learned from some frames of a take is easily recognised in the others: a validation is honest
only if it has takes of its own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


def is_take(name: str) -> bool:
    """Whether a folder called `name` is a take."""
    return re.fullmatch(r'take[-_ ]?\d.*', name, re.IGNORECASE) is not None


def take_numbers(files: Sequence[Path], root: Path) -> NDArray[np.int64] | None:
    """A number for each of `files`, images of classes in `root`, that tells its take from others.

    One that is in no take is a take of its own. None if that is so for all of them.
    """
    takes: list[Path] = []
    for path in files:
        above = [folder for folder in path.parents if root in folder.parents]
        # Below its class, and the outermost if there are several.
        takes.append(next((one for one in above[-2::-1] if is_take(one.name)), path))
    if takes == list(files):
        return None
    numbers = {take: number for number, take in enumerate(dict.fromkeys(takes))}
    return np.array([numbers[take] for take in takes], np.int64)


def choose_takes(
    labels: NDArray[np.int64], takes: NDArray[np.int64], count: int, seed: int
) -> NDArray[np.int64]:
    """Indices of about `count` images to hold out, in order: whole takes, some of each class.

    At least one take of each class is held out and one is left. Of a class with a single take
    the end is held out. The choice depends on nothing but the arguments.
    """
    generator = np.random.default_rng(seed)
    share = count / len(labels)
    chosen = [np.empty(0, np.int64)]
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        chosen.append(_of_class(members, takes[members], share * len(members), generator))
    return np.sort(np.concatenate(chosen))


def _of_class(
    members: NDArray[np.int64],
    takes: NDArray[np.int64],
    wanted: float,
    generator: np.random.Generator,
) -> NDArray[np.int64]:
    """About `wanted` of the images `members` of a class, which belong to `takes`."""
    names, sizes = np.unique(takes, return_counts=True)
    if len(names) == 1:
        return members[len(members) - min(max(round(wanted), 1), len(members) - 1) :]
    held_out: list[np.intp] = []
    total = 0
    for index in generator.permutation(len(names))[:-1]:
        if abs(total + sizes[index] - wanted) < abs(total - wanted):
            held_out.append(index)
            total += sizes[index]
    return members[np.isin(takes, names[held_out or [sizes.argmin()]])]
