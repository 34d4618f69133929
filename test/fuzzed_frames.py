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


"""Image messages of all kinds, whole and damaged, by the seed of a generator.

As a program it reads COUNT of them, and prints how many were good, and by how many MB the
process grew from a tenth of them to the last:

    python fuzzed_frames.py SEED COUNT
"""

from __future__ import annotations

import random
import sys
from array import array
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
from PIL import Image

from snn_perception.images import FITS, Preprocessing
from snn_perception.nodes.frames.encodings import ENCODINGS
from snn_perception.nodes.frames.frame_reader import FrameReader, Interpretation
from snn_perception.views import Views

OTHER_ENCODINGS = ('', 'rgb12', '8SC1', '16SC3', '8UC2', '64FC2', 'nv99', 'RGB8')
FORMATS = ('', 'jpeg', 'rgb8; jpeg compressed bgr8', '16UC1; compressedDepth', 'h264')


def whole_files() -> list[bytes]:
    """One small file of each format, with and without transparency and EXIF data."""
    noise = np.random.default_rng(0).integers(0, 256, (32, 40, 4), np.uint8)
    suffixes = ('.jpg', '.png', '.bmp', '.tiff', '.webp', '.jp2', '.ppm', '.ras')
    files = [cv2.imencode(suffix, noise[..., :3])[1].tobytes() for suffix in suffixes]
    files.append(cv2.imencode('.png', noise.astype(np.uint16) * 257)[1].tobytes())
    files.append(
        cv2.imencode('.jpg', noise[..., :3], [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1].tobytes()
    )
    exif = Image.Exif()
    exif[0x0112] = 6
    clear, opaque = Image.fromarray(noise), Image.fromarray(noise[..., :3])
    for image, kind in (
        *((clear, kind) for kind in ('PNG', 'WEBP', 'TIFF', 'GIF', 'JPEG2000')),
        *((opaque, kind) for kind in ('JPEG', 'PNG', 'WEBP', 'TIFF', 'GIF')),
        (opaque.convert('CMYK'), 'JPEG'),
    ):
        file = BytesIO()
        image.save(file, kind, **({} if kind in ('GIF', 'JPEG2000') else {'exif': exif}))
        files.append(file.getvalue())
    return files


WHOLE = whole_files()


def compressed(dice: random.Random) -> SimpleNamespace:
    """A file with a few bytes changed, cut out, put in, or cut off, most of them in its head."""
    data = bytearray(dice.choice(WHOLE))

    def place() -> int:
        return dice.randrange(min(len(data), dice.choice((30, 200, len(data)))))

    for _ in range(dice.choice((0, 1, 1, 2, 6))):
        data[place()] = dice.choice((0, 1, 127, 128, 254, 255, dice.randrange(256)))
    if dice.random() < 0.3:
        first = place()
        data[first : first + dice.randrange(40)] = dice.randbytes(dice.randrange(20))
    if data and dice.random() < 0.2:
        del data[place() :]
    return SimpleNamespace(format=dice.choice((*FORMATS, *('jpeg',) * 20)), data=array('B', data))


def raw(dice: random.Random) -> SimpleNamespace:
    """A frame whose fields mostly agree."""
    encoding = dice.choice((*ENCODINGS, *OTHER_ENCODINGS))
    layout = ENCODINGS.get(encoding, ENCODINGS['mono8'])
    sides = (0, 1, 2, 3, 4, 5, 8, 16, 31, 64)
    height, width = dice.choice(sides), dice.choice(sides)
    if dice.random() < 0.02:
        height, width = dice.choice(((1, 70_000), (70_000, 1), (2, 40_000), (40_000, 2)))
    step = width * layout.channels * np.dtype(layout.kind).itemsize + dice.choice((0, 0, 1, 2, 7))
    lines = height
    if layout.chroma:
        columns, rows = layout.chroma
        lines += 2 * height // (columns * rows)
    length = step * lines
    if dice.random() < 0.1:
        length = max(0, length + dice.choice((-1, 1, -step, step)))
    fields: dict[str, Any] = {'height': height, 'width': width, 'step': step}
    if dice.random() < 0.1:
        fields[dice.choice(list(fields))] = dice.choice((0, 1, 2, 2**16, 2**31, 2**32 - 1))
    return SimpleNamespace(
        encoding=encoding,
        is_bigendian=dice.choice((0, 1, 255)),
        data=array('B', dice.randbytes(length)),
        **fields,
    )


def interpretation(dice: random.Random) -> Interpretation:
    """One that makes sense, though its region may have no pixel of a small frame."""
    return Interpretation(
        roi=dice.choice(
            ((0, 0, 1, 1), (0, 0, 0.1, 0.1), (0.3, 0.1, 0.7, 0.5), (0.9, 0.9, 0.1, 0.1))
        ),
        significant_bits=dice.choice((0, 0, 1, 10, 12, 16)),
        float_range=dice.choice(((0.0, 1.0), (5.0, -5.0), (-1e30, 1e30), (0.0, 1e-29))),
    )


def read_one(dice: random.Random) -> bool:
    """Read a frame and a picture of it; whether that went well. AssertionError if not as told."""
    message = (compressed if dice.random() < 0.5 else raw)(dice)
    shape = dice.choice((1, 8, 28, 32)), dice.choice((1, 8, 28, 32)), dice.choice((1, 3))
    network = Preprocessing(shape, fit=dice.choice(FITS), invert=dice.random() < 0.5)
    chosen = interpretation(dice)
    reader = FrameReader()
    works = False
    with suppress(ValueError):
        views = Views.parse(dice.choice(('frame', 'centre', 'frame + grid 3x2 best')))
        seen = reader.read_views(message, network, chosen, views)
        assert len(seen) == views.count
        for pixels in seen:
            assert pixels.dtype == np.uint8
            assert pixels.shape in (shape[:2], (*shape[:2], 3))
        works = True
    with suppress(ValueError):
        picture = reader.picture(message, chosen, 24, 32)
        assert picture.dtype == np.uint8
        assert picture.shape[0] <= 24
        assert picture.shape[1] <= 32
        assert picture.shape[2] == 3
        works = True
    return works


def resident() -> float:
    """Memory of this process in MB."""
    return int(Path('/proc/self/statm').read_text().split()[1]) * 4096 / 1e6


def main() -> None:
    """Read frames and print how the process grew."""
    seed, count = map(int, sys.argv[1:])
    good, before = 0, 0.0
    for number in range(seed, seed + count):
        if number == seed + count // 10:
            before = resident()
        try:
            good += read_one(random.Random(number))
        except BaseException:
            print(f'seed {number}', file=sys.stderr)
            raise
    print(good, resident() - before)


if __name__ == '__main__':
    main()
