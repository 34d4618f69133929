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

"""From an image message to pixels: what its fields promise is checked before they are read.

Nothing here needs ROS; a message is anything with the fields of sensor_msgs/Image or
sensor_msgs/CompressedImage. Its buffer is viewed, never copied: what can be done on the small
image that the network sees (order of channels, 16 bits to 8) waits until it is small.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from snn_perception.image_files import decode_compressed, to_eight_bits
from snn_perception.images import Preprocessing, fit_image


@dataclass(frozen=True)
class Encoding:
    """Layout of a pixel, and how it becomes RGB: `conversion` is OpenCV's, None for none.

    `whole` conversions look at neighbouring pixels and need the image at full size.
    `multiple` is what width and height must be multiples of, as (width, height).
    """

    channels: int
    bits: int = 8
    conversion: int | None = None
    whole: bool = False
    multiple: tuple[int, int] = (1, 1)


def _mosaic(bits: int, conversion: int) -> Encoding:
    return Encoding(1, bits, conversion, whole=True, multiple=(2, 2))


def _packed(conversion: int) -> Encoding:
    return Encoding(2, 8, conversion, whole=True, multiple=(2, 1))


# OpenCV names a mosaic by the second and third pixel of its second row, ROS by the first row.
ENCODINGS = {
    'mono8': Encoding(1),
    'mono16': Encoding(1, 16),
    'rgb8': Encoding(3),
    'bgr8': Encoding(3, 8, cv2.COLOR_BGR2RGB),
    'rgba8': Encoding(4, 8, cv2.COLOR_RGBA2RGB),
    'bgra8': Encoding(4, 8, cv2.COLOR_BGRA2RGB),
    'rgb16': Encoding(3, 16),
    'bgr16': Encoding(3, 16, cv2.COLOR_BGR2RGB),
    'bayer_rggb8': _mosaic(8, cv2.COLOR_BayerBG2RGB),
    'bayer_bggr8': _mosaic(8, cv2.COLOR_BayerRG2RGB),
    'bayer_gbrg8': _mosaic(8, cv2.COLOR_BayerGR2RGB),
    'bayer_grbg8': _mosaic(8, cv2.COLOR_BayerGB2RGB),
    'bayer_rggb16': _mosaic(16, cv2.COLOR_BayerBG2RGB),
    'bayer_bggr16': _mosaic(16, cv2.COLOR_BayerRG2RGB),
    'bayer_gbrg16': _mosaic(16, cv2.COLOR_BayerGR2RGB),
    'bayer_grbg16': _mosaic(16, cv2.COLOR_BayerGB2RGB),
    'uyvy': _packed(cv2.COLOR_YUV2RGB_UYVY),
    'yuv422': _packed(cv2.COLOR_YUV2RGB_UYVY),
    'yuyv': _packed(cv2.COLOR_YUV2RGB_YUYV),
    'yuv422_yuy2': _packed(cv2.COLOR_YUV2RGB_YUYV),
}


class FrameReader:
    """Reads the frames of one camera, whose size is not expected to change.

    A single frame of another size is refused; after a second one of the same new size the
    camera is taken to have been set up anew.
    """

    def __init__(self) -> None:
        self._size: tuple[int, int] | None = None
        self._candidate: tuple[int, int] | None = None

    def reset(self) -> None:
        """Forget the size of the frames so far."""
        self._size = self._candidate = None

    def read(self, message: Any, preprocessing: Preprocessing) -> NDArray[np.uint8]:
        """Pixels of `message` at the height and width of `preprocessing`.

        uint8, (height, width) grey or (height, width, 3) RGB. Raises ValueError with a
        sentence if the message is not what it says it is, is damaged, or changes the size.
        """
        if not hasattr(message, 'encoding'):
            pixels = decode_compressed(message.data)
            self._check_size(pixels)
            return fit_image(pixels, preprocessing)
        encoding = ENCODINGS.get(message.encoding)
        if encoding is None:
            raise ValueError(
                f'encoding {message.encoding!r} is unknown; known are {", ".join(ENCODINGS)}'
            )
        pixels = _view(message, encoding)
        self._check_size(pixels)
        return _convert(pixels, encoding, preprocessing)

    def _check_size(self, pixels: NDArray) -> None:
        size = pixels.shape[1], pixels.shape[0]
        if self._size is None or size in (self._size, self._candidate):
            self._size, self._candidate = size, None
            return
        self._candidate = size
        raise ValueError(
            f'the size changed from {self._size[0]} x {self._size[1]} to {size[0]} x {size[1]} '
            f'pixels; another frame of the new size would be accepted'
        )


def _convert(
    pixels: NDArray, encoding: Encoding, preprocessing: Preprocessing
) -> NDArray[np.uint8]:
    """`pixels` as `encoding` lays them out, made small first and then grey or RGB of uint8."""
    if encoding.conversion is not None and encoding.whole:
        pixels = cv2.cvtColor(pixels, encoding.conversion)
    pixels = fit_image(pixels, preprocessing)
    if encoding.bits == 16:
        pixels = to_eight_bits(pixels)
    if encoding.conversion is not None and not encoding.whole:
        pixels = cv2.cvtColor(pixels, encoding.conversion)
    return np.asarray(pixels)


def _view(message: Any, encoding: Encoding) -> NDArray:
    """The buffer of `message` as an array (height, width[, channels]), rows `step` apart."""
    height, width, step = message.height, message.width, message.step
    if height < 1 or width < 1:
        raise ValueError(f'image of {width} x {height} pixels; it must have pixels')
    if width % encoding.multiple[0] or height % encoding.multiple[1]:
        raise ValueError(
            f'image of {width} x {height} pixels; in {message.encoding} width and height must '
            f'be multiples of {encoding.multiple[0]} and {encoding.multiple[1]}'
        )
    size = encoding.bits // 8
    row = width * encoding.channels * size
    if step < row:
        raise ValueError(
            f'step is {step} bytes; a row of {width} pixels in {message.encoding} has {row}'
        )
    if len(message.data) != height * step:
        raise ValueError(
            f'buffer has {len(message.data)} bytes; {height} rows of {step} have {height * step}'
        )
    order = '>' if message.is_bigendian else '<'
    pixels: NDArray = np.ndarray(
        (height, width, encoding.channels),
        np.dtype(f'{order}u{size}'),
        memoryview(message.data),
        strides=(step, encoding.channels * size, size),
    )
    if encoding.channels == 1:
        pixels = pixels[:, :, 0]
    # A copy only for the other byte order, and for 16 bits at an odd step.
    return np.require(pixels, pixels.dtype.newbyteorder('='), 'A')


def nanoseconds(header: Any) -> int:
    """Stamp of `header` in ns."""
    return int(header.stamp.sec * 1_000_000_000 + header.stamp.nanosec)
