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

"""Whether answers with a score of 90 % are right nine times out of ten.

Guo et al., "On Calibration of Modern Neural Networks", 2017, section 2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

BINS = 15
"""As many as in the paper."""


@dataclass(frozen=True)
class Reliability:
    """Decisions sorted into equal bins of confidence over (0, 1]; all arrays are (bins,).

    `counts`, int64, are numbers of decisions; `confidence` and `accuracy`, float64, are means
    from 0 to 1, NaN in empty bins.
    """

    counts: NDArray[np.int64]
    confidence: NDArray[np.float64]
    accuracy: NDArray[np.float64]

    @property
    def expected_calibration_error(self) -> float:
        """Mean over the decisions of |accuracy - confidence| in their bins, from 0 to 1."""
        gaps = np.nan_to_num(np.abs(self.accuracy - self.confidence))
        return float((self.counts * gaps).sum() / self.counts.sum())


def reliability(confidences: ArrayLike, right: ArrayLike, bins: int = BINS) -> Reliability:
    """Sort decisions into bins of confidence, and find how often each bin was right.

    `confidences` (count,) are from 0 to 1, `right` (count,) is bool.
    """
    values = np.asarray(confidences, np.float64)
    # A value on the border of two bins belongs to the lower one, as in the paper.
    places = np.searchsorted(np.arange(1, bins) / bins, values, side='left')
    counts = np.bincount(places, minlength=bins)
    with np.errstate(invalid='ignore'):
        confidence = np.bincount(places, values, bins) / counts
        accuracy = np.bincount(places, np.asarray(right, np.float64), bins) / counts
    return Reliability(counts, confidence, accuracy)


@dataclass(frozen=True)
class Checks:
    """What if all decisions were made at the same check; float64 (checks,) from 0 to 1 each.

    A check is a moment at which the readout may decide.
    """

    accuracy: NDArray[np.float64]
    confidence: NDArray[np.float64]
    error: NDArray[np.float64]


def calibration_of_checks(scores: NDArray[np.float32], labels: NDArray[np.int64]) -> Checks:
    """Accuracy, mean best score and expected calibration error of deciding at each check.

    `scores` (images, checks, classes) sum to 1, `labels` (images,) are the true classes.
    """
    best, right = scores.max(axis=2), scores.argmax(axis=2) == labels[:, None]
    errors = [
        reliability(confidences, is_right).expected_calibration_error
        for confidences, is_right in zip(best.T, right.T, strict=True)
    ]
    return Checks(right.mean(axis=0), best.mean(axis=0, dtype=np.float64), np.array(errors))
