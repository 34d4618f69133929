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

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snn_perception.image_files import blend_on_black, decode_compressed, to_eight_bits
from snn_perception.images import (
    Preprocessing,
    convert_channels,
    frame_image,
    resize,
    scale_image,
)
from snn_perception.nodes.frames.encodings import ENCODINGS, Encoding, find_encoding
from snn_perception.views import FRAME, WHOLE, Views, check_roi, region_of

_LARGEST = 1e30
"""Bound of float_range: what is within it can be scaled in 32 bits."""


@dataclass(frozen=True)
class Interpretation:
    """What a message does not say of its pixels.

    `roi` is the region that the network sees: x, y, width and height as shares of the frame.
    `significant_bits` is how many of 16 bits are used, 0 for all: a camera of 12 bits sends
    nothing above 4095.
    `float_range` is what is black and what is white in floating-point frames: what is beyond
    them is black or white too, and what is no number (NaN) is black. Raises ValueError for
    values that make no sense.
    """

    roi: tuple[float, ...] = WHOLE
    significant_bits: int = 0
    float_range: tuple[float, ...] = (0.0, 1.0)

    def __post_init__(self) -> None:
        check_roi(self.roi)
        if not 0 <= self.significant_bits <= 16:
            raise ValueError(
                f'significant_bits must be from 1 to 16, or 0 for all, not {self.significant_bits}'
            )
        if len(self.float_range) != 2:
            raise ValueError(f'float_range must be black and white, not {self.float_range}')
        black, white = self.float_range
        if not max(abs(black), abs(white)) <= _LARGEST or not abs(white - black) >= 1 / _LARGEST:
            raise ValueError(
                f'float_range must be two different finite numbers, black and white, '
                f'not {self.float_range}'
            )


AS_SENT = Interpretation()


class FrameReader:
    """Reads the frames of one camera, whose size is not expected to change.

    A single frame of another size is refused; after a second one of the same new size the
    camera is taken to have been set up anew. For one thread.
    """

    def __init__(self) -> None:
        self._size: tuple[int, int] | None = None
        self._candidate: tuple[int, int] | None = None
        self._decoded: tuple[Any, int, _Frame] | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the frames, in pixels; (0, 0) before the first."""
        return (self._size[1], self._size[0]) if self._size else (0, 0)

    def reset(self) -> None:
        """Forget the size of the frames so far."""
        self._size = self._candidate = self._decoded = None

    def read(
        self, message: Any, preprocessing: Preprocessing, interpretation: Interpretation = AS_SENT
    ) -> NDArray[np.uint8]:
        """Pixels of `message` at the height and width of `preprocessing`; see `read_views`."""
        return self.read_views(message, preprocessing, interpretation, FRAME)[0]

    def read_views(
        self,
        message: Any,
        preprocessing: Preprocessing,
        interpretation: Interpretation,
        views: Views,
    ) -> list[NDArray[np.uint8]]:
        """Pixels of each of `views` of `message` at the height and width of `preprocessing`.

        uint8, (height, width) grey or (height, width, 3) RGB. Raises ValueError with a
        sentence if the message is not what it says it is, is damaged, has no such region as
        `interpretation` asks for, or changes the size.
        """
        frame = self._open(message, interpretation)
        self._check_size(frame)
        whole = region_of(interpretation.roi, frame.height, frame.width)
        pixels = _levels(frame.region(*whole), frame.encoding, interpretation)
        return [
            frame_image(
                _to_colours(
                    region.of(pixels),
                    frame.encoding,
                    interpretation,
                    lambda part: scale_image(part, preprocessing),
                ),
                preprocessing,
            )
            for region in views.regions(whole.height, whole.width, preprocessing)
        ]

    def picture(
        self, message: Any, interpretation: Interpretation, height: int, width: int
    ) -> NDArray[np.uint8]:
        """All of `message` for people: uint8 RGB (up to `height`, up to `width`, 3), to draw on.

        Its aspect is kept, and a small frame is not enlarged. What `read` decoded just before
        is not decoded again. Raises ValueError as `read` does, but accepts any size.
        """
        frame = self._open(message, interpretation)
        scale = min(1.0, height / frame.height, width / frame.width)
        rows, columns = max(1, round(frame.height * scale)), max(1, round(frame.width * scale))
        small = _to_colours(
            _levels(frame.region(0, 0, frame.width, frame.height), frame.encoding, interpretation),
            frame.encoding,
            interpretation,
            lambda whole: resize(whole, rows, columns),
        )
        picture = convert_channels(small, 3)
        # A frame that is small already may still be the message's own buffer.
        return picture.copy() if picture.base is not None else picture

    def _open(self, message: Any, interpretation: Interpretation) -> _Frame:
        if hasattr(message, 'encoding'):
            return _view(message)
        bits = interpretation.significant_bits
        if self._decoded and self._decoded[0] is message and self._decoded[1] == bits:
            return self._decoded[2]
        self._decoded = None
        if 'compressedDepth' in message.format:
            raise ValueError(
                f'compressed image has the format {message.format!r}: distances, and no picture; '
                f'the topic should be the one that ends in /compressed of a colour or grey image'
            )
        pixels = decode_compressed(message.data, bits)
        encoding = ENCODINGS['rgb8' if pixels.ndim == 3 else 'mono8']
        frame = _Frame(encoding, (pixels,))
        self._decoded = message, bits, frame
        return frame

    def _check_size(self, frame: _Frame) -> None:
        size = frame.width, frame.height
        if self._size is None or size in (self._size, self._candidate):
            self._size, self._candidate = size, None
            return
        self._candidate = size
        raise ValueError(
            f'the size changed from {self._size[0]} x {self._size[1]} to {size[0]} x {size[1]} '
            f'pixels; another frame of the new size would be accepted'
        )


@dataclass(frozen=True)
class _Frame:
    """A frame as it was sent: one plane (height, width[, channels]), or brightness and colour."""

    encoding: Encoding
    planes: tuple[NDArray, ...]

    @property
    def height(self) -> int:
        return int(self.planes[0].shape[0])

    @property
    def width(self) -> int:
        return int(self.planes[0].shape[1])

    def region(self, x: int, y: int, width: int, height: int) -> NDArray:
        """The pixels from `x` and `y` on: a view, except where neighbours have to be mixed."""
        mix = self.encoding.mix
        if mix is None:
            return _native(self.planes[0][y : y + height, x : x + width])
        # With the pixels that matter to those at its border, and whole squares of four.
        left, top = max(0, x - 2) // 2 * 2, max(0, y - 2) // 2 * 2
        right, bottom = (x + width + 3) // 2 * 2, (y + height + 3) // 2 * 2
        planes = [_native(self.planes[0][top:bottom, left:right])]
        if self.encoding.chroma:
            columns, rows = self.encoding.chroma
            chroma = self.planes[1][
                top // rows : bottom // rows, left // columns : right // columns
            ]
            planes.append(chroma)
        return mix(planes)[y - top : y - top + height, x - left : x - left + width]


def _native(pixels: NDArray) -> NDArray:
    # A copy only for the other byte order, and for 16 bits at an odd step.
    return np.require(pixels, pixels.dtype.newbyteorder('='), 'A')


def _levels(pixels: NDArray, encoding: Encoding, interpretation: Interpretation) -> NDArray:
    """`pixels` as whole numbers, before they are made small.

    What is no number would spread over its neighbours.
    """
    return _from_floats(pixels, interpretation.float_range) if encoding.is_float else pixels


def _to_colours(
    pixels: NDArray,
    encoding: Encoding,
    interpretation: Interpretation,
    shrink: Callable[[NDArray], NDArray],
) -> NDArray[np.uint8]:
    """`pixels` made small by `shrink` first, and then grey or RGB of uint8."""
    bits = interpretation.significant_bits
    small = _to_bytes(shrink(pixels), bits)
    if encoding.has_alpha:
        alpha = small[:, :, 3]
        # Many cameras send a channel of alpha that they do not use: all 255, or all 0.
        is_used = alpha.any() and alpha.min() < 255
        small = shrink(blend_on_black(_to_bytes(pixels, bits))) if is_used else small[:, :, :3]
    return np.ascontiguousarray(encoding.order(small) if encoding.order else small)


def _to_bytes(pixels: NDArray, significant_bits: int) -> NDArray[np.uint8]:
    return to_eight_bits(pixels, significant_bits) if pixels.dtype == np.uint16 else pixels


def _from_floats(pixels: NDArray, float_range: tuple[float, ...]) -> NDArray[np.uint8]:
    black, white = float_range
    # First, as some that are no number make NumPy warn of every frame.
    numbers = np.nan_to_num(pixels, nan=black)
    levels = (np.clip(numbers, min(float_range), max(float_range)) - black) * 255 / (white - black)
    return np.asarray(np.rint(levels), np.uint8)


def _view(message: Any) -> _Frame:
    """The buffer of `message` as planes with rows `step` apart."""
    encoding = find_encoding(message.encoding)
    height, width, step = message.height, message.width, message.step
    if height < 1 or width < 1:
        raise ValueError(f'image of {width} x {height} pixels; it must have pixels')
    fault = encoding.size_fault(width, height)
    if fault:
        raise ValueError(
            f'image of {width} x {height} pixels; in {message.encoding} width and height {fault}'
        )
    kind = np.dtype(('>' if message.is_bigendian else '<') + encoding.kind)
    pixel = encoding.channels * kind.itemsize
    if step < width * pixel:
        raise ValueError(
            f'step is {step} bytes; a row of {width} pixels in {message.encoding} has '
            f'{width * pixel}'
        )
    columns, rows = encoding.chroma or (0, 0)
    lines = height + 2 * height // (columns * rows) if encoding.chroma else height
    if len(message.data) != lines * step:
        raise ValueError(
            f'buffer has {len(message.data)} bytes; {lines} rows of {step} have {lines * step}'
        )
    buffer = memoryview(message.data)
    shape = (height, width) if encoding.channels == 1 else (height, width, encoding.channels)
    plane: NDArray = np.ndarray(shape, kind, buffer, 0, (step, pixel, kind.itemsize)[: len(shape)])
    if not encoding.chroma:
        return _Frame(encoding, (plane,))
    pairs = (height // rows, width // columns, 2)
    strides = (2 * step // columns, 2, 1)
    return _Frame(encoding, (plane, np.ndarray(pairs, kind, buffer, height * step, strides)))


def has_sixteen_bits(message: Any) -> bool:
    """Whether the pixels of `message` have 16 bits, of which not all may be significant."""
    if hasattr(message, 'encoding'):
        encoding = ENCODINGS.get(message.encoding)
        return encoding is not None and encoding.kind == 'u2'
    return '16' in message.format.partition(';')[0]


def nanoseconds(header: Any) -> int:
    """Stamp of `header` in ns."""
    return int(header.stamp.sec * 1_000_000_000 + header.stamp.nanosec)
