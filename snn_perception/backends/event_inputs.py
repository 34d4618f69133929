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

import numpy as np
from numpy.lib.stride_tricks import as_strided
from numpy.typing import NDArray

from snn_perception.backends.event_layout import aligned_zeros
from snn_perception.backends.event_memory import Weights
from snn_perception.backends.event_sums import LANES
from snn_perception.backends.reference import weighted_sum
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
    """The same as `reference.weighted_sum`, in one product of matrices if there are no groups."""
    layer, (height, width, channels) = connection.convolution, connection.output_shape
    if layer.groups > 1:
        return weighted_sum(connection, kernel, images)
    batch, rows, columns, inputs = images.shape
    (top, bottom), (left, right) = layer.margins
    padded = np.zeros((batch, top + rows + bottom, left + columns + right, inputs), np.float32)
    padded[:, top : top + rows, left : left + columns] = images
    # Of a window, a row of pixels with their channels is one piece of memory.
    image, row, pixel, value = padded.strides
    (down, across), size = layer.strides, layer.kernel_size
    windows = as_strided(
        padded,
        (batch, height, width, size[0], size[1] * inputs),
        (image, down * row, across * pixel, row, value),
    )
    sums = windows.reshape(batch * height * width, -1) @ kernel.reshape(-1, channels)
    return sums.reshape(batch, height, width, channels)
