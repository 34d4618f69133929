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

"""How unlike all that a network was trained for an image is, from its outputs alone.

Two things tell. The energy, ln of the sum of exp(output) over the classes, is low for what
excites none of them (Liu et al., "Energy-based Out-of-distribution Detection", 2020). And the
spikes of the layer before the readout point in directions that the network knows: the readout has
further outputs, each the mean rate of that layer along one direction, and their cosine to the mean
of the nearest group of known images, mostly a class, is low for what is like none of them, however
strongly it excites. Directions along which known images of one group differ anyway count less than
others, see `training.knowing`. Both only need a mean of outputs over time, and so every engine has
them.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

MOST_MEANS = 10_000_000
"""The most values of all means together."""


@dataclass(frozen=True)
class UnknownSection:
    """The `unknown` of model.yaml: how outputs become a score; see `Unknown.score`.

    An image's strangeness is minus `energy_weight` times its energy and minus `cosine_weight`
    times its cosine, of outputs that are means over time. An energy above `most_energy` counts as
    that: what excites a class more than its own images do is no better known for it. After a
    duration t (s) of evidence strangeness is still higher by `settling` / t (s) in the mean of
    known images, which is subtracted. Of what is left, `typical` is the median of known images.
    Their distances from it are 1 + `spread` / t (s) times as long as after a long time, and are
    divided by that. `threshold` is what 95 % of them stay below then. `directions` is how many of
    the readout's outputs lie behind those for classes, and `groups` is the number of groups;
    0: energy alone.
    Raises ValueError for values out of range.
    """

    typical: float
    threshold: float
    energy_weight: float = 1.0
    cosine_weight: float = 0.0
    settling: float = 0.0
    directions: int = 0
    groups: int = 0
    most_energy: float = 1e9
    spread: float = 0.0

    def __post_init__(self) -> None:
        for name, value in asdict(self).items():
            if not math.isfinite(value):
                raise ValueError(f'{name} of unknown must be a finite number, not {value}')
        if self.threshold <= self.typical:
            raise ValueError(
                f'threshold of unknown must be above what is typical, {self.typical:g}, '
                f'not {self.threshold:g}'
            )
        for name in ('energy_weight', 'cosine_weight', 'directions', 'groups', 'spread'):
            if getattr(self, name) < 0:
                raise ValueError(
                    f'{name} of unknown must be 0 or more, not {getattr(self, name):g}'
                )
        if not bool(self.directions) == bool(self.groups) == (self.cosine_weight > 0):
            raise ValueError(
                'cosine_weight, directions and groups of unknown must all be 0 or all above 0'
            )
        if self.directions * self.groups > MOST_MEANS:
            raise ValueError(
                f'unknown has {self.groups} groups in {self.directions} directions, more than the '
                f'{MOST_MEANS} values allowed'
            )


def _no_directions() -> NDArray[np.float32]:
    return np.zeros((0, 0), np.float32)


@dataclass(frozen=True, eq=False)
class Unknown:
    """The score of being unknown of one model.

    `means`, float32 (groups, directions), are the directions in which the groups lie. Raises
    ValueError for means of another shape or not finite.
    """

    section: UnknownSection
    means: NDArray[np.float32] = field(default_factory=_no_directions)

    def __post_init__(self) -> None:
        expected = self.section.groups, self.directions
        if self.means.shape != expected:
            raise ValueError(f'means of unknown must be {expected}, not {self.means.shape}')
        if not np.isfinite(self.means).all():
            raise ValueError('means of unknown must be finite')

    @property
    def directions(self) -> int:
        """How many outputs of the readout are not classes."""
        return self.section.directions

    def score(
        self, evidence: NDArray, directions: NDArray, duration: ArrayLike
    ) -> NDArray[np.float64]:
        """How unlike the known images it is, (...): 0 like the median of them, above 1 unknown.

        95 % of the known images are below 1. evidence: (..., classes), directions: (...,
        directions), means of outputs over `duration` (s), a number or (...).
        """
        section, rate = self.section, 1 / np.asarray(duration)
        settled = self.strangeness(evidence, directions) - section.settling * rate
        distance = (settled - section.typical) / (1 + section.spread * rate)
        return distance / (section.threshold - section.typical)

    def strangeness(self, evidence: NDArray, directions: NDArray) -> NDArray[np.float64]:
        """What `score` is made of, before it is put to scale."""
        known = np.minimum(energy(evidence), self.section.most_energy)
        strangeness = -self.section.energy_weight * known
        if self.directions:
            strangeness -= self.section.cosine_weight * cosine(directions, self.means)
        return strangeness


def energy(evidence: NDArray) -> NDArray[np.float64]:
    """ln of the sum of exp over the classes of `evidence` (..., classes)."""
    values = np.asarray(evidence, np.float64)
    most = values.max(axis=-1, keepdims=True)
    return np.asarray(np.log(np.exp(values - most).sum(axis=-1)) + most[..., 0])


def cosine(directions: NDArray, means: NDArray) -> NDArray[np.float64]:
    """Cosine (...) of the angle from `directions` (..., directions) to the nearest of `means`.

    Of a layer that is silent, which points nowhere, it is 0.
    """
    return (unit(directions) @ unit(means).T).max(axis=-1)


def unit(vectors: NDArray) -> NDArray[np.float64]:
    """`vectors` (..., length) with a norm of 1, or 0 if they had none."""
    values = np.asarray(vectors, np.float64)
    norms = np.linalg.norm(values, axis=-1, keepdims=True)
    return np.asarray(values / np.where(norms > 0, norms, 1))
