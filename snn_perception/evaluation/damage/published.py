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

"""The published severities of the kinds of damage, for pictures of three sizes.

They are those of CIFAR-10-C, of Tiny ImageNet-C and of ImageNet-C, as their authors made them
(Hendrycks and Dietterich, "Benchmarking Neural Network Robustness to Common Corruptions and
Perturbations", ICLR 2019). Each row has five entries, for the severities 1 to 5, and an entry is
what the kind's function takes after the image and the random numbers. Lengths are in pixels.
"""

from __future__ import annotations

import math
from typing import Any

Row = tuple[tuple[Any, ...], ...]


def _single(*values: float) -> Row:
    """The row of a kind with one parameter."""
    return tuple((value,) for value in values)


def _lengths(size: int, *shares: tuple[float, float, float]) -> Row:
    """The row of a kind whose parameters are `shares` of `size` pixels."""
    return tuple(tuple(size * share for share in each) for each in shares)


_ZOOMS = ((1.06, 0.01), (1.11, 0.01), (1.16, 0.01), (1.21, 0.01), (1.26, 0.01))

PUBLISHED: dict[int, dict[str, Row]] = {
    32: {
        'gaussian_noise': _single(0.04, 0.06, 0.08, 0.09, 0.10),
        'shot_noise': _single(500, 250, 100, 75, 50),
        'impulse_noise': _single(0.01, 0.02, 0.03, 0.05, 0.07),
        'speckle_noise': _single(0.06, 0.10, 0.12, 0.16, 0.20),
        'defocus_blur': ((0.3, 0.4), (0.4, 0.5), (0.5, 0.6), (1, 0.2), (1.5, 0.1)),
        'gaussian_blur': _single(0.4, 0.6, 0.7, 0.8, 1.0),
        'glass_blur': ((0.05, 1, 1), (0.25, 1, 1), (0.4, 1, 1), (0.25, 1, 2), (0.4, 1, 2)),
        'motion_blur': ((6, 1), (6, 1.5), (6, 2), (8, 2), (9, 2.5)),
        'zoom_blur': _ZOOMS,
        'fog': ((0.2, 3), (0.5, 3), (0.75, 2.5), (1, 2), (1.5, 1.75)),
        'snow': (
            (0.1, 0.2, 1, 0.6, 8, 3, 0.95),
            (0.1, 0.2, 1, 0.5, 10, 4, 0.9),
            (0.15, 0.3, 1.75, 0.55, 10, 4, 0.9),
            (0.25, 0.3, 2.25, 0.6, 12, 6, 0.85),
            (0.3, 0.3, 1.25, 0.65, 14, 12, 0.8),
        ),
        'brightness': _single(0.05, 0.10, 0.15, 0.20, 0.30),
        'saturate': ((0.3, 0), (0.1, 0), (1.5, 0), (2, 0.1), (2.5, 0.2)),
        'contrast': _single(0.75, 0.50, 0.40, 0.30, 0.15),
        'elastic_transform': _lengths(
            32,
            (0, 0, 0.08),
            (0.05, 0.2, 0.07),
            (0.08, 0.06, 0.06),
            (0.1, 0.04, 0.05),
            (0.1, 0.03, 0.03),
        ),
        'pixelate': _single(0.95, 0.90, 0.85, 0.75, 0.65),
        'jpeg_compression': _single(80, 65, 58, 50, 40),
    },
    64: {
        'gaussian_noise': _single(0.04, 0.08, 0.12, 0.15, 0.18),
        'shot_noise': _single(250, 100, 50, 30, 15),
        'impulse_noise': _single(0.01, 0.02, 0.05, 0.08, 0.14),
        'speckle_noise': _single(0.15, 0.20, 0.25, 0.30, 0.35),
        'defocus_blur': ((0.5, 0.6), (1, 0.1), (1.5, 0.1), (2.5, 0.01), (3, 0.1)),
        'gaussian_blur': _single(0.5, 0.75, 1, 1.25, 1.5),
        'glass_blur': ((0.1, 1, 1), (0.5, 1, 1), (0.6, 1, 2), (0.7, 2, 1), (0.9, 2, 2)),
        'motion_blur': ((10, 1), (10, 1.5), (10, 2), (10, 2.5), (12, 3)),
        'zoom_blur': _ZOOMS,
        'fog': ((0.4, 3), (0.7, 3), (1, 2.5), (1.5, 2), (2, 1.75)),
        'snow': (
            (0.1, 0.2, 1, 0.6, 8, 3, 0.8),
            (0.1, 0.2, 1, 0.5, 10, 4, 0.8),
            (0.15, 0.3, 1.75, 0.55, 10, 4, 0.7),
            (0.25, 0.3, 2.25, 0.6, 12, 6, 0.65),
            (0.3, 0.3, 1.25, 0.65, 14, 12, 0.6),
        ),
        'brightness': _single(0.1, 0.2, 0.3, 0.4, 0.5),
        'saturate': ((0.3, 0), (0.1, 0), (2, 0), (5, 0.1), (30, 0.2)),
        'contrast': _single(0.4, 0.3, 0.2, 0.1, 0.05),
        'elastic_transform': _lengths(
            64,
            (0, 0, 0.08),
            (0.05, 0.3, 0.06),
            (0.1, 0.08, 0.06),
            (0.1, 0.03, 0.03),
            (0.16, 0.03, 0.02),
        ),
        'pixelate': _single(0.9, 0.8, 0.7, 0.6, 0.5),
        'jpeg_compression': _single(65, 58, 50, 40, 25),
    },
    224: {
        'gaussian_noise': _single(0.08, 0.12, 0.18, 0.26, 0.38),
        'shot_noise': _single(60, 25, 12, 5, 3),
        'impulse_noise': _single(0.03, 0.06, 0.09, 0.17, 0.27),
        'speckle_noise': _single(0.15, 0.20, 0.35, 0.45, 0.60),
        'defocus_blur': ((3, 0.1), (4, 0.5), (6, 0.5), (8, 0.5), (10, 0.5)),
        'gaussian_blur': _single(1, 2, 3, 4, 6),
        'glass_blur': ((0.7, 1, 2), (0.9, 2, 1), (1, 2, 3), (1.1, 3, 2), (1.5, 4, 2)),
        'motion_blur': ((10, 3), (15, 5), (15, 8), (15, 12), (20, 15)),
        'zoom_blur': ((1.11, 0.01), (1.16, 0.01), (1.21, 0.02), (1.26, 0.02), (1.31, 0.03)),
        'fog': ((1.5, 2), (2, 2), (2.5, 1.7), (2.5, 1.5), (3, 1.4)),
        'snow': (
            (0.1, 0.3, 3, 0.5, 10, 4, 0.8),
            (0.2, 0.3, 2, 0.5, 12, 4, 0.7),
            (0.55, 0.3, 4, 0.9, 12, 8, 0.7),
            (0.55, 0.3, 4.5, 0.85, 12, 8, 0.65),
            (0.55, 0.3, 2.5, 0.85, 12, 12, 0.55),
        ),
        'brightness': _single(0.1, 0.2, 0.3, 0.4, 0.5),
        'saturate': ((0.3, 0), (0.1, 0), (2, 0), (5, 0.1), (20, 0.2)),
        'contrast': _single(0.4, 0.3, 0.2, 0.1, 0.05),
        # Published as shares of 244, a slip of its authors that was kept.
        'elastic_transform': _lengths(
            244,
            (2, 0.7, 0.1),
            (2, 0.08, 0.2),
            (0.05, 0.01, 0.02),
            (0.07, 0.01, 0.02),
            (0.12, 0.01, 0.02),
        ),
        'pixelate': _single(0.6, 0.5, 0.4, 0.3, 0.25),
        'jpeg_compression': _single(25, 18, 15, 10, 7),
    },
}


def published_for(size: int) -> dict[str, Row]:
    """The rows for images of shorter side `size` pixels: those of the size nearest by ratio."""
    return PUBLISHED[min(PUBLISHED, key=lambda known: abs(math.log(known / size)))]
