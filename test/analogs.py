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

"""Small trained networks, as they come from files, and images to convert them by."""

from __future__ import annotations

import numpy as np

from snn_perception.datasets.unlabelled import Images
from snn_perception.interchange.analog import Analog, Fate
from snn_perception.layers import (
    AveragePooling,
    Convolution,
    Dense,
    GlobalAveragePooling,
    Identity,
    Layer,
    Sum,
)
from snn_perception.model import Weights
from snn_perception.model_file import HOOKS
from snn_perception.network import Network
from snn_perception.training.conversion_recipe import Conversion
from snn_perception.yaml_files import build

LAYERS: tuple[Layer, ...] = (
    Convolution(8, 3, padding=1, name='stem'),
    Convolution(8, 3, padding=1, groups=8),
    Sum((Convolution(8, 1), Identity(1.0, source='stem')), 'block'),
    AveragePooling(2),
    Convolution(12, 3, stride=2, padding=(0, 1, 0, 1)),
    GlobalAveragePooling(),
    Dense(4),
)
"""All kinds of layers, with a skip."""

STAGE = {
    'epochs': 2,
    'batch_size': 16,
    'learning_rate': 0.001,
    'weight_decay': 0.0,
    'average_decay': 0.5,
    'precision': 'float32',
}
TINY = {
    'name': 'tiny',
    'neuron': {'type': 'lif', 'tau_rc': 0.0025, 'tau_ref': 0.0, 'gamma': 0.05},
    'most_spikes': 8,
    'calibration_images': 32,
    'validation_images': 20,
    'augmentation': {'flip': True},
}


def random_analog(
    seed: int = 0,
    layers: tuple[Layer, ...] = LAYERS,
    shape: tuple[int, int, int] = (8, 8, 3),
    ceiling: float = 6.0,
    bgr: bool = False,
) -> Analog:
    """A network of `layers` with random weights, whose rectifiers let most activations through."""
    random = np.random.default_rng(seed)
    weights = []
    network = Network(shape, layers)
    for population in network.populations:
        kernels = []
        for connection in population.connections:
            if connection.weight_shape:
                size = connection.kernel(np.zeros(connection.weight_shape, np.float32)).shape
                scale = np.sqrt(2 / np.prod(size[:3]))
                values = random.normal(scale=scale, size=connection.weight_shape)
                kernels.append(values.astype(np.float32))
        bias = random.normal(scale=0.2, size=population.output_shape[2]).astype(np.float32)
        weights.append(Weights(tuple(kernels), bias))
    ceilings = (ceiling,) * (len(weights) - 1)
    fates = (Fate(0, 'first|node;and more', 'CONV_2D', 'layer 0'),)
    mean = (0.5, 0.4, 0.3)[: shape[2]]
    return Analog(shape, layers, tuple(weights), ceilings, fates, mean, (0.25,), bgr)


def inputs(analog: Analog, count: int = 6, seed: int = 1) -> np.ndarray:
    """Prepared images, float32 (count, height, width, channels)."""
    size = (count, *analog.input_shape)
    return np.random.default_rng(seed).normal(size=size).astype(np.float32)


def coloured_images(count: int = 100, names: tuple[str, ...] = ('0', '1', '.')) -> Images:
    """Images of one colour each, with noise, in folders with these names by turns."""
    random = np.random.default_rng(2)
    colours = random.integers(0, 200, (count, 1, 1, 3))
    noise = random.integers(0, 55, (count, 8, 8, 3))
    groups = tuple(names[number % len(names)] for number in range(count))
    return Images((colours + noise).astype(np.uint8), groups)


def tiny_conversion(**changes) -> Conversion:
    """A recipe for small networks; sections in `changes` are as in a file."""
    return build(Conversion, {**TINY, **changes}, 'tiny conversion', hooks=HOOKS)
