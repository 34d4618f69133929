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

"""A placed network as nengo-loihi's blocks, one for each core, in the chip's fixed point.

The compartments of a core are its neurons, channel by channel and row by row. The events of a
sensor come from a block that is on no core, with a compartment for each polarity of each pixel.
The fixed point is nengo-loihi's: weights have 8 bits, and each core has its own scale, chosen so
that its largest weight uses all of them.

A neuron on the chip is refractory only for whole steps, and it fires at the end of the step in
which it crosses the threshold, half a step late on average. So the refractory period is made half
a step shorter. If that is not a whole number of steps, it is rounded up in some of the neurons
and down in the others, spread evenly over the layer, so that together they fire as often as they
should.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from snn_perception.backends.loihi.cores import Layer
from snn_perception.backends.loihi.geometry import Span, Tile, Window, Wiring
from snn_perception.backends.loihi.mapping import MappingError, Placement
from snn_perception.graph import EVENTS, IMAGE
from snn_perception.model import Model
from snn_perception.neurons import IF, LIF

with warnings.catch_warnings():
    # It warns about a Nengo newer than itself; the tests show that the two work together.
    warnings.simplefilter('ignore')
    from nengo.exceptions import BuildError
    from nengo_loihi.block import Axon, LoihiBlock, Synapse, SynapseConfig
    from nengo_loihi.builder.discretize import (
        bias_to_manexp,
        discretize_compartment,
        discretize_synapse,
    )

LARGEST_BIAS = 50.0
"""Largest current that the image can cause; it makes a LIF neuron fire at 416 Hz."""

MOST_REFRACTORY_STEPS = 62
LONGEST_TIME_CONSTANT = 400
"""In steps; up to here, the error of a decay in 12 bits is at most 5 %."""

LOSSLESS_EXPONENT = -1
"""The exponent of weights below which the last of their 8 bits are lost."""

LOWEST_EXPONENT = -6
"""The exponent of weights below which nengo-loihi makes them too large."""

SPREAD = 0.8191725133961645, 0.6710436067037893, 0.5497004779019703
"""Phase steps between channels, columns and rows: 1/g, 1/g^2 and 1/g^3, where g^4 = g + 1."""


@dataclass(frozen=True)
class Rounding:
    """What fixed point did to weights: the sums of squares of all changes and of all weights.

    `largest` is the largest change, in steps of the fixed point.
    """

    changes: float
    weights: float
    largest: float


@dataclass(frozen=True)
class Core:
    """A tile of a layer, its block, and the indices of its neurons in the flattened layer.

    `synapses` are those of each wiring of the layer, None where the tile sees only padding.
    """

    tile: Tile
    block: LoihiBlock
    synapses: list[Synapse | None]
    neurons: NDArray[np.int64]
    rounding: Rounding


def build(model: Model, placement: Placement, dt: float) -> list[list[Core]]:
    """The cores of each layer, for steps of `dt` (s).

    Raises MappingError for times that are too long for the chip, and if fixed point cannot hold
    the weights together with the biases.
    """
    neuron = _neuron_of(model, dt)
    cores = [
        [
            _core(model, neuron, placed.layer, tile, dt)
            for tile in placed.tiling.tiles(placed.layer.shape)
        ]
        for placed in placement.layers
    ]
    for placed, targets in zip(placement.layers, cores, strict=True):
        for index, wiring in enumerate(placed.layer.wirings):
            sources = [] if wiring.source == EVENTS else cores[wiring.source]
            for source, target in product(sources, targets):
                _connect(wiring, source, target, target.synapses[index])
    return cores


def sensor_of(model: Model, placement: Placement, cores: list[list[Core]]) -> LoihiBlock:
    """The block that events come from, with axons to the `cores` that hear them.

    Its compartments are the pixels, channel by channel and row by row; none with images.
    """
    shape = model.network.input_shape if model.network.hears_events else (0, 0, 0)
    tile = Tile(*(Span(0, size) for size in shape))
    block = LoihiBlock(int(np.prod(shape)), label='sensor')
    sensor = Core(tile, block, [], np.zeros(0, np.int64), Rounding(0.0, 0.0, 0.0))
    for placed, targets in zip(placement.layers, cores, strict=True):
        for index, wiring in enumerate(placed.layer.wirings):
            if wiring.source == EVENTS:
                for target in targets:
                    _connect(wiring, sensor, target, target.synapses[index])
    return block


def _neuron_of(model: Model, dt: float) -> LIF | IF:
    """The neuron of `model`; raises MappingError if its times are too long for the chip."""
    neuron, synapse = model.network.neuron, model.network.synapse
    assert isinstance(neuron, LIF | IF)
    for name, time, most in (
        ('tau_rc', neuron.tau_rc, LONGEST_TIME_CONSTANT),
        ('tau of the synapse', synapse.tau, LONGEST_TIME_CONSTANT),
        ('tau_ref', neuron.tau_ref, MOST_REFRACTORY_STEPS),
    ):
        if time > most * dt:
            raise MappingError(
                f'Loihi takes a {name} of at most {most} steps of {dt:g} s, not {time:g} s'
            )
    return neuron


def _core(model: Model, neuron: LIF | IF, layer: Layer, tile: Tile, dt: float) -> Core:
    """The core of `tile`, in fixed point, still without output axons."""
    height, width, channels = tile.shape
    population = layer.population
    block = LoihiBlock(height * width * channels, label=layer.name)
    _set_neuron(block, neuron, tile, dt)
    bias = model.weights[layer.index].bias[slice(*tile.channels)]
    block.compartment.bias[:] = (
        LARGEST_BIAS if population.sees_image else bias.repeat(height * width)
    )
    if population.hears_spikes:
        block.compartment.configure_filter(model.network.synapse.tau, dt)
    kernels = [kernel for each, kernel in model.connections(layer.index) if each.source != IMAGE]
    # A spike is 1 / dt high.
    synapses = [
        _synapse(layer.name, wiring, tile, kernel / dt)
        for wiring, kernel in zip(layer.wirings, kernels, strict=True)
    ]
    for synapse in synapses:
        if synapse is not None:
            block.add_synapse(synapse)
    rows, columns, channel = (np.arange(*span) for span in tile)
    pixels = rows[:, None] * layer.shape[1] + columns
    neurons = pixels * layer.shape[2] + channel[:, None, None]
    try:
        rounding = _discretize(block)
    except BuildError as reason:
        raise MappingError(f'{layer.name} does not fit into fixed point: {reason}') from reason
    return Core(tile, block, synapses, neurons.ravel(), rounding)


def _set_neuron(block: LoihiBlock, neuron: LIF | IF, tile: Tile, dt: float) -> None:
    """Configure the compartments of `block` as neurons of this kind."""
    compartment = block.compartment
    if isinstance(neuron, LIF):
        compartment.configure_lif(neuron.tau_rc, neuron.tau_ref, dt=dt)
    else:
        compartment.configure_relu(neuron.tau_ref, neuron.tau_rc / dt, dt)
    rows, columns, channels = (np.arange(*span) for span in tile)
    phases = channels[:, None, None] * SPREAD[0] + rows[:, None] * SPREAD[2] + columns * SPREAD[1]
    mean = max(neuron.tau_ref / dt - 0.5, 0)
    # The chip counts the step of the spike, too.
    compartment.refract_delay[:] = 1 + np.floor(mean + phases.ravel() % 1)


def _synapse(
    label: str, wiring: Wiring, tile: Tile, kernel: NDArray[np.float32]
) -> Synapse | None:
    """The synapses of `wiring` into `tile`, with an axon for each pixel that it sees, if any."""
    rows, columns = wiring.rows.windows(tile.rows), wiring.columns.windows(tile.columns)
    if not rows or not columns:
        return None
    reached = wiring.channels.reached(tile.channels)
    kernel = kernel[..., slice(*tile.channels)] / (wiring.rows.pooling * wiring.columns.pooling)
    # Inputs of a group, group, output of the group.
    kernel = kernel.reshape(*kernel.shape[:3], -1, reached)
    parts: dict[tuple[tuple[int, ...], ...], int] = {}
    weights, indices, weights_of, bases = [], [], [], []
    for row, column in product(rows.values(), columns.values()):
        part = (row.taps, column.taps)
        if part not in parts:
            parts[part] = len(parts)
            values = kernel[np.ix_(*part)].transpose(3, 2, 4, 0, 1)
            each = len(values) * values.shape[1], -1
            weights.append(values.reshape(each))
            indices.append(_indices(tile, values.shape).reshape(each))
        weights_of.append(parts[part])
        bases.append(row.base * tile.shape[1] + column.base)
    synapse = Synapse(len(bases), label=label)
    axons = np.array(weights_of), np.array(bases)
    synapse.set_population_weights(weights, indices, *axons, pop_type=32)
    return synapse


def _indices(tile: Tile, shape: tuple[int, ...]) -> NDArray[np.int32]:
    """Compartments of `tile` that weights reach if their first tap reaches the first one.

    `shape` is that of the weights and of the result: groups, inputs of a group, outputs of it,
    rows and columns.
    """
    height, width, _ = tile.shape
    group, _, output, row, column = np.ogrid[tuple(map(slice, shape))]
    channel = group * shape[2] + output
    indices = ((channel * height + row) * width + column).astype(np.int32)
    return np.broadcast_to(indices, shape)


def _connect(wiring: Wiring, source: Core, target: Core, synapse: Synapse | None) -> None:
    """Give `source` axons to `target`, from the neurons that reach its `synapse` of `wiring`."""
    first, stop = wiring.channels.heard(target.tile.channels)
    atoms = np.arange(*source.tile.channels, dtype=np.int32) - first
    heard = (atoms >= 0) & (atoms < stop - first)
    if synapse is None or not heard.any():
        return
    rows = np.arange(*source.tile.rows) // wiring.rows.pooling
    columns = np.arange(*source.tile.columns) // wiring.columns.pooling
    windows = wiring.rows.windows(target.tile.rows), wiring.columns.windows(target.tile.columns)
    row, column = _ranks(windows[0], rows)[:, None], _ranks(windows[1], columns)
    pixels = np.where((row < 0) | (column < 0), -1, row * len(windows[1]) + column).ravel()
    count = len(np.unique(pixels[pixels >= 0]))
    if count:
        axon = Axon(count, label=synapse.label)
        axon.target = synapse
        axon.set_compartment_axon_map(
            np.where(heard[:, None], pixels, -1).ravel().astype(np.int32),
            np.where(heard, atoms, 0).repeat(pixels.size),
        )
        source.block.add_axon(axon)


def _ranks(windows: dict[int, Window], positions: NDArray[np.int64]) -> NDArray[np.int64]:
    """The index of each position's window among `windows`, or -1 if it has none."""
    ranks = {position: rank for rank, position in enumerate(windows)}
    return np.array([ranks.get(position, -1) for position in positions.tolist()])


def fixed_point_bias(currents: NDArray[np.float64], block: LoihiBlock) -> NDArray[np.int32]:
    """Bias `currents` in the fixed point of `block`, for any neurons that share its scale."""
    scale = float(np.ravel(block.discretize_info['b_scale'])[0])
    wanted = np.round(np.clip(currents, -LARGEST_BIAS, LARGEST_BIAS) * scale)
    mantissa, exponent = bias_to_manexp(wanted)
    return mantissa << exponent


def _discretize(block: LoihiBlock) -> Rounding:
    """Convert `block` to fixed point in place; returns what that changed in its weights."""
    before = [_flat(synapse) for synapse in block.synapses]
    largest = max((float(np.abs(weights).max()) for weights in before), default=0)
    with warnings.catch_warnings():
        # It warns about lost bits; the result reports them.
        warnings.simplefilter('ignore')
        info = discretize_compartment(block.compartment, largest)
        if info['w_exp'] < LOWEST_EXPONENT:
            raise BuildError('its biases are too large beside its weights')
        # Smaller weights than those of another synapse get a smaller exponent.
        spare = max(info['w_exp'] - LOSSLESS_EXPONENT, 0)
        for synapse, weights in zip(block.synapses, before, strict=True):
            nearest = min(largest, float(np.abs(weights).max()) * 2**spare)
            discretize_synapse(synapse, nearest, info['w_scale'], info['w_exp'])
    # A weight of 1 in fixed point.
    one = float(np.ravel(info['w_scale'])[0]) * SynapseConfig.get_scale(info['w_exp'])
    rounding = Rounding(0.0, 0.0, 0.0)
    for synapse, wanted in zip(block.synapses, before, strict=True):
        changes = _flat(synapse) / one - wanted
        # The last of the 8 bits is the sign.
        step = max(2 * synapse.synapse_cfg.scale, SynapseConfig.get_scale(0))
        most = float(np.abs(changes).max()) * one / step
        rounding = Rounding(
            rounding.changes + float(changes @ changes),
            rounding.weights + float(wanted @ wanted),
            max(rounding.largest, most),
        )
    return rounding


def _flat(synapse: Synapse) -> NDArray[np.float64]:
    """All weights of `synapse`."""
    return np.concatenate([weights.ravel() for weights in synapse.weights]).astype(np.float64)
