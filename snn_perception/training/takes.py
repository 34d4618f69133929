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

"""What the log of a training says about the takes of its images, where they are known."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from snn_perception.datasets import Labelled


def held_out(training: Labelled, validation: Labelled) -> str:
    """How the images were divided, as a sentence."""
    ours, theirs = _takes(training), _takes(validation)
    parted = np.setdiff1d(theirs, ours)
    return (
        f'frames of a take look alike, so whole takes are held out for validation: {len(parted)} '
        f'of {len(np.union1d(ours, theirs))}'
    )


def shortcomings(training: Labelled, validation: Labelled) -> list[str]:
    """What the takes of these images leave to be desired, in sentences."""
    if training.takes is None:
        return []
    names, found = training.class_names, []
    ours = [_takes(training, label) for label in range(len(names))]
    theirs = [_takes(validation, label) for label in range(len(names))]
    pairs = list(zip(names, ours, theirs, strict=True))
    divided = [name for name, learned, kept in pairs if np.isin(kept, learned).any()]
    if divided:
        found.append(
            f'there is only one take of the class {", ".join(divided)}: its last frames are the '
            f'validation and look like those before them, so the figures flatter; collect another '
            f'take, in another place or light'
        )
    lonely = [name for name, learned, kept in pairs if len(learned) == 1 and len(kept) > 0]
    lonely = [name for name in lonely if name not in divided]
    if lonely:
        found.append(
            f'of the class {", ".join(lonely)} a single take is left to learn from, the other is '
            f'held out for validation; three takes or more are better'
        )
    return found


def _takes(dataset: Labelled, label: int | None = None) -> NDArray[np.int64]:
    """The takes in `dataset`, or those of its class `label`."""
    takes = dataset.takes if dataset.takes is not None else np.empty(0, np.int64)
    return np.unique(takes if label is None else takes[dataset.labels == label])
