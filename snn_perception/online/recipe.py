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

"""Recipes for the trainer `online`."""

from __future__ import annotations

import math
from dataclasses import dataclass

from snn_perception.online.coding import Coding
from snn_perception.online.files import TRAINER, recipe_file
from snn_perception.online.learning import Rule
from snn_perception.online.model import Connections
from snn_perception.yaml_files import build, read_yaml


@dataclass(frozen=True)
class OnlineRecipe:
    """How a network of winner-take-all circuits is taught; raises ValueError for odd values.

    Every recording is shown `epochs` times, in random order. The rates of `learning` fall to 0 in
    a straight line meanwhile. Weights of hidden circuits begin between -`size` and `size`, and
    their biases where the regulariser draws them. The share `held_out` of the recordings of each
    class is for measuring after each epoch. `seed` draws the weights, the order, and the spikes.
    """

    trainer: str
    name: str
    coding: Coding
    network: Connections
    learning: Rule
    epochs: int
    size: float = 0.05
    held_out: float = 0.2
    seed: int = 0
    description: str = ''
    data: str = ''

    def __post_init__(self) -> None:
        if self.trainer != TRAINER:
            raise ValueError(f'trainer must be {TRAINER}, not {self.trainer!r}')
        if not 1 <= self.epochs <= 100_000:
            raise ValueError(f'epochs must be from 1 to 100000, not {self.epochs}')
        if not 0 <= self.size < math.inf:
            raise ValueError(f'size must be 0 or more, not {self.size}')
        if not 0 < self.held_out < 1:
            raise ValueError(f'held_out must be between 0 and 1, not {self.held_out}')
        if self.seed < 0:
            raise ValueError(f'seed must be 0 or more, not {self.seed}')
        self.network.between(self.coding, 1)


def load_recipe(location: str) -> OnlineRecipe:
    """The recipe at `location`, a shipped name or a file; raises ValueError with a sentence."""
    path = recipe_file(location)
    return build(OnlineRecipe, read_yaml(path), path)
