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

"""Fewer or more spikes from a layer, with the same meaning to the layers after it."""

from __future__ import annotations

import math
from collections.abc import Sequence

from snn_perception.graph import IMAGE
from snn_perception.layers import Identity
from snn_perception.model import Weights
from snn_perception.network import Network


def check_scales(network: Network, scales: Sequence[float]) -> None:
    """Raise ValueError unless the hidden layers of `network` can have these rate `scales`."""
    hidden = network.populations[:-1]
    if len(scales) != len(hidden):
        raise ValueError(
            f'rate_scales must be {len(hidden)} numbers, one for each layer of neurons, not '
            f'{len(scales)}'
        )
    for scale in scales:
        if not (math.isfinite(scale) and scale > 0):
            raise ValueError(f'rate_scales must be positive, not {scale}')
    for population in network.populations:
        for connection in population.connections:
            is_identity = isinstance(connection.layer, Identity)
            if is_identity and connection.source != IMAGE and scales[connection.source] != 1:
                raise ValueError(
                    f'rate_scales must be 1 for layer {connection.source}, which an identity reads'
                )


def scaled(
    network: Network, weights: tuple[Weights, ...], scales: Sequence[float]
) -> tuple[Weights, ...]:
    """`weights` with which each hidden layer of `network` fires about `scales` times as often.

    What a current is above the rheobase is multiplied by the scale, and the weights of whoever
    hears the layer are divided by it. So the rates are exactly scaled where the rate curve is a
    straight line, and a neuron that was silent stays so. An empty `scales` changes nothing.
    """
    if not scales:
        return weights
    every = [*scales, 1.0]
    rheobase = network.neuron.rheobase
    changed = []
    for population, scale, old in zip(network.populations, every, weights, strict=True):
        sources = [each.source for each in population.connections if each.weight_shape]
        kernels = tuple(
            kernel * (scale / (1.0 if source == IMAGE else every[source]))
            for source, kernel in zip(sources, old.kernels, strict=True)
        )
        bias = old.bias if population.is_readout else (old.bias - rheobase) * scale + rheobase
        changed.append(Weights(kernels, bias.astype(old.bias.dtype)))
    return tuple(changed)
