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

"""Lists of spikes, made from the masks of who spiked.

A row of neurons sees some rows of a source's map (pooled if a pooling lies between). Its list has,
for each step, the events of the first column of the map, then those of the next, and so on, and
for each column those in the first of its rows, then the next. So the window of any neuron of the
row is one stretch of the list, between the starts of two columns. Each event is the number of the
row of weights that it adds for a window that begins at column 0; for one that begins further
right, the weights are taken to begin so much earlier.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from snn_perception.backends.compiled import part
from snn_perception.backends.event_memory import OFFSETS
from snn_perception.backends.event_sums import LANES
from snn_perception.backends.vectors import list_bits, word_at

IN_A_WORD = 4
"""Vectors of which the masks make up a word of 64 bits."""


@part()
def all_bits() -> Any:
    """A word with all bits set."""
    return np.uint64(0xFFFFFFFFFFFFFFFF)


@part()
def mask_of(network: Any, run: Any, index: int, image: int, y: int) -> int:
    """Where in `run.masks` row `y` of population number `index` begins."""
    population = network.populations[index]
    row = population.mask + y * population.width * population.vectors
    return (image * network.populations[-1].mask + row) * run.steps


@part()
def list_of(network: Any, run: Any, number: int, image: int, y: int) -> Any:
    """Where row `y` of the list of link `number` begins in `run.starts` and in `run.events`."""
    link = network.links[number]
    row = image * link.target_rows + y
    starts = link.starts * run.batch + row * (link.width + 1)
    events = link.events * run.batch + row * link.events_of_row
    return starts * run.steps, events * run.steps


@part()
def own_list(network: Any, run: Any, number: int, thread: int) -> Any:
    """The same for the list of the channelwise link `number` that each thread has for itself."""
    link = network.links[number]
    starts = (run.starts.size - run.thread_starts) // run.threads
    events = (run.events.size - run.thread_events) // run.threads
    first_start = run.thread_starts + thread * starts + link.starts * run.steps
    return first_start, run.thread_events + thread * events + link.events * run.steps


@part()
def list_row(network: Any, run: Any, number: int, image: int, y: int) -> None:
    """Write row `y` of the list of link `number`."""
    link = network.links[number]
    starts, events = list_of(network, run, number, image, y)
    vectors = network.populations[link.source].vectors
    _list(network, run, number, image, y, 0, vectors, link.channels, link.units, starts, events)


@part()
def list_block(network: Any, run: Any, number: int, task: Any, vectors: int) -> None:
    """Write the list of the channelwise link `number` for `task`, whose block has `vectors`."""
    starts, events = own_list(network, run, number, task.thread)
    first = task.block * vectors
    _list(network, run, number, task.image, task.y, first, vectors, OFFSETS, 1, starts, events)


@part()
def _list(
    network: Any,
    run: Any,
    number: int,
    image: int,
    y: int,
    first_vector: int,
    vectors: int,
    channels: int,
    units: int,
    starts: int,
    events: int,
) -> None:
    """List the spikes of `vectors` vectors of each pixel, from number `first_vector` on.

    They have numbers up to `channels`, and a row of weights takes `units`.
    """
    link, steps = network.links[number], run.steps
    source = network.populations[link.source]
    top = y * link.down - link.top
    first, end = max(-top, 0), min(link.rows, link.height - top)
    words = (vectors + IN_A_WORD - 1) // IN_A_WORD
    # The last word of a pixel may reach into the next one.
    unused = LANES * (words * IN_A_WORD - vectors)
    valid = all_bits() >> np.uint64(unused)
    across, down = source.vectors, source.width * source.vectors * steps
    kernel_columns = link.columns
    columns, pool_rows, pool_columns = link.width, link.pool_rows, link.pool_columns
    masks = mask_of(network, run, link.source, image, (top + first) * link.pool_rows)
    cursor = events
    for step in range(steps):
        for column in range(columns):
            run.starts[starts + column * steps + step] = cursor - events
            x = column * pool_columns
            at = masks + (step * source.width + x) * across + first_vector
            for row in range(first, end):
                event = (row * kernel_columns + column) * channels
                for _ in range(pool_rows):
                    place = at
                    for _ in range(pool_columns):
                        begin = event
                        for word in range(words):
                            some = valid if word == words - 1 else all_bits()
                            bits = word_at(run.masks, place + word * IN_A_WORD, some)
                            cursor = list_bits(run.events, cursor, bits, begin, units)
                            begin += IN_A_WORD * LANES
                        place += across
                    at += down
        run.starts[starts + link.width * steps + step] = cursor - events
