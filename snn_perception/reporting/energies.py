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

"""What a decision would cost on each chip, compared with the same network without spikes."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter

from snn_perception.energy import Estimate, estimate_rivals, prices
from snn_perception.evaluation.accuracy import Evaluation
from snn_perception.reporting.style import BESIDE, RATES, SPIKES, WIDTH, finish
from snn_perception.reporting.tables import Table
from snn_perception.units import quantity

NOTE = (
    'Estimates, not measurements: counted operations times published figures. A bar ends at the '
    'figure in use; the line spans the lowest to the highest published figure. Static power is '
    'included, for whole chips, where it is published separately. The rivals make one pass, over '
    'one view, without spikes. Left out are routing, input and output, the host, and for 45 nm '
    'all memory.'
)


def picture(evaluation: Evaluation) -> Figure:
    """Energy per decision on each chip, and per pass without spikes; bars with ranges."""
    chips = [(prices().chips[name].title, cost) for name, cost in evaluation.energies.items()]
    rivals = [
        (f'{prices().rivals[name].title}, without spikes', cost)
        for name, cost in estimate_rivals(evaluation.macs).items()
    ]
    size = 1.0 + 0.32 * (len(chips) + len(rivals))
    figure = Figure(figsize=(WIDTH, size), layout='constrained')
    axes = figure.subplots()
    _bars(axes, chips, 0, SPIKES)
    _bars(axes, rivals, len(chips), RATES)
    titles, costs = zip(*chips, *rivals, strict=True)
    axes.set(xscale='log', xlabel='energy per decision')
    axes.set_xlim(0.3 * min(cost.low for cost in costs), 30 * max(cost.high for cost in costs))
    axes.set_yticks(range(len(titles)), titles)
    axes.xaxis.set_major_formatter(EngFormatter('J', sep=' '))
    axes.invert_yaxis()
    finish(axes, grid='x')
    return figure


def _bars(axes: Axes, costs: list[tuple[str, Estimate]], first: int, colour: str) -> None:
    """A bar for each of `costs` from row `first` on."""
    for row, (_, cost) in enumerate(costs, first):
        axes.barh(row, cost.value, 0.6, color=colour)
        axes.hlines(row, cost.low, cost.high, color='black', linewidth=1.5)
        text = quantity(cost.value, 'J')
        if cost.static:
            text += f', {100 * cost.static / cost.value:.0f} % static'
        axes.annotate(text, (max(cost.value, cost.high), row), (5, 0), **BESIDE)


def table(evaluation: Evaluation) -> Table:
    """The same as numbers: a head, then a row for each chip and each rival."""
    rows = [
        _row(prices().chips[name].title, cost, prices().chips[name].source)
        for name, cost in evaluation.energies.items()
    ]
    rows += [
        _row(f'{prices().rivals[name].title}, without spikes', cost, prices().rivals[name].source)
        for name, cost in estimate_rivals(evaluation.macs).items()
    ]
    return [('chip', 'energy', 'lowest to highest', 'static part', 'figures from'), *rows]


def _row(title: str, cost: Estimate, source: str) -> tuple[str, ...]:
    span = f'{quantity(cost.low, "J")} to {quantity(cost.high, "J")}'
    is_one = np.isclose(cost.low, cost.high)
    static = quantity(cost.static, 'J') if cost.static else 'not published separately'
    return title, quantity(cost.value, 'J'), '-' if is_one else span, static, source
