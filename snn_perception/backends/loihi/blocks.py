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

The compartments of a core are its neurons, channel by channel and row by row. The fixed point is
nengo-loihi's: weights have 8 bits, and each core has its own scale, chosen so that its largest
weight uses all of them.

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

from snn_perception.backends.loihi.geometry import Tile, Window
from snn_perception.backends.loihi.mapping import Layer, MappingError, Placement
from snn_perception.model import Model
from snn_perception.neurons import IF, LIF

with warnings.catch_warnings():
    # It warns about a Nengo newer than itself; the tests show that the two work together.
    warnings.simplefilter('ignore')
    from nengo.exceptions import BuildError
    from nengo_loihi.block import Axon, LoihiBlock, Synapse, SynapseConfig
    from nengo_loihi.builder.discretize import bias_to_manexp, discretize_block

LARGEST_BIAS = 50.0
"""Largest current that the image can cause; it makes a LIF neuron fire at 416 Hz."""

MOST_REFRACTORY_STEPS = 62
LONGEST_TIME_CONSTANT = 400
"""In steps; up to here, the error of a decay in 12 bits is at most 5 %."""

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
    """A tile of a layer, its block, and the indices of its neurons in the flattened layer."""

    tile: Tile
    block: LoihiBlock
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
    for placed, sources, targets in zip(placement.layers[1:], cores, cores[1:], strict=False):
        for source, target in product(sources, targets):
            _connect(placed.layer, source, target)
    return cores


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
    weights = model.weights[layer.index]
    block = LoihiBlock(height * width * channels, label=layer.name)
    _set_neuron(block, neuron, tile, dt)
    if layer.index == 0:
        block.compartment.bias[:] = LARGEST_BIAS
    else:
        bias = weights.bias[slice(*tile.channels)]
        block.compartment.bias[:] = bias.repeat(height * width)
        block.compartment.configure_filter(model.network.synapse.tau, dt)
        if layer.input_axons(tile):
            # A spike is 1 / dt high.
            block.add_synapse(_synapse(layer, tile, weights.kernel / dt))
    rows, columns, channel = (np.arange(*span) for span in tile)
    pixels = rows[:, None] * layer.shape[1] + columns
    neurons = pixels * layer.shape[2] + channel[:, None, None]
    try:
        rounding = _discretize(block)
    except BuildError as reason:
        raise MappingError(f'{layer.name} does not fit into fixed point: {reason}') from reason
    return Core(tile, block, neurons.ravel(), rounding)


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


def _synapse(layer: Layer, tile: Tile, kernel: NDArray[np.float32]) -> Synapse:
    """The synapses into `tile`, with an axon for each pixel that it sees."""
    rows, columns = layer.rows.windows(tile.rows), layer.columns.windows(tile.columns)
    taps = (layer.rows.kernel, layer.columns.kernel)
    kernel = kernel.reshape(*taps, layer.stage.input_shape[2], -1)[..., slice(*tile.channels)]
    kernel = kernel / layer.rows.pooling**2
    parts: dict[tuple[tuple[int, ...], ...], int] = {}
    weights, indices, weights_of, bases = [], [], [], []
    for row, column in product(rows.values(), columns.values()):
        part = (row.taps, column.taps)
        if part not in parts:
            parts[part] = len(parts)
            values = kernel[np.ix_(*part)].transpose(2, 3, 0, 1)
            weights.append(values.reshape(len(values), -1))
            indices.append(np.broadcast_to(_indices(tile, *part), weights[-1].shape))
        weights_of.append(parts[part])
        bases.append(row.base * tile.shape[1] + column.base)
    synapse = Synapse(len(bases), label=layer.name)
    places = np.array(weights_of), np.array(bases)
    synapse.set_population_weights(weights, indices, *places, pop_type=32)
    return synapse


def _indices(tile: Tile, rows: tuple[int, ...], columns: tuple[int, ...]) -> NDArray[np.int32]:
    """Compartments of `tile` that these taps reach if the first tap reaches the first one."""
    height, width, channels = tile.shape
    channel, row, column = np.ogrid[:channels, : len(rows), : len(columns)]
    return ((channel * height + row) * width + column).ravel().astype(np.int32)


def _connect(layer: Layer, source: Core, target: Core) -> None:
    """Give `source` axons to `target`, a core of `layer`, from the neurons that reach it."""
    rows, columns = (np.arange(*span) // layer.rows.pooling for span in source.tile[:2])
    windows = layer.rows.windows(target.tile.rows), layer.columns.windows(target.tile.columns)
    row, column = _ranks(windows[0], rows)[:, None], _ranks(windows[1], columns)
    pixels = np.where((row < 0) | (column < 0), -1, row * len(windows[1]) + column)
    count = len(np.unique(pixels[pixels >= 0]))
    if count:
        axon = Axon(count, label=layer.name)
        axon.target = target.block.synapses[0]
        channels = np.arange(*source.tile.channels, dtype=np.int32)
        axon.set_compartment_axon_map(
            np.tile(pixels.ravel().astype(np.int32), len(channels)), channels.repeat(pixels.size)
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
    before = [weights.copy() for synapse in block.synapses for weights in synapse.weights]
    with warnings.catch_warnings():
        # It warns about lost bits; the result reports them.
        warnings.simplefilter('ignore')
        discretize_block(block)
    if not before:
        return Rounding(0.0, 0.0, 0.0)
    (synapse,), info = block.synapses, block.discretize_info
    # A weight of 1 in fixed point, and one step of it: the last of the 8 bits is the sign.
    one = float(np.ravel(info['w_scale'])[0]) * SynapseConfig.get_scale(info['w_exp'])
    step = max(2 * synapse.synapse_cfg.scale, SynapseConfig.get_scale(0))
    wanted = np.concatenate([weights.ravel() for weights in before]).astype(np.float64)
    changes = np.concatenate([weights.ravel() for weights in synapse.weights]) / one - wanted
    largest = float(np.abs(changes).max()) * one / step
    return Rounding(float(changes @ changes), float(wanted @ wanted), largest)
