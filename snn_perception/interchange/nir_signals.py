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
from numpy.typing import NDArray

from snn_perception.graph import IMAGE
from snn_perception.interchange.nir_arrays import Floats, per_channel
from snn_perception.interchange.nir_kernels import convolution, pooled_kernel, ungrouped, zeros
from snn_perception.layers import Convolution, Dense, Identity, Pair, Shape, WeightedLayer
from snn_perception.network import MAXIMUM_NEURONS, MAXIMUM_WEIGHTS
from snn_perception.synapses import Synapse

ONE = np.ones((1, 1, 1))
MAXIMUM_TERMS = 1000
"""Most ways by which values can reach one node."""


@dataclass
class Budget:
    """How many more weights, gains and biases may be kept in memory."""

    left: int = MAXIMUM_WEIGHTS

    def take(self, count: int) -> None:
        """Use it for `count` values; raises ValueError when it is used up."""
        self.left -= count
        if self.left < 0:
            raise ValueError('with it the file has more weights than any network that can be run')


@dataclass(frozen=True)
class Weighted:
    """The `kernel` of `layer` on an input of the shape `inputs`, both channels-last.

    Its output is multiplied by `gain`, (1,) or (channels,).
    """

    inputs: Shape
    layer: WeightedLayer
    kernel: Floats
    gain: Floats = field(default_factory=lambda: np.ones(1))

    def scaled(self, gain: Floats) -> Weighted:
        """It with an output that is multiplied by another `gain`, (1,) or (channels,)."""
        return replace(self, gain=self.gain * gain)

    def in_single(self) -> NDArray[np.float32]:
        """The kernel with the gain, in float32; infinite where that overflows."""
        with np.errstate(over='ignore'):
            return (self.kernel * self.gain).astype(np.float32)

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
    """Values of population `source`, or of the input, on their way to a sum of currents.

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
        """It averaged over blocks of `size`; raises ValueError for the input."""
        if self.weights is not None:
            return replace(self, weights=self.weights.averaged(size))
        if self.source < 0:
            raise ValueError('it must come after a convolution')
        gain = per_channel(self.gain, 'a gain before pooling')[:, None, None]
        pooling = self.pooling[0] * size[0], self.pooling[1] * size[1]
        return replace(self, pooling=pooling, gain=gain)

    def filtered(self, *time_constants: float) -> Term:
        """It after exponential synapses."""
        return replace(self, time_constants=self.time_constants + time_constants)

    @property
    def arrays(self) -> list[Floats]:
        """What it keeps in memory."""
        weights = self.weights
        return [self.gain] if weights is None else [self.gain, weights.kernel, weights.gain]

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

    def link(self, channels: int, spike_area: float) -> Identity | Weighted:
        """Its weights; without any an identity, or a factor for each channel."""
        if self.weights is not None:
            return self.weights
        gain = np.broadcast_to(per_channel(self.gain, 'a gain before neurons'), channels)
        if self.source != IMAGE:
            gain = gain * spike_area
        if (gain == gain[0]).all():
            return Identity(float(gain[0]))
        layer = Convolution(channels, 1, groups=channels)
        return Weighted((1, 1, channels), layer, gain.reshape(1, 1, 1, -1))


@dataclass(frozen=True)
class Signal:
    """The sum of `terms` and of `bias` (channels,): values of `shape`, channels first.

    `is_flat` says whether the map is flattened. All signals of a file share one `budget`. Raises
    ValueError for more values than a network can have neurons.
    """

    shape: Shape
    is_flat: bool
    terms: tuple[Term, ...]
    bias: Floats
    budget: Budget

    def __post_init__(self) -> None:
        if math.prod(self.shape) > MAXIMUM_NEURONS:
            raise ValueError(
                f'values of the shape {self.shape} are more than the {MAXIMUM_NEURONS} allowed'
            )
        self.budget.take(self.bias.size)

    @classmethod
    def of(cls, source: int, shape: Shape, is_flat: bool, budget: Budget) -> Signal:
        """The values of one source as they are."""
        return cls(shape, is_flat, (Term(source),), np.zeros(shape[0]), budget)

    def each(self, change: Callable[[Term], Term]) -> Signal:
        """It with a `change` of every term."""
        return replace(self, terms=tuple(map(self._within_budget(change), self.terms)))

    def _within_budget(self, change: Callable[[Term], Term]) -> Callable[[Term], Term]:
        def changed(term: Term) -> Term:
            result = change(term)
            kept = {id(values) for values in term.arrays}
            self.budget.take(
                sum(values.size for values in result.arrays if id(values) not in kept)
            )
            return result

        return changed

    def scaled(self, gain: Floats) -> Signal:
        """It multiplied by `gain`, which is as `spread` returns it."""
        changed = self.each(lambda term: term.scaled(gain))
        if not self.bias.any():
            return changed
        return replace(changed, bias=self.bias * per_channel(gain, 'a gain after weights'))

    @property
    def nir_shape(self) -> tuple[int, ...]:
        """Its shape in NIR: one number if it is flattened."""
        return (math.prod(self.shape),) if self.is_flat else self.shape

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
    first, *others = signals
    if sum(len(signal.terms) for signal in signals) > MAXIMUM_TERMS:
        raise ValueError(f'more than {MAXIMUM_TERMS} ways lead to it')
    for other in others:
        is_pixel = first.shape[1:] == (1, 1)
        if other.shape != first.shape or (other.is_flat != first.is_flat and not is_pixel):
            raise ValueError(
                f'the values that arrive cannot be added, as their shapes are {first.nir_shape} '
                f'and {other.nir_shape}'
            )
    return replace(
        first,
        is_flat=any(signal.is_flat for signal in signals),
        terms=tuple(term for signal in signals for term in signal.terms),
        bias=sum((signal.bias for signal in others), first.bias),
    )


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
