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

"""A picture of what augmentation does to training images."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from snn_perception.reporting.style import WIDTH, save_picture, show


def save_augmentation(rows: Mapping[str, NDArray[np.uint8]], path: Path) -> None:
    """Save `rows` of images (images, height, width, channels), named on the left, as PNG."""
    columns = max(map(len, rows.values()))
    size = WIDTH / (columns + 2)
    figure = Figure(figsize=(WIDTH, size * len(rows)), layout='constrained')
    grid = figure.subplots(len(rows), columns, squeeze=False)
    for axes in grid.ravel():
        axes.axis('off')
    for line, (name, images) in zip(grid, rows.items(), strict=True):
        for axes, image in zip(line, images, strict=False):
            show(axes, image)
        line[0].annotate(
            name, (0, 0.5), (-8, 0), xycoords='axes fraction', textcoords='offset points',
            ha='right', va='center', fontsize=9,
        )  # fmt: skip
    save_picture(figure, path)
