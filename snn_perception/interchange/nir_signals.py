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

"""What travels along the edges of a NIR graph: sums of spikes, images and currents.

Every node between two populations of neurons is linear, so what arrives at a node is always a sum
of terms, each from one source, and a bias. A node takes its effect on each term alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from snn_perception.graph import IMAGE
from snn_perception.interchange.nir_arrays import Floats, per_channel
from snn_perception.interchange.nir_kernels import convolution, pooled_kernel, ungrouped, zeros
from snn_perception.layers import Convolution, Dense, Identity, Link, Pair, Shape, WeightedLayer
from snn_perception.network import MAXIMUM_WEIGHTS
from snn_perception.synapses import Synapse

ONE = np.ones((1, 1, 1))
MAXIMUM_TERMS = 1000
"""Most ways by which values can reach one node."""


@dataclass(frozen=True)
class Weighted:
    """The `kernel` of `layer` on an input of the shape `inputs`, both channels-last."""

    inputs: Shape
    layer: WeightedLayer
    kernel: Floats

    def scaled(self, gain: Floats) -> Weighted:
        """It with an output that is multiplied by `gain` (channels,)."""
        return replace(self, kernel=self.kernel * gain)

    def averaged(self, size: Pair) -> Weighted:
        """It followed by the mean over blocks of `size`; raises ValueError for a dense layer."""
        layer = self.layer
        if not isinstance(layer, Convolution):
            raise ValueError('it must come after a convolution')
        kernel = pooled_kernel(self.kernel, layer.strides, size)
        strides = layer.strides[0] * size[0], layer.strides[1] * size[1]
        return replace(
            self,
            kernel=kernel,
            layer=convolution(kernel, strides, layer.margins, layer.groups),
        )

    def as_dense(self) -> Weighted:
        """It as a dense layer; a convolution must have one output value per channel."""
        layer = self.layer
        if not isinstance(layer, Convolution):
            return self
        rows, columns, channels = layer.output_shape(self.inputs)
        if (rows, columns) != (1, 1):
            raise ValueError(
                f'its output must have one value per channel, not be a map of shape '
                f'{(channels, rows, columns)}'
            )
        height, width, inputs = self.inputs
        (top, _), (left, _) = layer.margins
        kernel = zeros((height, width, inputs, channels))
        seen = ungrouped(self.kernel, layer.groups)[top : top + height, left : left + width]
        kernel[: len(seen), : seen.shape[1]] = seen
        return replace(self, layer=Dense(channels), kernel=kernel.reshape(-1, channels))


@dataclass(frozen=True)
class Term:
    """Values of population `source`, or of the image, on their way to a sum of currents.

    They are averaged over blocks of `pooling` and multiplied by `gain`, which is as `spread`
    returns it, or by `weights`. `time_constants` (s) are those of exponential synapses.
    """

    source: int
    pooling: Pair = (1, 1)
    gain: Floats = field(default_factory=lambda: ONE)
    weights: Weighted | None = None
    time_constants: tuple[float, ...] = ()

    def scaled(self, gain: Floats) -> Term:
        """It multiplied by `gain`, which is as `spread` returns it."""
        if self.weights is None:
            return replace(self, gain=self.gain * gain)
        channels = per_channel(gain, 'a gain after weights')
        return replace(self, weights=self.weights.scaled(channels))

    def averaged(self, size: Pair) -> Term:
        """It averaged over blocks of `size`; raises ValueError for the image."""
        if self.weights is not None:
            return replace(self, weights=self.weights.averaged(size))
        if self.source == IMAGE:
            raise ValueError('it must come after a convolution')
        gain = per_channel(self.gain, 'a gain before pooling')[:, None, None]
        pooling = self.pooling[0] * size[0], self.pooling[1] * size[1]
        return replace(self, pooling=pooling, gain=gain)

    def filtered(self, *time_constants: float) -> Term:
        """It after exponential synapses."""
        return replace(self, time_constants=self.time_constants + time_constants)

    @property
    def synapse(self) -> Synapse:
        """The synapses on its way as one of ours; raises ValueError if none matches.

        The image is not filtered here.
        """
        if not self.time_constants or self.source == IMAGE:
            return Synapse()
        first = self.time_constants[0]
        alike = all(math.isclose(first, tau, rel_tol=1e-3) for tau in self.time_constants)
        if len(self.time_constants) > 2 or not alike:
            raise ValueError(
                f'at most two synapses in series are possible, with the same time constant, '
                f'not {list(self.time_constants)}'
            )
        return Synapse('exponential' if len(self.time_constants) == 1 else 'alpha', first)

    def link(self, channels: int, spike_area: float) -> tuple[Link, Floats | None]:
        """Its layer and kernel; without weights an identity, or a factor for each channel."""
        if self.weights is not None:
            return self.weights.layer, self.weights.kernel
        gain = np.broadcast_to(per_channel(self.gain, 'a gain before neurons'), channels)
        if self.source != IMAGE:
            gain = gain * spike_area
        if (gain == gain[0]).all():
            return Identity(float(gain[0])), None
        return Convolution(channels, 1, groups=channels), gain.reshape(1, 1, 1, -1)


@dataclass(frozen=True)
class Signal:
    """The sum of `terms` and of `bias` (channels,): values of `shape`, channels first.

    `is_flat` says whether the map is flattened.
    """

    shape: Shape
    is_flat: bool
    terms: tuple[Term, ...]
    bias: Floats

    @classmethod
    def of(cls, source: int, shape: Shape, is_flat: bool) -> Signal:
        """The values of one source as they are."""
        return cls(shape, is_flat, (Term(source),), np.zeros(shape[0]))

    def each(self, change: Callable[[Term], Term]) -> Signal:
        """It with a `change` of every term."""
        return replace(self, terms=tuple(map(change, self.terms)))

    def scaled(self, gain: Floats) -> Signal:
        """It multiplied by `gain`, which is as `spread` returns it."""
        changed = self.each(lambda term: term.scaled(gain))
        if not self.bias.any():
            return changed
        return replace(changed, bias=self.bias * per_channel(gain, 'a gain after weights'))

    @property
    def has_weights(self) -> bool:
        """Whether any term has weights."""
        return any(term.weights is not None for term in self.terms)

    @property
    def synapse(self) -> Synapse:
        """The synapse of its spikes, which must be the same for all terms."""
        synapses = {term.synapse for term in self.terms if term.source != IMAGE}
        if len(synapses) > 1:
            raise ValueError('the spikes that arrive pass different synapses; here all are alike')
        return synapses.pop() if synapses else Synapse()


def added(signals: Sequence[Signal]) -> Signal:
    """The sum of `signals`; raises ValueError if they do not fit each other."""
    shapes = {signal.shape for signal in signals}
    is_flat = {signal.is_flat for signal in signals}
    pixel = all(shape[1:] == (1, 1) for shape in shapes)
    if len(shapes) > 1 or (len(is_flat) > 1 and not pixel):
        listed = ' and '.join(
            str((math.prod(signal.shape),) if signal.is_flat else signal.shape)
            for signal in signals
        )
        raise ValueError(f'the values that arrive cannot be added, as their shapes are {listed}')
    terms = tuple(term for signal in signals for term in signal.terms)
    if len(terms) > MAXIMUM_TERMS:
        raise ValueError(f'more than {MAXIMUM_TERMS} ways lead to it')
    bias = np.sum([signal.bias for signal in signals], axis=0)
    return Signal(signals[0].shape, any(is_flat), terms, bias)


def eye(shape: Shape, gain: Floats) -> Weighted:
    """A readout whose outputs are values of `shape`, channels first, multiplied by `gain`.

    Raises ValueError for more values than there can be classes.
    """
    count = math.prod(shape)
    if count**2 > MAXIMUM_WEIGHTS:
        raise ValueError(f'{count} neurons at the end are too many to be classes')
    matrix = np.eye(count).reshape(count, *shape) * gain
    channels, height, width = shape
    return Weighted((height, width, channels), Dense(count), channels_last(matrix))


def channels_last(matrix: Floats) -> Floats:
    """Weights (units, channels, height, width) in the order of a dense layer, (inputs, units)."""
    return matrix.transpose(2, 3, 1, 0).reshape(-1, len(matrix))
