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
from dataclasses import dataclass, field, replace
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
from snn_perception.interchange.timing import Timing
from snn_perception.model import Weights
from snn_perception.model_file import ModelError
from snn_perception.network import (
    MAXIMUM_WEIGHTS,
    AveragePooling,
    Convolution,
    Dense,
    Layer,
    Network,
    Shape,
    WeightedLayer,
)
from snn_perception.neurons import IF, LIF
from snn_perception.synapses import Synapse

ONE = np.ones((1, 1, 1))


@dataclass
class Weighted:
    """A weighted layer whose neurons may still follow; arrays are float64.

    `source`, the shape of its input, and the arrays are channels-last. `time_constants` (s)
    belong to the exponential synapses before it.
    """

    source: Shape
    layer: WeightedLayer
    kernel: Floats
    bias: Floats
    time_constants: list[float]

    def scale(self, gain: Floats) -> None:
        """Multiply its output by `gain` (channels,)."""
        self.kernel = self.kernel * gain
        self.bias = self.bias * gain


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
        readout = self._as_dense(self.waiting or self._spike_counts(presentation_time))
        weighted = [*self.done, readout]
        hidden = [_synapse(each.time_constants) for each in self.done[1:]]
        if len(set(hidden)) > 1:
            raise ValueError('its hidden layers have different synapses; here all must be alike')
        channels, height, width = self.image
        network = Network(
            (height, width, channels),
            (*self.layers, readout.layer),
            self.neuron or LIF(tau_ref=0.0),
            hidden[0] if hidden else Synapse(),
            _synapse(readout.time_constants) if self.done else Synapse(),
        )
        with np.errstate(over='ignore'):  # The model refuses weights that are not finite.
            return network, tuple(
                Weights(each.kernel.astype(np.float32), each.bias.astype(np.float32))
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
        kernel = _channels_last(weight.reshape(-1, *self.shape) * self.gain)
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
            kernel = pooled_kernel(self.waiting.kernel, before.stride, size)
            self.waiting.kernel = kernel
            self.waiting.layer = Convolution(
                before.channels, len(kernel), before.stride * size, before.padding
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

    def _spike_counts(self, presentation_time: float) -> Weighted:
        """A readout whose outputs are the rates of the last neurons times `presentation_time`."""
        if not self.done:
            raise ValueError('it has no weights')
        count = math.prod(self.shape)
        if count**2 > MAXIMUM_WEIGHTS:
            raise ValueError(f'{count} neurons at the end are too many to be classes')
        matrix = presentation_time * np.eye(count).reshape(count, *self.shape) * self.gain
        source, bias = (self.shape[1], self.shape[2], self.shape[0]), np.zeros(count)
        return Weighted(source, Dense(count), _channels_last(matrix), bias, self.time_constants)

    def _as_dense(self, readout: Weighted) -> Weighted:
        """`readout` as a dense layer; a convolution must have one output value per channel."""
        if not isinstance(readout.layer, Convolution):
            return readout
        if self.shape[1:] != (1, 1):
            raise ValueError(
                f'its output must have one value per channel, not be a map of shape {self.shape}'
            )
        height, width, inputs = readout.source
        margin, channels = readout.layer.padding, readout.layer.channels
        kernel = np.zeros((height, width, inputs, channels))
        seen = readout.kernel[margin : margin + height, margin : margin + width]
        kernel[: len(seen), : seen.shape[1]] = seen
        kernel = kernel.reshape(-1, channels)
        return replace(readout, layer=Dense(channels), kernel=kernel)


def _channels_last(matrix: Floats) -> Floats:
    """Weights (units, channels, height, width) in the order of a dense layer, (inputs, units)."""
    return matrix.transpose(2, 3, 1, 0).reshape(-1, len(matrix))


def _synapse(time_constants: list[float]) -> Synapse:
    """Exponentials in series as one of our synapses; raises ValueError if none matches."""
    if not time_constants:
        return Synapse()
    first = time_constants[0]
    if len(time_constants) > 2 or not all(
        math.isclose(first, t, rel_tol=1e-3) for t in time_constants
    ):
        raise ValueError(
            f'at most two synapses in series are possible, with the same time constant, '
            f'not {time_constants}'
        )
    return Synapse('exponential' if len(time_constants) == 1 else 'alpha', first)


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
