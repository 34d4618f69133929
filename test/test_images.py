"""Camera pixels to network input, on synthetic and on real images."""

from __future__ import annotations

import struct
import zlib
from contextlib import suppress

import cv2
import numpy as np
import pytest

from snn_perception.images import (
    MAXIMUM_PIXELS,
    Preprocessing,
    decode_compressed,
    prepare,
    read_image,
)

GREY = Preprocessing(shape=(28, 28, 1))
COLOUR = Preprocessing(
    shape=(32, 32, 3), mean=(0.4914, 0.4822, 0.4465), deviation=(0.2470, 0.2435, 0.2616)
)


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, shape, np.uint8)


def png_header(width: int, height: int) -> bytes:
    """A PNG that claims a size and has no pixels."""
    chunk = b'IHDR' + struct.pack('>IIBBBBB', width, height, 8, 2, 0, 0, 0)
    return (
        b'\x89PNG\r\n\x1a\n'
        + struct.pack('>I', 13)
        + chunk
        + struct.pack('>I', zlib.crc32(chunk))
        + b'\0' * 64
    )


def jpeg_with_size(width: int, height: int) -> bytes:
    """A real JPEG whose frame header is made to claim another size."""
    data = bytearray(cv2.imencode('.jpg', noise(16, 16, 3))[1].tobytes())
    frame = data.index(b'\xff\xc0')
    data[frame + 5 : frame + 9] = struct.pack('>HH', height, width)
    return bytes(data)


def test_colour_image_of_the_right_size_is_scaled_and_nothing_else() -> None:
    image = noise(32, 32, 3)
    mean, deviation = np.float32(COLOUR.mean), np.float32(COLOUR.deviation)
    expected = (image / np.float32(255) - mean) / deviation
    np.testing.assert_array_equal(prepare(image, COLOUR), expected)


@pytest.mark.parametrize('shape', [(28, 28), (28, 28, 1)])
def test_grey_image_of_the_right_size_is_scaled_and_nothing_else(shape: tuple[int, ...]) -> None:
    image = noise(*shape)
    prepared = prepare(image, GREY)
    assert prepared.dtype == np.float32
    np.testing.assert_array_equal(prepared[:, :, 0], image.reshape(28, 28) / np.float32(255))


@pytest.mark.parametrize('size', [(480, 640), (28, 29), (640, 480), (1080, 1920)])
def test_crop_resizes_the_largest_centred_square(size: tuple[int, int]) -> None:
    image = noise(*size)
    side = min(size)
    top, left = (size[0] - side) // 2, (size[1] - side) // 2
    square = np.ascontiguousarray(image[top : top + side, left : left + side])
    expected = cv2.resize(square, (28, 28), interpolation=cv2.INTER_AREA) / np.float32(255)
    np.testing.assert_array_equal(prepare(image, GREY)[:, :, 0], expected)


def test_crop_to_a_wide_network_cuts_top_and_bottom() -> None:
    image = np.zeros((100, 100), np.uint8)
    image[25:75] = 255
    wide = Preprocessing(shape=(20, 40, 1))
    np.testing.assert_array_equal(prepare(image, wide), 1.0)


def test_pad_keeps_the_whole_image_between_black_borders() -> None:
    image = np.full((480, 640), 255, np.uint8)
    prepared = prepare(image, Preprocessing(shape=(28, 28, 1), fit='pad'))[:, :, 0]
    np.testing.assert_array_equal(prepared[3:24], 1.0)
    np.testing.assert_array_equal(prepared[:3], 0.0)
    np.testing.assert_array_equal(prepared[24:], 0.0)


def test_borders_stay_black_when_light_and_dark_are_swapped() -> None:
    paper = np.full((480, 640), 255, np.uint8)
    prepared = prepare(paper, Preprocessing(shape=(28, 28, 1), fit='pad', invert=True))
    np.testing.assert_array_equal(prepared, 0.0)


def test_stretch_shows_the_whole_image_without_borders() -> None:
    image = np.zeros((100, 200), np.uint8)
    image[:, 100:] = 200
    prepared = prepare(image, Preprocessing(shape=(28, 28, 1), fit='stretch'))[:, :, 0]
    np.testing.assert_allclose(prepared[:, :14], 0.0)
    np.testing.assert_allclose(prepared[:, 14:], 200 / 255, rtol=1e-6)


def test_invert_swaps_light_and_dark() -> None:
    image = noise(28, 28)
    inverted = Preprocessing(shape=(28, 28, 1), invert=True)
    np.testing.assert_array_equal(prepare(image, inverted), prepare(255 - image, GREY))


def test_colour_becomes_grey_with_the_weights_of_brightness() -> None:
    image = np.zeros((28, 28, 3), np.uint8)
    image[..., 0], image[..., 1], image[..., 2] = 100, 150, 200
    expected = round(0.299 * 100 + 0.587 * 150 + 0.114 * 200) / 255
    np.testing.assert_allclose(prepare(image, GREY), expected, rtol=1e-6)


def test_grey_becomes_three_equal_channels() -> None:
    prepared = prepare(noise(32, 32), Preprocessing(shape=(32, 32, 3)))
    np.testing.assert_array_equal(prepared[..., 0], prepared[..., 1])
    np.testing.assert_array_equal(prepared[..., 0], prepared[..., 2])


@pytest.mark.parametrize('fit', ['crop', 'pad', 'stretch'])
@pytest.mark.parametrize('size', [(1, 1), (1, 500), (500, 1), (3, 7), (27, 29)])
def test_tiny_and_thin_images_are_fitted(fit: str, size: tuple[int, int]) -> None:
    prepared = prepare(np.full(size, 255, np.uint8), Preprocessing(shape=(28, 28, 1), fit=fit))
    assert prepared.shape == (28, 28, 1)
    assert prepared.max() == 1.0


@pytest.mark.parametrize(
    ('image', 'sentence'),
    [
        (np.zeros((0, 0), np.uint8), 'must have pixels'),
        (np.zeros((5, 0, 3), np.uint8), 'must have pixels'),
        (np.zeros((5, 5), np.float32), 'must be of uint8 from 0 to 255, not float32'),
        (np.zeros((5, 5, 4), np.uint8), r'\(height, width, 3\) RGB, not of shape \(5, 5, 4\)'),
        (np.zeros(5, np.uint8), r'not of shape \(5,\)'),
        ([[0, 1]], 'NumPy array, not list'),
    ],
)
def test_what_is_no_image_is_refused_with_a_sentence(image: np.ndarray, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        prepare(image, GREY)


@pytest.mark.parametrize(
    ('fields', 'sentence'),
    [
        ({'shape': (28, 28)}, 'height, width and channels'),
        ({'shape': (28, 0, 1)}, 'at least 1'),
        ({'shape': (28, 28, 2)}, r'1 \(grey\) or 3 \(RGB\), not 2'),
        ({'shape': (28, 28, 3), 'mean': (0.5, 0.5)}, r'one per channel \(3\)'),
        ({'shape': (28, 28, 1), 'mean': (float('nan'),)}, 'finite'),
        ({'shape': (28, 28, 1), 'deviation': (0.0,)}, 'positive'),
        ({'shape': (28, 28, 1), 'fit': 'zoom'}, "crop, pad, stretch, not 'zoom'"),
    ],
)
def test_preprocessing_that_fits_no_network_is_refused(fields: dict, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        Preprocessing(**fields)


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
        (b'', 'is empty; it must be a JPEG or PNG file'),
        (b'not an image at all', "begins with b'not an i'"),
        (cv2.imencode('.jpg', noise(64, 64, 3))[1].tobytes()[:100], 'JPEG file that ends'),
        (cv2.imencode('.png', noise(64, 64, 3))[1].tobytes()[:500], 'damaged'),
        (b'\x89PNG\r\n\x1a\n', 'ends within its header'),
        (b'\xff\xd8', 'ends before its size'),
        (b'\xff\xd8\xff\xff\xff\xff\xff', 'ends before its size'),
        (b'\xff\xd8\xff\xe0\x00\x00', 'ends before its size'),
        (png_header(2**31 - 1, 2**31 - 1), '2147483647 x 2147483647'),
        (png_header(2**13, 2**13 + 1), f'at most {MAXIMUM_PIXELS}'),
        (png_header(0, 0), '0 x 0'),
        (jpeg_with_size(65535, 65535), '65535 x 65535'),
        (jpeg_with_size(0, 0), '0 x 0'),
    ],
)
def test_what_cannot_be_decoded_is_refused_with_a_sentence(data: bytes, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        decode_compressed(data)


def test_any_damaged_byte_in_a_header_ends_in_an_image_or_a_value_error() -> None:
    good = cv2.imencode('.jpg', noise(24, 24, 3))[1].tobytes()
    for position in range(160):
        damaged = bytearray(good)
        damaged[position] ^= 0xFF
        with suppress(ValueError):
            assert decode_compressed(bytes(damaged)).dtype == np.uint8


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
