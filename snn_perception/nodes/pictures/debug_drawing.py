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

"""One picture that explains an answer: what the camera and the network saw, and what came of it.

Nothing here needs ROS.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from snn_perception.decision import Decision
from snn_perception.images import Preprocessing, convert_channels
from snn_perception.nodes.pictures.debug_lettering import (
    GROUND,
    Style,
    figures,
    fitting,
    put,
    words,
)
from snn_perception.nodes.pictures.debug_raster import RasterStrip, Spikes
from snn_perception.units import quantity
from snn_perception.views import WHOLE, Region

WIDTH, HEIGHT = 640, 480
"""Size of the picture in pixels."""

MARGIN = 8
PANEL_WIDTH, STRIP_HEIGHT = 200, 144
FRAME_WIDTH = WIDTH - PANEL_WIDTH - 3 * MARGIN
FRAME_HEIGHT = HEIGHT - STRIP_HEIGHT - 3 * MARGIN
"""The room for the camera's frame: 416 x 312 pixels."""

SEEN = 96
"""Pixels along an edge of the room for what the network saw."""

DARKER = 3
"""By which the brightness of the frame outside of the region of interest is divided."""

RUNNERS_UP = 4
"""Classes that are listed beside the best one."""

VALUES, ROW = 80, 17
"""Where the values begin in the list of what the answer took, and the height of its rows."""

EMPTY, WINDOW, BAR, TRACK = (12, 14, 17), (255, 196, 61), (104, 194, 255), (44, 50, 60)
BRIGHT, DULL = (232, 234, 237), (154, 160, 166)
TEXT, DIM, LATE = Style(12, BRIGHT), Style(12, DULL), Style(12, WINDOW)
SMALL, TINY = Style(11, DULL), Style(9, DULL)
NAMES = tuple(Style(size, BRIGHT, bold=True) for size in (26, 20, 15))
DOUBTFUL_NAMES = tuple(Style(size, DULL, bold=True) for size in (26, 20, 15))
SCORE = Style(14, BRIGHT, bold=True)


Window = tuple[float, float, float, float]
"""Left, top, width and height of a part of an image, as shares of it from 0 to 1."""


@dataclass(frozen=True)
class Scene:
    """What the picture of one answer shows.

    frame: uint8 RGB (height, width, 3), what the camera saw; best made to fit into
        FRAME_HEIGHT x FRAME_WIDTH before.
    seen: uint8 (views, height, width) grey or (views, height, width, 3) RGB, what the network
        saw, see `seen_images`.
    windows: the part of `frame` that each view of `seen` shows, see `windows_of`.
    roi: the part of `frame` that counts.
    decision: the answer, whose scores are those of `labels`.
    label: what was published as the label, which may be another than the best class.
    energy: J, estimated for `chip`.
    latency: s from the stamp of the frame to the answer, nan if that is not known.
    longest: s of simulated time that the decision could have taken at most.
    spikes: those of the decision, None if they were not counted in pieces of time.
    kind: what the network saw, '' for an image, grey or in colour.
    """

    frame: NDArray[np.uint8]
    seen: NDArray[np.uint8]
    windows: tuple[Window, ...]
    roi: Window
    decision: Decision
    labels: tuple[str, ...]
    label: str
    energy: float
    chip: str
    latency: float
    longest: float
    spikes: Spikes | None = None
    kind: str = ''


def seen_images(pixels: NDArray[np.uint8], preprocessing: Preprocessing) -> NDArray[np.uint8]:
    """What `preprocessing` makes of `pixels` of the views, which have the network's size already.

    Both are uint8 (views, height, width) grey or (views, height, width, 3) RGB.
    """
    images = np.stack([convert_channels(one, preprocessing.shape[2]) for one in pixels])
    return np.bitwise_not(images) if preprocessing.invert else images


def windows_of(regions: Sequence[Region], rows: int, columns: int) -> tuple[Window, ...]:
    """`regions` of a frame of `rows` x `columns` pixels as windows."""
    return tuple(
        (one.left / columns, one.top / rows, one.width / columns, one.height / rows)
        for one in regions
    )


class Drawing:
    """Draws scenes, one at a time, always into the same memory."""

    def __init__(self) -> None:
        self._empty = np.full((HEIGHT, WIDTH, 3), GROUND, np.uint8)
        _frame_area(self._empty)[:] = EMPTY
        self._picture = self._empty.copy()
        self._strip = RasterStrip(WIDTH - 2 * MARGIN, STRIP_HEIGHT)

    def draw(self, scene: Scene) -> NDArray[np.uint8]:
        """The picture of `scene`, uint8 RGB (HEIGHT, WIDTH, 3), valid until the next call."""
        picture = self._picture
        np.copyto(picture, self._empty)
        _draw_frame(_frame_area(picture), scene)
        panel = picture[MARGIN:, -MARGIN - PANEL_WIDTH : -MARGIN][:FRAME_HEIGHT]
        _draw_seen(panel[:SEEN], scene)
        _draw_scores(panel[SEEN + MARGIN : 246], scene)
        _draw_figures(panel[246:], scene)
        strip = picture[-MARGIN - STRIP_HEIGHT : -MARGIN, MARGIN:-MARGIN]
        if scene.spikes is None:
            put(strip, words('spikes were not counted in pieces of time', SMALL), 0, 0)
        else:
            self._strip.draw(strip, scene.spikes, scene.decision.simulated_time, scene.longest)
        return picture


def _frame_area(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The part of `picture` for the camera's frame."""
    return picture[MARGIN : MARGIN + FRAME_HEIGHT, MARGIN : MARGIN + FRAME_WIDTH]


def _draw_frame(area: NDArray[np.uint8], scene: Scene) -> None:
    """Draw the frame in the middle of `area`, and a line around what the network saw of it.

    The line is bright around the view that the answer is of. What is outside of the region of
    interest is darker.
    """
    image = _fit(area, scene.frame)
    if scene.roi != WHOLE:
        (left, top), (right, bottom) = _corners(image, scene.roi)
        inside = image[max(top, 0) : bottom + 1, max(left, 0) : right + 1]
        bright = inside.copy()
        image //= DARKER
        inside[:] = bright
    for window in scene.windows:
        cv2.rectangle(image, *_corners(image, window), DULL, 1)
    view = scene.decision.view
    chosen = scene.windows if view is None else scene.windows[view : view + 1]
    # The dark lines beside the bright one make it visible on bright frames.
    for colour, line in ((GROUND, 3), (WINDOW, 1)):
        for window in chosen:
            cv2.rectangle(image, *_corners(image, window), colour, line)


def _corners(image: NDArray[np.uint8], window: Window) -> tuple[tuple[int, int], tuple[int, int]]:
    """The first and the last pixel (x, y) of `window` in `image`."""
    rows, columns = image.shape[:2]
    left, top, width, height = window
    first = round(left * columns), round(top * rows)
    return first, (round((left + width) * columns) - 1, round((top + height) * rows) - 1)


def _draw_seen(area: NDArray[np.uint8], scene: Scene) -> None:
    """Draw what the network saw at the left of `area`, in the colour of its place in the frame."""
    count, height, width = scene.seen.shape[:3]
    view = scene.decision.view
    image = 'grey' if scene.seen.ndim == 3 or scene.seen.shape[3] == 1 else 'colour'
    square = area[:, :SEEN]
    square[:] = WINDOW
    square[1:-1, 1:-1] = EMPTY
    _fit(square[1:-1, 1:-1], _side_by_side(scene.seen) if view is None else scene.seen[view])
    lines = ['the network saw', f'{width} x {height}', scene.kind or image]
    if count > 1:
        lines.append(f'the mean of {count}' if view is None else f'view {view + 1} of {count}')
    for row, text in enumerate(lines):
        put(area, fitting(text, area.shape[1] - SEEN - MARGIN, SMALL), SEEN + MARGIN, 15 * row)


def _side_by_side(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """`images` (number, height, width[, channels]) as one image of several rows."""
    number, height, width = images.shape[:3]
    columns = math.ceil(math.sqrt(number))
    rows = -(-number // columns)
    whole = np.zeros((rows * height, columns * width, *images.shape[3:]), np.uint8)
    for place, image in enumerate(images):
        top, left = place // columns * height, place % columns * width
        whole[top : top + height, left : left + width] = image
    return whole


def _fit(area: NDArray[np.uint8], image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Put `image`, grey or RGB, into the middle of `area`, as large as it can be.

    Returns the part of `area` where it is.
    """
    rows, columns = image.shape[:2]
    scale = min(area.shape[0] / rows, area.shape[1] / columns)
    height, width = max(1, round(rows * scale)), max(1, round(columns * scale))
    top, left = (area.shape[0] - height) // 2, (area.shape[1] - width) // 2
    inside = area[top : top + height, left : left + width]
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_NEAREST
    inside[:] = cv2.resize(image, (width, height), interpolation=method).reshape(height, width, -1)
    return inside


def _draw_scores(area: NDArray[np.uint8], scene: Scene) -> None:
    """Draw the label, the bar of its score, and thin bars for the next best classes."""
    scores = scene.decision.scores
    ranking = (-scores).argsort(kind='stable')[: RUNNERS_UP + 1]
    is_best = scene.label == scene.labels[ranking[0]]
    name = fitting(scene.label, PANEL_WIDTH, *(NAMES if is_best else DOUBTFUL_NAMES))
    put(area, name, 0, 34 - name.shape[0])
    best = float(scores[ranking[0]])
    _draw_bar(area, 40, 10, 0, 130, best)
    put(area, figures(f'{100 * best:.1f} %', SCORE), PANEL_WIDTH, 36, right=True)
    others = ranking[1:] if is_best else ranking[:RUNNERS_UP]
    for row, index in enumerate(others):
        top, score = 62 + 18 * row, float(scores[index])
        put(area, fitting(scene.labels[index], 80, SMALL), 0, top)
        _draw_bar(area, top + 5, 4, 86, 66, score)
        put(area, figures(f'{100 * score:.1f} %', SMALL), PANEL_WIDTH, top, right=True)


def _draw_bar(
    area: NDArray[np.uint8], top: int, height: int, left: int, width: int, score: float
) -> None:
    """Draw a horizontal bar of `width` that is filled up to `score`, from 0 to 1."""
    bar = area[top : top + height, left : left + width]
    bar[:] = TRACK
    bar[:, : round(score * width)] = BAR


def _draw_figures(area: NDArray[np.uint8], scene: Scene) -> None:
    """Write what the answer took."""
    energy = figures(quantity(scene.energy, 'J'), TEXT)
    reason = scene.decision.stopped_by
    rows = (
        ('energy, est.', energy),
        ('latency', figures(quantity(scene.latency, 's'), TEXT)),
        ('simulated', figures(quantity(scene.decision.simulated_time, 's'), TEXT)),
        ('stopped by', words(reason, LATE if reason == 'deadline' else TEXT)),
    )
    for row, (name, value) in enumerate(rows):
        put(area, words(name, DIM), 0, ROW * row)
        put(area, value, VALUES, ROW * row)
    left = VALUES + energy.shape[1] + 6
    put(area, fitting(scene.chip, PANEL_WIDTH - left, SMALL, TINY), left, 1)
