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

"""What arrives at a panel of pixels, for `event_turns_kernels`: sums of weighted counts.

What a panel sees is copied as floats, pixel by pixel, and multiplied with the weights of one
vector of channels after another, each of which stays in the first-level cache for the whole panel.
Each sum has an order of its own, whatever the panel: no result depends on threads or batches.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from snn_perception.backends.event_sums import LANES
from snn_perception.backends.event_turns_memory import Panel
from snn_perception.backends.event_turns_vectors import add_channelwise, add_weighted
from snn_perception.compiled import part
from snn_perception.graph import IMAGE

TILE = (0,) * 6
"""Pixels whose sums, of a vector of channels each, are in registers at once."""

PANEL = 8 * len(TILE)
"""Most pixels of a panel: so often is a vector's weights used before they make room for others."""

INPUTS = 512
"""Inputs of a pixel that are copied at a time, unless one place of the kernel has more."""


@part(inline='always')
def add_up(network: Any, memory: Any, run: Any, stage: Any, panel: Panel) -> None:
    """Write the currents of the panel's pixels to the thread's part of `run.sums`."""
    population = network.populations[stage.population]
    width, place = population.vectors * LANES, panel.thread * network.sums
    for _ in range(panel.begin, panel.end):
        for channel in range(width):
            run.sums[place + channel] = network.biases[population.bias + channel]
        place += width
    for number in range(population.link, population.link_end):
        link = network.links[number]
        if link.is_channelwise:
            _add_channels(network, memory, run, stage, panel, number)
        elif link.source == IMAGE or network.populations[link.source].turn <= stage.turn:
            _add_rows(network, memory, run, stage, panel, number)


@part(inline='always')
def _add_rows(network: Any, memory: Any, run: Any, stage: Any, panel: Panel, number: int) -> None:
    """Add what arrives through link `number`, which is not channelwise."""
    link, population = network.links[number], network.populations[stage.population]
    is_image, is_history, begin, size = link.source == IMAGE, False, panel.image * network.shown, 0
    if not is_image:
        source, steps = network.populations[link.source], stage.end - stage.first
        begin = panel.image * network.values + source.neuron
        is_history = population.is_readout and source.turn == stage.turn
        if is_history:
            size = source.height * source.width * link.channels
            begin = source.history * run.batch * run.steps
            begin += (panel.image * steps + panel.begin) * size
    taps, most = link.rows * link.columns, max(1, INPUTS // link.channels)
    for first in range(0, taps, most):
        count, at = min(most, taps - first), begin
        place = panel.thread * network.patch
        for pixel in range(panel.begin, panel.end):
            x, y = pixel % population.width, pixel // population.width
            if is_image:
                _copy_patch(run.images, at, link, run.patches, place, x, y, first, count)
            else:
                values = run.history if is_history else memory.counts
                _copy_patch(values, at, link, run.patches, place, x, y, first, count)
            place, at = place + count * link.channels, at + size
        _multiply(network, run, panel, number, population.vectors, first, count)


@part()
def _copy_patch(
    values: Any,
    at: int,
    link: Any,
    patches: Any,
    place: int,
    x: int,
    y: int,
    first: int,
    count: int,
) -> None:
    """Copy to `place` what pixel (`x`, `y`) sees at `count` places of the kernel from `first` on.

    What a pooled pixel is the mean of is summed; zeros are outside.
    """
    for tap in range(first, first + count):
        row = y * link.down - link.top + tap // link.columns
        column = x * link.across - link.left + tap % link.columns
        if 0 <= row < link.height and 0 <= column < link.width:
            for part_row in range(row * link.pool_rows, (row + 1) * link.pool_rows):
                begin = part_row * link.source_width + column * link.pool_columns
                for pixel in range(begin, begin + link.pool_columns):
                    source = at + pixel * link.channels
                    if part_row == row * link.pool_rows and pixel == begin:
                        for channel in range(link.channels):
                            patches[place + channel] = np.float32(values[source + channel])
                    else:
                        for channel in range(link.channels):
                            patches[place + channel] += np.float32(values[source + channel])
        else:
            for channel in range(link.channels):
                patches[place + channel] = 0
        place += link.channels


@part()
def _multiply(
    network: Any, run: Any, panel: Panel, number: int, vectors: int, first: int, count: int
) -> None:
    """Add to the sums of a panel its patches, times the weights of `count` places from `first`."""
    link = network.links[number]
    sums, patch = panel.thread * network.sums, panel.thread * network.patch
    width, length = vectors * LANES, count * link.channels
    taps, inputs = (1, length) if link.inputs == link.channels else (count, link.inputs)
    pixels, size = panel.end - panel.begin, link.inputs * LANES
    for vector in range(vectors):
        group = vector * LANES // link.group_channels
        begin = min(group * link.group_inputs, link.channels - link.inputs)
        weight = link.weights + (vector * link.rows * link.columns + first) * size
        place, source = sums + vector * LANES, patch + begin
        left = pixels
        while left > 1:
            # Room and zeros, or what was there before, are behind the last pixel.
            add_weighted(
                *(TILE, run.sums, place, width, run.patches, source, length),
                *(network.weights, weight, taps, link.channels, inputs),
            )
            place, source = place + len(TILE) * width, source + len(TILE) * length
            left -= len(TILE)
        if left == 1:
            add_weighted(
                *(TILE[:1], run.sums, place, width, run.patches, source, length),
                *(network.weights, weight, taps, link.channels, inputs),
            )


@part()
def _add_channels(
    network: Any, memory: Any, run: Any, stage: Any, panel: Panel, number: int
) -> None:
    """Add what arrives through a channelwise link, of any kernel but without a pooling."""
    link, population = network.links[number], network.populations[stage.population]
    width, place = population.vectors * LANES, panel.thread * network.sums
    at = panel.image * network.values + network.populations[link.source].neuron
    for pixel in range(panel.begin, panel.end):
        top = pixel // population.width * link.down - link.top
        left = pixel % population.width * link.across - link.left
        row, column = max(top, 0), max(left, 0)
        rows = max(min(top + link.rows, link.height) - row, 0)
        columns = max(min(left + link.columns, link.width) - column, 0)
        source = at + (row * link.source_width + column) * width
        weight = link.weights + ((row - top) * link.columns + column - left) * width
        for _ in range(population.vectors):
            add_channelwise(
                *(run.sums, place, memory.counts, source, link.source_width * width, width),
                *(network.weights, weight, link.columns * width, width, rows, columns),
            )
            place, source, weight = place + LANES, source + LANES, weight + LANES
