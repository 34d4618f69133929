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

"""The compiled loops of the sparse engine: all layers over a run of steps, in any threads.

The spikes of a layer are kept as lists. For each row of its map (pooled if a pooling follows)
and each step, a list holds the numbers column x channels + channel of the neurons that spiked,
in ascending order. The window of a neuron covers a stretch of columns in each of its rows, so
the bounds of that stretch are all it needs to find its events in a list; each event plus a
constant is the number of a row of weights. No two neurons write to the same place, and a neuron
that is silent costs nothing.

`event_memory` describes the memory, `event_rows` has the loop over the neurons of a row.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from snn_perception.backends.compiled import address_of, compiled, part
from snn_perception.backends.event_memory import WIDTHS, Neurons, Run, Task, Weights
from snn_perception.backends.event_rows import row_loop
from snn_perception.backends.vectors import (
    EVENTS_AT_ONCE,
    add_row_sums,
    call_loop,
    copy_events,
    count_bits,
    fetch_add,
    give_way,
    list_bits,
    look_up,
)

READOUT_LANES = (0,) * min(WIDTHS)
"""A block of the readout is as wide as this is long."""

TURNS = 1000
"""How often a waiting thread reads a counter before it yields the processor to others."""


def compile_network(
    network: Weights, neurons: Neurons, run: Run, shown: NDArray[np.float32]
) -> NDArray[np.int64]:
    """Compile or load what `network` needs; returns the `loops` to give to `run_network`.

    The other arguments are examples of those that `run_network` will be called with.
    """
    arguments = network, neurons, run, shown, Task(0, 0, 0, 0)
    kinds = tuple(numba.typeof(argument) for argument in arguments)
    widths = network.plan['lanes'][:-1].tolist()  # the readout has no neurons
    rows = [row_loop(width, network.order, network.weight_size) for width in widths]
    loops = np.array([*(address_of(row, kinds) for row in rows), 0], np.int64)
    numbers = (numba.int64,) * 3
    address_of(run_network, (numba.typeof(loops), *kinds[:-1], *numbers))
    # `loops` must only ever be called with the types that they are compiled for.
    run_network.disable_compile()
    return loops


@compiled()
def run_network(
    loops: Any,
    network: Any,
    neurons: Any,
    run: Any,
    shown: Any,
    thread: int,
    first_layer: int,
    end_layer: int,
) -> None:
    """Run the layers from `first_layer` up to, but not including, `end_layer`.

    This is thread number `thread` of `run.threads`; the others get the same arguments otherwise.
    A thread begins with its own share of the rows, as its cache may still hold their state and
    lists, and then takes rows that others have left. When this returns all work is done, no
    matter by which thread.

    loops: from `compile_network`. shown: float32, for each image the constant inputs of the
    first layer's neurons.
    """
    readout = network.plan.size - 1
    for index in range(first_layer, end_layer):
        layer = network.plan[index]
        rows = run.outputs.shape[0] * (1 if index == readout else layer.height)
        blocks = 1 if index == readout else layer.blocks
        for turn in range(run.threads):
            share = (thread + turn) % run.threads
            first = rows * share // run.threads
            length = rows * (share + 1) // run.threads - first
            while True:
                unit = fetch_add(run.progress, index * (run.threads + 1) + share, 1)
                if unit >= length * blocks:
                    break
                # One block takes all its rows before the next: its weights stay in the cache.
                block, row = unit // length, first + unit % length
                if index == readout:
                    _read_out(network, neurons, run, row)
                else:
                    task = Task(index, row // layer.height, block, row % layer.height)
                    call_loop(loops[index], network, neurons, run, shown, task)
                    _finish_row(network, run, task)
                fetch_add(run.progress, index * (run.threads + 1) + run.threads, 1)
        _wait(run, index, rows * blocks)


@part()
def _wait(run: Any, index: int, units: int) -> None:
    """Return once `units` rows of blocks of layer number `index` are done."""
    turns = 0
    while fetch_add(run.progress, index * (run.threads + 1) + run.threads, 0) < units:
        turns += 1
        if turns > TURNS:
            give_way()


@part()
def _finish_row(network: Any, run: Any, task: Task) -> None:
    """Count the spikes of `task`; if it completes its group of rows, list that group's spikes."""
    layer, steps = network.plan[task.layer], run.steps
    batch, layers = run.outputs.shape[0], network.plan.size
    masks = task.image * (run.masks.size // batch)
    fan_out = layer.position + task.y * layer.width
    spikes = operations = 0
    for step in range(steps):
        row = (task.y * steps + step) * layer.width
        for x in range(layer.width):
            mask = look_up(run.masks, masks + (row + x) * layer.blocks + task.block)
            count = count_bits(mask)
            spikes += count
            operations += count * look_up(network.fan_out, fan_out + x)
    at = task.image * layers + task.layer
    fetch_add(run.counts, at, spikes)
    fetch_add(run.counts, batch * layers + at + 1, operations)

    group = task.y // layer.pool
    shared = layers * (run.threads + 1)
    groups = shared + task.image * ((run.progress.size - shared) // batch)
    done = fetch_add(run.progress, groups + layer.group + group, 1) + 1
    # Rows that the pooling cuts off never complete a group.
    if done == layer.pool * layer.blocks:
        _list_spikes(layer, run, masks, task.image, group)


@part()
def _list_spikes(layer: Any, run: Any, masks: int, image: int, group: int) -> None:
    """List the spikes of a group of rows as one row of the next layer's input.

    masks: where those of the image begin in `run.masks`.
    """
    steps, width, blocks, lanes = run.steps, layer.width, layer.blocks, layer.lanes
    pool, columns = layer.pool, width // layer.pool
    batch = run.outputs.shape[0]
    starts = image * (run.starts.size // batch) + layer.list_start * steps
    starts += group * (columns + 1) * steps
    cursor = image * (run.events.size // batch) + layer.list_events * steps
    cursor += group * steps * columns * pool * pool * blocks * lanes
    for step in range(steps):
        for column in range(columns):
            run.starts[starts + column * steps + step] = cursor
            for row in range(group * pool, (group + 1) * pool):
                for x in range(column * pool, (column + 1) * pool):
                    at = masks + ((row * steps + step) * width + x) * blocks
                    for block in range(blocks):
                        first, mask = (column * blocks + block) * lanes, look_up(run.masks, at)
                        cursor = list_bits(run.events, cursor, mask, first)
                        at += 1
        run.starts[starts + columns * steps + step] = cursor


@part()
def _read_out(network: Any, neurons: Any, run: Any, image: int) -> None:
    """Write the readout's outputs for image number `image`; its window is the whole map."""
    layers = network.plan.size
    layer, source, steps = network.plan[layers - 1], network.plan[layers - 2], run.steps
    columns, classes = source.width // source.pool, run.outputs.shape[2]
    starts = image * (run.starts.size // run.outputs.shape[0]) + source.list_start * steps
    rows = np.empty(layer.most_events + EVENTS_AT_ONCE, np.int32)
    for step in range(steps):
        output = run.outputs[image, step]
        for place in range(classes):  # assigning a slice would take seconds longer to compile
            output[place] = network.inputs[layer.channel + place]
        for block in range(layer.blocks):
            for row in range(layer.rows):
                bound = starts + row * (columns + 1) * steps + step
                event, end = run.starts[bound], run.starts[bound + columns * steps]
                shift = (block * layer.rows + row) * layer.columns * layer.channels
                for place in range(event, end, EVENTS_AT_ONCE):
                    copy_events(rows, place - event, run.events, place, shift)
                at = block * len(READOUT_LANES)
                add_row_sums(READOUT_LANES, output, at, network.read_weights, rows, end - event)
        _filter_output(network, neurons, output, image * classes)


@part()
def _filter_output(network: Any, neurons: Any, output: Any, at: int) -> None:
    """Pass `output` through the readout's synapse; its first filters are at `at`."""
    decay = network.decays[network.plan.size - 1]
    for _ in range(network.read_order):
        for place in range(output.size):
            value = neurons.read_filters[at + place] * decay + output[place]
            neurons.read_filters[at + place] = value
            output[place] = value
        at += neurons.read_filters.size // network.read_order
