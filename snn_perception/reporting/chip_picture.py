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

"""A picture of a network on Loihi chips: how full their cores are, and how its layers fire."""

from __future__ import annotations

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from snn_perception.reporting.style import ACCENT, BESIDE, RATES, SPIKES, WIDTH, finish

LIMITED = {
    'core_neurons': ('neurons', 'o', SPIKES),
    'core_axons_in': ('axons in', '<', RATES),
    'core_axons_out': ('axons out', '>', RATES),
    'core_synapse_kib': ('synapse memory', 's', ACCENT),
}
"""Figures shown as shares of their limits, for the fullest core: name, marker and colour."""
LEGEND: dict[str, Any] = {
    'loc': 'lower left',
    'bbox_to_anchor': (-0.02, 1),
    'ncols': 2,
    'frameon': False,
    'fontsize': 9,
    'handletextpad': 0.2,
    'columnspacing': 1.0,
}


def picture(figures: dict[str, Any]) -> Figure:
    """Draw the `resources` of a placement, and the `comparison` of its layers if there is one."""
    layers, compared = figures['layers'], figures.get('comparison')
    figure = Figure(figsize=(WIDTH, 1.5 + 0.36 * len(layers)), layout='constrained')
    panels = figure.subplots(1, 2 if compared else 1, sharey=True, squeeze=False)[0]
    _cores(panels[0], layers, figures['limits'])
    if compared:
        _rates(panels[1], compared)
    panels[0].set_yticks(range(len(layers)), [layer['layer'] for layer in layers])
    panels[0].set_ylim(len(layers) - 0.5, -0.5)
    return figure


def _cores(axes: Axes, layers: list[dict[str, Any]], limits: dict[str, float]) -> None:
    """How close to its limits the fullest core of each layer is, and the number of cores."""
    rows = range(len(layers))
    for key, (name, marker, colour) in LIMITED.items():
        shares = [layer[key] / limits[key] for layer in layers]
        axes.plot(shares, rows, marker, color=colour, label=name, clip_on=False)
    right = max(1.0, *(layer[key] / limits[key] for layer in layers for key in LIMITED))
    for row, layer in enumerate(layers):
        text = f'{layer["cores"]} core{"s" if layer["cores"] > 1 else ""}'
        axes.annotate(text, (right, row), (10, 0), annotation_clip=False, **BESIDE)
    axes.axvline(1, color='black', linewidth=1)
    axes.set(xlim=(0, right), xlabel='use of the fullest core, relative to its limits')
    axes.xaxis.set_major_formatter(PercentFormatter(1, symbol=' %'))
    axes.legend(**LEGEND)
    finish(axes)


def _rates(axes: Axes, layers: list[dict[str, Any]]) -> None:
    """Each layer's mean rates on the chip and in floating point, and their correlation."""
    rows = range(len(layers))
    expected = [layer['floating_point_hz'] for layer in layers]
    found = [layer['chip_hz'] for layer in layers]
    axes.plot(expected, rows, 'D', color=RATES, fillstyle='none', label='floating point')
    axes.plot(found, rows, 'o', color=SPIKES, markersize=5, label='on the chip')
    right = 1.1 * max(expected + found)
    for row, layer in enumerate(layers):
        text = f'r = {layer["correlation"]:.3f}'
        axes.annotate(text, (right, row), (6, 0), annotation_clip=False, **BESIDE)
    axes.set(xlim=(0, right), xlabel='mean firing rate (Hz); r: correlation over neurons')
    axes.legend(**LEGEND)
    finish(axes)
