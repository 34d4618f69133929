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

"""What the loops for layers that take turns work on: the network, its counts of spikes, a run.

As in `event_memory`, arrays have one dimension, the part of a population or link begins where its
entry says, and channels are padded to whole vectors of LANES. Padded neurons never spike.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from snn_perception.backends.event_memory import record_of

POPULATION = record_of(
    # The map; vectors of a pixel; whether it has no neurons; number of its turn.
    *('height', 'width', 'channels', 'vectors', 'is_readout', 'turn'),
    # Its links, and those that it is a source of.
    *('link', 'link_end', 'reader', 'reader_end'),
    # Where its part begins of the biases, and of what there is for each padded neuron of an image.
    *('bias', 'neuron'),
    # Where its part begins of the history, or -1 if the readout does not hear it.
    'history',
)
"""An entry per population, the readout the last."""

LINK = record_of(
    # From where (IMAGE: the image) to where; whether each channel leads to the same one only.
    *('source', 'target', 'is_channelwise'),
    # The map of the source: its columns, its channels, padded unless it is the image; what a pixel
    # of the input is a mean of.
    *('source_width', 'channels', 'pool_rows', 'pool_columns'),
    # The input: its size, the windows, from one to the next, how far the first lies outside.
    *('height', 'width', 'rows', 'columns', 'down', 'across', 'top', 'left'),
    # Channels of a group and its inputs; the inputs that a vector of channels has weights of.
    *('group_channels', 'group_inputs', 'inputs'),
    # Where its part begins of weights and of positions of its source.
    *('weights', 'fan_out'),
)
"""An entry per connection."""

STAGE = record_of(
    # The population, the first of the steps that it takes of its turn, and where they end.
    *('population', 'first', 'end'),
    # Number of the turn. What later turns fire is not heard yet. Place of a readout's outputs.
    *('turn', 'output'),
)
"""What all threads do before anybody begins with the next one.

The readout's steps are those of the turn too, if it hears somebody whose turn it is.
"""


class Network(NamedTuple):
    """A model whose layers take turns.

    window: steps of a turn.

    weights: of each link (vectors, rows, columns, inputs, LANES); of a channelwise one (rows,
    columns, vectors, LANES). biases: padded. fan_out: for each link and position of its source,
    the number of synapses that a spike reaches. readers: numbers of links. thresholds: (window +
    1, window + 1), in row t the currents from which on there are 1, 2, ... spikes in t steps,
    then NaN. values: padded neurons of all populations. heard: those of all that the readout
    hears. shown: values of an image. patch, sums: room that a thread needs.
    """

    window: int
    populations: NDArray
    links: NDArray
    readers: NDArray[np.int64]
    weights: NDArray[np.float32]
    biases: NDArray[np.float32]
    fan_out: NDArray[np.int64]
    thresholds: NDArray[np.float32]
    values: int
    heard: int
    shown: int
    patch: int
    sums: int


class Memory(NamedTuple):
    """What is remembered of each image, for all padded neurons.

    counts: spikes so far. currents: only of those whose turn has begun and has not ended.
    """

    counts: NDArray[np.uint8]
    currents: NDArray[np.float32]


class Run(NamedTuple):
    """Memory for what a run produces.

    images: (batch, height, width, channels), flat. history: for each population that the readout
    hears (batch, steps of its stage, height, width, padded channels), its spikes by each of the
    steps; there is room for so many `steps`. patches, sums: room for each thread. spikes: for
    each thread and pixel of a panel. counts: (2, batch, populations), spikes and the synaptic
    operations that arrive. progress: zeros at first; for each stage how many panels are taken of
    each thread's share, and how many are done in all. outputs: (steps, batch, classes).
    """

    threads: int
    batch: int
    steps: int
    stages: NDArray
    images: NDArray[np.float32]
    history: NDArray[np.uint8]
    patches: NDArray[np.float32]
    sums: NDArray[np.float32]
    spikes: NDArray[np.int64]
    counts: NDArray[np.int64]
    progress: NDArray[np.int64]
    outputs: NDArray[np.float32]


class Panel(NamedTuple):
    """What a `thread` does at a time: pixels of a map, or steps of the readout, of one image."""

    thread: int
    image: int
    begin: int
    end: int
