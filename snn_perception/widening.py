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

"""Models whose readout has further outputs, behind those for classes, to tell the unknown by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from math import prod

import numpy as np
from numpy.typing import NDArray

from snn_perception.layers import Dense, Layer, Sum
from snn_perception.model import Model, Weights
from snn_perception.network import Network
from snn_perception.unknown import Unknown


def features_of(network: Network) -> int:
    """How many values the readout hears of neurons, pooled; those of the input do not count."""
    return sum(_inputs(network))


def with_unknown(model: Model, unknown: Unknown, directions: NDArray[np.float32]) -> Model:
    """`model` with the score `unknown`, whatever it had before.

    directions: (features, directions), along which what the readout hears is measured; see
    `features_of` for the features, those of one connection after the other.
    """
    plain = without_unknown(model)
    parts = iter(np.split(directions, np.cumsum(_inputs(plain.network))[:-1]))
    kernels = []
    for connection, kernel in zip(
        _connections(plain.network), plain.weights[-1].kernels, strict=True
    ):
        none = np.zeros((len(kernel), directions.shape[1]), np.float32)
        further = none if connection.source < 0 else next(parts)
        kernels.append(np.concatenate([kernel, further.astype(np.float32)], axis=1))
    bias = np.pad(plain.weights[-1].bias, (0, directions.shape[1]))
    return _with_readout(plain, unknown, kernels, bias)


def without_unknown(model: Model) -> Model:
    """`model` without a score of being unknown, and with as many outputs as classes."""
    if model.unknown is None:
        return model
    readout, classes = model.weights[-1], model.classes
    kernels = [kernel[:, :classes] for kernel in readout.kernels]
    return _with_readout(model, None, kernels, readout.bias[:classes])


def with_units(readout: Layer, count: int) -> Layer:
    """The last layer of a network with `count` units: dense, or a sum of such."""
    if isinstance(readout, Dense):
        return replace(readout, units=count)
    assert isinstance(readout, Sum)
    branches = tuple(
        tuple(replace(each, units=count) if isinstance(each, Dense) else each for each in branch)
        for branch in readout.branches
    )
    return Sum(branches, readout.name)


def _with_readout(
    model: Model,
    unknown: Unknown | None,
    kernels: Sequence[NDArray[np.float32]],
    bias: NDArray[np.float32],
) -> Model:
    *layers, last = model.network.layers
    network = replace(model.network, layers=(*layers, with_units(last, len(bias))))
    weights = (*model.weights[:-1], Weights(tuple(kernels), bias))
    return replace(model, network=network, weights=weights, unknown=unknown)


def _connections(network: Network) -> tuple:
    return network.populations[-1].connections


def _inputs(network: Network) -> list[int]:
    """Values that come from each population that the readout hears."""
    return [prod(each.input_shape) for each in _connections(network) if each.source >= 0]
