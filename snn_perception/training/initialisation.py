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

"""How the weights of a network in firing rates start, beyond being drawn by chance."""

from __future__ import annotations

import math
from dataclasses import dataclass
from math import prod

from snn_perception.layers import Convolution, Layer, Shape


@dataclass(frozen=True)
class Initialisation:
    """The start of a training in rates.

    `current_deviation` is the standard deviation of the input currents of a hidden layer, in
    units of the threshold: the larger, the straighter the part of the rate curve that its neurons
    work on. With `whitening` the weights of the first layer are the directions in which patches of
    the images vary most, each with both signs, and stay so. With `identity` each channel of a
    later convolution starts as the one before with the same number, plus weights drawn by chance.
    The last two are from Jordan, "94% on CIFAR-10 in 3.29 seconds on a single GPU", 2024. Raises
    ValueError if the deviation is not positive.
    """

    current_deviation: float = 1.0
    whitening: bool = False
    identity: bool = False

    def __post_init__(self) -> None:
        if not (math.isfinite(self.current_deviation) and self.current_deviation > 0):
            raise ValueError(f'current_deviation must be positive, not {self.current_deviation}')

    def check(self, first: Layer, inputs: Shape) -> None:
        """Raise ValueError if `first`, which sees images of shape `inputs`, cannot be whitened."""
        if not self.whitening:
            return
        if not isinstance(first, Convolution) or first.groups > 1:
            raise ValueError('whitening is for a first layer that is a convolution without groups')
        most = 2 * prod(first.weight_shape(inputs)[:3])
        if first.channels % 2 or first.channels > most:
            raise ValueError(
                f'with whitening the first layer must have an even number of channels up to '
                f'{most}, not {first.channels}'
            )
