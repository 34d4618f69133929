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

"""What a network is given: prepared images, or counts of events step by step.

images    float32 (batch, height, width, channels), which stay as they are for all steps
events    uint8 (steps, batch, height, width, 2), how many events of each polarity, off and on,
          each pixel sent in each time step; 255 stands for as many or more
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from snn_perception.network import Network

MOST_EVENTS = 255
"""Events of one pixel and polarity in one step that count."""


def batch_of(inputs: NDArray) -> int:
    """How many networks `inputs`, of either kind, are for."""
    return inputs.shape[-4]


def part_of(inputs: NDArray, first: int, steps: int) -> NDArray:
    """What is shown in `steps` steps from number `first` on: of an image all, always."""
    return inputs[first : first + steps] if inputs.ndim == 5 else inputs


def steps_of(inputs: NDArray) -> int:
    """How many steps `inputs` are for: an image for any number, so one says all that it can."""
    return len(inputs) if inputs.ndim == 5 else 1


def with_mirrored(inputs: NDArray) -> NDArray:
    """A batch twice as large: all `inputs`, then all of them mirrored."""
    return np.concatenate([inputs, inputs[..., ::-1, :]], axis=-4)


def check_inputs(
    network: Network, inputs: NDArray, batch: int | None = None, steps: int | None = None
) -> None:
    """Raise ValueError unless `inputs` are for `network`, `batch` of them and `steps` steps.

    Without `batch` and `steps` there may be any number of them, but not none.
    """
    if not isinstance(inputs, np.ndarray):
        raise ValueError(
            f'the input of a network must be a NumPy array, not {type(inputs).__name__}'
        )
    if network.hears_events:
        _check_events(network, inputs, batch, steps)
    else:
        _check_images(network, inputs, batch)


def check_stream(network: Network, counts: NDArray) -> None:
    """Raise ValueError unless `counts` (steps, height, width, 2), or none, are for `network`."""
    shape = getattr(counts, 'shape', ())
    if not isinstance(counts, np.ndarray) or len(shape) != 4:
        raise ValueError(
            f'counts of events must be an array (steps, height, width, 2), not '
            f'{shape or type(counts).__name__}'
        )
    _check_events(network, counts[:, None], 1, len(counts))


def _fits(shape: tuple[int, ...], expected: tuple[int | None, ...]) -> bool:
    """Whether `shape` is the `expected` one, where None stands for any number but 0."""
    return len(shape) == len(expected) and all(
        size == wanted if wanted is not None else size > 0
        for size, wanted in zip(shape, expected, strict=True)
    )


def _shown(sizes: tuple[int | str, ...]) -> str:
    """A shape as messages show it, with names where any number will do."""
    return f'({", ".join(map(str, sizes))})'


def _check_events(network: Network, counts: NDArray, batch: int | None, steps: int | None) -> None:
    if not _fits(counts.shape, (steps, batch, *network.input_shape)):
        expected = (steps or 'steps', batch or 'batch', *network.input_shape)
        raise ValueError(
            f'counts of events must have the shape {_shown(expected)} of the run, the state and '
            f'the network, not {counts.shape}'
        )
    if counts.dtype != np.uint8:
        raise ValueError(
            f'counts of events must be uint8, from 0 to {MOST_EVENTS}, not {counts.dtype}'
        )


def _check_images(network: Network, images: NDArray, batch: int | None) -> None:
    if not _fits(images.shape, (batch, *network.input_shape)):
        expected = (batch or 'batch', *network.input_shape)
        raise ValueError(
            f'images must have the shape {_shown(expected)} of the state and the network, '
            f'not {images.shape}'
        )
    if images.dtype.kind != 'f' or not np.isfinite(images).all():
        raise ValueError(
            f'images must be finite float32 as images.prepare makes them, not {images.dtype} '
            f'between {images.min()} and {images.max()}'
        )
