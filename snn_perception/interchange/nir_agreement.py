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

"""Whether a network read from a NIR file is the one that its metadata describe.

NIR has no dense layer on a map, no one-sided padding, and no identity with a bias, so what was
written may have another form than what is described: a convolution that does the same.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from snn_perception.graph import Connection, Population
from snn_perception.interchange.nir_kernels import symmetric
from snn_perception.interchange.nir_writing import KEY
from snn_perception.model import Weights
from snn_perception.model_file import ModelError
from snn_perception.network import Network
from snn_perception.neurons import IF, LIF


def restored(
    described: Network, network: Network, weights: tuple[Weights, ...]
) -> tuple[Weights, ...]:
    """The `weights` of `network` for the network `described`; raises ModelError if they differ."""
    ours, theirs = described.populations, network.populations
    if not _agree(described, network) or len(ours) != len(theirs):
        raise _difference()
    return tuple(map(_restored_population, ours, theirs, weights))


def _agree(described: Network, network: Network) -> bool:
    """Whether `network` has the neurons and synapses of the one `described`."""
    synapses = [
        (described.synapse_of(index), network.synapse_of(index))
        for index in range(min(len(described.populations), len(network.populations)))
    ]
    if described.input_shape != network.input_shape or not all(
        one.type == other.type and math.isclose(one.tau, other.tau, rel_tol=1e-3)
        for one, other in synapses
    ):
        return False
    one, other = described.neuron, network.neuron
    return network.neurons == 0 or (
        isinstance(one, LIF | IF)
        and isinstance(other, LIF | IF)
        and type(one) is type(other)
        and math.isclose(one.tau_rc, other.tau_rc, rel_tol=1e-3)
    )


def _restored_population(ours: Population, theirs: Population, weights: Weights) -> Weights:
    if len(ours.connections) != len(theirs.connections):
        raise _difference()
    given, kernels = iter(weights.kernels), []
    for mine, other in zip(ours.connections, theirs.connections, strict=True):
        found = other.kernel(next(given) if other.weight_shape else None)
        kernel = _restored_kernel(mine, other, found)
        if mine.weight_shape:
            kernels.append(kernel.reshape(mine.weight_shape))
        elif not np.allclose(kernel, mine.kernel(None), rtol=1e-6, atol=0):
            raise _difference()
    return Weights(tuple(kernels), weights.bias)


def _restored_kernel(
    mine: Connection, other: Connection, found: NDArray[np.float32]
) -> NDArray[np.float32]:
    """The kernel `found` of `other` without the zeros that stand for one-sided padding."""
    places = [(each.source, each.pooling, each.source_shape) for each in (mine, other)]
    written, ((top, bottom), (left, right)) = symmetric(mine.convolution, mine.input_shape)
    forms = [
        (layer.channels, layer.kernel_size, layer.strides, layer.margins, layer.groups)
        for layer in (written, other.convolution)
    ]
    if places[0] != places[1] or forms[0] != forms[1]:
        raise _difference()
    rows, columns = written.kernel_size
    kernel = found[top : rows - bottom, left : columns - right]
    if np.count_nonzero(kernel) != np.count_nonzero(found):
        raise _difference()
    return np.ascontiguousarray(kernel)


def _difference() -> ModelError:
    return ModelError(
        f'its metadata {KEY!r} describe a different network than its nodes form; '
        f'without them it can be read as a file of another library'
    )
