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

"""The sections of a recipe that say how weights are changed, and towards what rates."""

from __future__ import annotations

import math
from dataclasses import dataclass

PRECISIONS = ('auto', 'float32', 'bfloat16')


@dataclass(frozen=True)
class RateRegularisation:
    """Penalty on layers with a mean rate above `target` (Hz).

    It is `weight` times the mean over all layers of max(mean rate / `target` - 1, 0)^2.
    """

    target: float = 10.0
    weight: float = 0.0

    def __post_init__(self) -> None:
        require_positive('target of the rate regularisation', self.target)
        require_not_negative('weight of the rate regularisation', self.weight)


@dataclass(frozen=True)
class Optimisation:
    """Muon for the weights and AdamW for the rest, with a one-cycle learning rate.

    The weights of convolutions with groups belong to the rest; see `optimizers`. A network whose
    layers take turns has AdamW for all of them when it is trained on spikes.

    Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024, with steps
    of the size that AdamW's have (Liu et al., "Muon is scalable for LLM training", 2025).
    `average_decay` is the decay per step of the running average of the weights that becomes
    the model (0: the last weights). `precision` is float32, bfloat16 (mixed), or auto, which is
    bfloat16 where there are instructions for it; see `training.precision`.
    """

    epochs: int
    batch_size: int = 128
    learning_rate: float = 0.003
    warm_up: float = 0.15
    weight_decay: float = 0.01
    label_smoothing: float = 0.0
    average_decay: float = 0.998
    precision: str = 'auto'

    def __post_init__(self) -> None:
        for name in ('epochs', 'batch_size', 'learning_rate'):
            require_positive(name, getattr(self, name))
        for name in ('weight_decay', 'label_smoothing', 'average_decay', 'warm_up'):
            value = getattr(self, name)
            if not 0 <= value < 1:
                raise ValueError(f'{name} must be at least 0 and under 1, not {value}')
        if self.precision not in PRECISIONS:
            names = ', '.join(PRECISIONS)
            raise ValueError(f'precision must be one of {names}, not {self.precision!r}')


@dataclass(frozen=True)
class FineTuning(Optimisation):
    """A second stage on spikes, after the rates; see `training.spiking`.

    Images are shown for `presentation_time` (s) in steps of `time_step` (s), with evidence
    from `start_time` (s) on; `gamma` softens the curve that the gradient follows.
    `distillation` (0 to 1) is the part that the answers of the rate network have in what is
    learned (Hinton et al., "Distilling the Knowledge in a Neural Network", 2015), the rest are
    the labels; a recipe with a base has no rate network. For events the gradient follows the
    mean rates in each of `parts` equal parts of the presentation.
    """

    presentation_time: float = 0.05
    start_time: float = 0.02
    time_step: float = 0.002
    gamma: float = 0.1
    distillation: float = 0.0
    parts: int = 1

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ('presentation_time', 'time_step', 'gamma'):
            require_positive(name, getattr(self, name))
        if not 0 <= self.start_time < self.presentation_time:
            raise ValueError(
                f'start_time must be between 0 and the presentation_time, not {self.start_time}'
            )
        if not 0 <= self.distillation <= 1:
            raise ValueError(f'distillation must be between 0 and 1, not {self.distillation}')
        steps = max(round(self.presentation_time / self.time_step), 1)
        if self.parts < 1 or steps % self.parts:
            raise ValueError(
                f'parts of the fine_tuning must divide its {steps} steps evenly, not {self.parts}'
            )


def require_positive(name: str, value: float) -> None:
    """Raise ValueError unless the `value` called `name` is a number above 0."""
    if not (math.isfinite(value) and value > 0):
        raise ValueError(f'{name} must be positive, not {value}')


def require_not_negative(name: str, value: float) -> None:
    """Raise ValueError unless the `value` called `name` is a number from 0 on."""
    if not (math.isfinite(value) and value >= 0):
        raise ValueError(f'{name} must be 0 or more, not {value}')
