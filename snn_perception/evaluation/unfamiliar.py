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

"""How well a model tells images, or recordings, of what it knows from others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from snn_perception.backends import Simulator
from snn_perception.datasets import Dataset
from snn_perception.decision import Decision
from snn_perception.evaluation.accuracy import Evaluation, Recordings, batches
from snn_perception.evaluation.made_images import made_images
from snn_perception.evaluation.made_recordings import made_recordings
from snn_perception.inputs import batch_of

RECALL = 0.95
"""Share of the known images that is accepted where the unknown ones that are, too, are counted."""


@dataclass(frozen=True)
class Unfamiliar:
    """Decisions on what was `shown` of one unknown `kind`; its labels mean nothing.

    `known` (known,) are the scores of being unknown of what is known.
    """

    kind: str
    shown: Dataset | Recordings
    decisions: list[Decision]
    known: NDArray[np.float64]

    @property
    def thing(self) -> str:
        """What one of those shown is, in a word for people."""
        return 'image' if isinstance(self.shown, Dataset) else 'recording'

    @property
    def scores(self) -> NDArray[np.float64]:
        """The scores (count,) of being unknown."""
        return unknown_scores(self.decisions)

    @property
    def auroc(self) -> float:
        """See `auroc`."""
        return auroc(self.known, self.scores)

    @property
    def fpr95(self) -> float:
        """See `false_positive_rate`."""
        return false_positive_rate(self.known, self.scores)

    @property
    def rejected(self) -> float:
        """Share that the model's own threshold rejects."""
        return float(np.mean([decision.is_unknown for decision in self.decisions]))


def require_score(simulator: Simulator) -> None:
    """Raise ValueError if the model of `simulator` has no score of being unknown."""
    if simulator.model.unknown is None:
        raise ValueError(
            f'model {simulator.model.name} has no score of being unknown, so it cannot be '
            f'measured; models that are trained with this version have one'
        )


def look_at(
    simulator: Simulator, known: Evaluation, unknown: Mapping[str, Dataset | Recordings]
) -> list[Unfamiliar]:
    """What `simulator` makes of each `unknown` kind, beside what is `known`.

    Images have the size of the network's input. Raises ValueError for a model that cannot tell.
    """
    require_score(simulator)
    scores, thing = unknown_scores(known.decisions), simulator.model.network.thing
    found = []
    for kind, shown in unknown.items():
        decisions: list[Decision] = []
        with tqdm(total=len(shown), unit=thing, desc=kind, disable=None) as bar:
            for inputs in batches(simulator, shown):
                decisions += simulator.classify_batch(inputs)
                bar.update(batch_of(inputs))
        found.append(Unfamiliar(kind, shown, decisions, scores))
    return found


def look_at_made(simulator: Simulator, known: Evaluation) -> list[Unfamiliar]:
    """`look_at` for what is made here, of each kind; nothing if the model cannot tell."""
    model = simulator.model
    if model.unknown is None:
        return []
    made: Mapping[str, Dataset | Recordings]
    if model.network.hears_events:
        made = made_recordings(model.shaping, model.presentation_time)
    else:
        pixels = made_images(model.preprocessing)
        made = {kind: Dataset.of_no_class(images) for kind, images in pixels.items()}
    return look_at(simulator, known, made)


def summary_of_unknown(
    simulator: Simulator, known: Evaluation, unknown: Dataset | Recordings
) -> dict[str, Any]:
    """The figures that `evaluate` prints about `unknown` images or recordings."""
    (seen,) = look_at(simulator, known, {'unknown': unknown})
    return {
        'unknown_images': len(unknown),
        'unknown_auroc': seen.auroc,
        'unknown_fpr95': seen.fpr95,
        'unknown_rejected': seen.rejected,
    }


def figures(unfamiliar: list[Unfamiliar]) -> dict[str, Any]:
    """The figures of each kind by name, see `Unfamiliar`."""
    return {
        each.kind: {'auroc': each.auroc, 'fpr95': each.fpr95, 'rejected': each.rejected}
        for each in unfamiliar
    }


def unknown_scores(decisions: list[Decision]) -> NDArray[np.float64]:
    """The scores (decisions,) of being unknown, which all of them have."""
    return np.array([decision.unknown_score for decision in decisions], np.float64)


def auroc(known: NDArray[np.float64], unknown: NDArray[np.float64]) -> float:
    """How often an unknown image has a higher score than a known one, from 0 to 1.

    A draw is half a win. This is the area below the curve of `operating_characteristic`.
    """
    order = np.sort(known)
    wins = np.searchsorted(order, unknown, 'left') + np.searchsorted(order, unknown, 'right')
    return float(wins.mean() / 2 / len(known))


def false_positive_rate(
    known: NDArray[np.float64], unknown: NDArray[np.float64], recall: float = RECALL
) -> float:
    """Share of the unknown images that is accepted if at least `recall` of the known ones is."""
    bound = np.quantile(known, recall, method='higher')
    return float((unknown <= bound).mean())


def operating_characteristic(
    known: NDArray[np.float64], unknown: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Shares (thresholds,) of unknown and of known images that are accepted, from 0 to 1."""
    bounds = np.unique(np.concatenate([known, unknown]))
    accepted = [np.searchsorted(np.sort(each), bounds, 'right') for each in (unknown, known)]
    first, second = (
        np.concatenate([[0.0], counts / len(each)])
        for counts, each in zip(accepted, (unknown, known), strict=True)
    )
    return first, second
