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

"""What changes the weights: the optimisers, the learning rate, and the running average."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn
from torch.optim import Optimizer

from snn_perception.training.optimisation import Optimisation
from snn_perception.training.recipe import RecipeError


def make_optimizers(network: nn.Module, weight_decay: float) -> dict[str, Optimizer]:
    """Muon for the matrices; AdamW for the rest, biases and normalisation without decay.

    The rest includes the weights of convolutions with groups, stacks of small matrices (see
    `connections`): Muon makes the rows of a matrix independent of each other, but those of
    different groups have nothing to do with each other, and a depthwise one has a single row in
    each. Raises RecipeError for a PyTorch that has no Muon.
    """
    if not hasattr(torch.optim, 'Muon'):
        raise RecipeError(f'training needs PyTorch 2.9 or newer, not {torch.__version__}')
    trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
    vectors, matrices, stacks = (
        [parameter for parameter in trained if parameter.dim() == dimensions]
        for dimensions in (1, 2, 3)
    )
    others: list[dict[str, Any]] = [
        {'params': vectors},
        {'params': stacks, 'weight_decay': weight_decay},
    ]
    return {
        'muon': torch.optim.Muon(
            matrices, lr=1.0, weight_decay=weight_decay, adjust_lr_fn='match_rms_adamw'
        ),
        'adamw': torch.optim.AdamW(others, lr=1.0, weight_decay=0.0),
    }


def learning_rate(optimisation: Optimisation, step: int, total: int) -> float:
    """That of `step` in one cycle of `total` steps: a linear rise, then a cosine fall to zero."""
    rise = max(optimisation.warm_up * total, 1)
    if step < rise:
        return optimisation.learning_rate * (step + 1) / (rise + 1)
    part = (step - rise) / max(total - rise, 1)
    return optimisation.learning_rate * 0.5 * (1 + math.cos(math.pi * part))


@torch.no_grad()
def average_weights(average: nn.Module, network: nn.Module, decay: float, step: int) -> None:
    """Move `average`, parameters and statistics, towards `network` after `step`.

    What it was before counts `decay`, but less at the start.
    """
    decay = min(decay, (step + 1) / (step + 10))
    averages = average.state_dict()
    for name, value in network.state_dict().items():
        if value.dtype.is_floating_point:
            averages[name].lerp_(value, 1 - decay)
