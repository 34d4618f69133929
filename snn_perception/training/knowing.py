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

"""How a model learns what it does not know, from nothing but images of what it knows.

`probe` makes a model that measures all that its readout hears. From what it measures on known
images `fit` chooses fewer directions that tell as much, and the scale of the score; see `unknown`.
Of a model that hears events, recordings are what images are here.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from snn_perception.backends import Simulator, create_simulator
from snn_perception.datasets import Dataset
from snn_perception.datasets.event_set import EventSet
from snn_perception.evaluation.trajectories import Trajectories, record
from snn_perception.model import Model
from snn_perception.unknown import Unknown, UnknownSection, cosine, energy, unit
from snn_perception.widening import features_of, with_unknown, without_unknown

MOST_FEATURES = 512
"""If the readout hears more values, so many random sums of them are measured in their place."""
MAIN_DIRECTIONS = 64
"""At least so many directions are those in which known images lie."""
OTHER_DIRECTIONS = 128
"""So many more, drawn from all others, say how much of an image lies in none of the main ones."""
MOST_GROUPS = 72
"""Of the known images; for each of them there is a main direction."""
FEWEST_OF_A_GROUP = 8
ENERGY_SHARE = 0.5
"""Weight of the energy, if that of the cosine is 1, in standard deviations of known images."""
MOST_SPREAD = 10
"""In multiples of the longest duration of evidence. Beyond it distances are as 1 / duration."""
RECALL = 0.95
"""Share of the known images that are to be known."""
TRAINING_IMAGES = 1000
"""As many of those that a network was trained on are enough to find the groups."""
SEED = 0


def probe(model: Model) -> tuple[Model, NDArray[np.float32]]:
    """`model` with all that its readout hears as directions, and these: (features, directions).

    A readout that hears no neurons has no directions.
    """
    features = features_of(model.network)
    basis = np.eye(features, dtype=np.float32)
    if features > MOST_FEATURES:
        random = np.random.default_rng(SEED)
        basis = random.normal(0, MOST_FEATURES**-0.5, (features, MOST_FEATURES)).astype(np.float32)
    measured = basis.shape[1]
    groups = min(measured, 1)
    unfitted = UnknownSection(0.0, 1.0, 1.0, groups, directions=measured, groups=groups)
    unknown = Unknown(unfitted, np.zeros((groups, measured), np.float32))
    return with_unknown(model, unknown, basis), basis


def learn(
    model: Model,
    rates: Simulator,
    examples: Dataset | EventSet,
    known: Dataset | EventSet,
    engine: str = 'auto',
    device: str = 'auto',
    are_labelled: bool = True,
) -> Model:
    """`model` with a score of being unknown, and with its readout as it is.

    The groups are found in `examples`, and the scale is fitted to other `known` images. `rates` is
    the rate network. Unless they `are_labelled`, the labels of both mean nothing.
    """
    probing, basis = probe(without_unknown(model))
    simulator = create_simulator(probing, engine, device)
    trajectories = record(simulator, rates, known)
    return learned(model, basis, trajectories, rates, examples, are_labelled)


def learned(
    model: Model,
    basis: NDArray[np.float32],
    trajectories: Trajectories,
    rates: Simulator,
    examples: Dataset | EventSet,
    are_labelled: bool = True,
) -> Model:
    """`learn` from `trajectories` of known images that were recorded with `probe` of `model`.

    `basis` are the directions of that.
    """
    seen = record(trajectories.simulator, rates, examples).directions[:, -1]
    decided = replace(trajectories, readout=model.readout)
    unknown, directions = fit(seen, examples.labels if are_labelled else None, decided)
    return with_unknown(model, unknown, basis @ directions)


def fit(
    examples: NDArray[np.float64],
    labels: NDArray[np.int64] | None,
    trajectories: Trajectories,
) -> tuple[Unknown, NDArray[np.float32]]:
    """The score of being unknown, and directions (measured, directions) for it.

    The groups are found in `examples`, (images, measured) as `probe` measures known images: one
    for each of the classes in `labels`, or by likeness without labels and with very many classes.
    The scale is fitted to `trajectories` of other known images, measured by `probe` too, at their
    decisions.
    """
    if not examples.shape[1]:
        nothing = np.zeros((0, 0), np.float32)
        return scaled(nothing, nothing, trajectories), nothing
    classes = None if labels is None else np.unique(labels)
    if labels is None or classes is None or len(classes) > MOST_GROUPS:
        labels = likeness(unit(examples), max(1, min(32, len(examples) // FEWEST_OF_A_GROUP)))
        classes = np.unique(labels)
    evening = evened(unit(examples), labels)
    chosen = choose_directions(examples @ evening, len(classes))
    directions = (evening @ chosen).astype(np.float32)
    means = group_means(unit(examples @ directions), labels)
    return scaled(means.astype(np.float32), directions, trajectories), directions


def evened(points: NDArray[np.float64], labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """Directions (measured, measured), the shorter the more `points` of one group differ in them.

    points: (images, measured) of norm 1 in the groups of `labels`. Without such differences the
    directions keep all lengths and angles. Where the variance is that of the mean direction, they
    are 1 / sqrt(2) as long: to be exact where it is nearly 0 takes more images than there are.
    """
    _, groups = np.unique(labels, return_inverse=True)
    differences = points - group_means(points, labels)[groups]
    variances, vectors = np.linalg.eigh(differences.T @ differences / len(points))
    return np.asarray(vectors / np.sqrt(1 + variances / max(variances.mean(), 1e-12)))


def group_means(points: NDArray[np.float64], labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """The mean (groups, length) of the `points` (images, length) of each group in `labels`."""
    return np.stack([points[labels == each].mean(axis=0) for each in np.unique(labels)])


def choose_directions(examples: NDArray[np.float64], groups: int) -> NDArray[np.float32]:
    """Directions (measured, directions) in which lengths are nearly those of `examples`.

    The first ones are those of most length, enough for a number of `groups`. The others are random
    ones at right angles to these, long enough to stand for all that there are.
    """
    measured = examples.shape[1]
    main = max(MAIN_DIRECTIONS, groups)
    if main + OTHER_DIRECTIONS >= measured:
        return np.eye(measured, dtype=np.float32)
    _, vectors = np.linalg.eigh(examples.T @ examples)
    rest = vectors[:, :-main]
    random = np.random.default_rng(SEED)
    mixed, _ = np.linalg.qr(random.normal(size=(rest.shape[1], OTHER_DIRECTIONS)))
    others = rest @ mixed * np.sqrt(rest.shape[1] / OTHER_DIRECTIONS)
    return np.concatenate([vectors[:, -main:], others], axis=1).astype(np.float32)


def likeness(points: NDArray[np.float64], groups: int) -> NDArray[np.int64]:
    """Groups (points,) of `points` (points, length) of norm 1, by k-means of their cosines."""
    random = np.random.default_rng(SEED)
    centres = points[random.choice(len(points), groups, replace=False)]
    for _ in range(50):
        labels = (points @ centres.T).argmax(axis=1)
        sums = np.stack([points[labels == group].sum(axis=0) for group in range(groups)])
        filled = np.linalg.norm(sums, axis=1) > 0
        centres = np.where(filled[:, None], unit(sums), centres)
    return np.asarray(labels, np.int64)


def scaled(
    means: NDArray[np.float32],
    directions: NDArray[np.float32],
    trajectories: Trajectories,
) -> Unknown:
    """The score with these `means`, on the scale of the known images of `trajectories`."""
    measured = trajectories.directions @ directions
    energies = energy(trajectories.evidence)
    stops = trajectories.stops(trajectories.readout.confidence_threshold)
    decided = np.arange(len(stops)), stops
    section = UnknownSection(
        typical=0.0,
        threshold=1.0,
        energy_weight=ENERGY_SHARE / _deviation(energies[:, -1]),
        cosine_weight=1 / _deviation(cosine(measured[:, -1], means)) if len(means) else 0.0,
        directions=means.shape[1],
        groups=len(means),
        most_energy=float(np.median(energies[decided])),
    )
    strangeness = Unknown(section, means).strangeness(trajectories.evidence, measured)
    durations = trajectories.durations
    settling, _ = _growth(strangeness.mean(axis=0), durations)
    growth, end = _growth(strangeness.std(axis=0), durations)
    longest = float(durations[-1])
    spread = growth / max(end, growth / (MOST_SPREAD * longest), 1e-12)
    settled = (strangeness - settling / durations)[decided]
    typical = float(np.median(settled))
    distances = (settled - typical) / (1 + spread / durations[stops])
    # If all known images are alike, whatever is stranger is unknown.
    least = 1e-6 * max(1.0, abs(typical))
    bound = typical + max(float(np.quantile(distances, RECALL, method='higher')), least)
    fitted = replace(section, typical=typical, threshold=bound, settling=settling, spread=spread)
    return Unknown(fitted, means)


def _deviation(values: NDArray[np.float64]) -> float:
    return max(float(values.std()), 1e-6)


def _growth(values: NDArray[np.float64], durations: NDArray[np.float64]) -> tuple[float, float]:
    """The factor (s) of 1 / duration in `values` (checks,), not negative, and where they end."""
    if len(durations) < 2:
        return 0.0, float(values[-1])
    slope, end = np.polyfit(1 / durations, values, 1)
    return max(float(slope), 0.0), float(end)
