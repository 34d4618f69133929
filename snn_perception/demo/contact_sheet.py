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

from snn_perception.demo.scoreboard import Outcome, Scoreboard
from snn_perception.reporting.style import DARK, save_picture
from snn_perception.units import quantity

COLUMNS = 6
# In inches.
WIDTH, CELL, HEAD, GAP = 11.0, 2.55, 1.15, 0.8


def save(path: Path, scoreboard: Scoreboard) -> None:
    """Save the latest outcomes on `scoreboard`, at least one, as a PNG file at `path`.

    Raises ValueError with a sentence if it cannot be written.
    """
    shown = scoreboard.latest
    rows = -(-len(shown) // COLUMNS)
    height = HEAD + rows * CELL
    figure = Figure(figsize=(WIDTH, height), facecolor=DARK.ground)
    grid = {'left': 0.02, 'right': 0.98, 'bottom': GAP / height, 'top': 1 - HEAD / height}
    spaces = {'hspace': GAP / (CELL - GAP), 'wspace': 0.12}
    axes = figure.subplots(rows, COLUMNS, squeeze=False, gridspec_kw={**grid, **spaces})
    for place in axes.ravel():
        place.axis('off')
    for place, outcome in zip(axes.ravel(), shown, strict=False):
        _draw(place, outcome, scoreboard.chip)
    centred: dict[str, Any] = {'ha': 'center', 'va': 'top'}
    figure.text(0.5, 1 - 0.2 / height, scoreboard.verdict, color=DARK.text, fontsize=15, **centred)
    details = textwrap.fill(scoreboard.averages, 120)
    figure.text(0.5, 1 - 0.58 / height, details, color=DARK.dim, fontsize=9, **centred)
    try:
        save_picture(figure, path)
    except OSError as reason:
        raise ValueError(f'{path} cannot be written: {reason.strerror}') from None


def _draw(place: Any, outcome: Outcome, chip: str) -> None:
    """Draw one picture on the axes `place`, with its label and what it cost below."""
    place.imshow(outcome.picture.pixels, cmap='gray', vmin=0, vmax=255, interpolation='nearest')
    label = f'{outcome.label}   {100 * outcome.score:.1f} %'
    colour = DARK.right if outcome.is_right else DARK.wrong
    cost = (
        f'{outcome.value("latency_ms"):.0f} ms, {outcome.value("spikes"):,.0f} spikes, '
        f'{quantity(outcome.value(f"energy_{chip}_j"), "J")}'
    )
    below: dict[str, Any] = {
        'xycoords': 'axes fraction',
        'textcoords': 'offset points',
        'ha': 'center',
        'va': 'top',
    }
    # Long names are smaller, so that they end before the next picture.
    size = 13 * min(1.0, 15 / len(label))
    place.annotate(label, (0.5, 0), (0, -6), color=colour, fontsize=size, weight='bold', **below)
    place.annotate(cost, (0.5, 0), (0, -27), color=DARK.dim, fontsize=7.5, **below)
