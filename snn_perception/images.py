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

"""From camera pixels to network input: decode, crop, resize, scale.

Images are arrays of uint8, (height, width) grey or (height, width, 3) RGB. The input of a
network is float32 (height, width, channels) with 1 (grey) or 3 (RGB) channels.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import isfinite

import cv2
import numpy as np
from numpy.typing import NDArray

from snn_perception.image_files import decode_compressed, read_image

__all__ = [
    'FITS',
    'Preprocessing',
    'check_image',
    'convert_channels',
    'decode_compressed',
    'fit_image',
    'frame_image',
    'kept_part',
    'prepare',
    'read_image',
    'resize',
    'scale_image',
]

FITS = ('crop', 'pad', 'stretch')


@dataclass(frozen=True)
class Preprocessing:
    """How an image of any size becomes the input of one network.

    `shape` is the network's (height, width, channels). The input is `(x - mean) / deviation`
    with x from 0 (black) to 1 (white); `mean` and `deviation` have one value, or one per
    channel. `fit` brings an image to the shape: 'crop' cuts the largest centred part of the
    right aspect, 'pad' keeps all of it between black borders, 'stretch' ignores the aspect.
    `centre` is the share of height and width around the centre that is kept of what 'crop' and
    'stretch' leave; with 'pad' it is 1. `invert` swaps light and dark, for dark digits on light
    paper. Raises ValueError for values that do not fit.
    """

    shape: tuple[int, int, int]
    mean: tuple[float, ...] = (0.0,)
    deviation: tuple[float, ...] = (1.0,)
    fit: str = 'crop'
    invert: bool = False
    centre: float = 1.0

    def __post_init__(self) -> None:
        if len(self.shape) != 3 or min(self.shape) < 1:
            raise ValueError(
                f'shape must be height, width and channels, each at least 1, not {self.shape}'
            )
        if self.shape[2] not in (1, 3):
            raise ValueError(f'channels must be 1 (grey) or 3 (RGB), not {self.shape[2]}')
        for name, values in (('mean', self.mean), ('deviation', self.deviation)):
            if len(values) not in (1, self.shape[2]) or not all(map(isfinite, values)):
                raise ValueError(
                    f'{name} must be one finite number, or one per channel '
                    f'({self.shape[2]}), not {values}'
                )
        if min(self.deviation) <= 0:
            raise ValueError(f'deviation must be positive, not {self.deviation}')
        if self.fit not in FITS:
            raise ValueError(f'fit must be one of {", ".join(FITS)}, not {self.fit!r}')
        if not 0 < self.centre <= 1:
            raise ValueError(f'centre must be a share above 0 and at most 1, not {self.centre}')
        if self.fit == 'pad' and self.centre != 1:
            raise ValueError(
                f'centre must be 1 where fit is pad, which keeps all of an image, '
                f'not {self.centre}; with crop or stretch it may be less'
            )

    @cached_property
    def _scale(self) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Mean and deviation as float32 arrays that broadcast over the channels."""
        return np.asarray(self.mean, np.float32), np.asarray(self.deviation, np.float32)


def prepare(image: NDArray, preprocessing: Preprocessing) -> NDArray[np.float32]:
    """Network input float32 (height, width, channels) from `image`, uint8 grey or RGB.

    An image that has the network's size already is scaled, and nothing else. Raises
    ValueError if `image` is not a grey or RGB image of uint8.
    """
    check_image(image)
    pixels = convert_channels(fit_image(image, preprocessing), preprocessing.shape[2])
    if preprocessing.invert:
        pixels = np.bitwise_not(pixels)
    mean, deviation = preprocessing._scale
    return (pixels.reshape(preprocessing.shape) / np.float32(255) - mean) / deviation


def check_image(image: NDArray) -> None:
    """Raise ValueError unless `image` is a grey or RGB image of uint8 with pixels in it."""
    if not isinstance(image, np.ndarray):
        raise ValueError(f'an image must be a NumPy array, not {type(image).__name__}')
    if image.dtype != np.uint8:
        raise ValueError(f'an image must be of uint8 from 0 to 255, not {image.dtype}')
    if image.ndim not in (2, 3) or (image.ndim == 3 and image.shape[2] not in (1, 3)):
        raise ValueError(
            f'an image must be (height, width) grey or (height, width, 3) RGB, '
            f'not of shape {image.shape}'
        )
    if image.size == 0:
        raise ValueError(
            f'an image must have pixels, and this one of shape {image.shape} has none'
        )


def fit_image(image: NDArray[np.uint8], preprocessing: Preprocessing) -> NDArray[np.uint8]:
    """`image` (height, width[, channels]) brought to the height and width of the network.

    Channels stay as they are. Crops as a view and resizes once, and returns `image` itself
    where it has that size already, whatever `fit` and `centre` are.
    """
    return frame_image(scale_image(image, preprocessing), preprocessing)


def scale_image(image: NDArray, preprocessing: Preprocessing) -> NDArray:
    """`image` (height, width[, channels]) of any type cropped and resized as `fit_image` does.

    It has the height and width of the network, or less in one of them if it is to be padded.
    """
    rows, columns = image.shape[:2]
    height, width, _ = preprocessing.shape
    left, top, across, down = kept_part(rows, columns, preprocessing)
    image = image[top : top + down, left : left + across]
    if preprocessing.fit == 'pad':
        scale = min(height / rows, width / columns)
        height = min(height, max(1, round(rows * scale)))
        width = min(width, max(1, round(columns * scale)))
    return resize(image, height, width)


def kept_part(rows: int, columns: int, preprocessing: Preprocessing) -> tuple[int, int, int, int]:
    """What is kept of an image of `rows` x `columns` pixels: left, top, width and height of it.

    All of an image that has the network's size: what was cropped once stays as it is.
    """
    height, width, _ = preprocessing.shape
    if (rows, columns) == (height, width) or preprocessing.fit == 'pad':
        return 0, 0, columns, rows
    most_across, most_down = float(columns), float(rows)
    if preprocessing.fit == 'crop':
        most_across = min(most_across, rows * width / height)
        most_down = min(most_down, columns * height / width)
    across = max(1, round(preprocessing.centre * most_across))
    down = max(1, round(preprocessing.centre * most_down))
    return (columns - across) // 2, (rows - down) // 2, across, down


def frame_image(image: NDArray[np.uint8], preprocessing: Preprocessing) -> NDArray[np.uint8]:
    """`image` of `scale_image` in the middle of the height and width of the network.

    The borders are black in what the network sees.
    """
    rows, columns = image.shape[:2]
    height, width, _ = preprocessing.shape
    if (rows, columns) == (height, width):
        return image
    border = 255 if preprocessing.invert else 0
    framed = np.full((height, width, *image.shape[2:]), border, np.uint8)
    top, left = (height - rows) // 2, (width - columns) // 2
    framed[top : top + rows, left : left + columns] = image
    return framed


def convert_channels(image: NDArray[np.uint8], channels: int) -> NDArray[np.uint8]:
    """`image`, grey or RGB, with 1 or 3 channels: (height, width) or (height, width, 3)."""
    if image.ndim == 3 and image.shape[2] == 1:
        image = image[:, :, 0]
    if image.ndim == 3 and channels == 1:
        return np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY))
    if image.ndim == 2 and channels == 3:
        return np.asarray(cv2.cvtColor(image, cv2.COLOR_GRAY2RGB))
    return image


def resize(image: NDArray, height: int, width: int) -> NDArray:
    """`image` at `height` x `width`: area means where it shrinks, interpolated where it grows.

    A much larger image is halved first, if that is faster. It changes a level by 1 or 2, and by 5
    at most where neighbouring pixels have nothing to do with each other.
    """
    if image.shape[:2] == (height, width):
        return image
    if _can_be_halved(image, height, width):
        image = cv2.resize(
            image, (image.shape[1] // 2, image.shape[0] // 2), interpolation=cv2.INTER_AREA
        )
    shrinks = image.shape[0] > height or image.shape[1] > width
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(image, (width, height), interpolation=method))


def _can_be_halved(image: NDArray, height: int, width: int) -> bool:
    """Whether to halve `image` makes its way to `height` x `width` faster."""
    rows, columns = image.shape[:2]
    is_large = rows >= 4 * height and columns >= 4 * width
    is_multiple = rows % height == 0 and columns % width == 0  # which OpenCV does fast by itself
    return is_large and not is_multiple and rows % 2 == 0 and columns % 2 == 0
