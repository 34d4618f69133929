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

"""Image files and compressed images as pixels: uint8, grey (height, width) or RGB (.., .., 3).

What a file is, its content says and not its name. Pillow reads the header, so that the size is
known before memory is taken, and OpenCV decodes what it decodes well.
"""

from __future__ import annotations

import os
import re
import stat
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.ImageFile import ImageFile
from PIL.Jpeg2KImagePlugin import Jpeg2KImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.PpmImagePlugin import PpmImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

MAXIMUM_PIXELS = 2**26
"""Largest image that is decoded, 64 megapixels: 192 MB as RGB."""

MAXIMUM_FILE_BYTES = 2**29
"""Largest file that is read: an image of MAXIMUM_PIXELS in 16 bits without compression fits."""

# The classes and not Image.open, which for a large image also prints a warning of its own.
_READERS: dict[str, tuple[re.Pattern[bytes], type[ImageFile]]] = {
    name: (re.compile(signature, re.DOTALL), reader)
    for name, signature, reader in (
        ('JPEG', rb'\xff\xd8', JpegImageFile),
        ('PNG', rb'\x89PNG\r\n\x1a\n', PngImageFile),
        ('GIF', rb'GIF8[79]a', GifImageFile),
        ('BMP', rb'BM.{4}\0{4}', BmpImageFile),
        ('TIFF', rb'II[*+]\0|MM\0[*+]', TiffImageFile),
        ('WebP', rb'RIFF.{4}WEBP', WebPImageFile),
        ('JPEG 2000', rb'\0\0\0\x0cjP  \r\n\x87\n|\xff\x4f\xff\x51', Jpeg2KImageFile),
        ('PNM', rb'P[1-6]\s', PpmImageFile),
    )
}
_LONGEST_SIGNATURE = 12

# OpenCV reads GIFs in some versions only, and damaged JPEG 2000 files end its process.
_ONLY_PILLOW = ('GIF', 'JPEG 2000')

FORMATS = tuple(_READERS)
"""Names of the formats that are read."""


def image_format(path: Path) -> str:
    """One of FORMATS, by the first bytes of the file `path`; '' if it is none of them.

    Raises OSError if the file cannot be read.
    """
    with path.open('rb', buffering=0) as file:
        return _format(file.read(_LONGEST_SIGNATURE))


def decode_compressed(data: bytes | bytearray | memoryview) -> NDArray[np.uint8]:
    """The image in the JPEG or PNG file `data`.

    16-bit PNGs are scaled to 8 bits and transparency is dropped. Raises ValueError if `data`
    is no JPEG or PNG, is damaged, or says in its header that it is larger than
    MAXIMUM_PIXELS, in which case no memory is taken.
    """
    content = bytes(data)
    found = _format(content)
    if found not in ('JPEG', 'PNG'):
        begins = f'begins with {content[:8]!r}' if content else 'is empty'
        raise ValueError(f'compressed image {begins}; it must be a JPEG or PNG file')
    try:
        return _decode(BytesIO(content), found)
    except ValueError as reason:
        raise ValueError(f'compressed image {reason}') from None


def read_image(path: str | Path) -> NDArray[np.uint8]:
    """The image in the file `path`, which has one of FORMATS; of a film in a GIF the first.

    16 bits are scaled to 8 and transparency is dropped. Raises ValueError with a sentence that
    names the file if it cannot be read, is damaged or is larger than MAXIMUM_PIXELS.
    """
    try:
        status = os.stat(path)
        # Opening a pipe would wait for somebody to write into it.
        if not stat.S_ISREG(status.st_mode) and not stat.S_ISDIR(status.st_mode):
            raise ValueError('is a device or a pipe')
        if status.st_size > MAXIMUM_FILE_BYTES:
            raise ValueError(f'has {status.st_size} bytes, more than {MAXIMUM_FILE_BYTES}')
        with open(path, 'rb') as file:
            return _read(file)
    except OSError as reason:
        raise ValueError(f'{path} cannot be read: {reason.strerror}') from None
    except ValueError as reason:
        raise ValueError(f'{path} is not an image that can be read: it {reason}') from None


def to_eight_bits(image: NDArray) -> NDArray[np.uint8]:
    """`image` of uint16 scaled to 8 bits and rounded, so that 65535 becomes 255."""
    return np.asarray(cv2.convertScaleAbs(image, alpha=1 / 257))


def _format(content: bytes) -> str:
    """One of FORMATS, by the first bytes of `content`; '' if it is none of them."""
    return next((name for name in FORMATS if _READERS[name][0].match(content)), '')


def _read(file: BinaryIO) -> NDArray[np.uint8]:
    """The image in `file`; raises ValueError as `_decode` does."""
    beginning = file.read(_LONGEST_SIGNATURE)
    if not beginning:
        raise ValueError('is empty')
    name = _format(beginning)
    if not name:
        raise ValueError(f'is none of {", ".join(FORMATS)}')
    return _decode(file, name)


def _decode(file: BinaryIO, name: str) -> NDArray[np.uint8]:
    """The image in `file`, which begins as the format `name`.

    Raises ValueError with half a sentence, such as 'is damaged'.
    """
    file.seek(0)
    try:
        header = _READERS[name][1](file)
    except Exception:  # whatever a damaged header makes a reader do
        raise ValueError(f'is a {name} file with a damaged header') from None
    width, height = header.size
    if height * width > MAXIMUM_PIXELS:
        raise ValueError(f'has {width} x {height} pixels, more than {MAXIMUM_PIXELS}')
    image = _by_pillow(header) if name in _ONLY_PILLOW else _by_opencv(file, header)
    if image is None:
        raise ValueError(f'is a {name} file and damaged')
    if image.dtype == np.uint16:
        image = to_eight_bits(image)
    if image.dtype != np.uint8:
        raise ValueError(f'has pixels of {image.dtype}; they must have 8 or 16 bits')
    return image


def _by_pillow(header: ImageFile) -> NDArray | None:
    """The first picture of the file that `header` is of; None if it is damaged."""
    try:
        if header.mode.startswith('I;16'):
            return np.array(header, np.uint16)
        return np.array(header.convert('L' if header.mode in ('1', 'L', 'LA') else 'RGB'))
    except Exception:  # whatever damaged pixels make a reader do
        return None


def _by_opencv(file: BinaryIO, header: ImageFile) -> NDArray | None:
    """The picture in `file`, which `header` is of; None if it is damaged."""
    try:
        # OpenCV takes as much memory as the length of a damaged part of a PNG asks for.
        header.verify()
        file.seek(0)
        content = np.frombuffer(file.read(), np.uint8)
        image = cv2.imdecode(content, cv2.IMREAD_ANYCOLOR | cv2.IMREAD_ANYDEPTH)
        if image is None or image.ndim == 2:
            return image
        return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB))
    except Exception:  # whatever damaged pixels make a reader do
        return None
