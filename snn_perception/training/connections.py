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

"""The weights of the connections into a population, as an optimiser trains them.

They are matrices (outputs, inputs), the inputs of a convolution in the order of rows, columns and
channels: the optimiser thinks in matrices. The outputs of different groups of a convolution have
no inputs in common, so its weights are a stack of matrices (groups, outputs, inputs), one a group.
An identity has nothing to train.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import reduce
from math import prod
from operator import add
from typing import Any

import numpy as np
import torch
from torch import Generator, Tensor, nn

from snn_perception.backends.torch_connections import weighted_sum
from snn_perception.graph import IMAGE, Connection, Population
from snn_perception.layers import Dense, Identity

AMPLITUDE = 0.01
"""Output of a neuron per Hz, which keeps the signals between layers near 1 in training."""


class Connections(nn.Module):
    """The connections into `population`, with `weights` for those that have any, in their order.

    The weights are parameters, for inputs of `AMPLITUDE` per Hz or the image: 'weight' if there
    is one connection, otherwise 'weight0', 'weight1' and so on by their numbers.
    """

    def __init__(self, population: Population, weights: Iterable[Tensor]) -> None:
        super().__init__()
        self.population = population
        for number, weight in zip(self.weighted, weights, strict=True):
            self.register_parameter(self.name_of('weight', number), nn.Parameter(weight))

    @property
    def weighted(self) -> list[int]:
        """The numbers of the connections that have weights."""
        connections = enumerate(self.population.connections)
        return [number for number, connection in connections if connection.weight_shape]

    def name_of(self, part: str, number: int) -> str:
        """The name of the `part` that connection `number` has here."""
        return part if len(self.population.connections) == 1 else f'{part}{number}'

    def part(self, part: str, number: int) -> Any:
        """The `part` that connection `number` has here."""
        return getattr(self, self.name_of(part, number))

    def current(self, number: int, values: Tensor, scale: float = 1.0) -> Tensor:
        """`scale` x the current that `values` (batch, ...) of its source cause in a connection."""
        connection = self.population.connections[number]
        if isinstance(connection.layer, Identity):
            shape = (connection.output_shape[2], 1, 1, 1)
            kernel = values.new_full(shape, connection.layer.scale * scale)
        else:
            weight = self.part('weight', number) * (input_scale(connection) * scale)
            kernel = _as_kernel(connection, weight)
        return weighted_sum(connection, kernel, values)

    def total(self, values: Mapping[int, Tensor], scale: float = 1.0) -> Tensor | None:
        """The sum of `current` over the connections whose source is in `values`, None if none is.

        values: (batch, height, width, channels) by the index of their source.
        """
        currents = [
            self.current(number, values[connection.source], scale)
            for number, connection in enumerate(self.population.connections)
            if connection.source in values
        ]
        return reduce(add, currents) if currents else None

    def kernel(self, number: int, gain: Tensor | None = None) -> np.ndarray:
        """The kernel of a connection in `model.Weights`, with `gain` (channels,) folded in."""
        connection, weight = self.population.connections[number], self.part('weight', number)
        if gain is not None:
            weight = weight * gain.view(*weight.shape[:-1], 1)
        return _weight_to_numpy(connection, weight * input_scale(connection))


def input_scale(connection: Connection) -> float:
    """What the weights of `connection` are multiplied by: the output of its source per Hz."""
    return 1.0 if connection.source == IMAGE else AMPLITUDE


def initial_weights(population: Population, generator: Generator | None) -> list[Tensor]:
    """Kaiming-normal weights of the connections that have any, of one variance in their sum."""
    weighted = [each for each in population.connections if each.weight_shape]
    weights = []
    for connection in weighted:
        *inputs, outputs = connection.weight_shape
        matrix = nn.init.kaiming_normal_(torch.empty(outputs, prod(inputs)), generator=generator)
        weights.append(_stacked(connection, matrix * len(weighted) ** -0.5))
    return weights


def weight_from_numpy(connection: Connection, kernel: np.ndarray) -> Tensor:
    """The `kernel` of a model as weights in training, without the scale of the inputs."""
    matrix = torch.from_numpy(kernel.reshape(-1, kernel.shape[-1]).T.copy())
    return _stacked(connection, matrix / input_scale(connection))


def to_numpy(tensor: Tensor) -> np.ndarray:
    """Values of `tensor` as float32, without its gradient."""
    return tensor.detach().float().cpu().numpy()


def _stacked(connection: Connection, matrix: Tensor) -> Tensor:
    """Weights (outputs, inputs of a group) as a stack if there are several groups."""
    groups = connection.convolution.groups
    return matrix if groups == 1 else matrix.unflatten(0, (groups, -1))


def _as_kernel(connection: Connection, weight: Tensor) -> Tensor:
    """`weight` in the order that PyTorch's layers want, channels last."""
    *inputs, outputs = connection.weight_shape
    if isinstance(connection.layer, Dense):
        return weight
    return weight.view(outputs, *inputs).permute(0, 3, 1, 2)


def _weight_to_numpy(connection: Connection, weight: Tensor) -> np.ndarray:
    """`weight` as a model has it, float32."""
    matrix = weight.reshape(connection.weight_shape[-1], -1)
    return np.ascontiguousarray(to_numpy(matrix).T).reshape(connection.weight_shape)
