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

"""A recipe and a data set so small that training takes a second."""

from __future__ import annotations

import numpy as np

from snn_perception.datasets import Dataset
from snn_perception.model_file import HOOKS
from snn_perception.training.recipe import Recipe
from snn_perception.yaml_files import build

CONTENT = {
    'name': 'tiny',
    'description': 'Bright quarter of a square',
    'input': {'shape': [8, 8, 1], 'mean': [0.0], 'deviation': [1.0]},
    'neuron': {'type': 'lif', 'tau_rc': 0.02, 'tau_ref': 0.002, 'gamma': 0.05},
    'synapse': {'type': 'exponential', 'tau': 0.005},
    'layers': [
        {'type': 'convolution', 'channels': 6, 'kernel': 3, 'padding': 1},
        {'type': 'average_pooling', 'size': 2},
        {'type': 'dense', 'units': 16},
        {'type': 'dense', 'units': 4},
    ],
    'readout': {'presentation_time': 0.05, 'start_time': 0.01},
    'optimisation': {
        'epochs': 3,
        'batch_size': 32,
        'learning_rate': 0.02,
        'average_decay': 0.9,
        'precision': 'float32',
    },
    'fine_tuning': {'epochs': 1, 'batch_size': 32, 'learning_rate': 0.002, 'average_decay': 0.9},
    'noise': {'type': 'gaussian'},
    'augmentation': {'translation': 0.5},
    'validation_images': 80,
}

GRAPH = [
    {'type': 'convolution', 'channels': 16, 'kernel': 3, 'padding': 1, 'name': 'stem'},
    {'type': 'convolution', 'channels': 16, 'kernel': 3, 'padding': 1, 'groups': 16},
    {
        'type': 'sum',
        'name': 'block',
        'branches': [
            {'type': 'convolution', 'channels': 16, 'kernel': 1},
            {'type': 'identity', 'scale': 0.01, 'source': 'stem'},
        ],
    },
    {'type': 'global_average_pooling'},
    {'type': 'dense', 'units': 4},
]
"""A depthwise convolution and a pointwise one, with a skip around them."""


def tiny_recipe(**changes) -> Recipe:
    return build(Recipe, {**CONTENT, **changes}, 'tiny recipe', hooks=HOOKS)


def graph_recipe(**changes) -> Recipe:
    """A recipe of `GRAPH`, which learns from edges alone and so for somewhat longer."""
    optimisation = {**CONTENT['optimisation'], 'epochs': 10, 'learning_rate': 0.1}
    return tiny_recipe(layers=GRAPH, optimisation=optimisation, **changes)


def tiny_dataset(count: int = 400) -> Dataset:
    """Noise with one bright quarter, which is the class."""
    random = np.random.default_rng(0)
    images = random.integers(0, 100, (count, 8, 8, 1)).astype(np.uint8)
    labels = np.arange(count) % 4
    for image, label in zip(images, labels, strict=True):
        row, column = divmod(int(label), 2)
        image[4 * row : 4 * row + 4, 4 * column : 4 * column + 4] += 120
    return Dataset(images, labels.astype(np.int64), ('nw', 'ne', 'sw', 'se'))
