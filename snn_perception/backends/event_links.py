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

"""The links of the sparse engine: weights of connections, as `event_memory` describes them.

A connection that leads from each channel to the same channel only (a depthwise convolution or an
identity) is a channelwise link, any other one adds rows of weights: those of all channels.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from snn_perception.backends import event_sensor
from snn_perception.backends.event_memory import LINK, OFFSETS, UNIT
from snn_perception.backends.event_sums import BIAS, LANES
from snn_perception.backends.vectors import BITS_AT_ONCE
from snn_perception.graph import EVENTS, IMAGE, Connection, Population
from snn_perception.model import Model

PRECISIONS = {'float32': 4, 'bfloat16': 2, 'int8': 1}
"""Bytes of a weight by its precision."""


class Link(NamedTuple):
    """A connection between neurons or to the readout; for its parts see `event_memory.Weights`.

    record: LINK, without where its parts begin. weights: as bytes.
    """

    record: np.void
    is_channelwise: bool
    weights: NDArray[np.uint8]
    scales: NDArray[np.float32]
    fan_out: NDArray[np.int64]


def links_of(model: Model, populations: NDArray, index: int, precision: str) -> list[Link]:
    """The links into population number `index`, channelwise ones last.

    `populations` says how its channels and those of the others are padded. Weights are as
    `precision_of` says, but those of channelwise links, which are few and are added one by one,
    stay in float32.
    """
    network = model.network
    synapse, target = network.synapse_of(index), populations[index]
    # The loops only apply a synapse's decay, so its gain goes into what it is given. A spike
    # counts 1 / dt in Hz.
    gain = (1 - synapse.decay(model.dt)) ** synapse.order / model.dt
    rows, channels = [], []
    for connection, kernel in model.connections(index):
        if connection.source == IMAGE:
            continue
        record = _geometry(connection, index, target)
        # Each position of a pooled map is a share of what it stands for.
        kernel = kernel * np.float32(gain / np.prod(connection.pooling))
        if index != len(populations) - 1 and is_channelwise(connection):
            channels.append(_channelwise(connection, record, kernel, target))
        else:
            kernel = _ungrouped(kernel, connection)
            if connection.source == EVENTS:
                kernel = np.concatenate([kernel, event_sensor.SIXTEEN * kernel], axis=2)
            size = precision_of(network.populations[index], precision)
            rows.append(_rows(connection, record, kernel, populations, size))
    return rows + channels


def precision_of(population: Population, precision: str) -> str:
    """The precision of the weights of `population`, where others have `precision`.

    The readout's stay in float32, as they are few and decide which class wins. Where the events
    of a sensor arrive there are weights and sixteen times these, too far apart for int8.
    """
    hears_events = any(each.source == EVENTS for each in population.connections)
    stays = population.is_readout or (hears_events and precision == 'int8')
    return 'float32' if stays else precision


def channels_of(source: int, populations: NDArray) -> int:
    """Channels of what comes from the `source` of a connection, padded."""
    if source == EVENTS:
        return event_sensor.CHANNELS
    return int(populations['blocks'][source] * populations['lanes'][source])


def is_channelwise(connection: Connection) -> bool:
    """Whether each channel of neurons leads to the same channel only."""
    layer = connection.convolution
    if connection.source == EVENTS:
        return False
    return layer.groups == layer.channels == connection.input_shape[2]


def _geometry(connection: Connection, index: int, target: np.void) -> np.void:
    """The record of a link through rows of weights, without what depends on their width."""
    layer, record = connection.convolution, np.zeros(1, LINK)[0]
    (record['top'], _), (record['left'], _) = layer.margins
    record['source'], record['target'] = connection.source, index
    record['target_rows'] = target['height']
    record['pool_rows'], record['pool_columns'] = connection.pooling
    record['height'], record['width'] = connection.input_shape[:2]
    record['rows'], record['columns'] = layer.kernel_size
    record['down'], record['across'] = layer.strides
    return record


def _rows(
    connection: Connection,
    record: np.void,
    kernel: NDArray[np.float32],
    populations: NDArray,
    precision: str,
) -> Link:
    """The link of `record` through the rows of `kernel`, which has no groups any more."""
    record['channels'] = channels_of(connection.source, populations)
    rows = _padded_rows(kernel, record, populations[record['target']])
    values, scales = quantise(rows, precision)
    record['units'] = PRECISIONS[precision] * rows.shape[2] // UNIT
    seen = min(int(record['rows']), int(record['height'])) * record['pool_rows']
    per_pixel = record['channels']
    if connection.source == EVENTS:
        per_pixel = event_sensor.MOST_OF_A_PIXEL
    seen *= record['width'] * record['pool_columns'] * per_pixel
    record['events_of_row'] = seen + BITS_AT_ONCE
    weights = values.view(np.uint8)
    # The next link's begin with a line of the cache.
    weights = np.pad(weights, (0, -weights.size % 64))
    return Link(record, False, weights, scales, connection.fan_out)


def _channelwise(
    connection: Connection, record: np.void, kernel: NDArray[np.float32], target: np.void
) -> Link:
    kernel = without_pooling(kernel, record)
    record['channels'], record['units'] = OFFSETS, OFFSETS * 4 // UNIT
    lanes, blocks = int(target['lanes']), int(target['blocks'])
    padded = np.zeros((*kernel.shape[:2], blocks * lanes), np.float32)
    padded[..., : kernel.shape[3]] = kernel[:, :, 0]
    weights = np.zeros((blocks, *kernel.shape[:2], OFFSETS), np.float32)
    weights[..., :lanes] = np.moveaxis(padded.reshape(*kernel.shape[:2], blocks, lanes), 2, 0)
    record['events_of_row'] = record['rows'] * record['width'] * lanes + BITS_AT_ONCE
    scales = np.ones(blocks * lanes, np.float32)
    return Link(record, True, weights.reshape(-1).view(np.uint8), scales, connection.fan_out)


def without_pooling(kernel: NDArray[np.float32], record: np.void) -> NDArray[np.float32]:
    """`kernel` with the pooling of `record` as a part of it; windows grow as much."""
    for axis, names in enumerate(
        (('pool_rows', 'height', 'rows', 'down', 'top'),
         ('pool_columns', 'width', 'columns', 'across', 'left'))
    ):  # fmt: skip
        block, *others = names
        kernel = kernel.repeat(record[block], axis)
        for name in others:
            record[name] *= record[block]
        record[block] = 1
    return kernel


def _ungrouped(kernel: NDArray[np.float32], connection: Connection) -> NDArray[np.float32]:
    """`kernel` for all inputs of each channel, with zeros for those of other groups."""
    groups = connection.convolution.groups
    if groups == 1:
        return kernel
    rows, columns, inputs, channels = kernel.shape
    whole = np.zeros((rows, columns, groups, inputs, groups, channels // groups), np.float32)
    parts = kernel.reshape(rows, columns, inputs, groups, -1)
    for group in range(groups):
        whole[:, :, group, :, group] = parts[:, :, :, group]
    return whole.reshape(rows, columns, groups * inputs, channels)


def _padded_rows(
    kernel: NDArray[np.float32], record: np.void, target: np.void
) -> NDArray[np.float32]:
    """`kernel` padded and reordered to (blocks, rows of weights, width of a block)."""
    rows, columns, inputs, channels = kernel.shape
    blocks, lanes = int(target['blocks']), int(target['lanes'])
    padded = np.zeros((rows, columns, record['channels'], blocks * lanes), np.float32)
    padded[:, :, :inputs, :channels] = kernel
    return np.moveaxis(padded.reshape(-1, blocks, lanes), 1, 0)


def quantise(rows: NDArray[np.float32], precision: str) -> tuple[NDArray, NDArray[np.float32]]:
    """Weights (blocks, rows, lanes) in `precision`, and the scale of each channel, both flat.

    bfloat16 is rounded to the nearest; int8 is scaled so that the largest weight of a channel
    becomes 127, and packed into words as `event_sums` describes.
    """
    scales = np.ones((len(rows), rows.shape[2]), np.float32)
    if precision == 'float32':
        return rows.reshape(-1), scales.reshape(-1)
    if precision == 'bfloat16':
        return _in_bfloat16(rows).reshape(-1), scales.reshape(-1)
    whole, scales = _in_int8(rows, axis=1)
    words = []
    for first in range(0, whole.shape[2], 2 * LANES):
        lower, upper = np.split(whole[..., first : first + 2 * LANES], 2, axis=2)
        words.append(256 * upper + lower + BIAS)
    return np.concatenate(words, axis=2).reshape(-1), scales.reshape(-1)


def as_precise(kernel: NDArray[np.float32], precision: str) -> NDArray[np.float32]:
    """`kernel` (rows, columns, inputs, channels) in float32, as exact as in `precision`."""
    if precision == 'float32':
        return kernel
    if precision == 'bfloat16':
        return (_in_bfloat16(kernel).astype(np.uint32) << 16).view(np.float32)
    whole, scales = _in_int8(kernel, axis=(0, 1, 2))
    return whole * scales


def _in_bfloat16(values: NDArray[np.float32]) -> NDArray[np.uint16]:
    bits = np.ascontiguousarray(values).view(np.uint32)
    rounding = np.uint32(0x7FFF) + ((bits >> 16) & 1)
    return ((bits + rounding) >> 16).astype(np.uint16)


def _in_int8(
    values: NDArray[np.float32], axis: int | tuple[int, ...]
) -> tuple[NDArray[np.int16], NDArray[np.float32]]:
    """Whole numbers up to 127, and scales: one for all `values` along `axis`."""
    largest = np.abs(values).max(axis=axis) / 127
    scales = np.where(largest > 0, largest, 1).astype(np.float32)
    return np.rint(values / np.expand_dims(scales, axis)).astype(np.int16), scales
