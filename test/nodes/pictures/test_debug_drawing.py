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

"""The picture of an answer: what is where, for every kind of frame and answer."""

from __future__ import annotations

import math
import statistics
import time
from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest
from debug_scenes import scene, spikes

from snn_perception.images import Preprocessing, prepare
from snn_perception.nodes.pictures.debug_drawing import (
    BAR,
    DULL,
    FRAME_HEIGHT,
    FRAME_WIDTH,
    HEIGHT,
    MARGIN,
    PANEL_WIDTH,
    SEEN,
    STRIP_HEIGHT,
    WIDTH,
    WINDOW,
    Drawing,
    Scene,
    seen_images,
    windows_of,
)
from snn_perception.nodes.pictures.debug_lettering import GROUND
from snn_perception.views import Region

DRAWING = Drawing()
RANDOM = np.random.default_rng(0)


def draw(shown: Scene) -> np.ndarray:
    return DRAWING.draw(shown).copy()


def frame_area(picture: np.ndarray) -> np.ndarray:
    return picture[MARGIN : MARGIN + FRAME_HEIGHT, MARGIN : MARGIN + FRAME_WIDTH]


def panel(picture: np.ndarray) -> np.ndarray:
    """The part at the right, without what the network saw."""
    return picture[MARGIN + SEEN : -STRIP_HEIGHT - 2 * MARGIN, -MARGIN - PANEL_WIDTH : -MARGIN]


def has(picture: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    """Where `picture` has `colour`: bool (height, width)."""
    return (picture == np.array(colour, np.uint8)).all(axis=2)


def bar_length(picture: np.ndarray) -> int:
    """Pixels of the longest bar."""
    return int(has(panel(picture), BAR).sum(axis=1).max())


def test_frame_is_shown_as_large_as_its_place_allows() -> None:
    shown = scene(
        frame=np.full((240, 320, 3), (10, 200, 30), np.uint8), windows=((0.4, 0.4, 0.1, 0.1),)
    )
    area = frame_area(draw(shown))
    assert area.shape == (312, 416, 3)
    corners = area[[0, 0, -1, -1], [0, -1, 0, -1]]
    assert (corners == (10, 200, 30)).all()


@pytest.mark.parametrize(
    'window', [(0.0, 0.0, 1.0, 1.0), (0.125, 0.0, 0.75, 1.0), (0.5, 0.25, 0.25, 0.5)]
)
def test_a_line_goes_around_what_the_network_saw_of_the_frame(window: Any) -> None:
    left, top, width, height = window
    rows, columns = np.nonzero(has(frame_area(draw(scene(windows=(window,)))), WINDOW))
    assert rows.min() == round(top * FRAME_HEIGHT)
    assert rows.max() == round((top + height) * FRAME_HEIGHT) - 1
    assert columns.min() == round(left * FRAME_WIDTH)
    assert columns.max() == round((left + width) * FRAME_WIDTH) - 1


@pytest.mark.parametrize(
    'seen', [RANDOM.integers(0, 256, size, np.uint8) for size in ((4, 4), (4, 4, 1), (4, 4, 3))]
)
def test_what_the_network_saw_is_enlarged_pixel_by_pixel(seen: np.ndarray) -> None:
    square = draw(scene(seen=seen[None]))[MARGIN:, -MARGIN - PANEL_WIDTH :][:SEEN, :SEEN]
    assert has(square, WINDOW)[[0, -1]].all()
    assert has(square, WINDOW)[:, [0, -1]].all()
    middles = square[SEEN // 8 :: SEEN // 4, SEEN // 8 :: SEEN // 4]
    assert np.array_equal(middles, np.broadcast_to(seen.reshape(4, 4, -1), (4, 4, 3)))


def test_the_bar_grows_with_the_score() -> None:
    decision = scene().decision
    lengths = []
    for score in (0.4, 0.6, 1.0):
        decision.scores[:] = (score, (1 - score) / 2, (1 - score) / 2)
        lengths.append(bar_length(draw(scene(decision=decision))))
    assert lengths == [52, 78, 130]


def test_what_differs_between_answers_differs_in_the_picture() -> None:
    usual = draw(scene())
    assert np.array_equal(draw(scene()), usual)
    for changes in (
        {'label': 'unknown'},
        {'energy': 2e-6},
        {'chip': 'truenorth'},
        {'latency': 0.5},
        {'latency': math.nan},
        {'decision': replace(scene().decision, stopped_by='confidence')},
        {'longest': 0.06},
        {'spikes': None},
    ):
        assert not np.array_equal(draw(scene(**changes)), usual), changes


def test_an_unknown_answer_still_lists_the_best_class() -> None:
    # Beside the best class, or below the word that replaces it.
    bars = [has(panel(draw(scene(label=label))), BAR)[60:].any() for label in ('red', 'unknown')]
    assert bars == [False, True]


def test_a_decision_that_a_deadline_ended_is_marked() -> None:
    def marked(reason: str) -> bool:
        decision = replace(scene().decision, stopped_by=reason)
        return bool(has(panel(draw(scene(decision=decision))), WINDOW).any())

    assert not marked('confidence')
    assert marked('deadline')


CASES = {
    'long names': {
        'label': 'garbage_truck_with_an_open_lid',
        'labels': ('garbage_truck_with_an_open_lid', 'W' * 5000, 'fire engine with a ladder'),
        'chip': 'a_chip_with_a_very_long_name_indeed',
    },
    'many scripts': {'label': '猫', 'labels': ('猫', 'кошка', 'قطة')},
    'wide frame': {'frame': np.full((10, 4000, 3), 255, np.uint8)},
    'tall frame': {'frame': np.full((4000, 10, 3), 255, np.uint8)},
    'frame of one pixel': {'frame': np.full((1, 1, 3), 255, np.uint8)},
    'grey frame': {'frame': np.full((48, 64), 255, np.uint8)},
    'wide input': {'seen': np.full((1, 3, 200), 255, np.uint8)},
    'large input': {'seen': np.full((1, 224, 224, 3), 255, np.uint8)},
    'window beyond the frame': {'windows': ((-0.5, 0.5, 2.0, 2.0),), 'roi': (0.0, 0.9, 3.0, 1.0)},
    'large figures': {'energy': 123e9, 'latency': 99999.0},
    'tiny figures': {'energy': 1e-15, 'latency': 1e-9},
    'no latency': {'latency': math.nan},
    'no time': {'longest': 0.0},
    'many layers': {'spikes': spikes(np.ones((6, 99)), 0.005, (10,) * 98 + (0,))},
}


@pytest.mark.parametrize('changes', CASES.values(), ids=CASES)
def test_nothing_leaves_its_place(changes: dict[str, Any]) -> None:
    picture = draw(scene(**changes))
    assert picture.shape == (HEIGHT, WIDTH, 3)
    gaps = np.ones((HEIGHT, WIDTH), bool)
    frame_area(gaps)[:] = False
    gaps[MARGIN:-MARGIN, -MARGIN - PANEL_WIDTH : -MARGIN] = False
    gaps[-MARGIN - STRIP_HEIGHT : -MARGIN, MARGIN:-MARGIN] = False
    assert has(picture, GROUND)[gaps].all()


@pytest.mark.parametrize('changes', CASES.values(), ids=CASES)
def test_nothing_remains_of_the_picture_before(changes: dict[str, Any]) -> None:
    usual = draw(scene())
    draw(scene(**changes))
    assert np.array_equal(draw(scene()), usual)


@pytest.mark.parametrize('channels', [1, 3])
@pytest.mark.parametrize('invert', [False, True])
def test_the_network_is_shown_to_see_what_is_prepared_for_it(channels: int, invert: bool) -> None:
    pixels = RANDOM.integers(0, 256, (8, 8, 3), np.uint8)
    preprocessing = Preprocessing((8, 8, channels), invert=invert)
    seen = seen_images(pixels[None], preprocessing).reshape(preprocessing.shape)
    assert np.allclose(prepare(pixels, preprocessing), seen / 255)


def test_regions_are_shares_of_the_frame_for_a_picture_of_any_size() -> None:
    regions = [Region(0, 0, 640, 480), Region(160, 120, 320, 240)]
    assert windows_of(regions, 480, 640) == ((0, 0, 1, 1), (0.25, 0.25, 0.5, 0.5))


FOUR = ((0.0, 0.0, 0.5, 0.5), (0.5, 0.0, 0.5, 0.5), (0.0, 0.5, 0.5, 0.5), (0.5, 0.5, 0.5, 0.5))
TILES = np.stack([np.full((4, 4, 3), 60 * tile, np.uint8) for tile in range(4)])


def with_view(view: int | None) -> np.ndarray:
    """A picture of an answer that is of one of four views, or of their mean."""
    decision = replace(scene().decision, view=view)
    return draw(scene(decision=decision, windows=FOUR, seen=TILES))


@pytest.mark.parametrize('view', range(4))
def test_the_line_is_bright_around_the_view_that_the_answer_is_of(view: int) -> None:
    picture = with_view(view)
    bright, dull = (has(frame_area(picture), colour) for colour in (WINDOW, DULL))
    left, top, width, height = FOUR[view]
    rows, columns = np.nonzero(bright)
    assert (rows.min(), rows.max()) == (top * FRAME_HEIGHT, (top + height) * FRAME_HEIGHT - 1)
    assert (columns.min(), columns.max()) == (
        left * FRAME_WIDTH, (left + width) * FRAME_WIDTH - 1,
    )  # fmt: skip
    assert dull.sum() > 2 * bright.sum()
    square = picture[MARGIN:, -MARGIN - PANEL_WIDTH :][1 : SEEN - 1, 1 : SEEN - 1]
    assert (square == 60 * view).all()


def test_of_a_mean_all_views_are_bright_and_shown_side_by_side() -> None:
    picture = with_view(None)
    of_one = has(frame_area(with_view(0)), WINDOW).sum()
    assert has(frame_area(picture), WINDOW).sum() == 4 * of_one
    assert not has(frame_area(picture), DULL).any()
    square = picture[MARGIN:, -MARGIN - PANEL_WIDTH :][1 : SEEN - 1, 1 : SEEN - 1]
    quarters = square[[20, 20, -20, -20], [20, -20, 20, -20], 0]
    assert quarters.tolist() == [0, 60, 120, 180]


def test_a_frame_is_darker_outside_of_the_region_of_interest() -> None:
    bright = np.full((FRAME_HEIGHT, FRAME_WIDTH, 3), 210, np.uint8)
    shown = scene(frame=bright, windows=((0.3, 0.3, 0.2, 0.2),), roi=(0.25, 0.25, 0.5, 0.5))
    area = frame_area(draw(shown))
    expected = np.full_like(bright, 70)
    expected[
        FRAME_HEIGHT // 4 : FRAME_HEIGHT * 3 // 4, FRAME_WIDTH // 4 : FRAME_WIDTH * 3 // 4
    ] = 210
    differs = (area != expected).any(axis=2)
    rows, columns = np.nonzero(differs)
    assert rows.min() >= 0.3 * FRAME_HEIGHT - 2
    assert rows.max() <= 0.5 * FRAME_HEIGHT + 2
    assert columns.min() >= 0.3 * FRAME_WIDTH - 2
    assert columns.max() <= 0.5 * FRAME_WIDTH + 2


@pytest.mark.slow
def test_a_picture_is_drawn_faster_than_a_frame_is_made_small() -> None:
    frame = RANDOM.integers(0, 256, (720, 1280, 3), np.uint8)
    scenes = [
        scene(colour, latency=seconds, spikes=spikes(np.full((90, 9), 30), 0.001, (999,) * 9))
        for colour in ('red', 'green')
        for seconds in np.linspace(0.001, 0.1, 10)
    ]
    drawn, resized = [], []
    for shown in scenes * 5:
        start = time.perf_counter()
        DRAWING.draw(shown)
        middle = time.perf_counter()
        cv2.resize(frame, (FRAME_WIDTH, 234), interpolation=cv2.INTER_AREA)
        drawn.append(middle - start)
        resized.append(time.perf_counter() - middle)
    assert statistics.median(drawn) < statistics.median(resized)
