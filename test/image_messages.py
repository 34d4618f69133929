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


"""Image messages with what a sensor would send, without ROS."""

from __future__ import annotations

import array
from types import SimpleNamespace

import cv2
import numpy as np

from snn_perception.nodes.frames.encodings import ENCODINGS


def message(
    encoding: str, pixels: np.ndarray, padding: int = 0, bigendian: bool = False
) -> SimpleNamespace:
    """A sensor_msgs/Image of `pixels` (height, width[, channels]), `padding` bytes per row."""
    order = '>' if bigendian else '<'
    rows = pixels.astype(pixels.dtype.newbyteorder(order)).reshape(len(pixels), -1).view(np.uint8)
    rows = np.pad(rows, ((0, 0), (0, padding)), constant_values=170)
    return SimpleNamespace(
        height=pixels.shape[0],
        width=pixels.shape[1],
        encoding=encoding,
        is_bigendian=int(bigendian),
        step=rows.shape[1],
        data=array.array('B', rows.tobytes()),
    )


def semiplanar(
    encoding: str, brightness: np.ndarray, pairs: np.ndarray, padding: int = 0
) -> SimpleNamespace:
    """The same of a plane (height, width) and one of colour differences (.., .., 2) below it."""
    image = message(encoding, brightness, padding)
    # A row of colour differences has as many bytes as fit to the step of the brightness.
    step = image.step * 2 * pairs.shape[1] // brightness.shape[1]
    rows = pairs.reshape(len(pairs), -1)
    image.data.extend(np.pad(rows, ((0, 0), (0, step - rows.shape[1]))).tobytes())
    return image


def zeros(encoding: str, height: int, width: int) -> SimpleNamespace:
    """A frame of zeros."""
    layout = ENCODINGS[encoding]
    if layout.chroma:
        columns, rows = layout.chroma
        pairs = np.zeros((height // rows, width // columns, 2), np.uint8)
        return semiplanar(encoding, np.zeros((height, width), np.uint8), pairs)
    return message(encoding, np.zeros((height, width, layout.channels), layout.kind))


def compressed(pixels: np.ndarray, suffix: str = '.png') -> SimpleNamespace:
    """A sensor_msgs/CompressedImage of `pixels`, RGB or grey."""
    data = cv2.imencode(suffix, pixels[..., ::-1] if pixels.ndim == 3 else pixels)[1].tobytes()
    return SimpleNamespace(format=suffix[1:], data=array.array('B', data))


def smooth_colours(height: int = 48, width: int = 64) -> np.ndarray:
    """An RGB image without fine detail, so that a mosaic of it can be undone."""
    y, x = np.mgrid[:height, :width]
    return np.stack([40 + 2 * x, 30 + 3 * y, 230 - x - 2 * y], axis=2).astype(np.uint8)


def mosaic(pixels: np.ndarray, pattern: str) -> np.ndarray:
    """What a sensor behind the colour filter `pattern` (first row, second row) sees."""
    seen = np.zeros(pixels.shape[:2], pixels.dtype)
    for position, colour in enumerate(pattern):
        row, column = divmod(position, 2)
        seen[row::2, column::2] = pixels[row::2, column::2, 'rgb'.index(colour)]
    return seen


def to_yuv(pixels: np.ndarray) -> np.ndarray:
    """Brightness and colour differences (ITU-R BT.601, video): (height, width, 3)."""
    red, green, blue = (pixels[..., channel].astype(float) for channel in range(3))
    y = 16 + (65.738 * red + 129.057 * green + 25.064 * blue) / 256
    u = 128 + (-37.945 * red - 74.494 * green + 112.439 * blue) / 256
    v = 128 + (112.439 * red - 94.154 * green - 18.285 * blue) / 256
    return np.rint(np.stack([y, u, v], axis=2)).astype(np.uint8)


def sent(encoding: str, image: np.ndarray, padding: int = 0) -> SimpleNamespace:
    """The RGB `image` as a camera with that `encoding` of colours sends it."""
    if encoding in ('uyvy', 'yuv422', 'yuyv', 'yuv422_yuy2'):
        yuv = to_yuv(image)
        packed = np.zeros((*image.shape[:2], 2), np.uint8)
        brightness = 1 if encoding in ('uyvy', 'yuv422') else 0
        packed[:, :, brightness] = yuv[..., 0]
        packed[:, 0::2, 1 - brightness] = yuv[:, ::2, 1]
        packed[:, 1::2, 1 - brightness] = yuv[:, ::2, 2]
        return message(encoding, packed, padding)
    if encoding in ('nv12', 'nv21', 'nv24'):
        yuv = to_yuv(image)
        every = 1 if encoding == 'nv24' else 2
        pairs = yuv[::every, ::every, 1:]
        pairs = pairs[..., ::-1] if encoding == 'nv21' else pairs
        return semiplanar(encoding, yuv[..., 0], pairs, padding)
    pattern, bits = encoding.removeprefix('bayer_')[:4], encoding[-2:]
    seen = image.astype(np.uint16) * 257 if bits == '16' else image
    return message(encoding, mosaic(seen, pattern), padding)
