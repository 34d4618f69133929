"""What the loops of the sparse engine work on: the network, the neurons' state, room for a run.

Arrays have one dimension, and what belongs to a layer begins where its entry in the plan says:
so one compilation serves every network. Channels are padded to whole blocks, see `vectors`.
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
            # What a neuron sees of the map before, of padded channels, and at most at once.
            *('rows', 'columns', 'stride', 'padding', 'channels', 'most_events'),
            # Where begin: weights, what belongs to channels, neurons, and positions of the map;
            *('weights', 'channel', 'neuron', 'position'),
            # groups of rows that are pooled into one; per step, starts and lists of its spikes.
            *('group', 'list_start', 'list_events'),
        )
    ]
)
"""An entry per weighted layer, the readout the last."""

WIDTHS = (64, 32, 16)
"""Channels of a block: powers of two, which LLVM has registers for, and bits of one word."""


class Weights(NamedTuple):
    """The network.

    `order` is that of the synapse, `read_order` that of the readout's. weights: those between
    neurons of each layer, (blocks, kernel rows, kernel columns, padded channels of the source,
    width of a block), the padding all zero, as bytes: `weight_size` each, see
    `vectors.step_neurons`. The readout's `read_weights` are float32.

    Of each padded channel: `scales` that int8 weights count, and `inputs`, a constant part of
    the input. fan_out: int64, synapses of a spike in the next layer, for each position. Of each
    layer: `decays` of its synapse in a step. `leak` and `longest`: see `vectors.lif`.
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
    """State, float32: of each image the layers' neurons as (height, width, padded channels).

    `filters` has such an array for each order of the synapse; `read_filters` has (batch,
    padded classes) for each order of the readout's. refractoriness: see `vectors.lif`.
    """

    filters: NDArray[np.float32]
    potentials: NDArray[np.float32]
    refractoriness: NDArray[np.float32]
    read_filters: NDArray[np.float32]


class Run(NamedTuple):
    """Room for what a run makes.

    masks: uint64 of an image, of one layer at a time (height, steps, width, blocks), who
    spiked. starts: int64 of an image, of each list's row (columns + 1, steps), where in `events`
    those of a column begin; the last is where the row ends. counts: int64 (2, batch, layers),
    spikes, and synaptic operations that they cause. progress: int64, zeros at first: of each
    layer how many rows of a block are taken of each thread's share, and how many done of all;
    after these, of each image how many are done of each group. outputs: float32 (batch, steps,
    padded classes).
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
    """What a thread takes at a time: a layer, an image, a block of channels, a row."""

    layer: int
    image: int
    block: int
    y: int
