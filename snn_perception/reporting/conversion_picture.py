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

"""A picture of a conversion: what each stage kept of the original, and how far layers are off."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from snn_perception.reporting.style import (
    BESIDE,
    CLASSES,
    RATES,
    SPIKES,
    WIDTH,
    finish,
    legend_above,
)


def picture(
    agreement: Mapping[str, float],
    accuracy: Mapping[str, float],
    errors: Mapping[str, Sequence[float]],
) -> Figure:
    """Draw the shares of each stage, by name, and the `errors` of its layers.

    `agreement` is with the original's answers; `accuracy`, which the original has too, may be nan
    where no class of an image is known. An error is a share of the original's mean square.
    """
    figure = Figure(figsize=(WIDTH, 3.2), layout='constrained')
    left, right = figure.subplots(1, 2, width_ratios=(2, 3))
    _shares(left, agreement, accuracy)
    _errors(right, errors)
    return figure


def _shares(axes: Axes, agreement: Mapping[str, float], accuracy: Mapping[str, float]) -> None:
    """Bars for each stage, with the numbers beside them."""
    kinds = [('same answer as the original', agreement, RATES)]
    if not all(map(np.isnan, accuracy.values())):
        kinds.append(('right', accuracy, SPIKES))
    for number, (title, shares, colour) in enumerate(kinds):
        places = np.arange(len(shares)) + (number - (len(kinds) - 1) / 2) * 0.4
        axes.barh(places, list(shares.values()), 0.36, color=colour, label=title)
        for place, share in zip(places, shares.values(), strict=True):
            axes.annotate(f'{100 * share:.1f}', (share, place), (3, 0), **BESIDE)
    axes.set_yticks(range(len(agreement)), list(agreement))
    axes.invert_yaxis()
    axes.set(xlim=(0, 1.15), xlabel='share of the validation images')
    axes.xaxis.set_major_formatter(PercentFormatter(1, symbol=' %'))
    finish(axes, grid='x')
    legend_above(axes, columns=1)


def _errors(axes: Axes, errors: Mapping[str, Sequence[float]]) -> None:
    """A line for each stage over the layers."""
    for (stage, values), (colour, line) in zip(errors.items(), CLASSES, strict=False):
        layers = np.arange(len(values))
        axes.plot(layers, values, line, color=colour, marker='o', markersize=3, label=stage)
    axes.set(xlabel='layer', ylabel='mean square error, relative')
    axes.set_ylim(bottom=0)
    finish(axes, percent=True)
    legend_above(axes)
