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
import time
import tracemalloc
import warnings
import zlib
from array import array
from collections.abc import Callable
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any

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


def test_white_of_twelve_bits_is_white_if_they_are_said_to_be_all() -> None:
    data = cv2.imencode('.png', np.full((8, 8), 4095, np.uint16))[1].tobytes()
    assert decode_compressed(data).max() == 16
    assert decode_compressed(data, significant_bits=12).min() == 255


def saved(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def drawing(mode: str) -> Image.Image:
    """A white square on a ground that would be white, too, were it not transparent."""
    image = Image.new(mode, (40, 30), (255, 0) if mode == 'LA' else (255, 255, 255, 0))
    image.paste((255, 255) if mode == 'LA' else (255, 255, 255, 255), (10, 10, 30, 20))
    return image


def palette_drawing() -> Image.Image:
    image = Image.new('P', (40, 30), 0)
    image.putpalette([255] * 6)
    image.paste(1, (10, 10, 30, 20))
    return image


TRANSPARENT = {
    'PNG': saved(drawing('RGBA'), 'PNG'),
    'grey PNG': saved(drawing('LA'), 'PNG'),
    'PNG with a palette': saved(palette_drawing(), 'PNG', transparency=0),
    'PNG with a clear colour': saved(
        Image.fromarray(np.where(np.array(drawing('RGBA'))[..., 3:], 255, 254).repeat(3, 2)
                        .astype(np.uint8)), 'PNG', transparency=(254, 254, 254)
    ),
    'PNG of 16 bits': cv2.imencode(
        '.png', np.array(drawing('RGBA')).astype(np.uint16) * 257
    )[1].tobytes(),
    'WebP': saved(drawing('RGBA'), 'WEBP', lossless=True, exact=True),
    'GIF': saved(palette_drawing(), 'GIF', transparency=0),
    'TIFF': saved(drawing('RGBA'), 'TIFF'),
    'JPEG 2000': saved(drawing('RGBA'), 'JPEG2000'),
}  # fmt: skip


@pytest.mark.parametrize('kind', TRANSPARENT)
def test_a_white_drawing_on_transparent_ground_is_white_on_black(kind: str) -> None:
    expected = np.zeros((30, 40), np.uint8)
    expected[10:20, 10:30] = 255
    decoded = decode_compressed(TRANSPARENT[kind])
    assert decoded.ndim == (2 if kind == 'grey PNG' else 3)
    np.testing.assert_array_equal(decoded if decoded.ndim == 2 else decoded[..., 0], expected)


def test_what_is_half_transparent_is_half_as_bright() -> None:
    colours = (200, 100, 50)
    decoded = decode_compressed(saved(Image.new('RGBA', (8, 8), (*colours, 128)), 'PNG'))
    np.testing.assert_allclose(decoded, np.full((8, 8, 3), colours) * 128 / 255, atol=0.5)


# What the values of EXIF's orientation ask for.
UPRIGHT: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    2: lambda stored: stored[:, ::-1],
    3: lambda stored: stored[::-1, ::-1],
    4: lambda stored: stored[::-1],
    5: lambda stored: stored.T,
    6: lambda stored: stored[::-1].T,
    7: lambda stored: stored[::-1, ::-1].T,
    8: lambda stored: stored[:, ::-1].T,
}


@pytest.mark.parametrize('kind', ['JPEG', 'PNG', 'TIFF', 'WEBP'])
@pytest.mark.parametrize('orientation', range(10))
def test_an_image_is_turned_as_its_exif_data_say(kind: str, orientation: int) -> None:
    """As viewers and OpenCV do; what 0 and 9 mean is not known, so they turn nothing."""
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = np.kron([[10, 90, 130], [170, 210, 250]], np.ones((16, 16))).astype(np.uint8)
    options = {'lossless': True} if kind == 'WEBP' else {}
    data = saved(Image.fromarray(stored).convert('RGB'), kind, exif=exif, **options)
    expected = UPRIGHT.get(orientation, lambda stored: stored)(stored)
    decoded = decode_compressed(data)
    np.testing.assert_allclose(decoded[..., 0], expected, atol=2)
    np.testing.assert_allclose(decoded[..., 2], expected, atol=2)


@pytest.mark.parametrize('exif', [b'', b'Exif\0\0', b'Exif\0\0II*\0', b'\xff' * 40])
def test_damaged_exif_data_do_not_spoil_an_image(exif: bytes) -> None:
    image = noise(16, 24, 3)
    data = saved(Image.fromarray(image), 'PNG', exif=exif)
    np.testing.assert_array_equal(decode_compressed(data), image)


def test_a_jpeg_of_four_inks_has_the_colours_that_they_make() -> None:
    red = Image.new('RGB', (32, 32), (250, 20, 20)).convert('CMYK')
    decoded = decode_compressed(saved(red, 'JPEG'))
    assert np.abs(decoded.astype(int) - (250, 20, 20)).max() <= 2


@pytest.mark.parametrize('wrap', [bytes, bytearray, memoryview, lambda data: array('B', data)])
def test_any_buffer_is_decoded_and_not_copied(wrap: Callable[[bytes], Any]) -> None:
    data = wrap(cv2.imencode('.jpg', noise(1000, 1000, 3))[1].tobytes())
    expected = decode_compressed(bytes(data))
    tracemalloc.start()
    decoded = decode_compressed(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    np.testing.assert_array_equal(decoded, expected)
    # NumPy's memory counts: what OpenCV decoded, and the same in the other order of colours.
    assert peak < 2 * decoded.nbytes + 100_000


@pytest.mark.slow
def test_a_progressive_jpeg_of_as_many_pixels_as_allowed_is_read() -> None:
    image = cv2.resize(noise(64, 64, 3), (8192, 8192))
    data = cv2.imencode('.jpg', image, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1]
    decoded = decode_compressed(data.tobytes())
    assert np.abs(decoded[::16, ::16].astype(int) - image[::16, ::16, ::-1]).mean() < 3


@pytest.mark.parametrize('suffix', ['.jpg', '.png'])
def test_a_file_of_fifty_megabytes_is_read(suffix: str) -> None:
    image = np.tile(noise(1250, 1250, 3), (4, 4, 1))
    options = [cv2.IMWRITE_JPEG_QUALITY, 100, cv2.IMWRITE_PNG_STRATEGY, 2]
    data = cv2.imencode(suffix, image, options[:2] if suffix == '.jpg' else options[2:])[1]
    assert data.size > 45_000_000
    assert decode_compressed(data.data).shape == (5000, 5000, 3)


@pytest.mark.parametrize(
    'junk', [b'\xff', b'\xff\xfe\x00\x02', b'\xff\x00', b'\xff\xff\x01', b'\x07'],
)  # fmt: skip
def test_megabytes_of_stray_bytes_are_refused_soon(junk: bytes) -> None:
    image = WHOLE['.jpg']
    tables = image.index(b'\xff\xdb')
    data = image[:tables] + junk * (20_000_000 // len(junk)) + image[tables:]
    begin = time.process_time()
    with pytest.raises(ValueError, match='JPEG file with a damaged header'):
        decode_compressed(data)
    assert time.process_time() - begin < 3


@pytest.mark.parametrize(
    ('data', 'sentence'),
    [
        (b'', 'compressed image is empty; it must be a file of JPEG, PNG, GIF, '),
        (b'not an image at all', "begins with b'not an image'"),
        (cv2.imencode('.hdr', noise(8, 8))[1].tobytes(), 'JPEG 2000, PNM or Sun raster'),
        (saved(Image.new('F', (8, 8)), 'TIFF'), 'pixels of float32; they must have 8 or 16'),
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
                             ('.webp', (3,)), ('.jp2', (3,)), ('.ppm', (3,)), ('.ras', (3,)))
} | {'.gif': GIF}  # fmt: skip


@settings(max_examples=400)
@given(st.sampled_from(sorted(WHOLE)).flatmap(lambda suffix: damaged(WHOLE[suffix])))
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
    np.testing.assert_array_equal(decode_compressed(WHOLE[suffix]), pixels)
    if suffix in ('.png', '.bmp', '.tiff', '.ppm', '.ras'):
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
