"""Whether a score of 90 % is right nine times out of ten.

Guo et al., "On Calibration of Modern Neural Networks", 2017, section 2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray


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


def reliability(confidences: ArrayLike, right: ArrayLike, bins: int = 15) -> Reliability:
    """How often decisions (count,) were `right`, bool, by `confidences`, from 0 to 1."""
    values = np.asarray(confidences, np.float64)
    # A value on the border of two bins belongs to the lower one, as in the paper.
    places = np.clip(np.ceil(values * bins).astype(int) - 1, 0, bins - 1)
    counts = np.bincount(places, minlength=bins)
    with np.errstate(invalid='ignore'):
        confidence = np.bincount(places, values, bins) / counts
        accuracy = np.bincount(places, np.asarray(right, np.float64), bins) / counts
    return Reliability(counts, confidence, accuracy)
