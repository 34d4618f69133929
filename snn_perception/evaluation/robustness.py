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

"""How often answers are still right on damaged images."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snn_perception.backends import Simulator
from snn_perception.datasets import Dataset
from snn_perception.evaluation.accuracy import Evaluation, evaluate
from snn_perception.evaluation.damage import Damage, damage_images, every_kind

IMAGES = 200
"""The most images that are damaged; every kind of damage is done to the same ones."""
SEED = 0
"""For the choice of images."""
SEVERITY = 3
"""The one that cards and reports are about."""
FIGURES = 'accuracy', 'rate_accuracy', 'simulated_time_s'
"""What is said of each kind of damage, of `Evaluation.summary`."""


@dataclass(frozen=True)
class Condition:
    """The results on the same images with one kind of `damage`, or with none.

    `example` (height, width, channels) is one of these images, `index` its position in the
    evaluation.
    """

    damage: Damage | None
    evaluation: Evaluation
    example: NDArray[np.uint8]
    index: int

    @property
    def name(self) -> str:
        """The kind of damage in words."""
        return self.damage.kind.replace('_', ' ') if self.damage else 'undamaged'

    @cached_property
    def figures(self) -> dict[str, float]:
        """FIGURES of the evaluation."""
        return chosen_of(self.evaluation.summary())


def measure(simulator: Simulator, rates: Simulator, dataset: Dataset) -> list[Condition]:
    """Run both networks on up to IMAGES images of `dataset`, first undamaged, then damaged.

    The damage is every kind at SEVERITY. The images have the size of the network's input, and the
    labels are indices into the model's labels.
    """
    order = np.random.default_rng(SEED).permutation(len(dataset))
    chosen = dataset.subset(np.sort(order[:IMAGES]))
    conditions: list[Condition] = []
    index = 0
    for damage in (None, *every_kind(SEVERITY, dataset.images.shape[3])):
        images = damaged(chosen, damage)
        evaluation = evaluate(simulator, rates, images)
        if not conditions:
            # An image that is classified correctly best shows when damage changes that.
            index = int(np.argmax(evaluation.answers == evaluation.labels))
        conditions.append(Condition(damage, evaluation, images.images[index], index))
    return conditions


def damaged(dataset: Dataset, damage: Damage | None) -> Dataset:
    """`dataset` with its images damaged; as it is without `damage`."""
    if damage is None:
        return dataset
    images = damage_images(dataset.images, damage.kind, damage.severity)
    return replace(dataset, images=images)


def chosen_of(figures: dict[str, Any]) -> dict[str, float]:
    """FIGURES of `figures`, those of `Evaluation.summary`."""
    return {name: figures[name] for name in FIGURES}


def summary(found: dict[Damage, dict[str, float]]) -> dict[str, Any]:
    """FIGURES for each damage by its name, such as `fog:3`, and the means of the accuracies."""
    means = {
        f'damage_{name}': float(np.mean([figures[name] for figures in found.values()]))
        for name in ('accuracy', 'rate_accuracy')
    }
    return {'damage': {str(damage): figures for damage, figures in found.items()}, **means}
