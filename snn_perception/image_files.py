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
known before memory is taken, and OpenCV decodes what it decodes well. An image is turned as its
EXIF orientation says, as OpenCV and viewers do; what is transparent in it is blended on black.
"""

from __future__ import annotations

import os
import re
import stat
from array import array
from pathlib import Path
from typing import BinaryIO, cast

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL.BmpImagePlugin import BmpImageFile
from PIL.GifImagePlugin import GifImageFile
from PIL.Image import Exif
from PIL.ImageFile import ImageFile
from PIL.Jpeg2KImagePlugin import Jpeg2KImageFile
from PIL.JpegImagePlugin import JpegImageFile
from PIL.PngImagePlugin import PngImageFile
from PIL.PpmImagePlugin import PpmImageFile
from PIL.SunImagePlugin import SunImageFile
from PIL.TiffImagePlugin import TiffImageFile
from PIL.WebPImagePlugin import WebPImageFile

MAXIMUM_PIXELS = 2**26
"""Largest image that is decoded, 64 megapixels: 192 MB as RGB."""

MAXIMUM_FILE_BYTES = 2**29
"""Largest file that is read: an image of MAXIMUM_PIXELS in 16 bits without compression fits."""

MAXIMUM_READS = 2**18
"""Pieces in which a header is read: a PNG of MAXIMUM_PIXELS has fewer, a tenth of a second."""

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
        ('Sun raster', rb'\x59\xa6\x6a\x95', SunImageFile),
    )
}
_LONGEST_SIGNATURE = 12

# The tag of EXIF data, and what its values ask for: turns by 90 degrees against the clock, and
# whether the image is mirrored from left to right before them.
_ORIENTATION = 0x0112
_TURNS = {2: (0, True), 3: (2, False), 4: (2, True), 5: (1, True), 6: (3, False), 7: (3, True),
          8: (1, False)}  # fmt: skip

# OpenCV reads GIFs in some versions only, and damaged JPEG 2000 files end its process.
_ONLY_PILLOW = ('GIF', 'JPEG 2000')

_AS_STORED = cv2.IMREAD_ANYCOLOR | cv2.IMREAD_ANYDEPTH | cv2.IMREAD_IGNORE_ORIENTATION

FORMATS = tuple(_READERS)
"""Names of the formats that are read."""

_LISTED = f'{", ".join(FORMATS[:-1])} or {FORMATS[-1]}'


def image_format(path: Path) -> str:
    """One of FORMATS, by the first bytes of the file `path`; '' if it is none of them.

    Raises OSError if the file cannot be read.
    """
    with path.open('rb', buffering=0) as file:
        return _format(file.read(_LONGEST_SIGNATURE))


def decode_compressed(
    data: bytes | bytearray | memoryview | array, significant_bits: int = 0
) -> NDArray[np.uint8]:
    """The image in the file `data`, which has one of FORMATS; `data` is not copied.

    `significant_bits` is as in `to_eight_bits`. Raises ValueError if `data` has none of these
    formats, is damaged, or says in its header that it is larger than MAXIMUM_PIXELS, in which
    case no memory is taken.
    """
    content = memoryview(data).cast('B')
    beginning = bytes(content[:_LONGEST_SIGNATURE])
    found = _format(beginning)
    if not found:
        begins = f'begins with {beginning!r}' if beginning else 'is empty'
        raise ValueError(f'compressed image {begins}; it must be a file of {_LISTED}')
    try:
        return _decode(_Viewed(content), found, significant_bits)
    except ValueError as reason:
        raise ValueError(f'compressed image {reason}') from None


def read_image(path: str | Path) -> NDArray[np.uint8]:
    """The image in the file `path`, which has one of FORMATS; of a film in a GIF the first.

    16 bits are scaled to 8. Raises ValueError with a sentence that
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


def to_eight_bits(image: NDArray[np.uint16], significant_bits: int = 0) -> NDArray[np.uint8]:
    """`image` scaled to 8 bits and rounded, so that the largest value becomes 255.

    That is 65535, or that of the lowest `significant_bits` if they are not 0: a camera of 12
    bits has 4095. What is above it is white too.
    """
    return np.asarray(cv2.convertScaleAbs(image, alpha=255 / (2 ** (significant_bits or 16) - 1)))


def blend_on_black(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """`image` (height, width, channels), whose last channel is alpha, before a black ground.

    Grey (height, width) of 2 channels, three channels of 4.
    """
    *colours, alpha = cv2.split(image)
    blended = [cv2.multiply(colour, alpha, scale=1 / 255) for colour in colours]
    return np.asarray(cv2.merge(blended) if len(blended) > 1 else blended[0], np.uint8)


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


class _Viewed:
    """A file whose content is in memory already, and stays where it is."""

    def __init__(self, content: memoryview) -> None:
        self._content = content
        self._place = 0

    def read(self, size: int = -1) -> memoryview:
        """The next `size` bytes, or all that are left."""
        end = len(self._content) if size < 0 else min(self._place + size, len(self._content))
        first, self._place = self._place, max(self._place, end)
        return self._content[first:end]

    def seek(self, place: int, whence: int = os.SEEK_SET) -> int:
        """Go to `place`, counted from the start, from here, or from the end."""
        origin = {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: len(self._content)}
        self._place = max(0, origin[whence] + place)
        return self._place

    def tell(self) -> int:
        """Where the next byte is read."""
        return self._place


class _Pieces:
    """What Pillow reads a header from: `file`, but no more than MAXIMUM_READS pieces of it.

    It passes over stray bytes one at a time, of which a damaged file may have millions.
    """

    def __init__(self, file: BinaryIO | _Viewed) -> None:
        self.seek, self.tell = file.seek, file.tell
        self._file = file
        self._left = MAXIMUM_READS

    def read(self, size: int = -1) -> bytes:
        """The next `size` bytes, or all that are left."""
        self._left -= 1
        if self._left < 0:
            raise ValueError('the header is in too many pieces')
        return bytes(self._file.read(size))


def _decode(file: BinaryIO | _Viewed, name: str, significant_bits: int = 0) -> NDArray[np.uint8]:
    """The image in `file`, which begins as the format `name`.

    Raises ValueError with half a sentence, such as 'is damaged'.
    """
    file.seek(0)
    try:
        header = _READERS[name][1](cast(BinaryIO, _Pieces(file)))
    except Exception:  # whatever a damaged header makes a reader do
        raise ValueError(f'is a {name} file with a damaged header') from None
    width, height = header.size
    if height * width > MAXIMUM_PIXELS:
        raise ValueError(f'has {width} x {height} pixels, more than {MAXIMUM_PIXELS}')
    orientation = _orientation(header)
    by_pillow = name in _ONLY_PILLOW or _has_alpha(header)
    image = _by_pillow(header) if by_pillow else _by_opencv(file, header)
    if image is None:
        raise ValueError(f'is a {name} file and damaged')
    if image.dtype == np.uint16:
        image = to_eight_bits(image, significant_bits)
    if image.dtype != np.uint8:
        raise ValueError(f'has pixels of {image.dtype}; they must have 8 or 16 bits')
    # Those who decode TIFF turn it themselves.
    return image if name == 'TIFF' else _turned(image, orientation)


def _orientation(header: ImageFile) -> int:
    """What the EXIF data of `header` say of it; 1, as it is, if they are missing or damaged."""
    exif = Exif()
    try:
        # Not header.getexif(), which of a PNG without such data decodes the image.
        exif.load(header.info.get('exif', b''))
        return int(exif.get(_ORIENTATION, 1))
    except Exception:  # whatever damaged data make a reader do
        return 1


def _turned(image: NDArray, orientation: int) -> NDArray:
    """`image`, stored with this EXIF orientation, upright."""
    turns, is_mirrored = _TURNS.get(orientation, (0, False))
    if not turns and not is_mirrored:
        return image
    return np.ascontiguousarray(np.rot90(image[:, ::-1] if is_mirrored else image, turns))


def _has_alpha(header: ImageFile) -> bool:
    return header.mode in ('LA', 'PA', 'RGBA') or 'transparency' in header.info


def _by_pillow(header: ImageFile) -> NDArray | None:
    """The first picture of the file that `header` is of; None if it is damaged."""
    try:
        if header.mode.startswith('I;16'):
            return np.array(header, np.uint16)
        is_grey = header.mode in ('1', 'L', 'LA')
        if _has_alpha(header):
            return blend_on_black(np.array(header.convert('LA' if is_grey else 'RGBA')))
        return np.array(header.convert('L' if is_grey else 'RGB'))
    except Exception:  # whatever damaged pixels make a reader do
        return None


def _by_opencv(file: BinaryIO | _Viewed, header: ImageFile) -> NDArray | None:
    """The picture in `file`, which `header` is of; None if it is damaged."""
    try:
        # OpenCV takes as much memory as the length of a damaged part of a PNG asks for.
        header.verify()
        file.seek(0)
        image = cv2.imdecode(np.frombuffer(file.read(), np.uint8), _AS_STORED)
        if image is None or image.ndim == 2:
            return image
        return np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB))
    except Exception:  # whatever damaged pixels make a reader do
        return None
