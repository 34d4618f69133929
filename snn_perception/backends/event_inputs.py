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

"""What an image adds to the currents of neurons that see it: the same in every step."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from snn_perception.backends.event_layout import aligned_zeros
from snn_perception.backends.event_memory import Weights
from snn_perception.backends.event_sums import LANES
from snn_perception.compiled import compiled
from snn_perception.graph import IMAGE, Connection
from snn_perception.model import Model


class ImageInputs:
    """The constant inputs of those neurons of `model` that see the image, bias included.

    What belongs to the last images is kept: they are mostly shown again.
    """

    def __init__(self, model: Model, network: Weights) -> None:
        self.network = network
        self.connections = {
            population.index: [
                (connection, kernel)
                for connection, kernel in model.connections(population.index)
                if connection.source == IMAGE
            ]
            for population in model.network.populations
            if population.sees_image
        }
        self._images = self._inputs = np.zeros(0, np.float32)
        # The loop is compiled or loaded now, not when the first image is waiting.
        self.of(np.zeros((1, *model.network.input_shape), np.float32))

    def of(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """Float32, flat: for each image and each population (height, width, padded channels)."""
        if not np.array_equal(self._images, images):
            self._inputs = self._computed(images.astype(np.float32, copy=False))
            self._images = images.copy()
        return self._inputs

    def _computed(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        entries = {index: self.network.populations[index] for index in self.connections}
        sizes = {
            index: int(entry['height'] * entry['width'] * entry['vectors']) * LANES
            for index, entry in entries.items()
        }
        inputs = aligned_zeros(len(images) * sum(sizes.values()))
        for index, entry in entries.items():
            first, channels = int(entry['shown']), int(entry['vectors']) * LANES
            part = inputs.reshape(len(images), -1)[:, first : first + sizes[index]]
            currents = part.reshape(len(images), entry['height'], entry['width'], channels)
            currents[:] = self.network.inputs[entry['channel'] :][:channels]
            for connection, kernel in self.connections[index]:
                currents[..., : kernel.shape[3]] += image_currents(connection, kernel, images)
        return inputs


def image_currents(
    connection: Connection, kernel: NDArray[np.float32], images: NDArray[np.float32]
) -> NDArray[np.float32]:
    """The same as `reference.weighted_sum`, without NumPy's library for products of matrices.

    That has threads of its own, which wait for more work without going to sleep and so take the
    processors from the ones of the engine.
    """
    layer, (height, width, channels) = connection.convolution, connection.output_shape
    batch, rows, columns, inputs = images.shape
    (top, bottom), (left, right) = layer.margins
    padded = np.zeros((batch, top + rows + bottom, left + columns + right, inputs), np.float32)
    padded[:, top : top + rows, left : left + columns] = images
    sums = np.zeros((batch, height, width, channels), np.float32)
    add_windows: Any = _add_windows
    add_windows(padded, np.ascontiguousarray(kernel), sums, *layer.strides)
    return sums


@compiled(fastmath={'contract'}, _nrt=False)
def _add_windows(padded: Any, kernel: Any, sums: Any, down: int, across: int) -> None:
    """Add to `sums` the weighted windows of `padded`; each group of channels has its inputs."""
    batch, height, width, channels = sums.shape
    rows, columns, inputs, _ = kernel.shape
    groups = padded.shape[3] // inputs
    size = channels // groups
    for place in range(batch * height * width):
        image, y, x = place // (height * width), place // width % height, place % width
        for group in range(groups):
            first = group * size
            total = sums[image, y, x, first : first + size]
            for row in range(rows):
                for column in range(columns):
                    pixel = padded[image, y * down + row, x * across + column]
                    for number in range(inputs):
                        value = pixel[group * inputs + number]
                        weights = kernel[row, column, number, first : first + size]
                        for channel in range(size):
                            total[channel] += value * weights[channel]
