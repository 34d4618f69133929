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

"""The compiled loops of the sparse engine: all populations over a run of steps, in any threads.

Populations run one after the other, each through all steps. First the spikes that a population
hears are listed, row by row, then its neurons advance, a row of a block of channels at a time.
No two neurons write to the same place, and a neuron that is silent costs nothing to those that
hear it.

`event_memory` describes the memory, `event_lists` the lists, and `event_rows` has the loop over
the neurons of a row.
"""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
from numpy.typing import NDArray

from snn_perception.backends.event_lists import IN_A_WORD, all_bits, list_spikes, mask_of
from snn_perception.backends.event_memory import UNIT, Neurons, Run, Shape, Task, Weights
from snn_perception.backends.event_pixels import add_up
from snn_perception.backends.event_rows import open_windows, places_of, row_loop
from snn_perception.backends.event_shares import take, wait
from snn_perception.backends.event_sums import LANES
from snn_perception.backends.vectors import (
    call_loop,
    count_bits,
    fetch_add,
    fetch_ahead,
    word_at,
)
from snn_perception.compiled import address_of, compiled, part

READOUT = Shape.of(1, 4, 0, 0, 0)
"""A block of the readout is a vector, and its weights are float32."""


def compile_network(
    network: Weights, neurons: Neurons, run: Run, shown: NDArray[np.float32]
) -> NDArray[np.int64]:
    """Compile or load what `network` needs; returns the `loops` to give to `run_network`.

    The other arguments are examples of those that `run_network` will be called with.
    """
    arguments = network, neurons, run, shown, Task(0, 0, 0, 0, 0)
    kinds = tuple(numba.typeof(argument) for argument in arguments)
    hidden = range(len(network.populations) - 1)
    rows = [row_loop(*map(len, shape_of(network, index))) for index in hidden]
    loops = np.array([address_of(loop, kinds) for loop in (*rows, read_out, list_spikes)])
    numbers = (numba.int64,) * 3
    address_of(run_network, (numba.typeof(loops), *kinds[:-1], *numbers))
    # `loops` must only ever be called with the types that they are compiled for.
    run_network.disable_compile()
    return loops


def shape_of(network: Weights, index: int) -> Shape:
    """What the loop over a row of population number `index` is compiled for."""
    population = network.populations[index]
    hears = population['link'] < population['link_end']
    spikes = (int(population['weight_size']), network.order) if hears else (0, 0)
    vectors = int(population['lanes']) // LANES
    return Shape.of(vectors, *spikes, network.kind, network.constants.size)


@compiled(_nrt=False)
def run_network(
    loops: Any,
    network: Any,
    neurons: Any,
    run: Any,
    shown: Any,
    thread: int,
    first: int,
    end: int,
) -> None:
    """Run the populations from number `first` up to, but not including, `end`.

    This is thread number `thread` of `run.threads`; the others get the same arguments otherwise.
    A thread begins with its own share of a population, whose weights and state its cache may
    still have, and then takes what others have left. When this returns all work is done, no
    matter by which thread.

    loops: from `compile_network`. shown: float32, for each image and each population that sees
    it (height, width, padded channels), the constant inputs of the neurons.
    """
    for index in range(first, end):
        population = network.populations[index]
        rows = run.batch * population.height
        _list_spikess(loops, network, neurons, run, shown, thread, index)
        units, fetched = rows * population.blocks, -1
        for turn in range(run.threads):
            share = (thread + turn) % run.threads
            while True:
                # One block takes all its rows before the next: its weights stay in the cache.
                unit = take(run, _counter(run, index, run.threads + share), share, units)
                if unit < 0:
                    break
                block, row = unit // rows, unit % rows
                if block != fetched:
                    _fetch_weights(network, index, block)
                    fetched = block
                if population.link < population.list_end:
                    wait(run, _flag(network, run, index, row), 1)
                task = Task(
                    thread, index, row // population.height, block, row % population.height
                )
                if population.list_end < population.link_end:
                    call_loop(loops[loops.size - 1], network, neurons, run, shown, task)
                call_loop(loops[index], network, neurons, run, shown, task)
                if index < network.populations.size - 1:
                    _count(network, run, task)
                fetch_add(run.progress, _counter(run, index, 2 * run.threads), 1)
        wait(run, _counter(run, index, 2 * run.threads), units)


@part()
def _fetch_weights(network: Any, index: int, block: int) -> None:
    """Bring the weights of a block nearer, in order, which is faster than as they are needed."""
    population = network.populations[index]
    for number in range(population.link, population.list_end):
        link = network.links[number]
        length = link.rows * link.columns * link.channels * link.units
        fetch_ahead(network.weights, UNIT * (link.weights + block * length), UNIT * length)


@part()
def _counter(run: Any, index: int, number: int) -> int:
    """Where in `run.progress` a counter of population number `index` is."""
    return index * (2 * run.threads + 1) + number


@part()
def _flag(network: Any, run: Any, index: int, row: int) -> int:
    """Where it says whether `row`, of all images, of population number `index` has its lists."""
    population = network.populations[index]
    first = _counter(run, network.populations.size, 0)
    return first + run.batch * population.row + row


@part()
def _list_spikess(
    loops: Any, network: Any, neurons: Any, run: Any, shown: Any, thread: int, index: int
) -> None:
    """List the spikes that population number `index` hears, as far as no other thread does."""
    population = network.populations[index]
    if population.link == population.list_end:
        return
    rows = run.batch * population.height
    for turn in range(run.threads):
        share = (thread + turn) % run.threads
        while True:
            row = take(run, _counter(run, index, share), share, rows)
            if row < 0:
                break
            task = Task(thread, index, row // population.height, -1, row % population.height)
            call_loop(loops[loops.size - 1], network, neurons, run, shown, task)
            fetch_add(run.progress, _flag(network, run, index, row), 1)


@part()
def _count(network: Any, run: Any, task: Task) -> None:
    """Count the spikes of `task`, and the synaptic operations that they cause."""
    population = network.populations[task.population]
    vectors = population.lanes // LANES
    valid = all_bits() >> np.uint64(LANES * (IN_A_WORD - vectors))
    masks = mask_of(network, run, task.population, task.image, task.y) + task.block * vectors
    at, populations = task.image * network.populations.size, network.populations.size
    spikes = 0
    for x in range(population.width):
        count = 0
        for step in range(run.steps):
            place = masks + (step * population.width + x) * population.vectors
            count += count_bits(word_at(run.masks, place, valid))
        spikes += count
        for reader in range(population.reader, population.reader_end):
            link = network.links[network.readers[reader]]
            fan_out = network.fan_out[link.fan_out + task.y * population.width + x]
            fetch_add(run.counts, run.batch * populations + at + link.target, count * fan_out)
    fetch_add(run.counts, at + task.population, spikes)


@compiled(no_cpython_wrapper=True, _nrt=False)  # see `list_spikes`
def read_out(network: Any, neurons: Any, run: Any, shown: Any, task: Any) -> None:
    """Write a block of the readout's outputs for an image."""
    population = network.populations[-1]
    channels = population.blocks * LANES
    open_windows(network, run, task, 0)
    places = places_of(network, run, shown, task, 0)
    inputs = shown if population.shown >= 0 else network.inputs
    orders = neurons.read_filters.size // max(network.read_order, 1)
    output = task.image * run.steps * channels + task.block * LANES
    for step in range(run.steps):
        add_up(READOUT, network, run, places, step)
        for lane in range(LANES):
            value = run.sums[places.sums + lane]
            place = task.image * channels + task.block * LANES + lane
            for _ in range(network.read_order):
                value += neurons.read_filters[place] * network.read_decay
                neurons.read_filters[place] = value
                place += orders
            run.outputs[output + lane] = value + inputs[places.inputs + lane]
        output += channels
