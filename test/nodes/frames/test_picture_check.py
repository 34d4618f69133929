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


"""Frames that cannot be a picture of anything are doubted, and all others are not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from snn_perception.images import Preprocessing, read_image, scale_image
from snn_perception.locations import resolve_path
from snn_perception.nodes.frames.picture_check import FEWEST, PictureCheck

RATE = 30.0
NETWORK = Preprocessing(shape=(32, 32, 3))


def level(value: int) -> np.ndarray:
    return np.full((32, 32, 3), value, np.uint8)


def doubt_after(
    seconds: float, frame: Callable[[int], np.ndarray], is_16_bit: bool = False
) -> str:
    """What a check says that has seen `frame(number)` at RATE for so long."""
    check = PictureCheck()
    for number in range(round(seconds * RATE) + 1):
        seen = frame(number)
        check.see(seen, seen.tobytes(), 1000 + number / RATE, is_16_bit)
    return check.doubt


def noisy(scene: np.ndarray, number: int, deviation: float = 1.0) -> np.ndarray:
    """`scene` as a sensor with some noise sees it, at the size of the network."""
    noise = np.random.default_rng(number).normal(0, deviation, scene.shape)
    seen = np.clip(np.rint(scene + noise), 0, 255).astype(np.uint8)
    return scale_image(seen, NETWORK)


def night() -> np.ndarray:
    """A dark scene with a lamp of 20 x 20 pixels."""
    scene = np.full((240, 320, 3), 3.0)
    scene[60:80, 150:170] = 250
    return scene


@pytest.mark.parametrize(
    ('value', 'sentence'),
    [(0, 'almost black, for 2 s'), (9, 'almost black'), (255, 'almost white, for 2 s'),
     (245, 'almost white')],
)  # fmt: skip
def test_a_camera_that_sees_nothing_is_doubted(value: int, sentence: str) -> None:
    assert sentence in doubt_after(2, lambda number: level(value))


def test_black_frames_of_sixteen_bits_name_the_parameter_that_may_be_missing() -> None:
    twelve_bits = np.uint8(np.rint(4095 / 257))
    assert 'significant_bits' in doubt_after(2, lambda number: level(twelve_bits), True)
    assert 'significant_bits' not in doubt_after(2, lambda number: level(twelve_bits), False)


def test_one_black_frame_between_others_is_no_doubt() -> None:
    assert doubt_after(5, lambda number: level(0 if number % 30 < 20 else 90)) == ''


def test_the_very_same_frame_for_long_is_doubted() -> None:
    scene = noisy(night(), 0)
    assert doubt_after(4.9, lambda number: scene) == ''
    assert doubt_after(5, lambda number: scene) == (
        'identical, the last 151 of them for 5 s by now: is the camera or its driver frozen?'
    )


def see(check: PictureCheck, value: int, second: float, sent: bytes = b'') -> None:
    check.see(level(value), sent or bytes([value]), second)


def test_a_frozen_camera_that_moves_again_is_no_longer_doubted() -> None:
    check = PictureCheck(frozen_after=3)
    for second in range(6):
        see(check, 100, second)
    assert check.is_frozen
    assert 'identical, the last 6 of them for 5 s' in check.doubt
    see(check, 101, 6)
    assert (check.is_frozen, check.doubt) == (False, '')


def test_what_the_network_does_not_see_counts_too_when_frames_are_compared() -> None:
    check = PictureCheck(frozen_after=3)
    for second in range(6):
        see(check, 100, second, sent=b'the rest of frame %d' % second)
    assert not check.is_frozen


def test_a_few_frames_far_apart_are_not_frozen() -> None:
    check = PictureCheck(frozen_after=3)
    for number in range(FEWEST - 1):
        see(check, 100, 60 * number)
        assert check.doubt == ''


def test_frames_may_be_the_same_for_ever_if_nobody_minds() -> None:
    check = PictureCheck(frozen_after=0)
    for second in range(0, 86_400, 60):
        see(check, 100, second)
    assert (check.is_frozen, check.doubt) == (False, '')


def test_black_frames_are_called_black_also_when_they_are_frozen() -> None:
    check = PictureCheck()
    for second in range(9):
        see(check, 0, second)
    assert check.is_frozen
    assert 'almost black' in check.doubt


@pytest.mark.parametrize('deviation', [0.3, 1.0, 4.0])
def test_a_scene_at_rest_in_the_noise_of_a_sensor_is_not_frozen(deviation: float) -> None:
    ramp = np.linspace(0, 255, 320)[None, :, None] * np.ones((240, 1, 3))
    frames = [noisy(ramp, number, deviation) for number in range(7)]
    assert doubt_after(15, lambda number: frames[number % 7]) == ''


def test_a_night_with_a_lamp_is_neither_black_nor_frozen() -> None:
    frames = [noisy(night(), number) for number in range(7)]
    assert doubt_after(15, lambda number: frames[number % 7]) == ''


def test_digits_on_black_and_on_white_are_pictures() -> None:
    digits = resolve_path('package://snn_perception/resource/images/digits')
    for path in sorted(digits.rglob('*.png')):
        image = read_image(path)
        assert doubt_after(2, lambda number, image=image: image) == ''
        assert doubt_after(2, lambda number, image=image: 255 - image) == ''


def test_reset_forgets_what_was_seen() -> None:
    check = PictureCheck()
    for second in range(20):
        see(check, 0, second)
    assert check.doubt
    check.reset()
    assert check.doubt == ''
    see(check, 0, 21)
    assert check.doubt == ''
