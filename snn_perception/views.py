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

"""Where to look in an image: the region of interest, and the parts of it that a network is shown.

A small thing in a large image is a pixel of what a network of 32x32 pixels sees. Shown parts of
the image, one beside the other, the network sees it larger. Everything here is geometry: a part
is cut out of an image as a view of it, and nothing is copied.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import ceil
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from snn_perception.images import Preprocessing, check_image, kept_part, prepare
from snn_perception.sentences import shown

WHOLE = (0.0, 0.0, 1.0, 1.0)
"""The region of interest that is all of an image."""

SHARED = 0.25
"""Part of its width, and of its height, that a crop of a grid shares at least with the next."""

MOST = 16
"""Views of an image at most: each takes as long as an image, and neurons of its own."""

CHOICES = ('best', 'mean')

_TOLERANCE = 1e-6
_GRID = re.compile(r'grid ([1-9]\d?)x([1-9]\d?)')


class Region(NamedTuple):
    """A rectangle of whole pixels of an image."""

    left: int
    top: int
    width: int
    height: int

    def of(self, image: NDArray) -> NDArray:
        """What `image` (height, width[, channels]) shows there: a view of it."""
        return image[self.top : self.top + self.height, self.left : self.left + self.width]

    def inside(self, outer: Region) -> Region:
        """The same rectangle, as a part of the image of which its own image is `outer`."""
        return self._replace(left=self.left + outer.left, top=self.top + outer.top)


def check_roi(roi: Sequence[float]) -> None:
    """Raise ValueError unless `roi` is x, y, width and height of a part of an image, as shares."""
    fits = len(roi) == 4 and all(0 <= value <= 1 for value in roi)
    if not fits or min(roi[2:]) <= 0 or max(roi[0] + roi[2], roi[1] + roi[3]) > 1 + _TOLERANCE:
        raise ValueError(
            f'roi must be x, y, width and height as shares of the frame from 0 to 1, with a width '
            f'and a height and no part outside of the frame, not {list(roi)}'
        )


def region_of(roi: Sequence[float], rows: int, columns: int) -> Region:
    """The region of interest in an image of `rows` x `columns` pixels.

    Its edges are those of pixels, the nearest ones. Raises ValueError if there is no pixel
    between them, or `roi` makes no sense.
    """
    check_roi(roi)
    x, y, width, height = roi
    left, right = _edge(x, columns), _edge(x + width, columns)
    top, bottom = _edge(y, rows), _edge(y + height, rows)
    if right <= left or bottom <= top:
        raise ValueError(
            f'roi {list(roi)} is smaller than a pixel of the frame, which has {columns} x {rows}'
        )
    return Region(left, top, right - left, bottom - top)


def _edge(share: float, pixels: int) -> int:
    # Without the last digits, so that regions side by side have the same edge.
    return min(round(round(share * pixels, 6)), pixels)


@dataclass(frozen=True)
class Part:
    """One word of `Views`: 'frame', 'centre', or a 'grid' of `columns` x `rows` crops."""

    kind: str
    columns: int = 1
    rows: int = 1

    @property
    def count(self) -> int:
        """How many crops it is."""
        return self.columns * self.rows

    def __str__(self) -> str:
        return f'grid {self.columns}x{self.rows}' if self.kind == 'grid' else self.kind

    def regions(self, rows: int, columns: int, aspect: float | None) -> list[Region]:
        """The crops of an image of `rows` x `columns` pixels, row by row; see `Views`."""
        if self.kind == 'frame':
            return [Region(0, 0, columns, rows)]
        if self.kind == 'centre':
            width, height = ceil(columns / 2), ceil(rows / 2)
            return [Region((columns - width) // 2, (rows - height) // 2, width, height)]
        across, down = _extent(columns, self.columns), _extent(rows, self.rows)
        if aspect is not None:
            across, down = max(across, down * aspect), max(down, across / aspect)
            shrunk = min(1.0, columns / across, rows / down)
            across, down = across * shrunk, down * shrunk
        width, height = min(ceil(across), columns), min(ceil(down), rows)
        return [
            Region(left, top, width, height)
            for top in _starts(rows, height, self.rows)
            for left in _starts(columns, width, self.columns)
        ]


def _extent(pixels: int, crops: int) -> float:
    """The width of each of `crops` that cover `pixels` and share SHARED with the next."""
    return pixels / (crops - (crops - 1) * SHARED)


def _starts(pixels: int, extent: int, crops: int) -> list[int]:
    """Where `crops` of `extent` begin: from end to end, or in the middle of equal parts."""
    if crops * extent < pixels or crops == 1:
        return [round((crop + 0.5) * pixels / crops - extent / 2) for crop in range(crops)]
    return [round(crop * (pixels - extent) / (crops - 1)) for crop in range(crops)]


@dataclass(frozen=True)
class Views:
    """The parts of an image that a network is shown at once, each to neurons of its own.

    'frame' is all of the image. 'centre' is the middle half of its width and height. 'grid 3x2'
    are crops in 3 columns and 2 rows, all of one size, that cover the image: each shares a quarter
    of its width, or height, with the next at least, so that what lies where two of them meet is
    whole in one. If the network crops what does not have its aspect, they have that aspect, and
    share more; where such crops are too few to cover the image they are spread over it. Every
    part is then fitted to the network like an image of its own.

    What they say becomes one answer by `choice`. 'best': the scores of the view whose highest
    score is the highest, once that is confident. 'mean': the scores of the mean output of all
    views. The cost is that of all views. Raises ValueError for more than MOST views or an
    unknown choice.
    """

    parts: tuple[Part, ...] = (Part('frame'),)
    choice: str = 'best'

    def __post_init__(self) -> None:
        if not 1 <= self.count <= MOST or self.choice not in CHOICES:
            raise ValueError(_refusal(str(self)))

    @classmethod
    @lru_cache(maxsize=64)
    def parse(cls, text: str) -> Views:
        """The views that `text` names, such as 'frame + grid 2x2 best'; ValueError if none.

        'best' or 'mean' may only be left out where there is a single view.
        """
        words = text.split()
        choice = words.pop() if words and words[-1] in CHOICES else ''
        parts = [_part(' '.join(part.split())) for part in ' '.join(words).split('+')]
        known = tuple(part for part in parts if part is not None)
        count = sum(part.count for part in known)
        if len(known) < len(parts) or count > MOST or (count > 1 and not choice):
            raise ValueError(_refusal(text))
        return cls(known, choice if count > 1 else 'best')

    def __str__(self) -> str:
        parts = ' + '.join(map(str, self.parts))
        return f'{parts} {self.choice}' if self.count > 1 else parts

    @property
    def count(self) -> int:
        """How many views there are."""
        return sum(part.count for part in self.parts)

    def regions(self, rows: int, columns: int, preprocessing: Preprocessing) -> list[Region]:
        """Where in an image of `rows` x `columns` pixels the views are, in their order."""
        height, width, _ = preprocessing.shape
        aspect = width / height if preprocessing.fit == 'crop' else None
        return [region for part in self.parts for region in part.regions(rows, columns, aspect)]

    def join(
        self,
        evidence: NDArray,
        score: Callable[[NDArray], NDArray[np.float32]],
        rejected: NDArray[np.bool_] | None = None,
    ) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
        """Scores (batch, classes) of each image, and the number (batch,) of the view they are of.

        `evidence` (views x batch, classes) holds all images in the first view, then all in the
        next; `score` makes scores of evidence (..., classes). The number is 0 for 'mean'. For
        'best' a view that is `rejected` (views x batch,) only counts where all of an image are.
        """
        by_view = evidence.reshape(self.count, -1, evidence.shape[1])
        if self.choice == 'mean':
            return score(by_view.mean(axis=0)), np.zeros(by_view.shape[1], np.int64)
        scores = score(by_view)
        rank = scores.max(axis=2)
        if rejected is not None:
            rank = rank - rejected.reshape(rank.shape)
        best = rank.argmax(axis=0)
        return scores[best, np.arange(len(best))], best

    def total(self, counts: NDArray[np.int64]) -> NDArray[np.int64]:
        """`counts` (..., views x batch, layers) summed over the views: (..., batch, layers)."""
        *others, shown, layers = counts.shape
        return counts.reshape(*others, self.count, shown // self.count, layers).sum(axis=-3)


FRAME = Views()
"""All of an image as a single view."""


def prepare_views(
    image: NDArray,
    preprocessing: Preprocessing,
    views: Views = FRAME,
    roi: Sequence[float] = WHOLE,
) -> NDArray[np.float32]:
    """Network inputs (views, height, width, channels) from `image`, uint8 grey or RGB.

    Each is what `images.prepare` makes of that part of the region of interest. Raises ValueError
    for a bad image, and for a region without a pixel.
    """
    check_image(image)
    rows, columns = image.shape[:2]
    whole = region_of(roi, rows, columns)
    part = whole.of(image)
    regions = views.regions(whole.height, whole.width, preprocessing)
    return np.stack([prepare(region.of(part), preprocessing) for region in regions])


def seen_regions(
    rows: int,
    columns: int,
    preprocessing: Preprocessing,
    views: Views = FRAME,
    roi: Sequence[float] = WHOLE,
) -> list[Region]:
    """What a network sees of an image of `rows` x `columns` pixels, for each view.

    That is less than the view where it is cropped to the network's aspect, or only its centre is
    kept. Raises ValueError for a region without a pixel.
    """
    whole = region_of(roi, rows, columns)
    regions = views.regions(whole.height, whole.width, preprocessing)
    kept = (Region(*kept_part(one.height, one.width, preprocessing)) for one in regions)
    return [part.inside(one).inside(whole) for part, one in zip(kept, regions, strict=True)]


def _part(text: str) -> Part | None:
    """The part that `text` names, None if it names none."""
    if text in ('frame', 'centre'):
        return Part(text)
    grid = _GRID.fullmatch(text)
    return Part('grid', int(grid[1]), int(grid[2])) if grid else None


def _refusal(text: str) -> str:
    return (
        f"views must be frame, centre, a grid such as 'grid 3x2', or several of these with + "
        f'between them, at most {MOST} views in all, and with best or mean at the end if there '
        f"are several, as in 'frame + grid 3x2 best', not {shown(text)}"
    )
