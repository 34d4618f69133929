"""Whether a score of 90 % is right nine times out of ten.

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

    `counts` int64 decisions; `confidence` and `accuracy` float64 means from 0 to 1, nan in
    empty bins.
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
    """How often decisions (count,) were `right`, bool, by `confidences`, from 0 to 1."""
    values = np.asarray(confidences, np.float64)
    # A value on the border of two bins belongs to the lower one, as in the paper.
    places = np.searchsorted(np.arange(1, bins) / bins, values, side='left')
    counts = np.bincount(places, minlength=bins)
    with np.errstate(invalid='ignore'):
        confidence = np.bincount(places, values, bins) / counts
        accuracy = np.bincount(places, np.asarray(right, np.float64), bins) / counts
    return Reliability(counts, confidence, accuracy)


@dataclass(frozen=True)
class Looks:
    """What if all decisions fell at the same look; all arrays are float64 (looks,), 0 to 1."""

    accuracy: NDArray[np.float64]
    confidence: NDArray[np.float64]
    error: NDArray[np.float64]


def calibration_of_looks(scores: NDArray[np.float32], labels: NDArray[np.int64]) -> Looks:
    """Accuracy, mean best score and expected calibration error at each look.

    `scores` (images, looks, classes) sum to 1, `labels` (images,) are the true classes.
    """
    best, right = scores.max(axis=2), scores.argmax(axis=2) == labels[:, None]
    errors = [
        reliability(confidences, is_right).expected_calibration_error
        for confidences, is_right in zip(best.T, right.T, strict=True)
    ]
    return Looks(right.mean(axis=0), best.mean(axis=0, dtype=np.float64), np.array(errors))
