"""The compiled loops of the sparse engine: all layers over a run of steps, in any threads.

The spikes of a layer are lists. For each row of its map, pooled if a pooling follows, and each
step there are the numbers column x channels + channel of what spiked, in ascending order. The
window of a neuron covers a stretch of each of its rows, so all it needs of a list are the
bounds of that stretch; the numbers there plus a constant are the rows of its weights. No
neuron writes where another does, and what nobody sent costs nothing.

Channels are padded to whole blocks, see `vectors`; weights of a layer are (blocks, kernel rows,
kernel columns, padded channels of the source, width of a block), the padding all zero. Arrays
have one dimension, and what belongs to a layer begins where its entry in the plan says: so one
compilation serves every network.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from snn_perception.backends.vectors import (
    EVENTS_AT_ONCE,
    add_row_sums,
    copy_events,
    count_bits,
    fetch_add,
    give_way,
    list_bits,
    look_up,
    step_neurons,
)

SOURCES = '77d0a7602fcf3176'
"""Digest of lanes.py and vectors.py, whose code goes into what is compiled here: numba takes
compiled code from its cache as long as this file is the same. A test knows the right one."""

PLAN = np.dtype(
    [
        (name, np.int64)
        for name in (
            # The map: its size, blocks of channels, their width, the pooling behind.
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

LANES_64, LANES_32, LANES_16 = ((0,) * width for width in WIDTHS)

TURNS = 1000
"""Looks at a counter before the processor is offered to others."""

Task = tuple[int, int, int, int]
"""What a thread takes at a time: index of a layer, an image, a block of channels, a row y."""


class Weights(NamedTuple):
    """The network. `orders` says the order of the synapses by its length.

    Of each padded channel: `scales` that int8 weights count, and `inputs`, a constant part of
    the input. fan_out: int64, synapses of a spike in the next layer, for each position.
    constants: float32 (layers, 3) as in `vectors.step_neurons`. The readout's `read_weights`
    are float32, and `read_orders` says the order of its synapse.
    """

    orders: tuple[int, ...]
    read_orders: tuple[int, ...]
    plan: NDArray
    weights: NDArray
    read_weights: NDArray[np.float32]
    scales: NDArray[np.float32]
    inputs: NDArray[np.float32]
    fan_out: NDArray[np.int64]
    constants: NDArray[np.float32]


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
    behind them, of each image how many are done of each group. outputs: float32 (batch, steps,
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


@numba.njit(nogil=True, cache=True, error_model='numpy')
def run_network(
    network: Any,
    neurons: Any,
    run: Any,
    shown: Any,
    thread: int,
    first_layer: int,
    last_layer: int,
) -> None:
    """Run layers as thread number `thread` of `run.threads` with the same other arguments.

    These are the layers from the first to before the last. shown: float32, the constant inputs
    of the first layer's neurons, of each image. A thread begins with its own share of the rows,
    whose state and lists its cache may still have, and goes on with what others have left. When
    this returns all work is done, whoever did it.
    """
    batch, layers, threads = run.outputs.shape[0], network.plan.size, run.threads
    for index in range(first_layer, last_layer):
        layer = network.plan[index]
        is_readout = index == layers - 1
        rows = batch if is_readout else batch * layer.height
        blocks = 1 if is_readout else layer.blocks
        counters = index * (threads + 1)
        for turn in range(threads):
            share = (thread + turn) % threads
            first, behind = rows * share // threads, rows * (share + 1) // threads
            while True:
                unit = fetch_add(run.progress, counters + share, 1)
                if unit >= (behind - first) * blocks:
                    break
                # All rows of one block before the next, so that its weights stay in the cache.
                block, row = unit // (behind - first), first + unit % (behind - first)
                if is_readout:
                    _read_out(network, neurons, run, row)
                else:
                    task = (index, row // layer.height, block, row % layer.height)
                    _run_row(network, neurons, run, shown, task)
                    _finish_row(network, run, task)
                fetch_add(run.progress, counters + threads, 1)
        turns = 0
        while fetch_add(run.progress, counters + threads, 0) < rows * blocks:
            turns += 1
            if turns > TURNS:
                give_way()


@numba.njit(nogil=True, error_model='numpy')
def _run_row(network: Any, neurons: Any, run: Any, shown: Any, task: Task) -> None:
    """The neurons of `task` through all steps."""
    lanes = network.plan[task[0]].lanes
    if lanes == WIDTHS[0]:
        _run_blocks(LANES_64, network, neurons, run, shown, task)
    elif lanes == WIDTHS[1]:
        _run_blocks(LANES_32, network, neurons, run, shown, task)
    else:
        _run_blocks(LANES_16, network, neurons, run, shown, task)


@numba.njit(nogil=True, error_model='numpy')
def _run_blocks(lanes: Any, network: Any, neurons: Any, run: Any, shown: Any, task: Task) -> None:
    """`_run_row` for blocks as wide as `lanes`."""
    index, image, block, y = task
    size, steps, layer = len(lanes), run.steps, network.plan[index]
    batch, width, blocks = run.outputs.shape[0], layer.width, layer.blocks
    channel, channels = layer.channel + block * size, layer.channels
    constants, weights = network.constants[index], network.weights[layer.weights :]
    neuron = image * (neurons.potentials.size // batch) + layer.neuron
    mask = image * (run.masks.size // batch) + y * steps * width * blocks + block
    is_first = index == 0
    inputs = shown if is_first else network.inputs

    source = network.plan[max(index - 1, 0)]
    source_rows, source_columns = source.height // source.pool, source.width // source.pool
    top = y * layer.stride - layer.padding
    first_row, behind_row = max(-top, 0), min(layer.rows, source_rows - top)
    # From a row of the lists to the next, and of the window.
    down, kernel_row = (source_columns + 1) * steps, layer.columns * channels
    starts = image * (run.starts.size // batch) + source.list_start * steps
    starts += (top + first_row) * down
    rows = np.empty(layer.most_events + EVENTS_AT_ONCE, np.int32)
    for x in range(width):
        place = ((y * width + x) * blocks + block) * size
        inputs_at = image * (shown.size // batch) + place if is_first else channel
        left = x * layer.stride - layer.padding
        begin, end = max(left, 0), min(left + layer.columns, source_columns)
        behind = behind_row if begin < end else first_row
        across = (end - begin) * steps
        for step in range(steps):
            count, bound = 0, starts + begin * steps + step
            shift = (block * layer.rows + first_row) * kernel_row - left * channels
            for _ in range(first_row, behind):
                event, last = look_up(run.starts, bound), look_up(run.starts, bound + across)
                for part in range(event, last, EVENTS_AT_ONCE):
                    copy_events(rows, count + part - event, run.events, part, shift)
                count += last - event
                bound += down
                shift += kernel_row
            run.masks[mask + (step * width + x) * blocks] = step_neurons(
                lanes,
                network.orders,
                inputs,
                inputs_at,
                weights,
                rows,
                count,
                network.scales,
                channel,
                constants,
                neurons.filters,
                neurons.potentials,
                neurons.refractoriness,
                neuron + place,
                neurons.potentials.size,
            )


@numba.njit(nogil=True, error_model='numpy')
def _finish_row(network: Any, run: Any, task: Task) -> None:
    """Count the spikes of `task`; list those of its group if it is the last of it."""
    index, image, block, y = task
    layer, steps = network.plan[index], run.steps
    batch, layers = run.outputs.shape[0], network.plan.size
    masks = run.masks[image * (run.masks.size // batch) :]
    fan_out = network.fan_out[layer.position + y * layer.width :]
    spikes = operations = 0
    for step in range(steps):
        for x in range(layer.width):
            row = (y * steps + step) * layer.width
            count = count_bits(look_up(masks, (row + x) * layer.blocks + block))
            spikes += count
            operations += count * look_up(fan_out, x)
    at = image * layers + index
    fetch_add(run.counts, at, spikes)
    fetch_add(run.counts, batch * layers + at + 1, operations)

    group = y // layer.pool
    shared = layers * (run.threads + 1)
    groups = run.progress[shared + image * ((run.progress.size - shared) // batch) :]
    done = fetch_add(groups, layer.group + group, 1) + 1
    # Rows that the pooling cuts off never make a whole group.
    if done == layer.pool * layer.blocks:
        _list_spikes(network, run, masks, index, image, group)


@numba.njit(nogil=True, error_model='numpy')
def _list_spikes(network: Any, run: Any, masks: Any, index: int, image: int, group: int) -> None:
    """List the spikes of a group of rows as one row of the next layer's input."""
    layer, steps = network.plan[index], run.steps
    width, blocks, lanes, pool = layer.width, layer.blocks, layer.lanes, layer.pool
    columns, batch = width // pool, run.outputs.shape[0]
    starts = image * (run.starts.size // batch) + layer.list_start * steps
    starts += group * (columns + 1) * steps
    cursor = image * (run.events.size // batch) + layer.list_events * steps
    cursor += group * steps * columns * pool * pool * blocks * lanes
    for step in range(steps):
        for column in range(columns):
            run.starts[starts + column * steps + step] = cursor
            for row in range(group * pool, (group + 1) * pool):
                for x in range(column * pool, (column + 1) * pool):
                    at = ((row * steps + step) * width + x) * blocks
                    for block in range(blocks):
                        first = (column * blocks + block) * lanes
                        cursor = list_bits(run.events, cursor, look_up(masks, at + block), first)
        run.starts[starts + columns * steps + step] = cursor


@numba.njit(nogil=True, error_model='numpy')
def _read_out(network: Any, neurons: Any, run: Any, image: int) -> None:
    """Outputs of the readout for `image`, whose window is the whole map."""
    layers = network.plan.size
    layer, source, steps = network.plan[layers - 1], network.plan[layers - 2], run.steps
    columns, size = source.width // source.pool, len(LANES_16)
    batch, classes = run.outputs.shape[0], run.outputs.shape[2]
    starts = image * (run.starts.size // batch) + source.list_start * steps
    rows = np.empty(layer.most_events + EVENTS_AT_ONCE, np.int32)
    decay = network.constants[layers - 1, 0]
    for step in range(steps):
        output = run.outputs[image, step]
        output[:] = network.inputs[layer.channel : layer.channel + classes]
        for block in range(layer.blocks):
            for row in range(layer.rows):
                bound = starts + row * (columns + 1) * steps + step
                event, last = run.starts[bound], run.starts[bound + columns * steps]
                shift = (block * layer.rows + row) * layer.columns * layer.channels
                for part in range(event, last, EVENTS_AT_ONCE):
                    copy_events(rows, part - event, run.events, part, shift)
                add_row_sums(
                    LANES_16, output, block * size, network.read_weights, rows, last - event
                )
        for order in range(len(network.read_orders)):
            for place in range(classes):
                at = (order * batch + image) * classes + place
                value = neurons.read_filters[at] * decay + output[place]
                neurons.read_filters[at] = value
                output[place] = value
