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

"""A picture of what a camera showed and what the network said."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from snn_perception.demo.scoreboard import Outcome, Scoreboard, names
from snn_perception.reporting.style import DARK, save_picture
from snn_perception.sentences import shortened
from snn_perception.units import quantity

BEST = 3
"""Hypotheses below each picture."""

# In inches.
WIDTH, HEAD, MARGIN, GAP = 11.0, 1.05, 0.25, 0.22
BAR, LINE, SPACE = 0.23, 0.26, 0.22
ANSWER = BEST * LINE + 0.24 + SPACE

BAR_COLOURS = {True: '#24573a', False: '#3a414b'}
"""Of right and of wrong hypotheses: dark enough for light letters."""


def save(path: Path, scoreboard: Scoreboard) -> None:
    """Save the latest outcomes on `scoreboard`, at least one, as a PNG file at `path`.

    Raises ValueError with a sentence if it cannot be written.
    """
    shown = scoreboard.latest
    sizes = [one.picture.pixels.shape for one in shown]
    # What is taller or wider than that gets margins.
    aspect = min(max(1.0, *(width / height for height, width, *_ in sizes)), 2.0)
    columns = round(6 / aspect)
    across = (WIDTH - 2 * MARGIN + GAP) / columns - GAP
    down = across / aspect
    height = HEAD + -(-len(shown) // columns) * (down + ANSWER)
    figure = Figure(figsize=(WIDTH, height), facecolor=DARK.ground)
    _head(figure, scoreboard)
    for index, outcome in enumerate(shown):
        row, column = divmod(index, columns)
        left = MARGIN + column * (across + GAP)
        top = height - HEAD - row * (down + ANSWER)
        _picture(_axes(figure, left, top - down, across, down), outcome)
        answer = _axes(figure, left, top - down - ANSWER, across, ANSWER)
        _answer(answer, across, outcome, scoreboard.chip)
    try:
        save_picture(figure, path)
    except OSError as reason:
        raise ValueError(f'{path} cannot be written: {reason.strerror}') from None


def _head(figure: Figure, scoreboard: Scoreboard) -> None:
    height = figure.get_figheight()
    centred: dict[str, Any] = {'ha': 'center', 'va': 'top'}
    figure.text(
        0.5, 1 - 0.18 / height, scoreboard.verdict, color=DARK.text, fontsize=15, **centred
    )
    details = textwrap.fill(scoreboard.averages, 120)
    figure.text(0.5, 1 - 0.54 / height, details, color=DARK.dim, fontsize=9, **centred)


def _axes(figure: Figure, left: float, bottom: float, width: float, height: float) -> Any:
    """Axes without lines for a part of `figure`; all in inches."""
    across, down = figure.get_size_inches()
    axes = figure.add_axes((left / across, bottom / down, width / across, height / down))
    axes.axis('off')
    return axes


def _picture(axes: Any, outcome: Outcome) -> None:
    """Draw what the camera showed and, if the answer is wrong, what that is."""
    axes.imshow(outcome.picture.pixels, cmap='gray', vmin=0, vmax=255, interpolation='antialiased')
    if outcome.picture.label and not outcome.is_right:
        axes.annotate(
            f'shown: {names(outcome.picture.label)[0]}',
            (0, 0),
            (6, 7),
            xycoords='axes fraction',
            textcoords='offset points',
            color=DARK.text,
            fontsize=8,
            bbox={'facecolor': DARK.ground, 'alpha': 0.75, 'linewidth': 0},
        )


def _answer(axes: Any, width: float, outcome: Outcome, chip: str) -> None:
    """Draw a bar for each of the best hypotheses, and below what the answer took."""
    axes.set(xlim=(0, width), ylim=(0, ANSWER))
    for place, (label, score) in enumerate(outcome.hypotheses[:BEST]):
        middle = ANSWER - 0.06 - (place + 0.5) * LINE
        is_right = outcome.names_truth(label)
        bar = (0, middle - BAR / 2), width * score, BAR
        axes.add_patch(Rectangle(*bar, facecolor=BAR_COLOURS[is_right]))
        style: dict[str, Any] = {'va': 'center', 'color': DARK.text, 'size': 8.5}
        if place == 0:
            colour = DARK.right if is_right else DARK.wrong
            style |= {'color': colour, 'size': 11.0, 'weight': 'bold'}
        axes.text(width - 0.05, middle, f'{100 * score:.1f} %', ha='right', **style)
        # Long names are smaller, so that they end before the score.
        room = (width - 0.8) / (0.0095 * style['size'])
        name = shortened(names(label)[0], round(1.6 * room))
        style['size'] *= room / max(room, len(name))
        axes.text(0.07, middle, name, **style)
    cost = (
        f'{outcome.value("latency_ms"):.0f} ms, {outcome.value("spikes"):,.0f} spikes, '
        f'{quantity(outcome.value(f"energy_{chip}_j"), "J")}'
    )
    axes.text(width / 2, SPACE + 0.04, cost, ha='center', color=DARK.dim, fontsize=7.5)
