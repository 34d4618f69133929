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

"""Puts a model into the memory of the sparse engine, as `event_memory` describes it."""

from __future__ import annotations

import math
from functools import partial

import numpy as np
from numpy.typing import DTypeLike, NDArray

from snn_perception.backends.event_links import (
    PRECISIONS,
    Link,
    channels_of,
    is_channelwise,
    links_of,
    precision_of,
)
from snn_perception.backends.event_lists import IN_A_WORD, WORD
from snn_perception.backends.event_memory import (
    LINK,
    POPULATION,
    UNIT,
    WIDTHS,
    WINDOW,
    Room,
    Weights,
)
from snn_perception.backends.event_neurons import CODES, code_of
from snn_perception.backends.event_sums import LANES
from snn_perception.backends.vectors import CACHE_LINE
from snn_perception.graph import IMAGE
from snn_perception.model import Model
from snn_perception.network import Network

LARGEST_BLOCK = 300_000
"""Bytes of the weights of a block: they fit into many a second-level cache, with room to spare."""

COST_OF_A_BLOCK = 6
"""What a block costs beyond its channels (branches, lists), in channels."""


def arrange(model: Model, precision: str) -> tuple[Weights, Room]:
    """`model` as the loops need it, with weights in `precision`, one of PRECISIONS.

    Raises ValueError for neurons and steps that `event_neurons` has no code for.
    """
    network, dt = model.network, model.dt
    code = code_of(network.neuron, dt)
    populations = plan(network, precision)
    links = [
        link
        for index in range(len(populations))
        for link in links_of(model, populations, index, precision)
    ]
    room = _place(populations, links)
    records = np.array([link.record for link in links], LINK)
    arranged = Weights(
        order=network.synapse.order,
        read_order=network.readout_synapse.order,
        kind=list(CODES).index(type(network.neuron)),
        populations=populations,
        links=records,
        readers=np.argsort(records['source'], kind='stable'),
        weights=aligned([link.weights for link in links]),
        scales=aligned([link.scales for link in links]),
        inputs=aligned(
            [
                pad_channels(weights.bias, population)
                for weights, population in zip(model.weights, populations, strict=True)
            ]
        ),
        fan_out=np.concatenate([link.fan_out.reshape(-1) for link in links]),
        constants=code.constants(network.neuron, dt),
        decay=np.float32(network.synapse.decay(dt)),
        read_decay=np.float32(network.readout_synapse.decay(dt)),
    )
    return arranged, room


def plan(network: Network, precision: str) -> NDArray:
    """The entries of POPULATION for `network` in `precision`, without their links."""
    entries = np.zeros(len(network.populations), POPULATION)
    for population, entry in zip(network.populations, entries, strict=True):
        entry['height'], entry['width'], count = population.output_shape
        rows = sum(
            math.prod(connection.convolution.kernel_size) * channels_of(connection.source, entries)
            for connection in population.connections
            if connection.source != IMAGE and not is_channelwise(connection)
        )
        size = entry['weight_size'] = PRECISIONS[precision_of(population, precision)]
        widths = [width for width in WIDTHS if rows * width * size <= LARGEST_BLOCK]
        widths = widths if widths and not population.is_readout else [LANES]
        entry['lanes'] = min(widths, key=partial(_cost, count))
        entry['blocks'] = math.ceil(count / entry['lanes'])
    entries['vectors'] = entries['blocks'] * entries['lanes'] // LANES
    pixels = entries['height'] * entries['width']
    channels = entries['vectors'] * LANES
    sees = np.array([population.sees_image for population in network.populations])
    for name, sizes in (
        ('channel', channels),
        ('neuron', pixels * channels),
        ('row', entries['height']),
        ('mask', pixels * entries['vectors']),
        ('shown', np.where(sees, pixels * channels, 0)),
    ):
        entries[name] = before(sizes)
    entries['shown'][~sees] = -1
    return entries


def _place(populations: NDArray, links: list[Link]) -> Room:
    """Say of each link where its parts begin, and of each population which links are its own."""
    targets, sources = (
        np.array([link.record[name] for link in links]) for name in ('target', 'source')
    )
    sources.sort()
    most = np.zeros(4, np.int64)
    for index, population in enumerate(populations):
        ours = [link for link in links if link.record['target'] == index]
        channelwise = sum(link.is_channelwise for link in ours)
        both = [index, index + 1]
        population['link'], population['link_end'] = np.searchsorted(targets, both)
        population['list_end'] = population['link_end'] - channelwise
        population['reader'], population['reader_end'] = np.searchsorted(sources, both)
        # Each population uses the memory for lists anew: of all threads, and of each thread.
        used = np.zeros((2, 2), np.int64)
        for link in ours:
            record, rows = link.record, 1 if link.is_channelwise else link.record['target_rows']
            record['starts'], record['events'] = used[int(link.is_channelwise)]
            size = rows * (record['width'] + 1), rows * record['events_of_row']
            used[int(link.is_channelwise)] += size
        most = np.maximum(most, used.reshape(-1))
    for name, sizes in (
        ('weights', [link.weights.size // UNIT for link in links]),
        ('scale', [link.scales.size for link in links]),
        ('fan_out', [link.fan_out.size for link in links]),
    ):
        for link, first in zip(links, before(np.array(sizes)), strict=True):
            link.record[name] = first
    windows = int((populations['link_end'] - populations['link']).max()) * len(WINDOW)
    rows, masks = int(populations['height'].sum()), int(populations[-1]['mask'])
    sums = int(populations['lanes'].max())
    # A column of a link has at most so many words of masks.
    words = max(
        int(link.record['rows'] * link.record['pool_rows'] * link.record['pool_columns'])
        * math.ceil(populations[max(link.record['source'], 0)]['vectors'] / IN_A_WORD)
        for link in links
    )
    words *= WORD
    starts, events, thread_starts, thread_events = most.tolist()
    return Room(rows, masks, starts, events, thread_starts, thread_events, sums, windows, words)


def _channels(population: np.void) -> int:
    """The padded channels of `population`."""
    return int(population['blocks'] * population['lanes'])


def before(sizes: NDArray) -> NDArray:
    """The sum of those that come before each of `sizes`."""
    return np.cumsum(sizes) - sizes


def _cost(channels: int, width: int) -> int:
    """The cost of `channels` channels in blocks of `width`, in channels."""
    return math.ceil(channels / width) * (width + COST_OF_A_BLOCK)


def pad_channels(values: NDArray[np.float32], population: np.void) -> NDArray[np.float32]:
    """`values` (channels,), followed by zeros that fill up the last block."""
    padded = np.zeros(_channels(population), np.float32)
    padded[: values.size] = values
    return padded


def aligned_zeros(size: int, dtype: DTypeLike = np.float32) -> NDArray:
    """Zeros (size,) that begin with a line of the cache, so that no vector straddles two."""
    length = size * np.dtype(dtype).itemsize
    memory = np.zeros(length + CACHE_LINE, np.uint8)
    start = -memory.ctypes.data % CACHE_LINE
    return memory[start : start + length].view(dtype)


def aligned(parts: list[NDArray]) -> NDArray:
    """A copy of `parts`, flat and one after another, aligned like `aligned_zeros`."""
    copy = aligned_zeros(sum(part.size for part in parts), parts[0].dtype)
    np.concatenate(parts, out=copy)
    return copy
