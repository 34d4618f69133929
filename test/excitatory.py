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

"""Models in which nothing inhibits, so that the floor of our membranes makes no difference."""

from __future__ import annotations

import dataclasses

import numpy as np

from snn_perception.layers import Identity, Layer, Sum
from snn_perception.model import Model, Weights
from snn_perception.neurons import LIF


def excitatory(model: Model) -> Model:
    """`model` with weights and biases that are not negative, and without refractory periods."""
    layers = tuple(_excitatory(layer) for layer in model.network.layers)
    weights = tuple(
        Weights(tuple(np.abs(kernel) for kernel in each.kernels), np.abs(each.bias))
        for each in model.weights
    )
    network = dataclasses.replace(model.network, layers=layers, neuron=LIF(tau_ref=0.0))
    return dataclasses.replace(model, network=network, weights=weights)


def _excitatory(layer: Layer) -> Layer:
    if isinstance(layer, Sum):
        branches = tuple(
            (*before, dataclasses.replace(last, scale=abs(last.scale)))
            if isinstance(last, Identity)
            else (*before, last)
            for *before, last in layer.branches
        )
        return Sum(branches, name=layer.name)
    if isinstance(layer, Identity):
        return dataclasses.replace(layer, scale=abs(layer.scale))
    return layer
