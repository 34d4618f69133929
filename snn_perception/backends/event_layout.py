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

"""A model in the memory of the sparse engine, arranged as `event_memory` describes."""

from __future__ import annotations

import math
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from snn_perception.backends.event_memory import PLAN, WIDTHS, Weights
from snn_perception.graph import Population
from snn_perception.model import Model
from snn_perception.network import Network
from snn_perception.neurons import as_lif

PRECISIONS = ('float32', 'bfloat16', 'int8')

COST_OF_A_BLOCK = 64
"""What a block costs beyond its channels (latency, lists, branches), in channels."""

CACHE_LINE = 64
"""Bytes."""


def arrange(model: Model, precision: str) -> Weights:
    """`model` as the loops need it, with weights in `precision`, one of PRECISIONS.

    The readout's weights stay in float32: they are few, and they decide which class wins.
    """
    network, dt = model.network, model.dt
    plan = make_plan(network)
    rows, scales, inputs, decays = [], [], [], []
    for index, (stage, layer) in enumerate(zip(network.populations, plan, strict=True)):
        synapse, weights = network.synapse_of(index), model.weights[index]
        decays.append(synapse.decay(dt))
        # The loops only apply a synapse's decay, so its gain goes into what it is given.
        gain = (1 - decays[-1]) ** synapse.order
        inputs.append(_pad_channels(weights.bias * np.float32(gain), layer))
        if index:
            # A spike counts 1 / dt in Hz, and in a pooled map a share of that.
            scale = gain / (dt * _pool_size(stage) ** 2)
            ((_, kernel),) = model.connections(index)
            padded = _pad_rows(kernel * np.float32(scale), layer)
            rows.append(_quantise(padded, 'float32' if stage.is_readout else precision))
        scales.append(rows[-1][1] if index else np.ones_like(inputs[-1]))
    neuron = as_lif(network.neuron, 'backend event')
    between = aligned([values for values, _ in rows[:-1]] or [np.zeros(0, np.float32)])
    return Weights(
        order=network.synapse.order,
        read_order=network.readout_synapse.order,
        weight_size=between.itemsize,
        plan=plan,
        weights=between.view(np.uint8),
        read_weights=aligned([rows[-1][0]]),
        scales=aligned(scales),
        inputs=aligned(inputs),
        fan_out=np.concatenate(
            [stage.connections[0].fan_out.reshape(-1) for stage in network.populations[1:]]
        ),
        decays=np.array(decays, np.float32),
        leak=np.float32(math.exp(-dt / neuron.tau_rc)),
        longest=np.float32(math.exp((neuron.tau_ref - dt) / neuron.tau_rc)),
    )


def make_plan(network: Network) -> NDArray:
    """The entries of PLAN for the weighted layers of `network`, one after another in memory."""
    plan = np.zeros(len(network.populations), PLAN)
    channels = 0
    for index, (stage, layer) in enumerate(zip(network.populations, plan, strict=True)):
        layer['height'], layer['width'], layer['blocks'] = stage.output_shape
        cost = partial(_cost, stage.output_shape[2])
        layer['lanes'] = min(WIDTHS) if stage.is_readout else min(WIDTHS, key=cost)
        layer['blocks'] = math.ceil(stage.output_shape[2] / layer['lanes'])
        layer['pool'] = 1 if stage.is_readout else _pool_size(network.populations[index + 1])
        if index:
            _set_window(layer, stage, channels)
        channels = layer['blocks'] * layer['lanes']
    sizes = Sizes.of(plan)
    for name, values in sizes._asdict().items():
        plan[name] = np.cumsum(values) - values
    return plan


class Sizes(NamedTuple):
    """How many values each layer has in memory, int64 (layers,) each.

    Of starts and events it is the number for one image and one step.
    """

    weights: NDArray[np.int64]
    channel: NDArray[np.int64]
    neuron: NDArray[np.int64]
    position: NDArray[np.int64]
    group: NDArray[np.int64]
    list_start: NDArray[np.int64]
    list_events: NDArray[np.int64]

    @classmethod
    def of(cls, plan: NDArray) -> Sizes:
        """The sizes of the layers of `plan`, under the names of where they begin there."""
        channels = plan['blocks'] * plan['lanes']
        positions, pool = plan['height'] * plan['width'], plan['pool']
        rows, columns = plan['height'] // pool, plan['width'] // pool
        return cls(
            weights=plan['rows'] * plan['columns'] * plan['channels'] * channels,
            channel=channels,
            neuron=positions * channels,
            position=positions,
            group=-(-plan['height'] // pool),
            list_start=rows * (columns + 1),
            list_events=rows * columns * pool**2 * channels,
        )


def _set_window(layer: np.void, stage: Population, channels: int) -> None:
    """Set what a neuron of `layer` sees of the previous map, with so many padded `channels`."""
    convolution = stage.connections[0].convolution
    layer['rows'], layer['columns'] = convolution.kernel_size
    layer['stride'], layer['padding'] = convolution.strides[0], convolution.margins[0][0]
    layer['channels'] = channels
    layer['most_events'] = layer['rows'] * layer['columns'] * channels * _pool_size(stage) ** 2


def _cost(channels: int, width: int) -> int:
    """The cost of `channels` channels in blocks of `width`, in channels."""
    return math.ceil(channels / width) * (width + COST_OF_A_BLOCK)


def _pool_size(stage: Population) -> int:
    """The side of the poolings before `stage`, taken together as one."""
    return stage.connections[0].pooling[0]


def _pad_channels(values: NDArray[np.float32], layer: np.void) -> NDArray[np.float32]:
    """`values` (channels,), followed by zeros that fill up the last block."""
    padded = np.zeros(layer['blocks'] * layer['lanes'], np.float32)
    padded[: values.size] = values
    return padded


def _pad_rows(kernel: NDArray[np.float32], layer: np.void) -> NDArray[np.float32]:
    """`kernel` padded and reordered to (blocks, rows of weights, width of a block)."""
    kernel = kernel.reshape(layer['rows'], layer['columns'], -1, kernel.shape[-1])
    _, _, inputs, channels = kernel.shape
    blocks, lanes = layer['blocks'], layer['lanes']
    padded = np.zeros((*kernel.shape[:2], layer['channels'], blocks * lanes), np.float32)
    padded[:, :, :inputs, :channels] = kernel
    rows = padded.reshape(*padded.shape[:3], blocks, lanes)
    return np.moveaxis(rows, 3, 0).reshape(blocks, -1, lanes)


def _quantise(rows: NDArray[np.float32], precision: str) -> tuple[NDArray, NDArray[np.float32]]:
    """Weights (blocks, rows, lanes) in `precision`, and the scale of each channel, both flat.

    bfloat16 is rounded to the nearest; int8 is scaled so that the largest weight of a channel
    becomes 127.
    """
    scales = np.ones((len(rows), rows.shape[2]), np.float32)
    if precision == 'bfloat16':
        bits = rows.reshape(-1).view(np.uint32)
        rounding = np.uint32(0x7FFF) + ((bits >> 16) & 1)
        return ((bits + rounding) >> 16).astype(np.uint16), scales.reshape(-1)
    if precision == 'int8':
        largest = np.abs(rows).max(axis=1) / 127
        scales = np.where(largest > 0, largest, 1).astype(np.float32)
        rows = np.rint(rows / scales[:, None]).astype(np.int8)
    return rows.reshape(-1), scales.reshape(-1)


def at_rest(weights: Weights) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Filters of an image at rest: (orders, neurons), and the readout's (orders, channels).

    At rest they have received their constant inputs for ever.
    """
    filters, layers = [], list(zip(weights.plan, weights.decays, strict=True))
    for layer, decay in layers:
        values = weights.inputs[layer['channel'] :][: layer['blocks'] * layer['lanes']]
        order = weights.read_order if layer is layers[-1][0] else weights.order
        powers = (1 - decay) ** np.arange(1, order + 1)
        rest = values / powers[:, None].astype(np.float32)
        filters.append(np.tile(rest, (1, layer['height'] * layer['width'])))
    return np.concatenate(filters[:-1], axis=1), filters[-1]


def aligned_zeros(size: int, dtype: DTypeLike = np.float32) -> NDArray:
    """Zeros (size,) that begin with a line of the cache, so that no block straddles two."""
    length = size * np.dtype(dtype).itemsize
    memory = np.zeros(length + CACHE_LINE, np.uint8)
    start = -memory.ctypes.data % CACHE_LINE
    return memory[start : start + length].view(dtype)


def aligned(parts: list[NDArray]) -> NDArray:
    """A copy of `parts`, flat and one after another, aligned like `aligned_zeros`."""
    copy = aligned_zeros(sum(part.size for part in parts), parts[0].dtype)
    np.concatenate(parts, out=copy)
    return copy
