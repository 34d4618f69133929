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

"""What flows through a trained network, as exact sums of convolutions of what neurons give.

Everything between two rectifiers is linear. A signal is a sum of terms, each of which is the
convolution of an average-pooled population (or of the image), and a bias for each channel. A
dense layer is a convolution over the whole map here, a normalisation a depthwise one of one pixel.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from snn_perception.graph import IMAGE
from snn_perception.interchange.analog_fates import ConversionError
from snn_perception.layers import Convolution, Pair, Shape
from snn_perception.network import MAXIMUM_WEIGHTS

MAXIMUM_TERMS = 200
MAXIMUM_MACS = 10**11
"""For the composition of two linear layers."""


@dataclass(frozen=True)
class Term:
    """`source`, averaged over blocks of `pooling` to the shape `inputs`, through `layer`.

    `kernel` is float32, (rows, columns, inputs of a group, channels); None: each value stays as it
    is, and `layer` is a depthwise convolution of one pixel.
    """

    source: int
    pooling: Pair
    inputs: Shape
    layer: Convolution
    kernel: NDArray[np.float32] | None = None

    @classmethod
    def of(cls, source: int, shape: Shape, pooling: Pair = (1, 1)) -> Term:
        """What `source`, of `shape` behind `pooling`, gives and no more."""
        return cls(source, pooling, shape, Convolution(shape[2], 1, groups=shape[2]))

    @property
    def shape(self) -> Shape:
        """(height, width, channels) of the sum that this is a term of."""
        return self.layer.output_shape(self.inputs)

    @property
    def weights(self) -> NDArray[np.float32]:
        """The kernel, of ones if it has none."""
        if self.kernel is None:
            return np.ones((1, 1, 1, self.layer.channels), np.float32)
        return self.kernel


@dataclass(frozen=True)
class Signal:
    """The sum of `terms` and of `bias`, float32 (channels,).

    `nodes` are the numbers of those nodes of the file that it comes from, since the neurons.
    """

    terms: tuple[Term, ...]
    bias: NDArray[np.float32]
    nodes: frozenset[int] = frozenset()

    @classmethod
    def of(cls, source: int, shape: Shape) -> Signal:
        """What `source`, of `shape`, gives."""
        return cls((Term.of(source, shape),), np.zeros(shape[2], np.float32))

    @property
    def shape(self) -> Shape:
        """(height, width, channels)."""
        return self.terms[0].shape

    @property
    def read(self) -> Term | None:
        """The only term, if this is what neurons or the image give, perhaps averaged."""
        if len(self.terms) == 1 and self.terms[0].kernel is None and not self.bias.any():
            return self.terms[0]
        return None


def through(
    signal: Signal, layer: Convolution, kernel: NDArray, bias: NDArray | None = None
) -> Signal:
    """`signal` convolved, which is exact or raises ConversionError.

    `kernel` is that of `layer`; `bias` has one value for each channel.
    """
    inputs, margins = signal.shape, np.array(layer.margins)
    if kernel.shape != layer.weight_shape(inputs) or inputs[2] % layer.groups:
        raise ConversionError(
            f'has weights of the shape {kernel.shape}, which do not fit {inputs[2]} channels '
            f'in {layer.groups} groups'
        )
    if min(layer.output_shape(inputs)) < 1:
        raise ConversionError(f'leaves nothing of a map of the shape {inputs[:2]}')
    if signal.bias.any() and margins.any():
        raise ConversionError(
            'pads what has a bias and no rectifier before it, so that the border cannot be exact: '
            'put a ReLU before it, or remove the padding, and train again'
        )
    total = _response(kernel, layer.groups, signal.bias)
    total = total if bias is None else total + bias
    terms = tuple(_composed(term, layer, kernel) for term in signal.terms)
    return replace(signal, terms=terms, bias=total.astype(np.float32))


def added(first: Signal, second: Signal) -> Signal:
    """The sum of two signals of one shape."""
    if first.shape != second.shape:
        raise ConversionError(f'adds maps of the shapes {first.shape} and {second.shape}')
    terms = first.terms + second.terms
    if len(terms) > MAXIMUM_TERMS:
        raise ConversionError(
            f'adds up more than {MAXIMUM_TERMS} branches without a rectifier between them: '
            'put a ReLU behind each sum and train again'
        )
    return Signal(terms, first.bias + second.bias, first.nodes | second.nodes)


def averaged(signal: Signal, block: Pair) -> Signal:
    """Means over blocks; what is left over is dropped. Exact, or raises ConversionError."""
    terms = []
    for term in signal.terms:
        if term.source == IMAGE:
            raise ConversionError('pools the image: convert images of the smaller size instead')
        if not _is_pointwise(term.layer) or term.layer.strides != (1, 1):
            raise ConversionError(
                'averages what a convolution gives without a rectifier: put a ReLU between them, '
                'or average before the convolution, and train again'
            )
        height, width, channels = term.inputs
        inputs = height // block[0], width // block[1], channels
        if min(inputs) < 1:
            raise ConversionError(f'leaves nothing of a map of the shape {term.inputs[:2]}')
        pooling = term.pooling[0] * block[0], term.pooling[1] * block[1]
        terms.append(replace(term, pooling=pooling, inputs=inputs))
    return replace(signal, terms=tuple(terms))


def over_whole_map(term: Term) -> Term:
    """`term`, whose output has but one pixel, with a kernel as large as its inputs: dense."""
    rows, columns, inputs = term.inputs
    kernel = _ungrouped(term.weights, term.layer.groups)
    if kernel.shape[:2] != (rows, columns):
        (top, _), (left, _) = term.layer.margins
        check_size(rows * columns * inputs * kernel.shape[3])
        whole = np.zeros((rows, columns, *kernel.shape[2:]), np.float32)
        part = kernel[top : top + rows, left : left + columns]
        whole[: part.shape[0], : part.shape[1]] = part
        kernel = whole
    return replace(term, layer=Convolution(term.layer.channels, (rows, columns)), kernel=kernel)


def check_size(weights: int) -> None:
    """Raise ConversionError for more `weights` than a network can have."""
    if weights > MAXIMUM_WEIGHTS:
        raise ConversionError(f'has {weights} weights, more than the {MAXIMUM_WEIGHTS} allowed')


def _composed(term: Term, layer: Convolution, kernel: NDArray) -> Term:
    """`term` through `layer`, as one term."""
    first, channels = term.layer, layer.channels
    if term.kernel is None:
        return replace(term, layer=layer, kernel=kernel.astype(np.float32))
    if _is_pointwise(layer):
        strides = first.strides[0] * layer.strides[0], first.strides[1] * layer.strides[1]
        if layer.groups == layer.channels == first.channels:
            groups, product = first.groups, term.kernel * kernel.reshape(-1)
        else:
            groups, product = 1, _product(term, layer, kernel)
        margins = *first.margins[0], *first.margins[1]
        composed = Convolution(channels, first.kernel_size, strides, margins, groups)
    elif _is_pointwise(first) and first.strides == (1, 1):
        composed, product = replace(layer, groups=1), _product(term, layer, kernel)
    else:
        raise ConversionError(
            'reads a convolution without a rectifier between them, which are no single '
            'convolution: put a ReLU between them and train again'
        )
    return replace(term, layer=composed, kernel=product.astype(np.float32))


def _product(term: Term, layer: Convolution, kernel: NDArray) -> NDArray:
    """The kernel of both, of which one has a single pixel, for one group."""
    first, (_, _, inputs) = term.layer, term.inputs
    size = max(np.prod(first.kernel_size), np.prod(layer.kernel_size)) * inputs
    check_size(int(size) * layer.channels)
    check_size(int(np.prod(first.kernel_size)) * inputs * first.channels)
    check_size(int(np.prod(layer.kernel_size)) * first.channels * layer.channels)
    if int(size) * first.channels * layer.channels > MAXIMUM_MACS:
        raise ConversionError('reads a convolution without a rectifier, and both are too large')
    before = _ungrouped(term.weights, first.groups).astype(np.float64)
    return before @ _ungrouped(kernel, layer.groups).astype(np.float64)


def _ungrouped(kernel: NDArray, groups: int) -> NDArray:
    """The kernel of the same convolution in one group, with zeros between groups."""
    if groups == 1:
        return kernel
    rows, columns, inputs, channels = kernel.shape
    each = channels // groups
    check_size(rows * columns * inputs * groups * channels)
    whole = np.zeros((rows, columns, inputs * groups, channels), kernel.dtype)
    for group in range(groups):
        ours = slice(group * each, (group + 1) * each)
        whole[:, :, group * inputs : (group + 1) * inputs, ours] = kernel[..., ours]
    return whole


def _response(kernel: NDArray, groups: int, values: NDArray) -> NDArray:
    """What a convolution, which does not pad, gives for the same `values` in every pixel."""
    sums = kernel.sum(axis=(0, 1), dtype=np.float64)
    inputs, channels = sums.shape
    ours = np.repeat(values.reshape(groups, inputs), channels // groups, axis=0)
    return (sums * ours.T).sum(axis=0)


def _is_pointwise(layer: Convolution) -> bool:
    return layer.kernel_size == (1, 1) and layer.margins == ((0, 0), (0, 0))
