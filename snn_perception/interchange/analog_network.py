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

"""A trained network without spikes as layers of ours, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from snn_perception.backends.reference import average, convolve
from snn_perception.graph import IMAGE, Connection
from snn_perception.interchange.analog_fates import Fate
from snn_perception.layers import Layer, Shape
from snn_perception.model import Weights
from snn_perception.network import Network


@dataclass(frozen=True)
class Analog:
    """Layers with a rectifier in the place of each neuron, in units of activations.

    `ceilings` are the upper bounds of the rectifiers, inf for a plain ReLU, one for each
    population but the readout. `weights` are one for each population of `network`. `mean` and
    `deviation` are those of `images.Preprocessing`, None if the file does not say; `bgr` says
    that it expects blue before red. `fates` has one entry for each node of the file.
    """

    input_shape: Shape
    layers: tuple[Layer, ...]
    weights: tuple[Weights, ...]
    ceilings: tuple[float, ...]
    fates: tuple[Fate, ...]
    mean: tuple[float, ...] | None = None
    deviation: tuple[float, ...] | None = None
    bgr: bool = False

    @cached_property
    def network(self) -> Network:
        """The layers as a network of LIF neurons; its weights still have to be fitted to them."""
        return Network(self.input_shape, self.layers)

    def answer(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """Outputs (batch, classes) for prepared `images` (batch, height, width, channels)."""
        return self._run(images)[-1].reshape(len(images), -1)

    def activations(self, images: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """What each hidden population gives, (batch, height, width, channels)."""
        return self._run(images)[:-1]

    def _run(self, images: NDArray[np.float32]) -> list[NDArray[np.float32]]:
        """What each population gives; the last one is the readout."""
        values: list[NDArray[np.float32]] = []
        ceilings = (*self.ceilings, None)
        for population, weights, ceiling in zip(
            self.network.populations, self.weights, ceilings, strict=True
        ):
            kernels = iter(weights.kernels)
            total = np.zeros((1, *population.output_shape), np.float32) + weights.bias
            for connection in population.connections:
                kernel = connection.kernel(next(kernels) if connection.weight_shape else None)
                source = connection.source
                arriving = images if source == IMAGE else values[source]
                total = total + _current(connection, kernel, arriving)
            values.append(total if ceiling is None else np.clip(total, 0, np.float32(ceiling)))
        return values


def _current(connection: Connection, kernel: NDArray, values: NDArray) -> NDArray[np.float32]:
    """As `reference.weighted_sum`, faster for depthwise convolutions."""
    layer, values = connection.convolution, average(values, connection.pooling)
    if layer.groups != connection.input_shape[2] or layer.groups != layer.channels:
        return convolve(layer, kernel, values)
    padded = np.pad(values, ((0, 0), *layer.margins, (0, 0)))
    height, width, channels = connection.output_shape
    total = np.zeros((len(values), height, width, channels), values.dtype)
    for row in range(layer.kernel_size[0]):
        rows = slice(row, row + (height - 1) * layer.strides[0] + 1, layer.strides[0])
        for column in range(layer.kernel_size[1]):
            columns = slice(column, column + (width - 1) * layer.strides[1] + 1, layer.strides[1])
            total += padded[:, rows, columns] * kernel[row, column, 0]
    return total
