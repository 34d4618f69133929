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

"""What all pictures have in common: colours, sizes, grids, legends, and how they are saved."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter
from numpy.typing import NDArray

from snn_perception.model import Model
from snn_perception.reporting.glyphs import make_drawable
from snn_perception.sentences import shortened

# Blue and vermilion of Okabe and Ito, which can be told apart without full colour vision.
SPIKES, ACCENT, RATES, PALE = '#0072b2', '#d55e00', '#5f6b76', '#c4ccd4'
RIGHT, WRONG = '#00598c', '#b34700'
CLASSES = (('#0072b2', '-'), ('#d55e00', '--'), ('#009e73', '-.'), ('#cc79a7', ':'))
"""Line colours and styles for a few classes."""
WIDTH = 8.0
"""Width of a picture in inches; its text is then as large as the text of the page."""
RESOLUTION = 150
"""Pixels per inch of all pictures."""
BESIDE: dict[str, Any] = {'textcoords': 'offset points', 'va': 'center', 'fontsize': 9}


@dataclass(frozen=True)
class Theme:
    """Colours of a picture: background, text, less important text, right and wrong answers."""

    ground: str
    text: str
    dim: str
    right: str
    wrong: str


DARK = Theme(ground='#14171c', text='#e8eaed', dim='#9aa0a6', right='#7bd88f', wrong='#ff6b6b')
"""For pictures that are viewed next to a running demo."""


def save_picture(figure: Figure, path: Path) -> None:
    """Save `figure` as a PNG file; raises OSError if it cannot be written."""
    make_drawable(figure)
    figure.savefig(path, dpi=RESOLUTION, format='png', facecolor=figure.get_facecolor())


def finish(axes: Axes, percent: bool = False, grid: Any = 'both') -> None:
    """Add a light grid, remove the box; with `percent`, show shares in percent on the y axis."""
    axes.grid(axis=grid, alpha=0.3)
    axes.set_axisbelow(True)
    axes.spines[['top', 'right']].set_visible(False)
    if percent:
        axes.yaxis.set_major_formatter(PercentFormatter(1, symbol=' %'))


def legend_above(axes: Axes, columns: int = 3, room: float = 4) -> None:
    """Put the legend of `axes` above them, where it hides nothing.

    `room` in points is left in between, for an axis there.
    """
    # The layout makes space for it. 'outside' would be simpler and needs Matplotlib 3.7, which
    # Ubuntu 24.04 does not have.
    axes.legend(
        loc='lower center',
        bbox_to_anchor=(0.5, 1),
        borderaxespad=room / 9,
        ncols=columns,
        frameon=False,
        fontsize=9,
    )


def no_evidence(axes: Axes, model: Model) -> None:
    """Mark the time before `start_time`, whose outputs do not count; the axis is in ms."""
    start = 1000 * model.readout.start_time
    if start:
        axes.axvspan(0, start, color='#eceff2', linewidth=0, label='no evidence yet')


def show(axes: Axes, image: NDArray[np.uint8]) -> None:
    """Show `image` (height, width, channels), grey or RGB, without axes."""
    pixels = image.squeeze(axis=2) if image.shape[2] == 1 else image
    axes.imshow(pixels, cmap='gray', vmin=0, vmax=255)
    axes.axis('off')


def verdict(answer: str, truth: str, longest: int) -> tuple[str, str]:
    """The answer, at most `longest` letters of it, marked as right or wrong, and its colour."""
    sign, colour = ('✓', RIGHT) if answer == truth else ('✗', WRONG)
    return f'{sign} {shortened(answer, longest)}', colour


def below(axes: Axes, text: str, size: float, color: str = 'black') -> None:
    """Write `text` under a picture without axes; `size` is in points."""
    place = BESIDE | {'ha': 'center', 'va': 'top', 'fontsize': size, 'color': color}
    axes.annotate(text, (0.5, 0), (0, -3), xycoords='axes fraction', **place)
