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

Arrays have one dimension, and the part of a population begins where its entry in the plan says,
so that loops compiled once serve every network. Channels are padded to whole blocks, which are
vectors of `vectors.LANES` channels each. The last four classes are arguments of the operations
in `vectors`.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from snn_perception.backends.event_sensor import Events

WIDTHS = (64, 48, 32, 16)
"""Channels of a block: whole vectors, and no more than a word has bits."""

UNIT = 8
"""Bytes in which distances between weights are counted."""

OFFSETS = 64
"""Numbers that an event takes in the lists of a channelwise link, whatever the block's width."""


def record_of(*names: str) -> np.dtype:
    """The type of an entry with whole numbers of these `names`."""
    return np.dtype([(name, np.int64) for name in names])


POPULATION = record_of(
    # The map: its size, blocks of channels, their width, vectors of a pixel; and the bytes of a
    # weight, see `Shape`.
    *('height', 'width', 'blocks', 'lanes', 'vectors', 'weight_size'),
    # Its links, of which those through rows of weights come first; links that it is a source of.
    *('link', 'list_end', 'link_end', 'reader', 'reader_end'),
    # Where its part begins of what there is for each channel, each neuron (of the same image, as
    # all that follows), each row of the map, each vector of each pixel and step; and of what the
    # image adds, or -1 if it does not see the image.
    *('channel', 'neuron', 'row', 'mask', 'shown'),
)
"""An entry per population, the readout the last: what begins there ends with all the others."""

LINK = record_of(
    # From where to where; rows and columns that are averaged there, and how many are left.
    *('source', 'target', 'target_rows', 'pool_rows', 'pool_columns', 'height', 'width'),
    # The windows: their size, from one to the next, and how far the first lies outside.
    *('rows', 'columns', 'down', 'across', 'top', 'left'),
    # Channels of the source, and eighths of a row of weights to the next, both padded.
    *('channels', 'units'),
    # Where its part begins of weights (in units of 8 bytes), scales, positions of its source;
    # and, per step, of starts and of events. Its lists have as many rows as the target, and in
    # each row room for so many events.
    *('weights', 'scale', 'fan_out', 'starts', 'events', 'events_of_row'),
)
"""An entry per connection between neurons, or from them to the readout.

If the source is the events of a sensor, its number is that of `graph.EVENTS`.
"""


WINDOW = ('begin', 'end', 'events', 'weights', 'scale')
"""What is known of the window of a block of a pixel on a link.

begin, end: where in `Run.starts` the starts of its first column and of the one behind its last
are in the first step. events: from where on these count. weights: where row 0 of its weights is,
in units of 8 bytes. scale: the block's part of `Weights.scales`.
"""


class Weights(NamedTuple):
    """The network.

    order, read_order: of the synapse between populations and of the readout's. kind: number of
    the kind of neurons.

    weights: of each link (blocks, rows, columns, padded channels of the source, width of a
    block), zero where padded, as bytes; those to the readout are float32. Of a channelwise link,
    where each neuron sees one channel only, (blocks, rows, columns, OFFSETS) in float32.
    scales: of each link for each padded channel, what 1 in an int8 weight stands for. inputs: for
    each padded channel the constant part of a neuron's input. fan_out: for each link and position
    of its source, the number of synapses that a spike reaches. readers: numbers of links.
    constants: what `NeuronCode.step` needs to know. decay, read_decay: the factors by which the
    synapses decay in a step.
    """

    order: int
    read_order: int
    kind: int
    populations: NDArray
    links: NDArray
    readers: NDArray[np.int64]
    weights: NDArray[np.uint8]
    scales: NDArray[np.float32]
    inputs: NDArray[np.float32]
    fan_out: NDArray[np.int64]
    constants: NDArray[np.float32]
    decay: np.float32
    read_decay: np.float32


class Neurons(NamedTuple):
    """State, in float32: for each image, all populations as (height, width, padded channels).

    `filters` has all that once for each order of the synapse, `state` for each value that a kind
    of neuron remembers, and `read_filters` (batch, padded classes) for each order of the
    readout's synapse.
    """

    filters: NDArray[np.float32]
    state: NDArray[np.float32]
    read_filters: NDArray[np.float32]


class Run(NamedTuple):
    """Memory for what a run produces.

    masks: a bit for each neuron that spiked, for each image and population (height, steps,
    width, vectors). starts: for each link and row of neurons (columns + 1, steps), where the
    events of a column begin among the `events` of that row; the last is where they end. Behind
    those of all links each thread has `thread_starts` and `thread_events` for lists of its own,
    `sums`, `windows` and `words` have room for each thread's sums of a block, its windows
    and what `event_lists` reads. events_in: those of a sensor.
    counts: (2, batch, populations), spikes and the synaptic operations that arrive. progress:
    zeros at first; for each population how many rows to be listed and how many rows of blocks are
    taken from each thread's share, and how many of these are done in all; then for each row of
    each image whether it has its lists. outputs: (batch, steps, padded classes), flat.
    """

    threads: int
    batch: int
    steps: int
    masks: NDArray[np.uint16]
    starts: NDArray[np.int32]
    events: NDArray[np.int32]
    thread_starts: int
    thread_events: int
    events_in: Events
    sums: NDArray[np.float32]
    windows: NDArray[np.int64]
    words: NDArray[np.int64]
    counts: NDArray[np.int64]
    progress: NDArray[np.int64]
    outputs: NDArray[np.float32]


class Task(NamedTuple):
    """What a `thread` does at a time: row `y` of a block of channels, of one image."""

    thread: int
    population: int
    image: int
    block: int
    y: int


class Shape(NamedTuple):
    """What the loop over a row is compiled for, as lengths of tuples, which are part of a type.

    They are the vectors of a block; the size of a weight in bytes: 4 stands for float32, 2 for
    bfloat16, 1 for int8, 0 for neurons that hear no spikes; the order of the synapse; the number
    of the kind of neurons, and of its constants.
    """

    vectors: tuple[int, ...]
    weight: tuple[int, ...]
    orders: tuple[int, ...]
    kind: tuple[int, ...]
    constants: tuple[int, ...]

    @classmethod
    def of(cls, *lengths: int) -> Shape:
        """The shape with these lengths."""
        return cls(*((0,) * length for length in lengths))


class Places(NamedTuple):
    """Where a block of a pixel is in the arrays that `event_pixels` works on.

    window: the first of its `windows` in `run.windows`, of which the `full` first ones are of
    links through rows of weights. sums: the thread's part of `run.sums`. neuron: its state, of
    which each further value is `stride` values on, as are the further orders of the synapse.
    mask: where it says who spiked, and `mask_stride` further on in the next step.
    """

    window: int
    windows: int
    full: int
    sums: int
    inputs: int
    neuron: int
    stride: int
    mask: int
    mask_stride: int


class Room(NamedTuple):
    """What a run needs.

    rows: for each image. masks, starts, events: for each image and step. thread_starts,
    thread_events: for each thread and step. sums, windows, words: for each thread.
    """

    rows: int
    masks: int
    starts: int
    events: int
    thread_starts: int
    thread_events: int
    sums: int
    windows: int
    words: int
