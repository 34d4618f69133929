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

"""From the nodes of a NIR graph to the populations, weights, neurons and synapses of a network.

Exact: gains (r, w_in, Scale, SumPool2d, thresholds and resets) go into the weights, v_leak into
the bias, dilated kernels are filled up with zeros, average pooling between a convolution and its
neurons becomes part of the kernel, and spikes that reach neurons without weights are an identity.
Approximate: the image, and a bias that would pass through a synapse, act at once; see also
`nir_neurons`. Neurons at the end are read out by counting their spikes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from snn_perception.graph import EVENTS, IMAGE
from snn_perception.interchange.nir_arrays import (
    Floats,
    numbers,
    pair,
    per_channel,
    spread,
    uniform,
    whole,
)
from snn_perception.interchange.nir_kernels import (
    convolution,
    dilated_kernel,
    margins_of,
    scaled_inputs,
)
from snn_perception.interchange.nir_neurons import population
from snn_perception.interchange.nir_populations import Found, assembled
from snn_perception.interchange.nir_signals import (
    ONE,
    Budget,
    Signal,
    Term,
    Weighted,
    added,
    channels_last,
    eye,
)
from snn_perception.interchange.timing import Timing
from snn_perception.layers import AveragePooling, Dense, Shape, WeightedLayer
from snn_perception.model import Weights
from snn_perception.model_file import ModelError
from snn_perception.network import POLARITIES, Network
from snn_perception.neurons import IF, LIF


@dataclass
class GraphBuilder:
    """Takes the nodes of a graph one after the other, then gives the network and its weights.

    `image` (channels first) and `is_flat` describe the image, or with two channels the events of a
    sensor. Neurons complete a population; the
    Output completes the readout, whose outputs are spike counts in `presentation_time` (s) if
    neurons lead to it without weights.
    """

    timing: Timing
    image: Shape
    is_flat: bool
    presentation_time: float
    done: list[Found] = field(default_factory=list)
    neuron: LIF | IF | None = None
    signals: dict[str, Signal] = field(default_factory=dict)
    budget: Budget = field(default_factory=Budget)

    def add(self, name: str, node: Any, sources: Sequence[str]) -> None:
        """Take the next node, to which `sources` lead; raises ModelError if it cannot be run."""
        kind = type(node).__name__
        try:
            if kind not in TAKERS:
                supported = ', '.join(kind for kind in TAKERS if kind not in PASSED_ON)
                raise ValueError(f'it is not supported; supported are {supported}')
            if sources:
                arriving = added([self.signals[source] for source in sources])
            else:
                source = EVENTS if self.image[0] == POLARITIES else IMAGE
                arriving = Signal.of(source, self.image, self.is_flat, self.budget)
            self.signals[name] = TAKERS[kind](self, node, arriving)
            if kind in NEURONS:
                self.done[-1] = replace(self.done[-1], name=name)
        except ValueError as reason:
            raise ModelError(f'node {name!r} of type {kind}: {reason}') from None

    def network(self, output: str) -> tuple[Network, tuple[Weights, ...]]:
        """The network that the nodes form up to `output`, and its weights; raises ValueError."""
        try:
            readout = self._readout(self.signals[output])
        except ValueError as reason:
            raise ModelError(f'node {output!r} of type Output: {reason}') from None
        channels, height, width = self.image
        return assembled((height, width, channels), [*self.done, readout], self.neuron)

    def take_convolution(self, node: Any, arriving: Signal) -> Signal:
        """Conv2d: weights that wait for their neurons."""
        if arriving.is_flat:
            raise ValueError('it needs a feature map, but a vector arrives')
        weight, strides = numbers(node, 'weight', 4), pair(node.stride, 'stride')
        groups, channels = whole(node.groups, 'groups'), arriving.shape[0]
        kernel = dilated_kernel(weight, groups, pair(node.dilation, 'dilation'))
        if weight.shape[1] * groups != channels:
            raise ValueError(
                f'it has weights for {weight.shape[1] * groups} channels, but {channels} arrive'
            )
        layer = convolution(kernel, strides, margins_of(node, kernel, strides), groups)

        def kernel_for(gain: Floats) -> Floats:
            gains = per_channel(gain, 'a gain before a convolution')
            return scaled_inputs(kernel, gains, groups)

        return self._weighted(arriving, layer, kernel_for, numbers(node, 'bias', 1))

    def take_affine(self, node: Any, arriving: Signal) -> Signal:
        """Affine: weights that wait for their neurons, or for the end."""
        return self._multiplied(node, arriving, numbers(node, 'bias', 1))

    def take_linear(self, node: Any, arriving: Signal) -> Signal:
        """Linear: Affine without a bias."""
        return self._multiplied(node, arriving, np.zeros(len(numbers(node, 'weight', 2))))

    def take_scale(self, node: Any, arriving: Signal) -> Signal:
        """Scale: a factor for each value."""
        return arriving.scaled(spread(node, 'scale', arriving.shape, arriving.is_flat))

    def take_average_pooling(self, node: Any, arriving: Signal) -> Signal:
        """AvgPool2d: of spikes, or of the currents of a convolution, whose kernel then grows."""
        size = pair(node.kernel_size, 'kernel_size')
        block = AveragePooling(size)
        if arriving.is_flat:
            raise ValueError('it must come after a convolution')
        if pair(node.stride, 'stride') != size or any(pair(node.padding, 'padding')):
            raise ValueError('its stride must be its kernel_size, and its padding 0')
        channels, height, width = arriving.shape
        rows, columns = block.block((height, width, channels))
        averaged = arriving.each(lambda term: term.averaged(size))
        shape = (channels, height // rows, width // columns)
        return replace(averaged, shape=_not_empty(shape, arriving.shape))

    def take_sum_pooling(self, node: Any, arriving: Signal) -> Signal:
        """SumPool2d: the mean times the number of values."""
        averaged = self.take_average_pooling(node, arriving)
        return averaged.scaled(ONE * math.prod(pair(node.kernel_size, 'kernel_size')))

    def take_flatten(self, node: Any, arriving: Signal) -> Signal:
        """Flatten: all of a map, whether or not its dimensions include one for a batch."""
        if not arriving.is_flat and (
            node.start_dim not in (0, 1, -3) or node.end_dim not in (-1, 2, 3)
        ):
            raise ValueError(
                f'it must flatten all of a map, not dimensions {node.start_dim} to {node.end_dim}'
            )
        return replace(arriving, is_flat=True)

    def take_leaky_integrator(self, node: Any, arriving: Signal) -> Signal:
        """LI: an exponential synapse before or after weights."""
        tau = self.timing.from_nir(uniform(node, 'tau'))
        leak = spread(node, 'v_leak', arriving.shape, arriving.is_flat)
        scaled = arriving.scaled(spread(node, 'r', arriving.shape, arriving.is_flat))
        filtered = scaled.each(lambda term: term.filtered(tau))
        if arriving.has_weights:
            return replace(filtered, bias=filtered.bias + per_channel(leak, 'v_leak'))
        if leak.any():
            raise ValueError('v_leak must be 0 before weights')
        return filtered

    def take_neurons(self, node: Any, arriving: Signal) -> Signal:
        """LIF, CubaLIF, IF: they complete a population."""

        def values(name: str) -> Floats:
            return per_channel(spread(node, name, arriving.shape, arriving.is_flat), name)

        found = population(node, values, self.timing, self.neuron)
        currents = arriving.scaled(found.gain[:, None, None]).each(
            lambda term: term.filtered(*found.time_constants)
        )
        currents = replace(currents, bias=currents.bias + found.offset)
        self.neuron = self.neuron or found.neuron
        self.done.append(Found.of(currents, self.timing.spike_area))
        return Signal.of(len(self.done) - 1, arriving.shape, arriving.is_flat, self.budget)

    def pass_on(self, node: Any, arriving: Signal) -> Signal:
        """Input, Output and Identity: what arrives goes on."""
        return arriving

    def _multiplied(self, node: Any, arriving: Signal, bias: Floats) -> Signal:
        weight = numbers(node, 'weight', 2)
        if not arriving.is_flat and arriving.shape[1:] != (1, 1):
            raise ValueError('it needs a vector, but a feature map arrives: a Flatten is missing')
        size = math.prod(arriving.shape)
        if weight.shape[1] != size:
            raise ValueError(f'it has weights for {weight.shape[1]} values, but {size} arrive')

        def kernel_for(gain: Floats) -> Floats:
            return channels_last(weight.reshape(-1, *arriving.shape) * gain)

        return replace(
            self._weighted(arriving, Dense(len(weight)), kernel_for, bias), is_flat=True
        )

    def _weighted(
        self,
        arriving: Signal,
        layer: WeightedLayer,
        kernel_for: Callable[[Floats], Floats],
        bias: Floats,
    ) -> Signal:
        """What arrives behind a `layer`, whose kernel depends on the gain before it.

        It is scaled for what a spike means in this file.
        """
        if arriving.has_weights:
            raise ValueError('it follows other weights without neurons between them')
        channels, height, width = arriving.shape
        inputs = (height, width, channels)
        rows, columns, outputs = layer.output_shape(inputs)
        if bias.shape != (outputs,):
            raise ValueError(f'bias must have the shape {(outputs,)}, not {bias.shape}')
        shape = _not_empty((outputs, rows, columns), arriving.shape)

        def weighted(term: Term) -> Term:
            kernel = kernel_for(term.gain)
            if term.source != IMAGE:
                kernel = kernel * self.timing.spike_area
            return replace(term, gain=ONE, weights=Weighted(inputs, layer, kernel))

        return replace(arriving.each(weighted), shape=shape, bias=bias)

    def _readout(self, arriving: Signal) -> Found:
        """The last layer: weights without neurons, or spike counts in `presentation_time` (s)."""
        factor = self.timing.spike_area if arriving.has_weights else self.presentation_time

        def dense(term: Term) -> Term:
            if term.weights is not None:
                return replace(term, weights=term.weights.as_dense())
            if term.source < 0:
                raise ValueError('it has no weights between the image and the Output')
            return replace(term, gain=ONE, weights=eye(arriving.shape, term.gain * factor))

        outputs = arriving.each(dense)
        if not arriving.has_weights:
            outputs = replace(outputs, bias=np.zeros(math.prod(arriving.shape)))
        return Found.of(outputs, self.timing.spike_area)


def _not_empty(shape: Shape, inputs: Shape) -> Shape:
    if min(shape) < 1:
        raise ValueError(f'it has no output left for an input of shape {inputs}')
    return shape


NEURONS = ('LIF', 'CubaLIF', 'IF')
PASSED_ON = ('Input', 'Output', 'Identity')
TAKERS: dict[str, Callable[[GraphBuilder, Any, Signal], Signal]] = {
    'Conv2d': GraphBuilder.take_convolution,
    'Affine': GraphBuilder.take_affine,
    'Linear': GraphBuilder.take_linear,
    'Scale': GraphBuilder.take_scale,
    'AvgPool2d': GraphBuilder.take_average_pooling,
    'SumPool2d': GraphBuilder.take_sum_pooling,
    'Flatten': GraphBuilder.take_flatten,
    'LI': GraphBuilder.take_leaky_integrator,
    **dict.fromkeys(NEURONS, GraphBuilder.take_neurons),
    **dict.fromkeys(PASSED_ON, GraphBuilder.pass_on),
}
"""The method that takes nodes of each type: (builder, node, what arrives) -> what leaves it."""
