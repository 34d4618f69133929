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

"""Image messages to pixels, for every encoding, and what is wrong with bad ones."""

from __future__ import annotations

import array
from types import SimpleNamespace

import cv2
import numpy as np
import pytest

from snn_perception.images import Preprocessing
from snn_perception.nodes.frames import ENCODINGS, FrameReader

HEIGHT, WIDTH = 48, 64
FULL_SIZE = Preprocessing(shape=(HEIGHT, WIDTH, 3))
SMALL = Preprocessing(shape=(28, 28, 1))


def smooth_colours() -> np.ndarray:
    """An RGB image without fine detail, so that a mosaic of it can be undone."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    return np.stack([40 + 2 * x, 30 + 3 * y, 230 - x - 2 * y], axis=2).astype(np.uint8)


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


def compressed(pixels: np.ndarray, suffix: str = '.png') -> SimpleNamespace:
    """A sensor_msgs/CompressedImage of `pixels`, RGB or grey."""
    data = cv2.imencode(suffix, pixels[..., ::-1] if pixels.ndim == 3 else pixels)[1].tobytes()
    return SimpleNamespace(format=suffix[1:], data=array.array('B', data))


def read(message: SimpleNamespace, preprocessing: Preprocessing = FULL_SIZE) -> np.ndarray:
    return FrameReader().read(message, preprocessing)


def mosaic(pixels: np.ndarray, pattern: str) -> np.ndarray:
    """What a sensor behind the colour filter `pattern` (first row, second row) sees."""
    seen = np.zeros(pixels.shape[:2], pixels.dtype)
    for position, colour in enumerate(pattern):
        row, column = divmod(position, 2)
        seen[row::2, column::2] = pixels[row::2, column::2, 'rgb'.index(colour)]
    return seen


def to_yuv(pixels: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Brightness, and the two colour differences at half the width (ITU-R BT.601, video)."""
    red, green, blue = (pixels[..., channel].astype(float) for channel in range(3))
    y = 16 + (65.738 * red + 129.057 * green + 25.064 * blue) / 256
    u = 128 + (-37.945 * red - 74.494 * green + 112.439 * blue) / 256
    v = 128 + (112.439 * red - 94.154 * green - 18.285 * blue) / 256
    return tuple(np.rint(values).astype(np.uint8) for values in (y, u[:, ::2], v[:, ::2]))  # type: ignore[return-value]


@pytest.mark.parametrize('padding', [0, 1, 24])
@pytest.mark.parametrize(
    ('encoding', 'order'), [('rgb8', 'rgb'), ('bgr8', 'bgr'), ('rgba8', 'rgba'), ('bgra8', 'bgra')]
)
def test_colours_arrive_unchanged_in_any_order_of_channels(
    encoding: str, order: str, padding: int
) -> None:
    image = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    channels = {'r': image[..., 0], 'g': image[..., 1], 'b': image[..., 2], 'a': image[..., 0]}
    pixels = np.stack([channels[name] for name in order], axis=2)
    np.testing.assert_array_equal(read(message(encoding, pixels, padding)), image)


@pytest.mark.parametrize('padding', [0, 3])
def test_grey_arrives_unchanged(padding: int) -> None:
    image = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH), np.uint8)
    np.testing.assert_array_equal(read(message('mono8', image, padding)), image)


@pytest.mark.parametrize('bigendian', [False, True])
@pytest.mark.parametrize('padding', [0, 1, 6])
def test_sixteen_bit_grey_is_scaled_in_either_byte_order(bigendian: bool, padding: int) -> None:
    image = np.random.default_rng(0).integers(0, 65536, (HEIGHT, WIDTH), np.uint16)
    pixels = read(message('mono16', image, padding, bigendian))
    np.testing.assert_array_equal(pixels, np.rint(image / 257).astype(np.uint8))


@pytest.mark.parametrize(('encoding', 'order'), [('rgb16', [0, 1, 2]), ('bgr16', [2, 1, 0])])
def test_sixteen_bit_colours_are_scaled(encoding: str, order: list[int]) -> None:
    image = smooth_colours().astype(np.uint16) * 257
    np.testing.assert_array_equal(read(message(encoding, image[..., order])), smooth_colours())


@pytest.mark.parametrize('padding', [0, 10])
@pytest.mark.parametrize('bits', [8, 16])
@pytest.mark.parametrize('pattern', ['rggb', 'bggr', 'gbrg', 'grbg'])
def test_mosaic_of_every_pattern_shows_the_colours_it_was_made_of(
    pattern: str, bits: int, padding: int
) -> None:
    image = smooth_colours()
    seen = mosaic(image if bits == 8 else image.astype(np.uint16) * 257, pattern)
    pixels = read(message(f'bayer_{pattern}{bits}', seen, padding))
    error = pixels.astype(int) - image
    assert np.abs(error[2:-2, 2:-2]).max() <= 4


@pytest.mark.parametrize('padding', [0, 10])
@pytest.mark.parametrize('encoding', ['uyvy', 'yuv422', 'yuyv', 'yuv422_yuy2'])
def test_packed_yuv_shows_the_colours_it_was_made_of(encoding: str, padding: int) -> None:
    image = smooth_colours()
    y, u, v = to_yuv(image)
    packed = np.zeros((HEIGHT, WIDTH, 2), np.uint8)
    brightness = 1 if encoding in ('uyvy', 'yuv422') else 0
    packed[:, :, brightness] = y
    packed[:, 0::2, 1 - brightness] = u
    packed[:, 1::2, 1 - brightness] = v
    pixels = read(message(encoding, packed, padding))
    assert np.abs(pixels.astype(int) - image).max() <= 5


@pytest.mark.parametrize('encoding', ENCODINGS)
def test_every_encoding_comes_out_at_the_size_of_the_network(encoding: str) -> None:
    layout = ENCODINGS[encoding]
    kind = np.uint8 if layout.bits == 8 else np.uint16
    shape = (480, 640) if layout.channels == 1 else (480, 640, layout.channels)
    pixels = read(message(encoding, np.full(shape, np.iinfo(kind).max // 2, kind)), SMALL)
    assert pixels.dtype == np.uint8
    assert pixels.shape[:2] == (28, 28)
    assert pixels.ndim == 2 or pixels.shape[2] == 3


def test_small_image_equals_the_one_made_of_converted_pixels() -> None:
    image = np.random.default_rng(0).integers(0, 256, (480, 640, 3), np.uint8)
    square = np.ascontiguousarray(image[:, 80:560])
    expected = cv2.resize(square, (28, 28), interpolation=cv2.INTER_AREA)
    np.testing.assert_array_equal(read(message('bgr8', image[..., ::-1]), SMALL), expected)


def test_compressed_image_is_decoded_and_made_small() -> None:
    image = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH, 3), np.uint8)
    np.testing.assert_array_equal(read(compressed(image)), image)
    assert read(compressed(image), SMALL).shape == (28, 28, 3)


def good() -> SimpleNamespace:
    return message('rgb8', smooth_colours())


def changed(**fields: object) -> SimpleNamespace:
    return SimpleNamespace(**{**vars(good()), **fields})


@pytest.mark.parametrize(
    ('bad', 'sentence'),
    [
        (changed(height=0, width=0, step=0, data=array.array('B')), 'image of 0 x 0 pixels'),
        (changed(width=0), 'image of 0 x 48 pixels'),
        (changed(data=array.array('B')), 'buffer has 0 bytes; 48 rows of 192 have 9216'),
        (changed(step=191), 'step is 191 bytes; a row of 64 pixels in rgb8 has 192'),
        (changed(step=193), 'buffer has 9216 bytes; 48 rows of 193 have 9264'),
        (changed(step=0), 'step is 0 bytes'),
        (changed(data=good().data[:-1]), 'buffer has 9215 bytes'),
        (changed(height=2**31, width=2**31), 'step is 192 bytes'),
        (changed(encoding='rgb9'), "encoding 'rgb9' is unknown; known are mono8"),
        (changed(encoding=''), "encoding '' is unknown"),
        (message('bayer_rggb8', np.zeros((3, 4), np.uint8)), 'multiples of 2 and 2'),
        (message('yuyv', np.zeros((4, 3, 2), np.uint8)), 'multiples of 2 and 1'),
        (SimpleNamespace(format='jpeg', data=array.array('B')), 'is empty'),
        (
            SimpleNamespace(format='jpeg', data=array.array('B', b'\xff\xd8\xff')),
            'JPEG file with a damaged header',
        ),
    ],
)
def test_bad_message_is_refused_with_a_sentence(bad: SimpleNamespace, sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        read(bad)


def sized(height: int, width: int) -> SimpleNamespace:
    return message('mono8', np.zeros((height, width), np.uint8))


def test_single_frame_of_another_size_is_refused_and_the_next_is_read() -> None:
    reader = FrameReader()
    reader.read(sized(48, 64), SMALL)
    with pytest.raises(ValueError, match='size changed from 64 x 48 to 32 x 24'):
        reader.read(sized(24, 32), SMALL)
    reader.read(sized(48, 64), SMALL)
    with pytest.raises(ValueError, match='size changed from 64 x 48 to 32 x 24'):
        reader.read(sized(24, 32), SMALL)


def test_second_frame_of_a_new_size_is_accepted() -> None:
    reader = FrameReader()
    reader.read(sized(48, 64), SMALL)
    with pytest.raises(ValueError, match='size changed'):
        reader.read(compressed(np.zeros((24, 32), np.uint8)), SMALL)
    reader.read(sized(24, 32), SMALL)
    with pytest.raises(ValueError, match='size changed from 32 x 24'):
        reader.read(sized(48, 64), SMALL)


def test_damaged_frame_does_not_set_the_size() -> None:
    reader = FrameReader()
    broken = sized(24, 32)
    broken.step = 1
    with pytest.raises(ValueError, match='step'):
        reader.read(broken, SMALL)
    reader.read(sized(48, 64), SMALL)


def test_reset_forgets_the_size() -> None:
    reader = FrameReader()
    reader.read(sized(48, 64), SMALL)
    reader.reset()
    reader.read(sized(24, 32), SMALL)
