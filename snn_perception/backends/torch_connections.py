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

"""Connections of a network in PyTorch: weights on a device, and the currents that they cause."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from snn_perception.graph import IMAGE, Connection
from snn_perception.layers import Dense
from snn_perception.model import Model


class PlacedPopulation:
    """The connections into a population with weights on the device, in PyTorch's order.

    They have the dtype and device of `like`. `scale` multiplies the weights of spiking
    connections: 1 / dt, the rate in Hz of one spike per step, if their input is spikes.
    """

    def __init__(self, model: Model, index: int, scale: float, like: Tensor) -> None:
        self.population = model.network.populations[index]
        self.kernels = [
            (each, as_tensor(each, kernel, like) * (1.0 if each.source == IMAGE else scale))
            for each, kernel in model.connections(index)
        ]
        self.bias = torch.from_numpy(model.weights[index].bias).to(like)
        self.fan_outs = [
            (each.source, torch.from_numpy(each.fan_out).to(like.device, torch.float64))
            for each in self.population.connections
            if each.source != IMAGE
        ]

    def spiking_sum(self, values: Mapping[int, Tensor]) -> Tensor | None:
        """Currents (steps, batch, *output) from earlier populations; None if it hears none.

        values: the outputs of populations by their index, (steps, batch, *source_shape).
        """
        return self._sum(values, is_image=False)

    def constant_sum(self, values: Mapping[int, Tensor]) -> Tensor:
        """Currents (1, batch, *output) from the image, zeros if it does not see it."""
        sums = self._sum(values, is_image=True)
        if sums is None:
            return self.bias.new_zeros(self.population.output_shape)[None, None]
        return sums

    def _sum(self, values: Mapping[int, Tensor], is_image: bool) -> Tensor | None:
        total = None
        for connection, kernel in self.kernels:
            if (connection.source == IMAGE) == is_image:
                source = values[connection.source]
                sums = weighted_sum(connection, kernel, source.flatten(0, 1))
                sums = sums.unflatten(0, source.shape[:2])
                total = sums if total is None else total.add_(sums)
        return total


def as_tensor(connection: Connection, kernel: NDArray[np.float32], like: Tensor) -> Tensor:
    """The kernel of `Connection.convolution` as `weighted_sum` wants it, placed like `like`."""
    tensor = torch.from_numpy(kernel).to(like)
    if isinstance(connection.layer, Dense):
        return tensor.flatten(0, 2).T.contiguous()
    return tensor.permute(3, 2, 0, 1).contiguous(memory_format=torch.channels_last)


def weighted_sum(connection: Connection, kernel: Tensor, values: Tensor) -> Tensor:
    """The currents that `values` (batch, height, width, channels) cause through `connection`.

    `kernel` is in PyTorch's order of dimensions: (units, inputs) of a dense layer, otherwise
    (channels, inputs of a group, rows, columns).
    """
    values = values.permute(0, 3, 1, 2)
    if connection.pooling != (1, 1):
        values = F.avg_pool2d(values, connection.pooling)
    if isinstance(connection.layer, Dense):
        return F.linear(values.permute(0, 2, 3, 1).flatten(1), kernel)[:, None, None, :]
    layer = connection.convolution
    (top, bottom), (left, right) = layer.margins
    if top != bottom or left != right:
        values, top, left = F.pad(values, (left, right, top, bottom)), 0, 0
    sums = F.conv2d(values, kernel, stride=layer.strides, padding=(top, left), groups=layer.groups)
    return sums.permute(0, 2, 3, 1).contiguous()


def place_weights(model: Model, scale: float, like: Tensor) -> list[PlacedPopulation]:
    """The weights of all populations on the device; see `PlacedPopulation`."""
    indices = range(len(model.network.populations))
    return [PlacedPopulation(model, index, scale, like) for index in indices]
