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

"""Pictures and a table of how well a model tells unknown images from known ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from snn_perception.evaluation.unfamiliar import Unfamiliar, operating_characteristic
from snn_perception.model import Model
from snn_perception.reporting.looks import look_of
from snn_perception.reporting.style import (
    CLASSES,
    PALE,
    WIDTH,
    below,
    finish,
    legend_above,
    show,
)
from snn_perception.reporting.tables import Table
from snn_perception.sentences import shortened

OF_IMAGES = (
    'Images that belong to no class, made by the package itself: noise, textures, blank walls, '
    'and a dark lens. The score of being unknown was fitted to known images alone. The area is '
    'how often one of these is stranger than a known image. Photographs of other things are '
    'harder, see `evaluate --unknown`.'
)
OF_RECORDINGS = (
    'Recordings of nothing that belongs to a class, made by the package itself: noise of all '
    'pixels, hardly any events, hot pixels, and a lamp that flickers. The score of being unknown '
    'was fitted to known recordings alone. The area is how often one of these is stranger than a '
    'known recording. Other things in motion are harder, see `evaluate --unknown`.'
)


def note(unfamiliar: Sequence[Unfamiliar]) -> str:
    """What was made, what the figures say, and how much of what is known is accepted."""
    thing, accepted = unfamiliar[0].thing, float((unfamiliar[0].known <= 1).mean())
    made = OF_IMAGES if thing == 'image' else OF_RECORDINGS
    return f'{made} Of the known {thing}s, {100 * accepted:.1f} % are accepted.'


def picture(unfamiliar: Sequence[Unfamiliar]) -> Figure:
    """Scores of known and of unknown images, and how many of each any threshold accepts."""
    figure = Figure(figsize=(WIDTH, 3.6), layout='constrained')
    left, right = figure.subplots(1, 2)
    _histogram(left, unfamiliar)
    for each, (colour, line) in zip(unfamiliar, CLASSES, strict=False):
        accepted, recalled = operating_characteristic(each.known, each.scores)
        right.plot(accepted, recalled, line, color=colour, drawstyle='steps-post')
    things = f'{unfamiliar[0].thing}s'
    right.set(xlabel=f'unknown {things} accepted', ylabel=f'known {things} accepted')
    right.set(xlim=(-0.02, 1), ylim=(0, 1.02))
    right.xaxis.set_major_formatter(PercentFormatter(1, symbol=' %'))
    finish(right, percent=True)
    return figure


def _histogram(axes: Axes, unfamiliar: Sequence[Unfamiliar]) -> None:
    known = unfamiliar[0].known
    everything = np.concatenate([known, *(each.scores for each in unfamiliar)])
    # What is stranger than almost all does not stretch the axis.
    low, high = np.quantile(everything, (0.005, 0.98))
    edges = np.linspace(low, max(high, low + 1e-6), 41)
    middle = (edges[1:] + edges[:-1]) / 2
    named = {'known': known, **{each.kind: each.scores for each in unfamiliar}}
    for (name, scores), (colour, line) in zip(
        named.items(), ((PALE, '-'), *CLASSES), strict=False
    ):
        counts, _ = np.histogram(np.clip(scores, edges[0], edges[-1]), edges)
        style: dict[str, Any] = {'color': colour, 'label': name, 'drawstyle': 'steps-mid'}
        axes.plot(middle, counts / len(scores), line, **style)
        if name == 'known':
            axes.fill_between(middle, counts / len(scores), color=PALE, step='mid')
    axes.axvline(1, color='black', linewidth=1)
    axes.set(xlabel='score of being unknown', ylabel=f'share of the {unfamiliar[0].thing}s')
    finish(axes, percent=True)
    legend_above(axes)


def accepted(unfamiliar: Sequence[Unfamiliar], model: Model, columns: int = 6) -> Figure:
    """Of each kind, those that seem to be the least strange, and what `model` takes them for."""
    figure = Figure(figsize=(WIDTH, 1.9 * len(unfamiliar)), layout='constrained')
    grid = figure.subplots(len(unfamiliar), columns, squeeze=False)
    for axes in grid.ravel():
        axes.axis('off')
    for row, each in zip(grid, unfamiliar, strict=True):
        look = look_of(each.shown, model)
        for axes, index in zip(row, np.argsort(each.scores), strict=False):
            decision = each.decisions[index]
            show(axes, look(index))
            name = 'unknown' if decision.is_unknown else shortened(decision.label, 13)
            axes.set_title(name, fontsize=10)
            below(axes, f'{each.scores[index]:.2f}', 9)
    return figure


def table(unfamiliar: Sequence[Unfamiliar]) -> Table:
    """A head, then a row for each kind."""
    head = (
        f'{unfamiliar[0].thing}s',
        'area under the curve',
        'accepted with 95 % of the known',
        'rejected as configured',
    )
    rows = [
        (
            each.kind,
            f'{each.auroc:.3f}',
            f'{100 * each.fpr95:.1f} %',
            f'{100 * each.rejected:.1f} %',
        )
        for each in unfamiliar
    ]
    return [head, *rows]
