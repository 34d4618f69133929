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

"""Puts a model whose layers take turns into memory, as `event_turns_memory` describes it."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from snn_perception.backends.event_layout import aligned, before
from snn_perception.backends.event_links import as_precise, is_channelwise, without_pooling
from snn_perception.backends.event_sums import LANES
from snn_perception.backends.event_turns_currents import INPUTS, PANEL, TILE
from snn_perception.backends.event_turns_memory import LINK, POPULATION, Network
from snn_perception.graph import IMAGE, Connection
from snn_perception.model import Model
from snn_perception.turns import thresholds

LONGEST_WINDOW = np.iinfo(np.uint8).max
"""Steps of a window: a neuron may fire in each of them, and its count is a byte."""


def arrange_turns(model: Model, precision: str) -> Network:
    """`model` as the loops need it, with weights rounded to `precision`.

    As in `event_links`, weights to the readout and those of channelwise links are not rounded.
    Raises ValueError for a firing window of too many steps.
    """
    window = model.window_steps
    if window > LONGEST_WINDOW:
        raise ValueError(
            f'backend event runs firing windows of at most {LONGEST_WINDOW} steps, and that of '
            f'model {model.name} has {window}; use a longer dt, or backend torch'
        )
    populations, links = _populations(model), []
    for index in range(len(populations)):
        for connection, kernel in model.connections(index):
            links.append(_link(model, index, connection, kernel, precision))
    records = np.array([record for record, _, _ in links], LINK)
    weights, fan_outs = ([link[part].reshape(-1) for link in links] for part in (1, 2))
    for name, parts in (('weights', weights), ('fan_out', fan_outs)):
        records[name] = before(np.array([part.size for part in parts]))
    indices = np.arange(len(populations))
    for name, values in (('link', records['target']), ('reader', np.sort(records['source']))):
        populations[name] = np.searchsorted(values, indices)
        populations[f'{name}_end'] = np.searchsorted(values, indices, 'right')
    room = PANEL + len(TILE)  # the last tile may stick out
    neurons = _padded_neurons(populations)
    return Network(
        window=window,
        populations=populations,
        links=records,
        readers=np.argsort(records['source'], kind='stable'),
        weights=aligned(weights),
        biases=aligned([_padded(each.bias) for each in model.weights]),
        fan_out=np.concatenate(fan_outs),
        thresholds=_thresholds(model),
        values=int(neurons.sum()),
        heard=int(neurons[populations['history'] >= 0].sum()),
        shown=math.prod(model.network.input_shape),
        patch=room * int(np.maximum(records['channels'], INPUTS).max()),
        sums=room * int(populations['vectors'].max()) * LANES,
    )


def _populations(model: Model) -> NDArray:
    """The entries of POPULATION, without their links."""
    network = model.network
    entries = np.zeros(len(network.populations), POPULATION)
    for population, entry in zip(network.populations, entries, strict=True):
        entry['height'], entry['width'], entry['channels'] = population.output_shape
        entry['is_readout'] = population.is_readout
    entries['vectors'] = -(-entries['channels'] // LANES)
    entries['turn'] = network.turns
    entries['bias'] = before(entries['vectors'] * LANES)
    neurons = _padded_neurons(entries)
    entries['neuron'] = before(neurons)
    heard = {connection.source for connection in network.populations[-1].connections} - {IMAGE}
    is_heard = np.isin(np.arange(len(entries)), list(heard))
    entries['history'] = np.where(is_heard, before(neurons * is_heard), -1)
    return entries


def _padded_neurons(populations: NDArray) -> NDArray[np.int64]:
    """The numbers of neurons in vectors of `populations`, the readout has none."""
    sizes = populations['height'] * populations['width'] * populations['vectors'] * LANES
    return np.where(populations['is_readout'], 0, sizes)


def _thresholds(model: Model) -> NDArray[np.float32]:
    """`Network.thresholds`: the smallest float32 that reach those in float64."""
    window = model.window_steps
    table = np.full((window + 1, window + 1), np.nan, np.float32)
    for steps in range(1, window + 1):
        exact = thresholds(model.network.neuron, steps, model.dt)
        with np.errstate(over='ignore'):
            rounded = exact.astype(np.float32)
        rounded = np.where(rounded < exact, np.nextafter(rounded, np.float32(np.inf)), rounded)
        table[steps, :steps] = np.where(np.isfinite(rounded), rounded, np.nan)
    return table.reshape(-1)


def _link(
    model: Model, index: int, connection: Connection, kernel: NDArray[np.float32], precision: str
) -> tuple[np.void, NDArray[np.float32], NDArray[np.int64]]:
    """The record of a connection into population `index`, its weights, its fan-out."""
    layer, record = connection.convolution, np.zeros(1, LINK)[0]
    record['source'], record['target'] = connection.source, index
    _, record['source_width'], inputs = connection.source_shape
    record['channels'] = inputs if connection.source == IMAGE else inputs + -inputs % LANES
    record['pool_rows'], record['pool_columns'] = connection.pooling
    record['height'], record['width'] = connection.input_shape[:2]
    record['rows'], record['columns'] = layer.kernel_size
    record['down'], record['across'] = layer.strides
    (record['top'], _), (record['left'], _) = layer.margins
    record['group_channels'] = layer.channels // layer.groups
    record['group_inputs'] = connection.input_shape[2] // layer.groups
    is_readout = model.network.populations[index].is_readout
    if is_readout:
        record['down'] = 0  # its pixels are steps, and all of them see the whole map
    if connection.source == IMAGE:
        return record, _in_vectors(kernel, record), connection.fan_out
    # Sums are of spikes, and means of pixels.
    share = 1 / (model.network.firing_window * math.prod(connection.pooling))
    if is_channelwise(connection) and not is_readout:
        record['is_channelwise'] = True
        kernel = without_pooling(kernel * np.float32(share), record)
        return record, _padded(kernel), connection.fan_out
    if not is_readout:
        kernel = as_precise(kernel, precision)
    return record, _in_vectors(kernel * np.float32(share), record), connection.fan_out


def _in_vectors(kernel: NDArray[np.float32], record: np.void) -> NDArray[np.float32]:
    """`kernel` as (vectors, rows, columns, inputs, LANES); notes in `record` how many inputs."""
    *size, inputs, channels = kernel.shape
    numbers = np.arange(channels)
    groups = numbers // record['group_channels']
    firsts = groups[::LANES] * inputs
    lasts = np.append(groups[LANES - 1 :: LANES], groups[-1])[: len(firsts)]
    record['inputs'] = ((lasts + 1) * inputs - firsts).max()
    if groups[-1] == 0:
        record['inputs'] = record['channels']
    firsts = np.minimum(firsts, record['channels'] - record['inputs'])
    weights = np.zeros((len(firsts), *size, record['inputs'], LANES), np.float32)
    vectors, lanes = numbers // LANES, numbers % LANES
    own = (groups * inputs - firsts[vectors])[:, None] + np.arange(inputs)
    values = np.moveaxis(kernel, (3, 2), (0, 1))
    weights[vectors[:, None], :, :, own, lanes[:, None]] = values
    return weights


def _padded(values: NDArray[np.float32]) -> NDArray[np.float32]:
    """`values`, of channels, with zeros that fill up the last vector of channels."""
    missing = -values.shape[-1] % LANES
    return np.pad(values, [(0, 0)] * (values.ndim - 1) + [(0, missing)])
