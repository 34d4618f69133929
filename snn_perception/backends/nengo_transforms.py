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

"""Connections of a model as Connections of Nengo, whose transforms are Convolutions or matrices.

To take the mean over a block of neurons, each of them gets an equal share of the weight. Nengo's
convolutions know two kinds of padding: none, and as much as one window per stride needs, equally
before the first and after the last. A kernel enlarged by zeros makes ours one of these, or a Node
adds the border of zeros.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snn_perception.graph import Connection, Population
from snn_perception.layers import Convolution, Dense, Identity, Pair, Shape
from snn_perception.network import MAXIMUM_WEIGHTS
from snn_perception.requirements import require

require('a network in Nengo', 'nengo')
import nengo  # noqa: E402


def connect(
    source: Any,
    target: Any,
    population: Population,
    connection: Connection,
    kernel: NDArray[np.float32],
    synapse: nengo.synapses.Synapse | None,
) -> None:
    """Make `connection` of `population`, with the `kernel` of its `convolution`, in Nengo.

    Raises ValueError if it would have more than MAXIMUM_WEIGHTS with pooling folded in.
    """
    rows, columns = block = connection.pooling
    count = kernel.size * rows * columns
    if count > MAXIMUM_WEIGHTS:
        raise ValueError(
            f'layer {population} has {count} weights once the average pooling before it is '
            f'folded in, more than the {MAXIMUM_WEIGHTS} allowed'
        )
    source, shape = _whole_blocks(source, connection.source_shape, block)
    spread = kernel.astype(np.float64).repeat(rows, 0).repeat(columns, 1) / (rows * columns)
    if isinstance(connection.layer, Dense):
        transform: Any = spread.reshape(prod(shape), -1).T
    elif isinstance(connection.layer, Identity) and block == (1, 1):
        transform = float(np.float32(connection.layer.scale))
    else:
        layer, sizes = connection.convolution, connection.output_shape[:2]
        source, transform = _convolution(source, shape, layer, block, sizes, spread)
    nengo.Connection(source, target, transform=transform, synapse=synapse)


def _convolution(
    source: Any,
    shape: Shape,
    layer: Convolution,
    block: Pair,
    sizes: Pair,
    kernel: NDArray[np.float64],
) -> tuple[Any, nengo.Convolution]:
    """The source and the transform of a `layer` whose `kernel` is spread over blocks of neurons.

    `shape` is that of the neurons, `sizes` are the rows and columns that come out.
    """
    strides = block[0] * layer.strides[0], block[1] * layer.strides[1]
    margins = [
        (size * before, size * after)
        for size, (before, after) in zip(block, layer.margins, strict=True)
    ]
    padding = 'valid'
    if any(map(any, margins)):
        if sizes == (-(-shape[0] // strides[0]), -(-shape[1] // strides[1])):
            padding = 'same'
            kernel = _centred(kernel, shape, strides, margins, sizes)
        else:
            source, shape = _with_border(source, shape, margins)
    size, groups = kernel.shape[:2], layer.groups
    return source, nengo.Convolution(
        layer.channels, shape, size, strides, padding, init=kernel, groups=groups
    )


def _centred(
    kernel: NDArray[np.float64],
    shape: Shape,
    strides: Pair,
    margins: list[Pair],
    sizes: Pair,
) -> NDArray[np.float64]:
    """`kernel` enlarged by zeros so that equal padding on both sides leaves it in its place."""
    zeros = []
    for axis in (0, 1):
        before, reach = margins[axis][0], (sizes[axis] - 1) * strides[axis] + kernel.shape[axis]
        after = reach - shape[axis] - before  # what windows reach of the border, or less than none
        zeros.append((max(after - before, 0), max(before - after, 0)))
    return np.pad(kernel, (*zeros, (0, 0), (0, 0)))


def _whole_blocks(source: Any, shape: Shape, block: Pair) -> tuple[Any, Shape]:
    """`source` of `shape` without the rows and columns that pooling drops."""
    height, width, channels = shape
    whole = (height // block[0] * block[0], width // block[1] * block[1], channels)
    if whole == shape:
        return source, shape
    return source[np.arange(prod(shape)).reshape(shape)[: whole[0], : whole[1]].reshape(-1)], whole


def _with_border(source: Any, shape: Shape, margins: list[Pair]) -> tuple[nengo.Node, Shape]:
    """A Node with `source` of `shape` inside of `margins` of zeros."""
    (top, bottom), (left, right) = margins
    padded = (shape[0] + top + bottom, shape[1] + left + right, shape[2])
    border = nengo.Node(size_in=prod(padded), label='border of zeros')
    inside = np.arange(prod(padded)).reshape(padded)
    inside = inside[top : top + shape[0], left : left + shape[1]]
    nengo.Connection(source, border[inside.reshape(-1)], synapse=None)
    return border, padded
