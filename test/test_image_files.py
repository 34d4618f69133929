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

"""Image files as pixels: what is read, and what is refused before it takes memory."""

from __future__ import annotations

import os
import resource
import struct
import tracemalloc
import warnings
import zlib
from contextlib import suppress
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from snn_perception.image_files import (
    FORMATS,
    MAXIMUM_PIXELS,
    decode_compressed,
    image_format,
    read_image,
)

SHORT_FRAME_HEADER = b'\xff\xd8\xff\xc0\x00\x02'


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, shape, np.uint8)


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and has no pixels."""
    header = struct.pack('>IIBBBBB', width, height, 8, 2, 0, 0, 0)
    chunks = ((b'IHDR', header), (b'IDAT', b''))
    return b'\x89PNG\r\n\x1a\n' + b''.join(
        struct.pack('>I', len(content))
        + name
        + content
        + struct.pack('>I', zlib.crc32(name + content))
        for name, content in chunks
    )


def jpeg_with_size(width: int, height: int) -> bytes:
    """A real JPEG whose frame header is made to claim another size."""
    data = bytearray(cv2.imencode('.jpg', noise(16, 16, 3))[1].tobytes())
    frame = data.index(b'\xff\xc0')
    data[frame + 5 : frame + 9] = struct.pack('>HH', height, width)
    return bytes(data)


def gif() -> bytes:
    """A film of two pictures, red and blue."""
    file = BytesIO()
    red, blue = (Image.new('RGB', (40, 32), colour) for colour in ((200, 10, 10), (0, 0, 200)))
    red.save(file, 'GIF', save_all=True, append_images=[blue])
    return file.getvalue()


GIF = gif()


@pytest.mark.parametrize('shape', [(40, 60), (40, 60, 3)])
def test_png_is_decoded_exactly_as_grey_or_rgb(shape: tuple[int, ...]) -> None:
    image = noise(*shape)
    data = cv2.imencode('.png', image if image.ndim == 2 else image[..., ::-1])[1].tobytes()
    np.testing.assert_array_equal(decode_compressed(data), image)


def test_jpeg_is_decoded_in_the_order_red_green_blue() -> None:
    image = np.zeros((64, 64, 3), np.uint8)
    image[..., 0] = 250
    data = cv2.imencode('.jpg', image[..., ::-1])[1]
    decoded = decode_compressed(data)
    assert decoded.shape == (64, 64, 3)
    assert abs(decoded.mean(axis=(0, 1)) - [250, 0, 0]).max() < 5


def test_sixteen_bits_are_scaled_to_eight_and_rounded() -> None:
    image = np.random.default_rng(2).integers(0, 65536, (30, 30), np.uint16)
    image[0, :2] = 0, 65535
    decoded = decode_compressed(cv2.imencode('.png', image)[1].tobytes())
    np.testing.assert_array_equal(decoded, np.rint(image / 257).astype(np.uint8))


def test_transparency_is_dropped() -> None:
    image = noise(30, 30, 4)
    decoded = decode_compressed(cv2.imencode('.png', image)[1].tobytes())
    np.testing.assert_array_equal(decoded, image[..., 2::-1])


@pytest.mark.parametrize(
    ('data', 'sentence'),
    [
        (b'', 'compressed image is empty; it must be a JPEG or PNG file'),
        (b'not an image at all', "begins with b'not an i'"),
        (cv2.imencode('.bmp', noise(8, 8))[1].tobytes(), 'it must be a JPEG or PNG file'),
        (cv2.imencode('.jpg', noise(64, 64, 3))[1].tobytes()[:100], 'JPEG file with a damaged'),
        (cv2.imencode('.png', noise(64, 64, 3))[1].tobytes()[:500], 'PNG file and damaged'),
        (b'\x89PNG\r\n\x1a\n', 'PNG file with a damaged header'),
        (b'\xff\xd8', 'JPEG file with a damaged header'),
        (b'\xff\xd8\xff\xff\xff\xff\xff', 'JPEG file with a damaged header'),
        (b'\xff\xd8\xff\xe0\x00\x00', 'JPEG file with a damaged header'),
        (SHORT_FRAME_HEADER, 'JPEG file with a damaged header'),
        (png_header(2**31 - 1, 2**31 - 1), '2147483647 x 2147483647'),
        (png_header(2**13, 2**13 + 1), f'more than {MAXIMUM_PIXELS}'),
        (png_header(0, 0), 'damaged header'),
        (jpeg_with_size(65535, 65535), '65535 x 65535'),
        (jpeg_with_size(0, 0), 'damaged header'),
    ],
)
def test_what_cannot_be_decoded_is_refused_with_a_sentence(data: bytes, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        decode_compressed(data)


@pytest.mark.parametrize('size', [(10_000, 10_800), (65_535, 65_535)])
def test_size_is_checked_before_memory_is_taken_and_without_a_warning(
    tmp_path: Path, size: tuple[int, int], recwarn: pytest.WarningsRecorder
) -> None:
    path = tmp_path / 'huge.jpg'
    path.write_bytes(jpeg_with_size(*size))
    before = list(warnings.filters)
    tracemalloc.start()
    with pytest.raises(ValueError, match=f'has {size[0]} x {size[1]} pixels'):
        read_image(path)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000
    assert not recwarn.list
    assert warnings.filters == before


def test_a_png_whose_part_claims_gigabytes_takes_no_memory_for_it() -> None:
    image = bytearray(cv2.imencode('.png', noise(24, 40))[1].tobytes())
    length = image.index(b'IDAT') - 4
    image[length] = 0xFF
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ValueError, match='PNG file and damaged'):
        decode_compressed(bytes(image))
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 100_000


def test_stray_bytes_between_the_markers_of_a_jpeg_are_passed_over() -> None:
    image = cv2.imencode('.jpg', noise(24, 32, 3))[1].tobytes()
    tables = image.index(b'\xff\xdb')
    stray = image[:tables] + b'\x11\x22\x33' + image[tables:]
    np.testing.assert_array_equal(decode_compressed(stray), decode_compressed(image))


@st.composite
def damaged(draw: st.DrawFn, whole: bytes) -> bytes:
    """`whole` with some bytes replaced, then some cut out, repeated or added, maybe cut off."""
    data = bytearray(whole)
    # Headers matter most, and are short.
    places = st.integers(0, min(200, len(whole) - 1)) | st.integers(0, len(whole) - 1)
    for place, value in draw(st.lists(st.tuples(places, st.integers(0, 255)), max_size=6)):
        data[place] = value
    first, length = draw(places), draw(st.integers(0, 40))
    if draw(st.booleans()):
        data[first : first + length] = draw(st.binary(max_size=20))
    return bytes(data[: draw(st.none() | places)])


WHOLE = {
    suffix: cv2.imencode(suffix, noise(32, 40, *channels))[1].tobytes()
    for suffix, channels in (('.jpg', (3,)), ('.png', ()), ('.bmp', (3,)), ('.tiff', (3,)),
                             ('.webp', (3,)), ('.jp2', (3,)), ('.ppm', (3,)))
} | {'.gif': GIF}  # fmt: skip


@settings(max_examples=400)
@given(st.sampled_from(['.jpg', '.png']).flatmap(lambda suffix: damaged(WHOLE[suffix])))
def test_a_damaged_frame_is_an_image_or_a_value_error(data: bytes) -> None:
    with suppress(ValueError):
        assert decode_compressed(data).dtype == np.uint8


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.sampled_from(sorted(WHOLE)).flatmap(lambda suffix: damaged(WHOLE[suffix])))
def test_a_damaged_file_of_any_format_is_an_image_or_a_value_error(
    tmp_path: Path, data: bytes
) -> None:
    path = tmp_path / 'image'
    path.write_bytes(data)
    with suppress(ValueError):
        assert read_image(path).dtype == np.uint8


@pytest.mark.parametrize('suffix', sorted(WHOLE))
def test_a_file_is_read_by_its_content_and_not_by_its_name(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / 'no_suffix'
    path.write_bytes(WHOLE[suffix])
    assert image_format(path) in FORMATS
    pixels = read_image(path)
    assert pixels.shape[:2] == (32, 40)
    if suffix in ('.png', '.bmp', '.tiff', '.ppm'):
        expected = noise(32, 40) if suffix == '.png' else noise(32, 40, 3)[..., ::-1]
        np.testing.assert_array_equal(pixels, expected)


def test_of_a_film_in_a_gif_the_first_picture_is_read(tmp_path: Path) -> None:
    path = tmp_path / 'film.gif'
    path.write_bytes(GIF)
    np.testing.assert_array_equal(read_image(path), np.full((32, 40, 3), (200, 10, 10)))


@pytest.mark.parametrize(
    'content', [b'', b'P', b'BMW is a car', b'Python', b'RIFF\x00\x00\x00\x00WAVEfmt ', b'GIF']
)
def test_other_files_are_of_no_format(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / 'file.jpg'
    path.write_bytes(content)
    assert image_format(path) == ''
    with pytest.raises(ValueError, match=r'file\.jpg is not an image that can be read: it is'):
        read_image(path)


def test_a_pipe_is_refused_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / 'pipe.jpg')
    with pytest.raises(ValueError, match='it is a device or a pipe'):
        read_image(tmp_path / 'pipe.jpg')


def test_a_file_too_large_for_an_image_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / 'large.bmp'
    with path.open('wb') as file:
        file.truncate(2**40)
    with pytest.raises(ValueError, match='has 1099511627776 bytes, more than'):
        read_image(path)


def test_file_of_another_format_is_read_too(tmp_path) -> None:
    image = noise(20, 30, 3)
    path = tmp_path / 'image.bmp'
    cv2.imwrite(str(path), image[..., ::-1])
    np.testing.assert_array_equal(read_image(path), image)


def test_file_that_is_no_image_is_named(tmp_path) -> None:
    path = tmp_path / 'notes.txt'
    path.write_text('no pixels here')
    with pytest.raises(ValueError, match=r'notes\.txt is not an image'):
        read_image(path)
    path.write_bytes(b'')
    with pytest.raises(ValueError, match=r'notes\.txt is not an image'):
        read_image(path)
    with pytest.raises(ValueError, match=r'missing\.png cannot be read: No such file'):
        read_image(tmp_path / 'missing.png')
    with pytest.raises(ValueError, match='cannot be read: Is a directory'):
        read_image(tmp_path)
