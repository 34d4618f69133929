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


"""Encodings of sensor_msgs/Image: where the pixels of each are, and how they become grey or RGB.

The generic encodings of OpenCV's arrays (8UC3, 16UC4, ...) have blue first, as cv_bridge takes
them, and the fourth channel is alpha.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import cv2
import numpy as np
from numpy.typing import NDArray

# Red, green and blue of brightness, blue and red difference: ITU-R BT.601 in the range of video,
# which is what OpenCV takes the other encodings of YUV for.
_FROM_YUV = np.array(
    [
        [1.16438, 0.0, 1.59603, -222.921],
        [1.16438, -0.39176, -0.81297, 135.576],
        [1.16438, 2.01723, 0.0, -276.836],
    ]
)

_Planes = Sequence[NDArray]
_Conversion = Callable[[NDArray], NDArray]


@dataclass(frozen=True)
class Encoding:
    """Layout of a frame, and how it becomes grey or RGB.

    `kind` is the type of a value (u1, u2, f4, f8). `chroma` is how many columns and rows share
    a pair of colour differences, for those that have them in a plane of their own below that
    of brightness. `mix` makes pixels of the planes as they are; it looks at neighbouring pixels.
    `order` makes RGB of pixels one by one, and can wait until the image is small. Width and
    height must be multiples of `multiple` and no less than `smallest`.
    """

    channels: int
    kind: str = 'u1'
    order: _Conversion | None = None
    has_alpha: bool = False
    mix: Callable[[_Planes], NDArray] | None = None
    chroma: tuple[int, int] | None = None
    multiple: tuple[int, int] = (1, 1)
    smallest: int = 1

    @property
    def is_float(self) -> bool:
        """Whether values are floating-point numbers and so have no range of their own."""
        return self.kind.startswith('f')

    def size_fault(self, width: int, height: int) -> str:
        """What is wrong with frames of `width` x `height`, as half a sentence; '' if nothing."""
        if width % self.multiple[0] or height % self.multiple[1]:
            return f'must be multiples of {self.multiple[0]} and {self.multiple[1]}'
        if min(width, height) < self.smallest:
            return f'must be at least {self.smallest}'
        return ''


def find_encoding(name: str) -> Encoding:
    """The encoding `name`; raises ValueError with a sentence if it holds no picture."""
    if name in ENCODINGS:
        return ENCODINGS[name]
    if re.fullmatch('(8|16|32|64)[USF]C[0-9]*', name):
        raise ValueError(
            f'encoding {name!r} holds numbers that are no picture by themselves; the camera '
            f'should send mono8, rgb8 or mono16, or 32FC1 with the parameter float_range'
        )
    raise ValueError(f'encoding {name!r} is unknown; known are {", ".join(ENCODINGS)}')


def _demosaic(planes: _Planes, conversion: int) -> NDArray:
    mosaic = planes[0]
    if min(mosaic.shape) > 2:
        return np.asarray(cv2.cvtColor(mosaic, conversion))
    # OpenCV leaves black what has no neighbours. A mirrored mosaic goes on in its own pattern.
    larger = cv2.copyMakeBorder(mosaic, 2, 2, 2, 2, cv2.BORDER_REFLECT_101)
    return np.asarray(cv2.cvtColor(larger, conversion)[2:-2, 2:-2])


def _unpack(planes: _Planes, conversion: int) -> NDArray:
    return np.asarray(cv2.cvtColor(planes[0], conversion))


def _join(planes: _Planes, conversion: int) -> NDArray:
    return np.asarray(cv2.cvtColorTwoPlane(planes[0], planes[1], conversion))


def _stack(planes: _Planes) -> NDArray:
    return np.asarray(cv2.merge((planes[0], *cv2.split(planes[1]))))


def _swap(pixels: NDArray) -> NDArray:
    return np.asarray(cv2.cvtColor(pixels, cv2.COLOR_BGR2RGB))


def _from_yuv(pixels: NDArray) -> NDArray:
    return np.asarray(cv2.transform(pixels, _FROM_YUV))


def _depths(name: str, encoding: Encoding) -> dict[str, Encoding]:
    return {name.format(bits): replace(encoding, kind=f'u{bits // 8}') for bits in (8, 16)}


def _mosaic(conversion: int) -> Encoding:
    return Encoding(1, mix=partial(_demosaic, conversion=conversion), smallest=2)


def _packed(conversion: int) -> Encoding:
    return Encoding(2, mix=partial(_unpack, conversion=conversion), multiple=(2, 1))


def _semiplanar(conversion: int) -> Encoding:
    mix = partial(_join, conversion=conversion)
    return Encoding(1, mix=mix, chroma=(2, 2), multiple=(2, 2))


# OpenCV names a mosaic by the second and third pixel of its second row, ROS by the first row.
ENCODINGS: dict[str, Encoding] = {
    **_depths('mono{}', Encoding(1)),
    **_depths('rgb{}', Encoding(3)),
    **_depths('bgr{}', Encoding(3, order=_swap)),
    **_depths('rgba{}', Encoding(4, has_alpha=True)),
    **_depths('bgra{}', Encoding(4, has_alpha=True, order=_swap)),
    **_depths('{}UC1', Encoding(1)),
    **_depths('{}UC3', Encoding(3, order=_swap)),
    **_depths('{}UC4', Encoding(4, has_alpha=True, order=_swap)),
    '32FC1': Encoding(1, 'f4'),
    '32FC3': Encoding(3, 'f4', order=_swap),
    '64FC1': Encoding(1, 'f8'),
    '64FC3': Encoding(3, 'f8', order=_swap),
    **_depths('bayer_rggb{}', _mosaic(cv2.COLOR_BayerBG2RGB)),
    **_depths('bayer_bggr{}', _mosaic(cv2.COLOR_BayerRG2RGB)),
    **_depths('bayer_gbrg{}', _mosaic(cv2.COLOR_BayerGR2RGB)),
    **_depths('bayer_grbg{}', _mosaic(cv2.COLOR_BayerGB2RGB)),
    'uyvy': _packed(cv2.COLOR_YUV2RGB_UYVY),
    'yuv422': _packed(cv2.COLOR_YUV2RGB_UYVY),
    'yuyv': _packed(cv2.COLOR_YUV2RGB_YUYV),
    'yuv422_yuy2': _packed(cv2.COLOR_YUV2RGB_YUYV),
    'nv12': _semiplanar(cv2.COLOR_YUV2RGB_NV12),
    'nv21': _semiplanar(cv2.COLOR_YUV2RGB_NV21),
    'nv24': Encoding(1, order=_from_yuv, mix=_stack, chroma=(1, 1)),
}
