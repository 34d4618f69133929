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

"""What a network is to learn from images, and how well it has learned it."""

from __future__ import annotations

from typing import Any, Protocol

import torch
import torch.nn.functional as F
from torch import Tensor

from snn_perception.training.checkpoint import random_seed
from snn_perception.training.data import Split
from snn_perception.training.event_data import EventSplit
from snn_perception.training.optimisation import Optimisation
from snn_perception.training.precision import Precision
from snn_perception.training.recipe import Recipe
from snn_perception.training.trainable import TrainableNetwork


class Objective(Protocol):
    """What a network is to learn from the images of `data`, computed in `precision`.

    `seed` is that of the random numbers, and `measured` says in words what `validate` counts.
    """

    data: Any
    precision: Precision
    seed: int
    measured: str

    def loss(self, step: int, epoch: int, network: Any, indices: Tensor, part: int) -> Tensor:
        """Loss of `network` on the training images at `indices`, augmented for this step.

        The random numbers are those of this `part` of the step.
        """

    def validate(self, network: Any, indices: Tensor) -> tuple[int, list[float]]:
        """How many validation images at `indices` are read rightly, and rates of layers (Hz)."""


class Labels(Objective):
    """The labels of `data`, or in part the answers of a `teacher`; see `FineTuning`."""

    measured = 'validation accuracy'

    def __init__(
        self,
        recipe: Recipe,
        optimisation: Optimisation,
        data: Split | EventSplit,
        precision: Precision,
        teacher: TrainableNetwork | None = None,
    ) -> None:
        self.recipe = recipe
        self.optimisation = optimisation
        self.data = data
        self.precision = precision
        self.seed = recipe.seed
        self.teacher = teacher

    def loss(
        self, step: int, epoch: int, network: TrainableNetwork, indices: Tensor, part: int
    ) -> Tensor:
        """See `Objective.loss`."""
        recipe = self.recipe
        generator = torch.Generator(self.data.device)
        generator.manual_seed(random_seed(recipe.seed, step, part))
        inputs, labels = self.data.examples(indices, epoch, generator)
        with autocast(self):
            outputs, mean_rates = network(inputs, generator)
            targets = self.targets(inputs, labels, outputs.shape[1])
        loss = F.cross_entropy(outputs, targets)
        excess = F.relu(mean_rates / recipe.rate_regularisation.target - 1)
        return loss + recipe.rate_regularisation.weight * excess.square().mean()

    @torch.no_grad()
    def targets(self, images: Tensor, labels: Tensor, classes: int) -> Tensor:
        """Probabilities (batch, classes) to be learned for `images`, as the networks take them.

        Where images are mirrored in training, the teacher sees both sides of each.
        """
        smoothing = self.optimisation.label_smoothing
        targets = F.one_hot(labels, classes) * (1 - smoothing) + smoothing / classes
        if self.teacher is None:
            return targets
        assert self.recipe.fine_tuning is not None
        views = [images, images.flip(2)] if self.recipe.augmentation.flip else [images]
        answers = torch.stack([self.teacher(view)[0] for view in views]).mean(dim=0).softmax(dim=1)
        return targets.lerp(answers, self.recipe.fine_tuning.distillation)

    @torch.no_grad()
    def validate(self, network: TrainableNetwork, indices: Tensor) -> tuple[int, list[float]]:
        """See `Objective.validate`."""
        inputs, labels = self.data.held_out(indices)
        with autocast(self):
            outputs, mean_rates = network(inputs)
        return int((outputs.argmax(1) == labels).sum()), mean_rates.tolist()


def autocast(objective: Objective) -> torch.autocast:
    """Mixed precision if that is the objective's; threads share no casts of weights."""
    kind = torch.device(objective.data.device).type
    return torch.autocast(kind, torch.bfloat16, objective.precision.is_mixed, cache_enabled=False)
