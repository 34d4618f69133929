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

"""Image messages to pixels: regions, pictures, sizes, and what is wrong with bad ones."""

from __future__ import annotations

import array
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from image_messages import compressed, message, smooth_colours, zeros

from snn_perception.images import Preprocessing, resize
from snn_perception.nodes.frames.encodings import ENCODINGS
from snn_perception.nodes.frames.frame_reader import FrameReader, Interpretation, has_sixteen_bits
from snn_perception.views import Views

FULL_SIZE = Preprocessing(shape=(48, 64, 3))
SMALL = Preprocessing(shape=(28, 28, 1))


def read(message: SimpleNamespace, preprocessing: Preprocessing = FULL_SIZE) -> np.ndarray:
    return FrameReader().read(message, preprocessing)


def noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


def test_small_image_equals_the_one_made_of_converted_pixels() -> None:
    image = noise(480, 640, 3)
    square = np.ascontiguousarray(image[:, 80:560])
    expected = resize(square, 28, 28)
    np.testing.assert_array_equal(read(message('bgr8', image[..., ::-1]), SMALL), expected)


def test_compressed_image_is_decoded_and_made_small() -> None:
    image = noise(48, 64, 3)
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
        (message('bayer_rggb8', np.zeros((1, 4), np.uint8)), 'must be at least 2'),
        (message('nv12', np.zeros((3, 4), np.uint8)), 'multiples of 2 and 2'),
        (message('nv12', np.zeros((4, 4), np.uint8)), '16 bytes; 6 rows of 4 have 24'),
        (message('nv24', np.zeros((4, 4), np.uint8)), '16 bytes; 12 rows of 4 have 48'),
        (changed(data=array.array('B', [*good().data, 0])), 'buffer has 9217 bytes'),
        (message('yuyv', np.zeros((4, 3, 2), np.uint8)), 'multiples of 2 and 1'),
        (SimpleNamespace(format='jpeg', data=array.array('B')), 'is empty'),
        (
            SimpleNamespace(format='16UC1; compressedDepth png', data=array.array('B', b'x')),
            "format '16UC1; compressedDepth png': distances, and no picture",
        ),
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


def test_another_encoding_of_the_same_size_is_read_at_once() -> None:
    reader = FrameReader()
    for encoding in ('rgb8', 'mono8', 'nv12', '32FC1', 'bayer_rggb16'):
        assert reader.read(zeros(encoding, 48, 64), SMALL).shape[:2] == (28, 28)
    assert reader.read(compressed(smooth_colours()), SMALL).shape == (28, 28, 3)


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


@pytest.mark.parametrize('encoding', ['mono8', 'rgb8', 'bgra8', 'rgba16', '32FC1', 'nv24'])
def test_a_frame_of_one_pixel_is_read(encoding: str) -> None:
    assert read(zeros(encoding, 1, 1)).shape[:2] == (48, 64)


@pytest.mark.parametrize('encoding', ['bgr8', 'mono16', 'nv12', 'bayer_rggb8', 'yuyv'])
def test_a_frame_of_8k_is_read(encoding: str) -> None:
    assert read(zeros(encoding, 4320, 7680), SMALL).shape[:2] == (28, 28)


def region(x: int, y: int, width: int, height: int) -> Interpretation:
    """Pixels of a frame of 64 x 48 as the region that counts."""
    return Interpretation(roi=(x / 64, y / 48, width / 64, height / 48))


@pytest.mark.parametrize('encoding', ['mono8', 'rgb8', 'rgba16', '32FC1', 'png'])
def test_the_network_sees_the_region_of_interest_and_nothing_else(encoding: str) -> None:
    reader = FrameReader()
    layout = ENCODINGS.get(encoding, ENCODINGS['rgb8'])
    pixels = np.zeros((48, 64, layout.channels), layout.kind)
    pixels[10:20, 30:50] = 1 if layout.is_float else np.iinfo(layout.kind).max
    image = compressed(pixels) if encoding == 'png' else message(encoding, pixels, padding=4)
    inside = reader.read(image, SMALL, region(30, 10, 20, 10))
    assert inside.min() == 255
    assert reader.read(image, SMALL, region(0, 20, 64, 28)).max() == 0
    wider = reader.read(image, Preprocessing((12, 22, 3)), region(29, 9, 22, 12))
    assert wider[1:-1, 1:-1].min() == 255
    assert wider[[0, -1]].max() == wider[:, [0, -1]].max() == 0


def test_a_region_is_a_view_of_the_message() -> None:
    image = message('rgb8', noise(48, 64, 3))
    seen = FrameReader().read(image, Preprocessing((48, 64, 3)), region(0, 0, 64, 48))
    assert np.shares_memory(seen, np.frombuffer(image.data, np.uint8))


def test_a_region_without_a_pixel_of_the_frame_is_refused() -> None:
    narrow = Interpretation(roi=(0.5, 0.5, 0.001, 0.5))
    with pytest.raises(ValueError, match=r'smaller than a pixel of the frame, which has 64 x 48'):
        FrameReader().read(good(), SMALL, narrow)
    wide = message('mono8', np.zeros((8, 2000), np.uint8))
    assert FrameReader().read(wide, SMALL, narrow).shape == (28, 28)


@pytest.mark.parametrize('encoding', ENCODINGS)
@pytest.mark.parametrize('words', ['centre', 'frame + grid 3x2 best'])
def test_each_view_is_read_as_its_region_is(encoding: str, words: str) -> None:
    image = zeros(encoding, 48, 64)
    image.data = array.array('B', np.random.default_rng(1).bytes(len(image.data)))
    views = FrameReader().read_views(image, SMALL, region(8, 4, 40, 36), Views.parse(words))
    regions = Views.parse(words).regions(36, 40, SMALL)
    for seen, one in zip(views, regions, strict=True):
        alone = region(8 + one.left, 4 + one.top, one.width, one.height)
        np.testing.assert_array_equal(seen, FrameReader().read(image, SMALL, alone))


@pytest.mark.parametrize(
    ('values', 'sentence'),
    [
        ({'roi': (0, -0.1, 0.5, 0.5)}, 'roi must be x, y, width and height'),
        ({'roi': (0, 0, 640, 480)}, 'roi must be x, y, width and height'),
        ({'significant_bits': 17}, 'significant_bits must be from 1 to 16, or 0 for all, not 17'),
        ({'significant_bits': -1}, 'significant_bits must be'),
        ({'float_range': (1.0,)}, 'float_range must be black and white'),
        ({'float_range': (1.0, 1.0)}, 'float_range must be two different finite numbers'),
        ({'float_range': (0.0, float('inf'))}, 'float_range must be'),
        ({'float_range': (float('nan'), 1.0)}, 'float_range must be'),
        ({'float_range': (1.0, float('nan'))}, 'float_range must be'),
        ({'float_range': (0.0, 1e-320)}, 'float_range must be'),
    ],
)
def test_an_interpretation_that_makes_no_sense_is_refused(
    values: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(ValueError, match=sentence):
        Interpretation(**values)


@pytest.mark.parametrize('encoding', ENCODINGS)
@pytest.mark.parametrize(
    ('size', 'expected'), [((480, 640), (120, 160)), ((480, 100), (120, 25)), ((50, 40), (50, 40))]
)
def test_a_picture_is_all_of_the_frame_made_small_and_in_colours(
    encoding: str, size: tuple[int, int], expected: tuple[int, int]
) -> None:
    reader = FrameReader()
    part = Interpretation(roi=(0.1, 0.1, 0.5, 0.5))
    picture = reader.picture(zeros(encoding, *size), part, 120, 160)
    assert picture.shape == (*expected, 3)
    assert picture.dtype == np.uint8


@pytest.mark.parametrize('kind', ['mono8', 'rgb8', 'png'])
def test_drawing_on_a_picture_does_not_change_the_frame(kind: str) -> None:
    reader = FrameReader()
    pixels = noise(48, 64) if kind == 'mono8' else noise(48, 64, 3)
    image = compressed(pixels) if kind == 'png' else message(kind, pixels)
    reader.picture(image, Interpretation(), 48, 64)[:] = 0
    np.testing.assert_array_equal(reader.read(image, FULL_SIZE), pixels)
    reader.read(image, FULL_SIZE)
    reader.picture(image, Interpretation(), 48, 64)[:] = 0
    np.testing.assert_array_equal(reader.read(image, FULL_SIZE), pixels)


def test_a_picture_of_what_was_just_read_is_not_decoded_again() -> None:
    reader = FrameReader()
    image = compressed(noise(48, 64, 3))
    reader.read(image, SMALL)
    image.data = array.array('B')
    assert reader.picture(image, Interpretation(), 48, 64).shape == (48, 64, 3)
    other = compressed(smooth_colours())
    np.testing.assert_array_equal(
        reader.picture(other, Interpretation(), 48, 64), smooth_colours()
    )


def test_significant_bits_count_in_a_png_too_and_at_once_when_they_change() -> None:
    reader = FrameReader()
    image = compressed(np.full((48, 64), 4095, np.uint16))
    assert reader.read(image, SMALL).max() == 16
    assert reader.read(image, SMALL, Interpretation(significant_bits=12)).min() == 255


def test_frames_of_sixteen_bits_are_known() -> None:
    assert has_sixteen_bits(zeros('mono16', 4, 4))
    assert has_sixteen_bits(zeros('bayer_rggb16', 4, 4))
    assert not has_sixteen_bits(zeros('rgb8', 4, 4))
    assert not has_sixteen_bits(SimpleNamespace(encoding='unknown'))
    assert has_sixteen_bits(SimpleNamespace(format='mono16; png compressed ', data=b''))
    assert not has_sixteen_bits(SimpleNamespace(format='rgb8; jpeg compressed bgr8', data=b''))
