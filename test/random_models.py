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

"""Random small networks for the tests: every layer type, driven to reasonable rates."""

from __future__ import annotations

import numpy as np

from snn_perception.images import Preprocessing
from snn_perception.model import Model, Weights
from snn_perception.network import AveragePooling, Convolution, Dense, Layer, Network
from snn_perception.readout import Readout
from snn_perception.synapses import Synapse

LAYERS: tuple[Layer, ...] = (
    Convolution(6, 3, padding=1),
    AveragePooling(2),
    Convolution(8, 4, stride=2, padding=1),
    Dense(12),
    Dense(3),
)


def random_model(
    seed: int = 0,
    input_shape: tuple[int, int, int] = (11, 10, 3),
    layers: tuple[Layer, ...] = LAYERS,
    synapse: Synapse = Synapse('exponential', 0.005),  # noqa: B008 (immutable)
    readout_synapse: Synapse = Synapse('exponential', 0.01),  # noqa: B008
    drive: float = 1.5,
    dt: float = 0.001,
) -> Model:
    """A model whose neurons get currents around `drive` times their threshold."""
    random = np.random.default_rng(seed)
    network = Network(input_shape, layers, synapse=synapse, readout_synapse=readout_synapse)
    weights = []
    for index, stage in enumerate(network.stages):
        inputs = np.prod(stage.weight_shape[:-1])
        # Around 50 Hz arrive from a spiking layer, around 0.5 from the image.
        size = 2 / np.sqrt(inputs) if index == 0 else 0.06 / np.sqrt(inputs)
        weights.append(
            Weights(
                random.normal(0, size, stage.weight_shape).astype(np.float32),
                random.normal(drive, 0.3, stage.output_shape[2]).astype(np.float32),
            )
        )
    labels = tuple('abcdefghij'[: network.classes])
    return Model(
        'random', labels, network, tuple(weights), Preprocessing(input_shape), Readout(0.05), dt
    )


def random_images(model: Model, count: int, seed: int = 1) -> np.ndarray:
    """Prepared images (count, height, width, channels) for `model`."""
    shape = (count, *model.network.input_shape)
    return np.random.default_rng(seed).random(shape, dtype=np.float32)
