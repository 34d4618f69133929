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

"""The events of a sensor as the sparse engine's loops read them: sorted, and without the silence.

A count of n events adds the weights of its pixel and polarity n times. So that many events in one
step cost little, there is a second row of weights, SIXTEEN times the first: a count adds that row
n // SIXTEEN times and the first one n % SIXTEEN times.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from snn_perception.compiled import compiled, part

SIXTEEN = 16

CHANNELS = 4
"""Rows of weights of a pixel: off, on, and SIXTEEN times each of them."""

MOST_OF_A_PIXEL = 2 * (255 % SIXTEEN + 255 // SIXTEEN)
"""Rows that the events of a pixel add in one step at most."""

VALUES = 256
"""An event stands for a number: of its column and polarity, times VALUES, plus the count."""


class Events(NamedTuple):
    """The events of a run, by image, row of the sensor and step.

    starts: where those of row y of an image in a step begin among `numbers`, at
    (image x height + y) x steps + step; the last is where they end. arrived: int64 (batch,
    height, width), how many each pixel sent.
    """

    starts: NDArray[np.int64]
    numbers: NDArray[np.int32]
    arrived: NDArray[np.int64]


def no_events() -> Events:
    """The events of a run on images."""
    return Events(np.zeros(0, np.int64), np.zeros(0, np.int32), np.zeros((0, 0, 0), np.int64))


def sort_events(counts: NDArray[np.uint8]) -> Events:
    """The events of `counts` (steps, batch, height, width, 2)."""
    steps, batch, height, width, polarities = counts.shape
    # Eight pixels at a time are mostly silent.
    flat = np.zeros(-(-counts.size // 8) * 8, np.uint8)
    flat[: counts.size] = counts.reshape(-1)
    events = Events(
        np.zeros(steps * batch * height + 2, np.int64),
        np.empty(np.count_nonzero(flat), np.int32),
        np.zeros((batch, height, width), np.int64),
    )
    row, rows = width * polarities, batch * height
    loop: Any = _sort
    loop(flat.view(np.uint64), flat, row, rows, steps, *events[:2], events.arrived.reshape(-1))
    return events._replace(starts=events.starts[:-1])


@compiled(_nrt=False)
def _sort(
    words: Any, flat: Any, row: int, rows: int, steps: int, starts: Any, numbers: Any, arrived: Any
) -> None:
    """Fill `starts` (one longer, zeros), `numbers` and `arrived` of the counts in `flat`.

    words: the same memory. row: counts of a row of the sensor. rows: those of all images.
    """
    for word in range(words.size):
        if words[word]:
            for place in range(8 * word, 8 * word + 8):
                if flat[place]:
                    starts[_key(place, row, rows, steps) + 2] += 1
    for key in range(2, starts.size):
        starts[key] += starts[key - 1]
    for word in range(words.size):
        if words[word]:
            for place in range(8 * word, 8 * word + 8):
                if flat[place]:
                    key = _key(place, row, rows, steps) + 1
                    numbers[starts[key]] = place % row * VALUES + flat[place]
                    starts[key] += 1
                    arrived[place % (rows * row) // 2] += flat[place]


@part()
def _key(place: int, row: int, rows: int, steps: int) -> int:
    """Which of `Events.starts` belongs to the count at `place`."""
    line = place // row
    return line % rows * steps + line // rows


@part()
def list_events(network: Any, run: Any, task: Any, stretch: Any) -> None:
    """Write the list `stretch` for row `task.y` of image `task.image`; see `event_lists`.

    The events of a step are sorted by their columns: counted first, then put in their places.
    """
    link, steps, columns = (
        network.links[stretch.number],
        run.steps,
        network.links[stretch.number].width,
    )
    top, cursor = task.y * link.down - link.top, 0
    first, end = max(-top, 0), min(link.rows, link.height - top)
    for step in range(steps):
        begins = stretch.starts + step
        for column in range(columns):
            run.starts[begins + (column + 1) * steps] = 0
        for row in range(first, end):
            at = (task.image * link.height + top + row) * steps + step
            for place in range(run.events_in.starts[at], run.events_in.starts[at + 1]):
                number = run.events_in.numbers[place]
                column, count = number // (2 * VALUES), number % VALUES
                run.starts[begins + (column + 1) * steps] += count % SIXTEEN + count // SIXTEEN
        run.starts[begins] = cursor
        for column in range(columns):
            count = run.starts[begins + (column + 1) * steps]
            run.starts[begins + (column + 1) * steps] = cursor
            cursor += count
        for row in range(first, end):
            at = (task.image * link.height + top + row) * steps + step
            for place in range(run.events_in.starts[at], run.events_in.starts[at + 1]):
                _place(run, link, stretch, begins, row, run.events_in.numbers[place])


@part()
def _place(run: Any, link: Any, stretch: Any, begins: int, row: int, number: int) -> None:
    """Write what event `number` in a `row` of the windows adds to where its column is listed."""
    column, polarity = number // (2 * VALUES), number // VALUES % 2
    start = begins + (column + 1) * run.steps
    event = (row * link.columns + column) * stretch.channels + polarity
    place = stretch.events + run.starts[start]
    for _ in range(number % VALUES % SIXTEEN):
        run.events[place] = event * stretch.units
        place += 1
    for _ in range(number % VALUES // SIXTEEN):
        run.events[place] = (event + 2) * stretch.units
        place += 1
    run.starts[start] = place - stretch.events
