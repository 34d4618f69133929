"""The compiled loops of the sparse engine: a layer of neurons over a run of steps.

The spikes of a layer are lists. For each row of its map, pooled if a pooling follows, and each
step there are the numbers column x channels + channel of what spiked, in ascending order. The
window of a neuron covers a stretch of each of its rows, so all it needs of a list are the
bounds of that stretch; the numbers there plus a constant are the rows of its weights. No
neuron writes where another does, and what nobody sent costs nothing.

Channels are padded to whole blocks, see `vectors`; weights are (blocks, kernel rows, kernel
columns, padded channels of the source, width of a block), the padding all zero.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numba
import numpy as np
from numpy.typing import NDArray

from snn_perception.backends.vectors import (
    MOST_EVENTS,
    copy_block,
    count_bits,
    gather_add,
    lowest_bit,
    step_neurons,
)


class SpikeLists(NamedTuple):
    """Spikes of a batch: `events` int32, in the order of images, rows, steps and numbers.

    starts: int64 (batch, rows, steps, columns + 1), where in `events` those of each column
    begin; the last entry is where those of the row end.
    """

    starts: NDArray[np.int64]
    events: NDArray[np.int32]


class Neurons(NamedTuple):
    """State of the neurons of a layer, float32, (batch, height, width, padded channels) flat.

    `filters` has the values of the synapse, one such array after the other.
    """

    filters: NDArray[np.float32]
    membrane_potential: NDArray[np.float32]
    refractory_time: NDArray[np.float32]


class Window(NamedTuple):
    """What a neuron sees of the map before it, whose padded number of channels is `inputs`."""

    rows: int
    columns: int
    stride: int
    padding: int
    inputs: int


class Layer(NamedTuple):
    """A layer as the loops need it.

    `lanes` and `orders` say the width of a block and the order of the synapse by their
    lengths; map height and width; blocks of channels; `pool`, the side of the pooling behind;
    constants as in `vectors.step_neurons`; bias and scales (padded channels,). Weights are
    float32, the bits of bfloat16, or int8 that count `scales`; `zeros` (width of a block,) is
    of the type of their sums.
    """

    lanes: tuple[int, ...]
    orders: tuple[int, ...]
    height: int
    width: int
    blocks: int
    pool: int
    window: Window
    weights: NDArray
    zeros: NDArray
    scales: NDArray[np.float32]
    bias: NDArray[np.float32]
    constants: NDArray[np.float32]


@numba.njit(nogil=True, cache=True, error_model='numpy')
def run_rows(
    layer: Any,
    steady: Any,
    source: Any,
    neurons: Any,
    fan_out: Any,
    target: Any,
    totals: Any,
    first: int,
    last: int,
) -> None:
    """Run the groups of rows from `first` to before `last` of all images' groups in a row.

    A group is the rows that are pooled into one. steady: float32 (neurons,) constant currents
    instead of spikes, or empty. neurons: `Neurons`, advanced in place. source, target:
    `SpikeLists`. fan_out: int64 (height, width), synapses of a spike in the next layer. totals:
    int64 (batch, groups, 2), set to the spikes and to what they cause there.
    """
    groups = (layer.height + layer.pool - 1) // layer.pool
    steps = target.starts.shape[2]
    masks = np.zeros((layer.pool, layer.width, steps, layer.blocks), np.uint64)
    for unit in range(first, last):
        image, group = unit // groups, unit % groups
        top = group * layer.pool
        rows = min(layer.pool, layer.height - top)
        for part in range(rows):
            _run_row(layer, steady, source, neurons, image, top + part, masks[part])
        _count_spikes(masks[:rows], fan_out[top : top + rows], totals[image, group])
        if group < target.starts.shape[1]:
            _list_spikes(layer, masks, target.starts[image, group], target.events)


@numba.njit(nogil=True, error_model='numpy')
def _run_row(
    layer: Any, steady: Any, source: Any, neurons: Any, image: int, y: int, masks: Any
) -> None:
    """The neurons of row `y`; who spiked goes to masks (width, steps, blocks)."""
    lanes, window, starts = layer.lanes, layer.window, source.starts
    size = len(lanes)
    channels = layer.blocks * size
    sums = layer.zeros.copy()
    top = y * window.stride - window.padding
    for block in range(layer.blocks):
        for x in range(layer.width):
            at = ((image * layer.height + y) * layer.width + x) * channels + block * size
            left = x * window.stride - window.padding
            begin, end = max(left, 0), min(left + window.columns, starts.shape[3] - 1)
            for step in range(masks.shape[1]):
                if steady.size:
                    copy_block(lanes, sums, steady, at)
                else:
                    copy_block(lanes, sums, layer.zeros, 0)
                if begin < end:
                    for row in range(max(-top, 0), min(window.rows, starts.shape[1] - top)):
                        event = starts[image, top + row, step, begin]
                        behind = starts[image, top + row, step, end]
                        shift = (block * window.rows + row) * window.columns - left
                        shift *= window.inputs
                        while event < behind:
                            stop = min(event + MOST_EVENTS, behind)
                            gather_add(
                                lanes, sums, layer.weights, source.events, event, stop, shift
                            )
                            event = stop
                masks[x, step, block] = step_neurons(
                    lanes,
                    layer.orders,
                    sums,
                    layer.scales,
                    layer.bias,
                    block * size,
                    layer.constants,
                    neurons.filters,
                    neurons.membrane_potential,
                    neurons.refractory_time,
                    at,
                    neurons.membrane_potential.size,
                )


@numba.njit(nogil=True, error_model='numpy')
def _count_spikes(masks: Any, fan_out: Any, totals: Any) -> None:
    """Set `totals` to the spikes in masks (rows, width, ...) and the operations they cause."""
    totals[:] = 0
    for row in range(masks.shape[0]):
        for x in range(masks.shape[1]):
            count = 0
            for step in range(masks.shape[2]):
                for block in range(masks.shape[3]):
                    count += count_bits(masks[row, x, step, block])
            totals[0] += count
            totals[1] += count * fan_out[row, x]


@numba.njit(nogil=True, error_model='numpy')
def _list_spikes(layer: Any, masks: Any, starts: Any, events: Any) -> None:
    """List the spikes in masks (pool, width, steps, blocks) as one row of the next layer's map.

    starts: (steps, columns + 1) of that row; its first entry says where the list begins.
    """
    size = len(layer.lanes)
    channels = layer.blocks * size
    columns = starts.shape[1] - 1
    cursor = starts[0, 0]
    for step in range(starts.shape[0]):
        for column in range(columns):
            starts[step, column] = cursor
            for row in range(layer.pool):
                for x in range(column * layer.pool, (column + 1) * layer.pool):
                    for block in range(layer.blocks):
                        mask = masks[row, x, step, block]
                        while mask != 0:
                            channel = block * size + lowest_bit(mask)
                            events[cursor] = column * channels + channel
                            cursor += 1
                            mask &= mask - np.uint64(1)
        starts[step, columns] = cursor


@numba.njit(nogil=True, cache=True, error_model='numpy')
def run_readout(layer: Any, source: Any, sums: Any, first: int, last: int) -> None:
    """Weighted sums (steps, batch, padded classes) of the images from `first` to before `last`.

    The window of `layer` is the whole map.
    """
    size, window, starts = len(layer.lanes), layer.window, source.starts
    for image in range(first, last):
        for step in range(sums.shape[0]):
            for block in range(layer.blocks):
                part = sums[step, image, block * size : (block + 1) * size]
                part[:] = 0
                for row in range(window.rows):
                    gather_add(
                        layer.lanes,
                        part,
                        layer.weights,
                        source.events,
                        starts[image, row, step, 0],
                        starts[image, row, step, window.columns],
                        (block * window.rows + row) * window.columns * window.inputs,
                    )
