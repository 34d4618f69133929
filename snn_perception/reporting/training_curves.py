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

"""Pictures of a training run, drawn without a display."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from snn_perception.reporting.style import CLASSES, WIDTH, finish, save_picture


def save_curves(histories: dict[str, list[dict[str, float]]], path: Path) -> None:
    """Save loss, validation error and firing rate by epoch for each training stage, as PNG."""
    figure = Figure(figsize=(WIDTH, 2.6), layout='constrained')
    panels = (
        ('loss', 'training loss', 1.0),
        ('validation_accuracy', 'validation error (%)', None),
        ('firing_rate_hz', 'mean firing rate (Hz)', 1.0),
    )
    for axes, (key, title, scale) in zip(figure.subplots(1, 3), panels, strict=True):
        first, lowest = 0, 1.0
        for (stage, rows), (colour, _) in zip(histories.items(), CLASSES, strict=False):
            values = [row[key] for row in rows]
            shown = [100 * (1 - value) if scale is None else value for value in values]
            epochs = np.arange(1, len(rows) + 1) + first
            axes.plot(epochs, shown, color=colour, marker='o', markersize=3, label=stage)
            first, lowest = first + len(rows), min(lowest, *shown)
        axes.set(title=title, xlabel='epoch')
        finish(axes)
        if scale is None and lowest > 0:
            axes.set_yscale('log')
            axes.yaxis.set_major_formatter('{x:.2g}')
            axes.yaxis.set_minor_formatter('{x:.2g}')
    figure.axes[0].legend()
    save_picture(figure, path)
