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


"""Every encoding of a picture comes out in the colours that it was made of."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from image_messages import message, sent, smooth_colours, zeros

from snn_perception.images import Preprocessing
from snn_perception.nodes.frames.encodings import ENCODINGS
from snn_perception.nodes.frames.frame_reader import FrameReader, Interpretation

HEIGHT, WIDTH = 48, 64
FULL_SIZE = Preprocessing(shape=(HEIGHT, WIDTH, 3))
SMALL = Preprocessing(shape=(28, 28, 1))
MIXED = [name for name, encoding in ENCODINGS.items() if encoding.mix]

# The list of sensor_msgs/image_encodings.hpp, without those of OpenCV's arrays.
NAMED = (
    *('rgb8', 'rgba8', 'rgb16', 'rgba16', 'bgr8', 'bgra8', 'bgr16', 'bgra16', 'mono8', 'mono16'),
    *('bayer_rggb8', 'bayer_bggr8', 'bayer_gbrg8', 'bayer_grbg8', 'bayer_rggb16'),
    *('bayer_bggr16', 'bayer_gbrg16', 'bayer_grbg16', 'uyvy', 'yuv422', 'yuyv', 'yuv422_yuy2'),
    *('nv12', 'nv21', 'nv24'),
)


def read(
    image: SimpleNamespace,
    preprocessing: Preprocessing | None = None,
    interpretation: Interpretation | None = None,
) -> np.ndarray:
    """Pixels of `image`, as they are unless `preprocessing` says otherwise."""
    as_it_is = Preprocessing((image.height, image.width, 3))
    return FrameReader().read(image, preprocessing or as_it_is, interpretation or Interpretation())


def noise(*shape: int, dtype: type = np.uint8) -> np.ndarray:
    return np.random.default_rng(0).integers(0, np.iinfo(dtype).max, shape, dtype, endpoint=True)


@pytest.mark.parametrize('encoding', NAMED)
def test_every_named_encoding_is_read(encoding: str) -> None:
    assert encoding in ENCODINGS


@pytest.mark.parametrize('padding', [0, 1, 24])
@pytest.mark.parametrize(
    ('encoding', 'order'),
    [('rgb8', 'rgb'), ('bgr8', 'bgr'), ('8UC3', 'bgr'), ('rgba8', 'rgba'), ('bgra8', 'bgra'),
     ('8UC4', 'bgra')],
)  # fmt: skip
def test_colours_arrive_unchanged_in_any_order_of_channels(
    encoding: str, order: str, padding: int
) -> None:
    image = noise(HEIGHT, WIDTH, 3)
    alpha = np.full((HEIGHT, WIDTH), 255, np.uint8)
    channels = {'r': image[..., 0], 'g': image[..., 1], 'b': image[..., 2], 'a': alpha}
    pixels = np.stack([channels[name] for name in order], axis=2)
    np.testing.assert_array_equal(read(message(encoding, pixels, padding)), image)


@pytest.mark.parametrize('padding', [0, 3])
@pytest.mark.parametrize('encoding', ['mono8', '8UC1'])
def test_grey_arrives_unchanged(encoding: str, padding: int) -> None:
    image = noise(HEIGHT, WIDTH)
    np.testing.assert_array_equal(read(message(encoding, image, padding)), image)


@pytest.mark.parametrize('bigendian', [False, True])
@pytest.mark.parametrize('padding', [0, 1, 6])
@pytest.mark.parametrize('encoding', ['mono16', '16UC1'])
def test_sixteen_bit_grey_is_scaled_in_either_byte_order(
    encoding: str, bigendian: bool, padding: int
) -> None:
    image = noise(HEIGHT, WIDTH, dtype=np.uint16)
    pixels = read(message(encoding, image, padding, bigendian))
    np.testing.assert_array_equal(pixels, np.rint(image / 257).astype(np.uint8))


@pytest.mark.parametrize('bigendian', [False, True])
@pytest.mark.parametrize(
    ('encoding', 'order'),
    [('rgb16', [0, 1, 2]), ('bgr16', [2, 1, 0]), ('16UC3', [2, 1, 0]), ('rgba16', [0, 1, 2, 3]),
     ('bgra16', [2, 1, 0, 3]), ('16UC4', [2, 1, 0, 3])],
)  # fmt: skip
def test_sixteen_bit_colours_are_scaled(encoding: str, order: list[int], bigendian: bool) -> None:
    opaque = np.full((HEIGHT, WIDTH, 4), 255, np.uint16)
    opaque[..., :3] = smooth_colours()
    image = message(encoding, opaque[..., order] * 257, bigendian=bigendian)
    np.testing.assert_array_equal(read(image), smooth_colours())


@pytest.mark.parametrize('encoding', ['mono16', 'rgb16', '16UC1', 'bayer_rggb16'])
def test_white_of_a_camera_of_twelve_bits_is_white_if_it_is_said_to_have_them(
    encoding: str,
) -> None:
    layout = ENCODINGS[encoding]
    shape = (HEIGHT, WIDTH, layout.channels)[: 2 if layout.channels == 1 else 3]
    image = message(encoding, np.full(shape, 4095, np.uint16))
    assert read(image).max() == 16
    assert read(image, interpretation=Interpretation(significant_bits=12)).min() == 255
    half = message(encoding, np.full(shape, 2048, np.uint16))
    assert set(read(half, interpretation=Interpretation(significant_bits=12)).flat) == {128}


def test_what_is_above_the_significant_bits_is_white() -> None:
    image = message('mono16', np.array([[4096, 65535]], np.uint16))
    np.testing.assert_array_equal(
        read(image, interpretation=Interpretation(significant_bits=12)), [[255, 255]]
    )


def test_significant_bits_do_not_change_frames_of_eight_bits() -> None:
    image = message('mono8', noise(HEIGHT, WIDTH))
    np.testing.assert_array_equal(
        read(image), read(image, interpretation=Interpretation(significant_bits=4))
    )


@pytest.mark.parametrize('bigendian', [False, True])
@pytest.mark.parametrize('padding', [0, 2])
@pytest.mark.parametrize('kind', [np.float32, np.float64])
def test_floating_point_grey_is_scaled_from_black_to_white_and_clipped(
    kind: type, padding: int, bigendian: bool
) -> None:
    values = np.array([[0, 0.5, 1, 2, -1, np.inf, -np.inf, np.nan]], kind)
    encoding = '32FC1' if kind == np.float32 else '64FC1'
    pixels = read(message(encoding, values, padding, bigendian))
    np.testing.assert_array_equal(pixels, [[0, 128, 255, 255, 0, 255, 0, 0]])


@pytest.mark.parametrize(
    ('float_range', 'expected'),
    [((0, 2), [0, 64, 128, 0]), ((0.5, 1.0), [0, 0, 255, 0]), ((1.0, 0.0), [255, 128, 0, 0])],
)
def test_the_range_of_floating_point_frames_is_from_black_to_white(
    float_range: tuple[float, float], expected: list[int]
) -> None:
    image = message('32FC1', np.array([[0, 0.5, 1, np.nan]], np.float32))
    pixels = read(image, interpretation=Interpretation(float_range=float_range))
    np.testing.assert_array_equal(pixels, [expected])


def test_what_is_no_number_does_not_spread_over_its_neighbours() -> None:
    values = np.ones((280, 280), np.float32)
    values[3, 3] = np.nan
    pixels = read(message('32FC1', values), SMALL)
    assert pixels[0, 0] == round(255 * 0.99)
    assert (pixels == 255).sum() == pixels.size - 1


def test_floating_point_colours_have_blue_first_as_in_opencv() -> None:
    image = smooth_colours()
    values = (image[..., ::-1] / 255).astype(np.float32)
    np.testing.assert_array_equal(read(message('32FC3', values)), image)


@pytest.mark.parametrize('padding', [0, 10])
@pytest.mark.parametrize('size', [(48, 64), (47, 63), (3, 3), (5, 4)])
@pytest.mark.parametrize('bits', [8, 16])
@pytest.mark.parametrize('pattern', ['rggb', 'bggr', 'gbrg', 'grbg'])
def test_mosaic_of_every_pattern_shows_the_colours_it_was_made_of(
    pattern: str, bits: int, size: tuple[int, int], padding: int
) -> None:
    image = smooth_colours(*size)
    pixels = read(sent(f'bayer_{pattern}{bits}', image, padding))
    error = np.abs(pixels.astype(int) - image)
    assert error.max() <= 8
    assert error[2:-2, 2:-2].max(initial=0) <= 4


@pytest.mark.parametrize('size', [(2, 2), (2, 5), (6, 2)])
@pytest.mark.parametrize('bits', [8, 16])
@pytest.mark.parametrize('pattern', ['rggb', 'bggr', 'gbrg', 'grbg'])
def test_mosaic_of_one_square_has_its_colours(
    pattern: str, bits: int, size: tuple[int, int]
) -> None:
    image = np.full((*size, 3), (200, 120, 40), np.uint8)
    np.testing.assert_array_equal(read(sent(f'bayer_{pattern}{bits}', image)), image)


@pytest.mark.parametrize('padding', [0, 10])
@pytest.mark.parametrize(
    'encoding', ['uyvy', 'yuv422', 'yuyv', 'yuv422_yuy2', 'nv12', 'nv21', 'nv24']
)
def test_yuv_shows_the_colours_it_was_made_of(encoding: str, padding: int) -> None:
    image = smooth_colours()
    pixels = read(sent(encoding, image, padding))
    assert np.abs(pixels.astype(int) - image).max() <= (2 if encoding == 'nv24' else 7)


@pytest.mark.parametrize('encoding', MIXED)
@pytest.mark.parametrize('roi', [(0, 0, 64, 48), (5, 7, 9, 11), (10, 4, 2, 2), (1, 1, 63, 47)])
def test_a_region_of_mixed_pixels_is_the_same_as_of_the_whole_frame(
    encoding: str, roi: tuple[int, int, int, int]
) -> None:
    image = sent(encoding, noise(HEIGHT, WIDTH, 3))
    x, y, width, height = roi
    shares = Interpretation(roi=(x / WIDTH, y / HEIGHT, width / WIDTH, height / HEIGHT))
    region = read(image, Preprocessing((height, width, 3)), shares)
    np.testing.assert_array_equal(region, read(image)[y : y + height, x : x + width])


@pytest.mark.parametrize('encoding', ENCODINGS)
def test_every_encoding_comes_out_at_the_size_of_the_network(encoding: str) -> None:
    pixels = read(zeros(encoding, 480, 640), SMALL)
    assert pixels.dtype == np.uint8
    assert pixels.shape in ((28, 28), (28, 28, 3))
    assert pixels.flags.c_contiguous


ALPHA = ('rgba8', 'bgra8', '8UC4', 'rgba16', 'bgra16', '16UC4')


@pytest.mark.parametrize('encoding', ALPHA)
@pytest.mark.parametrize('fit', ['crop', 'pad', 'stretch'])
def test_a_white_drawing_on_transparent_ground_is_white_on_black(encoding: str, fit: str) -> None:
    most = np.iinfo(ENCODINGS[encoding].kind).max
    drawing = np.full((100, 200, 4), most, ENCODINGS[encoding].kind)
    drawing[..., 3] = 0
    drawing[30:70, 80:120, 3] = most
    pixels = read(message(encoding, drawing), Preprocessing((50, 100, 3), fit=fit))
    expected = np.zeros((50, 100, 3))
    expected[15:35, 40:60] = 255
    np.testing.assert_array_equal(pixels, expected)


@pytest.mark.parametrize('encoding', ALPHA)
def test_what_is_half_transparent_is_half_as_bright(encoding: str) -> None:
    most = np.iinfo(ENCODINGS[encoding].kind).max
    pixels = np.full((4, 4, 4), most, ENCODINGS[encoding].kind)
    pixels[..., 3] = most // 2
    assert set(read(message(encoding, pixels)).flat) <= {127, 128}


def test_transparency_counts_before_the_frame_is_made_small() -> None:
    """Else a fine pattern on clear black ground would become too dark."""
    pixels = np.zeros((100, 100, 4), np.uint8)
    pixels[::2] = 255
    small = read(message('rgba8', pixels), Preprocessing((10, 10, 3)))
    assert set(small.flat) <= {127, 128}


@pytest.mark.parametrize('encoding', ALPHA)
def test_a_channel_of_alpha_that_is_zero_everywhere_is_not_used(encoding: str) -> None:
    pixels = np.full((8, 8, 4), np.iinfo(ENCODINGS[encoding].kind).max, ENCODINGS[encoding].kind)
    pixels[..., 3] = 0
    assert read(message(encoding, pixels)).min() == 255


@pytest.mark.parametrize(
    'encoding', ['8SC1', '8SC3', '16SC1', '32SC4', '8UC2', '16UC2', '32FC2', '64FC4', '8UC5']
)
def test_numbers_that_are_no_picture_are_refused_with_what_to_send(encoding: str) -> None:
    with pytest.raises(ValueError, match=f"encoding '{encoding}' holds numbers .* mono8, rgb8"):
        read(SimpleNamespace(encoding=encoding, height=1, width=1))
