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

"""What the loops of the sparse engine work on: the network, the neurons' state, a run's results.

Arrays have one dimension, and the part of a layer begins where its entry in the plan says, so
that loops compiled once serve every network. Channels are padded to whole blocks, see `vectors`.
The last four classes are the arguments of `vectors.step_neurons`, which advances one block.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

PLAN = np.dtype(
    [
        (name, np.int64)
        for name in (
            # The map: its size, blocks of channels, their width, the pooling that follows it.
            *('height', 'width', 'blocks', 'lanes', 'pool'),
            # What a neuron sees of the previous map, its padded channels, most events in a step.
            *('rows', 'columns', 'stride', 'padding', 'channels', 'most_events'),
            # Where the layer's part begins of weights and of what there is for each channel,
            # neuron and position of the map;
            *('weights', 'channel', 'neuron', 'position'),
            # of groups of rows that are pooled into one; per step, of starts and of lists.
            *('group', 'list_start', 'list_events'),
        )
    ]
)
"""An entry per weighted layer, the readout the last."""

WIDTHS = (64, 32, 16)
"""Channels of a block: powers of two, as LLVM prefers, and no more than a word has bits."""


class Weights(NamedTuple):
    """The network.

    order, read_order: of the synapse between layers and of the readout's. weights: for each
    layer of neurons (blocks, kernel rows, kernel columns, padded channels of the source, width
    of a block), zero where padded, as bytes; a weight has `weight_size` of them, see
    `Shape`. read_weights: the same for the readout, in float32.

    For each padded channel there are `scales`, what 1 in an int8 weight stands for, and `inputs`,
    the constant part of a neuron's input; for each position `fan_out`, the number of synapses in
    the next layer that a spike reaches; for each layer `decays`, the factor by which its synapse
    decays in a step. leak, longest: see `vectors.lif`.
    """

    order: int
    read_order: int
    weight_size: int
    plan: NDArray
    weights: NDArray[np.uint8]
    read_weights: NDArray[np.float32]
    scales: NDArray[np.float32]
    inputs: NDArray[np.float32]
    fan_out: NDArray[np.int64]
    decays: NDArray[np.float32]
    leak: np.float32
    longest: np.float32


class Neurons(NamedTuple):
    """State, in float32: for each image, all layers as (height, width, padded channels).

    `filters` has all that once for each order of the synapse, and `read_filters` (batch, padded
    classes) for each order of the readout's. refractoriness: see `vectors.lif`.
    """

    filters: NDArray[np.float32]
    potentials: NDArray[np.float32]
    refractoriness: NDArray[np.float32]
    read_filters: NDArray[np.float32]


class Run(NamedTuple):
    """Memory for what a run produces.

    masks: which neurons of a block spiked, for each image, one layer at a time: (height, steps,
    width, blocks). starts: for each image and each row of its lists (columns + 1, steps), where
    the events of a column begin in `events`; the last is where those of the row end. counts:
    (2, batch, layers), spikes and the synaptic operations that they cause. progress: zeros at
    first; for each layer how many rows of blocks are taken from each thread's share, and how
    many are done in all; then for each image how many are done of each group of rows. outputs:
    (batch, steps, padded classes).
    """

    threads: int
    steps: int
    masks: NDArray[np.uint64]
    starts: NDArray[np.int64]
    events: NDArray[np.int32]
    counts: NDArray[np.int64]
    progress: NDArray[np.int64]
    outputs: NDArray[np.float32]


class Task(NamedTuple):
    """What a thread does at a time: row `y` of a block of channels, of one image in one layer."""

    layer: int
    image: int
    block: int
    y: int


class Shape(NamedTuple):
    """What the step of a block is compiled for, as lengths of tuples, which are part of a type.

    They are the width of the block, the order of the synapse and the size of a weight in bytes:
    4 stands for float32, 2 for bfloat16, 1 for int8.
    """

    lanes: tuple[int, ...]
    orders: tuple[int, ...]
    weight: tuple[int, ...]

    @classmethod
    def of(cls, width: int, order: int, weight_size: int) -> Shape:
        """The shape with these lengths."""
        return cls((0,) * width, (0,) * order, (0,) * weight_size)


class Arrays(NamedTuple):
    """The arrays that the step of a block works on; `Places` says where in them.

    rows: int32, the numbers of the rows of weights to be added. The others are those of
    `Weights` and `Neurons` of the same names, but `inputs` may be the image's.
    """

    inputs: NDArray[np.float32]
    weights: NDArray[np.uint8]
    rows: NDArray[np.int32]
    scales: NDArray[np.float32]
    filters: NDArray[np.float32]
    potentials: NDArray[np.float32]
    refractoriness: NDArray[np.float32]


class Places(NamedTuple):
    """Where a block is in `Arrays`.

    weights: the byte where row 0 begins. rows: the first of the numbers. neuron: the block's
    state; in the filters each further order of the synapse is `stride` values on.
    """

    inputs: int
    weights: int
    rows: int
    scales: int
    neuron: int
    stride: int


class Times(NamedTuple):
    """The `decay` of the synapse in a step; for the others see `vectors.lif`."""

    decay: np.float32
    leak: np.float32
    longest: np.float32
