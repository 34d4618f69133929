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

"""The fields of NIR nodes as the parts of a network; a ValueError says what is wrong with one.

A feature map of NIR is (channels, height, width). A vector is a flattened map, in memory order.
So here the shape of a map always has three sizes, and a flag says whether it is flattened.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snn_perception.layers import Pair, Shape
from snn_perception.sentences import shown

Floats = NDArray[np.float64]


def numbers(node: Any, field: str, dimensions: int | None = None) -> Floats:
    """`field` of `node` as finite float64; it must have `dimensions` if that is given."""
    try:
        values = np.asarray(getattr(node, field), np.float64)
    except (TypeError, ValueError):
        raise ValueError(f'{field} must be numbers') from None
    if dimensions is not None and values.ndim != dimensions:
        raise ValueError(
            f'{field} must have {dimensions} dimensions, not the shape {values.shape}'
        )
    if values.size == 0:
        raise ValueError(f'{field} is empty')
    if not np.isfinite(values).all():
        raise ValueError(f'{field} holds values that are not finite')
    return values


def uniform(node: Any, field: str) -> float:
    """The value that all elements of `field` share."""
    values = numbers(node, field)
    if not np.allclose(values, values.flat[0], rtol=1e-5, atol=0):
        raise ValueError(
            f'{field} must be the same for all neurons, not between {values.min():.6g} and '
            f'{values.max():.6g}'
        )
    return float(values.flat[0])


def spread(node: Any, field: str, shape: Shape, is_flat: bool) -> Floats:
    """`field` for a map of `shape`, (channels, height, width).

    The result is (1, 1, 1) for one value, and (channels, 1, 1) if the values are the same across
    each channel.
    """
    values = numbers(node, field)
    expected = (math.prod(shape),) if is_flat else shape
    if values.size == 1:
        return values.reshape(1, 1, 1)
    try:
        values = np.broadcast_to(values, expected).reshape(shape)
    except ValueError:
        raise ValueError(
            f'{field} of shape {values.shape} does not fit values of shape {expected}'
        ) from None
    first = values[:, :1, :1]
    return first if (values == first).all() else values


def per_channel(values: Floats, what: str) -> Floats:
    """`values` of `spread` as one value per channel, (channels,), or one for all, (1,)."""
    if values.shape[1:] != (1, 1):
        raise ValueError(f'{what} must be the same across each channel')
    return values[:, 0, 0]


def pair(value: Any, what: str) -> Pair:
    """The whole numbers that `value` holds for height and width, or the one for both."""
    values = np.asarray(value).reshape(-1)
    if values.dtype.kind not in 'iu' or values.size not in (1, 2):
        raise ValueError(
            f'{what} must be one whole number for each of height and width, '
            f'not {shown(values.tolist())}'
        )
    return int(values[0]), int(values[-1])


def whole(value: Any, what: str) -> int:
    """The integer that `value` is."""
    number, other = pair(value, what)
    if number != other:
        raise ValueError(f'{what} must be one whole number, not {(number, other)}')
    return number


def image_shape(node: Any) -> tuple[Shape, bool]:
    """Shape of the images that an Input takes, channels first, and whether they are flattened.

    A vector is taken to be a square image, grey or RGB; a batch dimension of 1 is ignored. Two
    channels are the events of a sensor, off and on.
    """
    found = np.asarray(node.input_type['input']).reshape(-1)
    if found.dtype.kind not in 'iu' or not found.size:
        raise ValueError('the shape of the input must be whole numbers')
    sizes = [int(size) for size in found]
    if len(sizes) in (2, 4) and sizes[0] == 1:
        del sizes[0]
    if len(sizes) == 1:
        for channels in (1, 2, 3):
            side = math.isqrt(max(sizes[0], 0) // channels)
            if channels * side**2 == sizes[0] > 0:
                return (channels, side, side), True
    if len(sizes) == 2:
        sizes.insert(0, 1)
    if len(sizes) != 3 or not all(1 <= size <= 65536 for size in sizes):
        raise ValueError(
            f'an input must be an image (channels, height, width) or a flattened square image, '
            f'not of shape {tuple(found.tolist())}'
        )
    if sizes[0] not in (1, 2, 3):
        raise ValueError(
            f'images have 1 (grey) or 3 (RGB) channels, and events 2 (off and on), not {sizes[0]}'
        )
    return (sizes[0], sizes[1], sizes[2]), False
