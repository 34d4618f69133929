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

"""Lists of spikes, made from the masks of who spiked; `event_sensor` lists those of a sensor.

A row of neurons sees some rows of a source's map (pooled if a pooling lies between). Its list has,
for each step, the events of the first column of the map, then those of the next, and so on, and
for each column those in the first of its rows, then the next. So the window of any neuron of the
row is one stretch of the list, between the starts of two columns. Each event is the number of the
row of weights that it adds for a window that begins at column 0; for one that begins further
right, the weights are taken to begin so much earlier.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from snn_perception.backends.event_memory import OFFSETS
from snn_perception.backends.event_sensor import list_events
from snn_perception.backends.event_sums import LANES
from snn_perception.backends.vectors import list_bits, look_up, word_at
from snn_perception.compiled import compiled, part

IN_A_WORD = 4
"""Vectors of which the masks make up a word of 64 bits."""

WORD = 3
"""Numbers by which `Run.words` describes a word of masks: where it is for the first column and
step, the number of its first event there, and which of its bits count."""


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


class Stretch(NamedTuple):
    """What a list is made of, and where it goes.

    number: of the link. vectors: of each pixel, from number `first` on. channels: how many numbers
    their events have; a row of weights takes `units`. starts, events: where the list begins in the
    arrays of these names in `Run`.
    """

    number: int
    first: int
    vectors: int
    channels: int
    units: int
    starts: int
    events: int


# Called by its address, see `vectors.call_loop`: what is a part of others is compiled in each.
@compiled(no_cpython_wrapper=True, _nrt=False)
def list_spikes(network: Any, neurons: Any, run: Any, shown: Any, task: Any) -> None:
    """Write a row of the lists of those links of a population that all its blocks share.

    If `task` has a block, which is -1 otherwise, the lists are those of the channelwise links for
    this block alone.
    """
    population, is_shared = network.populations[task.population], task.block < 0
    number = population.link if is_shared else population.list_end
    end = population.list_end if is_shared else population.link_end
    while number < end:
        link = network.links[number]
        # As variables, since for constants `_list` would be compiled once more.
        first, vectors = task.block * (population.lanes // LANES), population.lanes // LANES
        channels, units = OFFSETS, 1
        starts, events = own_list(network, run, number, task.thread)
        if is_shared:
            first, vectors = 0, network.populations[max(link.source, 0)].vectors
            channels, units = link.channels, link.units
            starts, events = list_of(network, run, number, task.image, task.y)
        stretch = Stretch(number, first, vectors, channels, units, starts, events)
        if link.source < 0:
            list_events(network, run, task, stretch)
        else:
            _list(network, run, task, stretch)
        number += 1


@part()
def _list(network: Any, run: Any, task: Any, stretch: Any) -> None:
    """Write the list `stretch` for row `task.y` of image `task.image`."""
    link, steps = network.links[stretch.number], run.steps
    source = network.populations[link.source]
    words = _words(network, run, task, stretch)
    masks = mask_of(network, run, link.source, task.image, 0)
    across, columns = link.pool_columns * source.vectors, link.width
    table = task.thread * (run.words.size // run.threads)
    cursor = stretch.events
    for step in range(steps):
        at, event = masks + step * source.width * source.vectors, 0
        for column in range(columns):
            run.starts[stretch.starts + column * steps + step] = cursor - stretch.events
            for place in range(table, table + words, WORD):
                mask = at + look_up(run.words, place)
                begin = event + look_up(run.words, place + 1)
                bits = word_at(run.masks, mask, look_up(run.words, place + 2))
                cursor = list_bits(run.events, cursor, bits, begin, stretch.units)
            at += across
            event += stretch.channels
        run.starts[stretch.starts + columns * steps + step] = cursor - stretch.events


@part()
def _words(network: Any, run: Any, task: Any, stretch: Any) -> int:
    """Write the WORDs of a column to the thread's part of `run.words`; returns their length."""
    link = network.links[stretch.number]
    source = network.populations[link.source]
    top, down = task.y * link.down - link.top, source.width * source.vectors * run.steps
    count = (stretch.vectors + IN_A_WORD - 1) // IN_A_WORD
    # The last word of a pixel may reach into the next one.
    valid = all_bits() >> np.uint64(LANES * (count * IN_A_WORD - stretch.vectors))
    first = at = task.thread * (run.words.size // run.threads)
    for row in range(max(-top, 0), min(link.rows, link.height - top)):
        for line in range((top + row) * link.pool_rows, (top + row + 1) * link.pool_rows):
            for pixel in range(link.pool_columns):
                for word in range(count):
                    vector = pixel * source.vectors + stretch.first + word * IN_A_WORD
                    run.words[at] = line * down + vector
                    event = row * link.columns * stretch.channels
                    run.words[at + 1] = event + word * IN_A_WORD * LANES
                    run.words[at + 2] = np.int64(valid if word == count - 1 else all_bits())
                    at += WORD
    return at - first
