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

"""A network as data: its layers, the shapes between them, and what they count.

Arrays are channels-last: an image or feature map is (height, width, channels), the weights
of a convolution are (kernel, kernel, inputs, channels), and the weights of a dense layer are
(inputs, units), with a feature map flattened in memory order.

Every convolution and dense layer except the last drives spiking neurons; the last is the linear
readout. The stored weights W and bias b of a layer give the input current J = W s + b, in units
in which the firing threshold is 1. Here s is the spike trains of the previous layer, in Hz,
after the synapse, or for the first layer the prepared image.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from math import prod
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from snn_perception.neurons import LIF, Neuron
from snn_perception.synapses import Synapse

Shape: TypeAlias = tuple[int, int, int]

MAXIMUM_NEURONS = 50_000_000
MAXIMUM_WEIGHTS = 200_000_000


def _check_count(what: str, value: int, minimum: int = 1) -> None:
    if not minimum <= value <= 65536:
        raise ValueError(f'{what} must be between {minimum} and 65536, not {value}')


@dataclass(frozen=True)
class Convolution:
    """Square convolution with zero padding, followed by one neuron per output value."""

    channels: int
    kernel: int
    stride: int = 1
    padding: int = 0

    def __post_init__(self) -> None:
        _check_count('channels of a convolution', self.channels)
        _check_count('kernel of a convolution', self.kernel)
        _check_count('stride of a convolution', self.stride)
        _check_count('padding of a convolution', self.padding, minimum=0)

    def output_shape(self, inputs: Shape) -> Shape:
        """Shape of the output for an input of shape `inputs`."""
        return (self._output_size(inputs[0]), self._output_size(inputs[1]), self.channels)

    def weight_shape(self, inputs: Shape) -> tuple[int, ...]:
        """Shape of the weights for an input of shape `inputs`."""
        return (self.kernel, self.kernel, inputs[2], self.channels)

    def fan_out(self, inputs: Shape) -> NDArray[np.int64]:
        """Synapses that each value at an input position drives, int64 (height, width)."""
        rows, columns = self._targets(inputs[0]), self._targets(inputs[1])
        return np.outer(rows, columns) * self.channels

    def _output_size(self, size: int) -> int:
        return (size + 2 * self.padding - self.kernel) // self.stride + 1

    def _targets(self, size: int) -> NDArray[np.int64]:
        """How many windows along one axis of `size` positions cover each position."""
        starts = np.arange(self._output_size(size)) * self.stride - self.padding
        first, stop = np.clip(starts, 0, size), np.clip(starts + self.kernel, 0, size)
        changes = np.bincount(first, minlength=size + 1) - np.bincount(stop, minlength=size + 1)
        return changes.cumsum()[:size]


@dataclass(frozen=True)
class Dense:
    """Every input connected to every unit; the last layer of a network is one without neurons."""

    units: int

    def __post_init__(self) -> None:
        _check_count('units of a dense layer', self.units)

    def output_shape(self, inputs: Shape) -> Shape:
        """Shape of the output for an input of shape `inputs`."""
        return (1, 1, self.units)

    def weight_shape(self, inputs: Shape) -> tuple[int, ...]:
        """Shape of the weights for an input of shape `inputs`."""
        return (prod(inputs), self.units)

    def fan_out(self, inputs: Shape) -> NDArray[np.int64]:
        """Synapses that each value at an input position drives, int64 (height, width)."""
        return np.full(inputs[:2], self.units, np.int64)


@dataclass(frozen=True)
class AveragePooling:
    """Mean over `size` x `size` blocks of spikes; leftover rows and columns are dropped."""

    size: int

    def __post_init__(self) -> None:
        _check_count('size of an average pooling', self.size)

    def output_shape(self, inputs: Shape) -> Shape:
        """Shape of the output for an input of shape `inputs`."""
        return (inputs[0] // self.size, inputs[1] // self.size, inputs[2])

    def spread(self, values: NDArray, inputs: Shape) -> NDArray:
        """`values` (height, width) of the output, each repeated over the block it came from."""
        repeated = values.repeat(self.size, 0).repeat(self.size, 1)
        rest = ((0, inputs[0] - repeated.shape[0]), (0, inputs[1] - repeated.shape[1]))
        return np.pad(repeated, rest)


WeightedLayer: TypeAlias = Convolution | Dense
Layer: TypeAlias = Convolution | Dense | AveragePooling


@dataclass(frozen=True)
class Stage:
    """One weighted layer in its place: the pooling before it, its shapes and counts.

    `source_shape` is the shape of the previous layer's output, `input_shape` the same after
    `pooling`.
    """

    layer: WeightedLayer
    pooling: tuple[AveragePooling, ...]
    source_shape: Shape
    input_shape: Shape
    is_readout: bool

    @property
    def output_shape(self) -> Shape:
        """Shape of the currents of this layer."""
        return self.layer.output_shape(self.input_shape)

    @property
    def weight_shape(self) -> tuple[int, ...]:
        """Shape of the weights of this layer."""
        return self.layer.weight_shape(self.input_shape)

    @property
    def neurons(self) -> int:
        """Number of neurons: one per output value, none in the readout."""
        return 0 if self.is_readout else prod(self.output_shape)

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one pass without spikes, not counting zero padding.

        Equal to the number of synapses from (pooled) input values.
        """
        return int(self.layer.fan_out(self.input_shape).sum()) * self.input_shape[2]

    @cached_property
    def fan_out(self) -> NDArray[np.int64]:
        """Synaptic operations that one spike causes here, per position of the source.

        int64 (height, width) of `source_shape`; 0 where pooling drops the position.
        """
        shapes = [self.source_shape]
        for pooling in self.pooling:
            shapes.append(pooling.output_shape(shapes[-1]))
        values = self.layer.fan_out(shapes[-1])
        for pooling, inputs in zip(reversed(self.pooling), reversed(shapes[:-1]), strict=True):
            values = pooling.spread(values, inputs)
        return values


@dataclass(frozen=True)
class Network:
    """Layers on an input of `input_shape`, with one kind of neuron and one kind of synapse.

    `synapse` filters the spikes into every hidden layer, `readout_synapse` the spikes into the
    last layer. `gamma` is the softening of the rate curve used in training. Raises ValueError
    for layers that do not fit together and for absurd sizes.
    """

    input_shape: Shape
    layers: tuple[Layer, ...]
    neuron: Neuron = field(default_factory=LIF)
    synapse: Synapse = field(default_factory=Synapse)
    readout_synapse: Synapse = field(default_factory=Synapse)
    gamma: float = 0.02

    def __post_init__(self) -> None:
        for size in self.input_shape:
            _check_count('each of height, width and channels of the input', size)
        if not self.layers or not isinstance(self.layers[-1], Dense):
            raise ValueError('the last layer must be dense: it is the readout')
        if isinstance(self.layers[0], AveragePooling):
            raise ValueError('the first layer must be a convolution or dense, not a pooling')
        neurons = weights = 0
        for stage in self.stages:
            neurons += prod(stage.output_shape)
            weights += prod(stage.weight_shape)
        if neurons > MAXIMUM_NEURONS:
            raise ValueError(f'{neurons} neurons are more than the {MAXIMUM_NEURONS} allowed')
        if weights > MAXIMUM_WEIGHTS:
            raise ValueError(f'{weights} weights are more than the {MAXIMUM_WEIGHTS} allowed')

    @cached_property
    def stages(self) -> tuple[Stage, ...]:
        """The weighted layers in order, each with its shapes and counts."""
        stages = []
        shape = source = self.input_shape
        pooling: tuple[AveragePooling, ...] = ()
        for index, layer in enumerate(self.layers):
            output = layer.output_shape(shape)
            if min(output) < 1:
                raise ValueError(
                    f'layer {index} ({layer}) has no output left for an input of shape {shape}'
                )
            if isinstance(layer, AveragePooling):
                pooling += (layer,)
            else:
                is_readout = index == len(self.layers) - 1
                stages.append(Stage(layer, pooling, source, shape, is_readout))
                source, pooling = output, ()
            shape = output
        return tuple(stages)

    def synapse_of(self, index: int) -> Synapse:
        """The filter for currents into weighted layer `index`; the image is not filtered."""
        if index == 0:
            return Synapse()
        return self.readout_synapse if self.stages[index].is_readout else self.synapse

    @property
    def classes(self) -> int:
        """Number of outputs of the readout."""
        return self.stages[-1].output_shape[2]

    @property
    def neurons(self) -> int:
        """Number of spiking neurons."""
        return sum(stage.neurons for stage in self.stages)

    @property
    def synapses(self) -> int:
        """Number of synapses that carry spikes: all connections except the image's."""
        return sum(stage.macs for stage in self.stages[1:])

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one pass of the same network without spikes."""
        return sum(stage.macs for stage in self.stages)
