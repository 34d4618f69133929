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

"""The figures of `benchmark` as a picture."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from snn_perception.reporting.style import SPIKES, finish

LINES = {'ms_by_rate_hz': 'mean firing rate (Hz)', 'ms_by_threads': 'threads'}


def picture(figures: dict[str, Any]) -> Figure:
    """Scaling, shares of the layers and, if they were measured, peers."""
    panels = [key for key in (*LINES, 'share_per_layer', 'peers') if figures.get(key)]
    figure = Figure(figsize=(4.4 * len(panels), 3.4), layout='constrained')
    for axes, key in zip(figure.subplots(1, len(panels), squeeze=False)[0], panels, strict=True):
        if key in LINES:
            _line(axes, figures[key], LINES[key])
        elif key == 'peers':
            _bars(axes, figures[key]['ms'], 'ms per presentation', '{:.0f}')
            axes.set_xscale('log')
        else:
            _bars(axes, figures[key], 'share of the time', '{:.0%}')
    figure.suptitle(f'{figures["model"]}, {figures["engine"]}')
    return figure


def _line(axes: Axes, values: dict[str, float], title: str) -> None:
    axes.plot([float(name) for name in values], list(values.values()), color=SPIKES, marker='o')
    axes.set(xlabel=title, ylabel='ms per frame', ylim=(0, 1.1 * max(values.values())))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    finish(axes)


def _bars(axes: Axes, values: dict[str, float], title: str, shape: str) -> None:
    bars = axes.barh(list(values), list(values.values()), color=SPIKES)
    axes.bar_label(bars, [shape.format(value) for value in values.values()], padding=2)
    axes.invert_yaxis()
    axes.margins(x=0.2)
    axes.set(xlabel=title)
    finish(axes, grid='x')
