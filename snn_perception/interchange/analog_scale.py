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

"""How a file says what the input of its network is for an image."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from snn_perception.graph import IMAGE
from snn_perception.interchange.analog_signals import Term

LARGEST_FACTOR = 0.1
"""A network that multiplies its input by less takes it from 0 to 255, and not from 0 to 1."""


@dataclass(frozen=True)
class Scale:
    """The input of a network is (x - mean) / deviation, for x from 0 (black) to 1 (white).

    Both have one value, or one for each channel.
    """

    mean: tuple[float, ...]
    deviation: tuple[float, ...]

    @classmethod
    def of_levels(cls) -> Scale:
        """For a network that takes levels from 0 to 255."""
        return cls((0.0,), (1 / 255,))

    def then(self, factor: NDArray, offset: NDArray) -> Scale:
        """The same, times `factor`, plus `offset`: one for each channel."""
        deviation = np.array(self.deviation) / factor
        mean = np.array(self.mean) - offset * deviation
        return Scale(_shortest(mean), _shortest(deviation))


@dataclass
class Prepared:
    """The image times `factor` plus `offset`, which is `term`: no part of the network itself.

    Once the image `is_read` this stays as it is.
    """

    term: Term
    factor: NDArray = field(default_factory=lambda: np.ones(1))
    offset: NDArray = field(default_factory=lambda: np.zeros(1))
    is_scaled: bool = False
    is_read: bool = False

    def scale(self, factor: NDArray, offset: NDArray) -> Term:
        """Multiply by `factor` and add `offset`; returns the new term."""
        self.factor, self.offset = factor * self.factor, factor * self.offset + offset
        self.term = Term.of(IMAGE, self.term.shape)
        self.is_scaled = True
        return self.term

    def after(self, scale: Scale | None) -> Scale | None:
        """What the network proper gets, if its file gets images with `scale`; None if unknown."""
        if not self.is_scaled:
            return scale
        if scale is None:
            is_of_levels = max(self.factor) < LARGEST_FACTOR
            scale = Scale.of_levels() if is_of_levels else Scale((0.0,), (1.0,))
        return scale.then(self.factor, self.offset)


def _shortest(values: NDArray) -> tuple[float, ...]:
    """`values`, or one of them if all are the same."""
    return tuple(values[: 1 if (values == values[0]).all() else None].tolist())
