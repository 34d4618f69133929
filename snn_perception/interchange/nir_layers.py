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

"""From a chain of NIR nodes to the layers, weights, neurons and synapses of a network.

Exact: gains (r, w_in, Scale, SumPool2d, thresholds and resets) go into the weights, v_leak into
the bias, grouped and dilated kernels are filled up with zeros, and average pooling between a
convolution and its neurons becomes part of the kernel. Approximate: the image, and a bias that
would pass through a synapse, act at once; see also `nir_neurons`. Neurons at the end are read out
by counting their spikes.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from snn_perception.interchange.nir_arrays import (
    Floats,
    full_kernel,
    numbers,
    padding_of,
    per_channel,
    pooled_kernel,
    spread,
    uniform,
    whole,
)
from snn_perception.interchange.nir_neurons import population
from snn_perception.interchange.nir_weighted import Weighted, channels_last, spike_counts
from snn_perception.interchange.timing import Timing
from snn_perception.layers import AveragePooling, Convolution, Dense, Layer, Shape, WeightedLayer
from snn_perception.model import Weights
from snn_perception.model_file import ModelError
from snn_perception.network import Network
from snn_perception.neurons import IF, LIF
from snn_perception.synapses import Synapse

ONE = np.ones((1, 1, 1))


@dataclass
class LayerBuilder:
    """Takes the nodes of a chain one after the other, then gives the network and its weights.

    `shape` (channels first) and `is_flat` describe the output of the last node; `gain` and
    `time_constants` (s) say what happens to spikes before they reach the next weights.
    """

    timing: Timing
    shape: Shape
    is_flat: bool
    layers: list[Layer] = field(default_factory=list)
    done: list[Weighted] = field(default_factory=list)
    waiting: Weighted | None = None
    neuron: LIF | IF | None = None
    gain: Floats = field(default_factory=lambda: ONE)
    time_constants: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.image = self.shape

    def add(self, name: str, node: Any) -> None:
        """Take the next node; raises ModelError if our networks cannot contain it."""
        kind = type(node).__name__
        try:
            if kind not in TAKERS:
                raise ValueError(f'it is not supported; supported are {", ".join(TAKERS)}')
            TAKERS[kind](self, node)
        except ValueError as reason:
            raise ModelError(f'node {name!r} of type {kind}: {reason}') from None

    def network(self, presentation_time: float) -> tuple[Network, tuple[Weights, ...]]:
        """The network that the nodes form, and its weights; raises ValueError.

        If the chain ends with neurons, the outputs are their spike counts in
        `presentation_time` (s).
        """
        readout = self._readout(presentation_time)
        weighted = [*self.done, readout]
        hidden = [each.synapse for each in self.done[1:]]
        if len(set(hidden)) > 1:
            raise ValueError('its hidden layers have different synapses; here all must be alike')
        channels, height, width = self.image
        network = Network(
            (height, width, channels),
            (*self.layers, readout.layer),
            self.neuron or LIF(tau_ref=0.0),
            hidden[0] if hidden else Synapse(),
            readout.synapse if self.done else Synapse(),
        )
        with np.errstate(over='ignore'):  # The model refuses weights that are not finite.
            return network, tuple(
                Weights((each.kernel.astype(np.float32),), each.bias.astype(np.float32))
                for each in weighted
            )

    def take_convolution(self, node: Any) -> None:
        """Conv2d: weights that wait for their neurons."""
        if self.is_flat:
            raise ValueError('it needs a feature map, but a vector arrives')
        weight, stride = numbers(node, 'weight', 4), whole(node.stride, 'stride')
        kernel = full_kernel(
            weight, whole(node.groups, 'groups'), whole(node.dilation, 'dilation')
        )
        size, _, inputs, channels = kernel.shape
        if inputs != self.shape[0]:
            raise ValueError(f'it has weights for {inputs} channels, but {self.shape[0]} arrive')
        layer = Convolution(channels, size, stride, padding_of(node, size, stride))
        gain = per_channel(self.gain, 'a gain before a convolution')
        self._wait(layer, kernel * gain[:, None], numbers(node, 'bias', 1))

    def take_affine(self, node: Any) -> None:
        """Affine: weights that wait for their neurons, or for the end."""
        self.take_linear(node, numbers(node, 'bias', 1))

    def take_linear(self, node: Any, bias: Floats | None = None) -> None:
        """Linear: Affine without a bias."""
        weight = numbers(node, 'weight', 2)
        if not self.is_flat and self.shape[1:] != (1, 1):
            raise ValueError('it needs a vector, but a feature map arrives: a Flatten is missing')
        if weight.shape[1] != math.prod(self.shape):
            raise ValueError(
                f'it has weights for {weight.shape[1]} values, but {math.prod(self.shape)} arrive'
            )
        kernel = channels_last(weight.reshape(-1, *self.shape) * self.gain)
        self._wait(Dense(len(weight)), kernel, np.zeros(len(weight)) if bias is None else bias)
        self.is_flat = True

    def take_scale(self, node: Any) -> None:
        """Scale: a factor for each value."""
        self._scale(spread(node, 'scale', self.shape, self.is_flat))

    def take_average_pooling(self, node: Any) -> None:
        """AvgPool2d: of spikes, or of the currents of a convolution, whose kernel then grows."""
        size = whole(node.kernel_size, 'kernel_size')
        pooling = AveragePooling(size)
        if self.is_flat or not (self.done or self.waiting):
            raise ValueError('it must come after a convolution')
        if whole(node.stride, 'stride') != size or whole(node.padding, 'padding'):
            raise ValueError('its stride must be its kernel_size, and its padding 0')
        if self.waiting is None:
            self.gain = per_channel(self.gain, 'a gain before pooling')[:, None, None]
            self.layers.append(pooling)
        else:
            before = self.waiting.layer
            assert isinstance(before, Convolution)
            kernel = pooled_kernel(self.waiting.kernel, before.strides[0], size)
            self.waiting.kernel = kernel
            self.waiting.layer = Convolution(
                before.channels, len(kernel), before.strides[0] * size, before.margins[0][0]
            )
        self._set_shape((self.shape[0], self.shape[1] // size, self.shape[2] // size))

    def take_sum_pooling(self, node: Any) -> None:
        """SumPool2d: the mean times the number of values."""
        self.take_average_pooling(node)
        self._scale(ONE * whole(node.kernel_size, 'kernel_size') ** 2)

    def take_flatten(self, node: Any) -> None:
        """Flatten: all of a map, whether or not its dimensions include one for a batch."""
        if not self.is_flat and (
            node.start_dim not in (0, 1, -3) or node.end_dim not in (-1, 2, 3)
        ):
            raise ValueError(
                f'it must flatten all of a map, not dimensions {node.start_dim} to {node.end_dim}'
            )
        self.is_flat = True

    def take_leaky_integrator(self, node: Any) -> None:
        """LI: an exponential synapse before or after weights."""
        tau = self.timing.from_nir(uniform(node, 'tau'))
        leak = spread(node, 'v_leak', self.shape, self.is_flat)
        self._scale(spread(node, 'r', self.shape, self.is_flat))
        if self.waiting is not None:
            self.waiting.time_constants.append(tau)
            self.waiting.bias = self.waiting.bias + per_channel(leak, 'v_leak')
        elif leak.any():
            raise ValueError('v_leak must be 0 before weights')
        else:
            self.time_constants.append(tau)

    def take_neurons(self, node: Any) -> None:
        """LIF, CubaLIF, IF: they complete the layer that waits for its neurons."""
        waiting = self.waiting
        if waiting is None:
            raise ValueError('there are no weights before it')
        found = population(node, self._values_of(node), self.timing, self.neuron)
        waiting.scale(found.gain)
        waiting.bias = waiting.bias + found.offset
        waiting.time_constants += found.time_constants
        self.neuron = self.neuron or found.neuron
        self.layers.append(waiting.layer)
        self.done.append(waiting)
        self.waiting = None

    def _readout(self, presentation_time: float) -> Weighted:
        """The last layer: weights without neurons, or spike counts in `presentation_time` (s)."""
        if self.waiting is not None:
            return self.waiting.as_dense()
        if not self.done:
            raise ValueError('it has no weights')
        return spike_counts(self.shape, self.gain, self.time_constants, presentation_time)

    def _values_of(self, node: Any) -> Callable[[str], Floats]:
        """A function that returns a field of `node`, by name, as (channels,)."""
        return lambda name: per_channel(spread(node, name, self.shape, self.is_flat), name)

    def _wait(self, layer: WeightedLayer, kernel: Floats, bias: Floats) -> None:
        """Hold weights until their neurons follow, scaled for what a spike means in this file."""
        if self.waiting is not None:
            raise ValueError('it follows other weights without neurons between them')
        channels = kernel.shape[-1]
        if bias.shape != (channels,):
            raise ValueError(f'bias must have the shape {(channels,)}, not {bias.shape}')
        if self.done:
            kernel = kernel * self.timing.spike_area
        source = (self.shape[1], self.shape[2], self.shape[0])
        height, width, _ = layer.output_shape(source)
        self.waiting = Weighted(source, layer, kernel, bias, self.time_constants)
        self._set_shape((channels, height, width))
        self.gain, self.time_constants = ONE, []

    def _set_shape(self, shape: Shape) -> None:
        if min(shape) < 1:
            raise ValueError(f'it has no output left for an input of shape {self.shape}')
        self.shape = shape

    def _scale(self, gain: Floats) -> None:
        """Multiply what arrives here by `gain`, which is as `spread` returns it."""
        if self.waiting is None:
            self.gain = self.gain * gain
        else:
            self.waiting.scale(per_channel(gain, 'a gain after weights'))


TAKERS = {
    'Conv2d': LayerBuilder.take_convolution,
    'Affine': LayerBuilder.take_affine,
    'Linear': LayerBuilder.take_linear,
    'Scale': LayerBuilder.take_scale,
    'AvgPool2d': LayerBuilder.take_average_pooling,
    'SumPool2d': LayerBuilder.take_sum_pooling,
    'Flatten': LayerBuilder.take_flatten,
    'LI': LayerBuilder.take_leaky_integrator,
    'LIF': LayerBuilder.take_neurons,
    'CubaLIF': LayerBuilder.take_neurons,
    'IF': LayerBuilder.take_neurons,
}
"""The method that takes nodes of each type."""
