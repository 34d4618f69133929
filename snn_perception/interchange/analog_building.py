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

"""From the operations of a trained network, in their order, to layers of ours.

Readers of file formats call the methods of `Builder` for each node. What is linear is composed
exactly (see `analog_signals`); a rectifier makes a population.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from math import inf, isinf

import numpy as np
from numpy.typing import NDArray

from snn_perception.graph import IMAGE
from snn_perception.interchange.analog_fates import ConversionError, Fate, Node
from snn_perception.interchange.analog_network import Analog
from snn_perception.interchange.analog_scale import Prepared, Scale
from snn_perception.interchange.analog_signals import (
    Signal,
    added,
    averaged,
    over_whole_map,
    through,
)
from snn_perception.interchange.analog_values import UNPADDED, Dimension, Value
from snn_perception.interchange.analog_writing import written
from snn_perception.layers import Convolution, Pair, Shape
from snn_perception.network import MAXIMUM_NEURONS, MAXIMUM_WEIGHTS

MAXIMUM_NODES = 10_000
MAXIMUM_NUMBERS = 3 * MAXIMUM_WEIGHTS
"""Numbers that are made of weights on the way: dequantised, folded, composed."""


@dataclass(frozen=True)
class Rectified:
    """A population: the rectifier of a `node`, of the current `signal`, at most `ceiling`."""

    signal: Signal
    ceiling: float
    node: int


class Builder:
    """Operations on values of a network for images of `shape`, and what became of each node.

    All methods raise ConversionError for what cannot be spiked.
    """

    def __init__(self, shape: Shape, dimensions: tuple[Dimension, ...]) -> None:
        if shape[2] not in (1, 3):
            raise ConversionError(
                f'the input has {shape[2]} channels, and images have 1 (grey) or 3 (RGB)'
            )
        if max(shape) > 65536 or np.prod(shape, dtype=float) > MAXIMUM_NEURONS:
            raise ConversionError(f'the input has the shape {shape}, which is absurdly large')
        self.shape = shape
        self.image = Value.of(Signal.of(IMAGE, shape), dimensions)
        self.prepared = Prepared(self.image.signal.terms[0])
        self.populations: list[Rectified] = []
        self.neurons = 0
        self.spent = 0
        self.nodes: dict[int, Node] = {}
        self.roles: dict[int, str] = {}
        self.layers_of: dict[int, set[int]] = {}
        self.current = 0

    @contextmanager
    def reading(self, node: Node) -> Iterator[None]:
        """Name `node` in errors that are raised meanwhile, and in the list of fates."""
        if len(self.nodes) >= MAXIMUM_NODES:
            raise ConversionError(f'it has more than the {MAXIMUM_NODES} nodes allowed')
        self.nodes[node.number], self.current = node, node.number
        try:
            yield
        except MemoryError:
            raise
        except ValueError as reason:
            raise ConversionError(f'{node} {reason}') from None
        except Exception as reason:  # What damaged files hold may be of any type.
            said = f'{type(reason).__name__} {reason}'
            raise ConversionError(f'{node} does not fit together: {said}') from None

    def note(self, role: str) -> None:
        """Say what became of the node that is read."""
        known = self.roles.get(self.current)
        self.roles[self.current] = f'{known}, {role}' if known else role

    def convolve(
        self,
        value: Value,
        layer: Convolution,
        kernel: NDArray,
        bias: NDArray | None,
        dimensions: tuple[Dimension, ...],
    ) -> Value:
        """`value`, a map in the order of `dimensions`, through a convolution."""
        signal = self.open(value, padded=True).expect(dimensions)
        (top, bottom), (left, right) = np.add(layer.margins, value.margins).tolist()
        padded = replace(layer, padding=(top, bottom, left, right))
        self.note(_title(padded, signal.shape))
        return self._made(self._through(signal, padded, kernel, bias), dimensions)

    def dense(self, value: Value, kernel: NDArray, bias: NDArray | None) -> Value:
        """`value`, (1, inputs), times `kernel` (inputs, units)."""
        value = self.open(value)
        sizes, (*batch, axes) = value.sizes, value.dimensions
        if any(batch):
            raise ConversionError(
                f'reads an array of the shape {value.shape}: flatten the map before it'
            )
        inputs, units = kernel.shape
        if inputs != value.shape[-1]:
            raise ConversionError(f'has weights for {inputs} values, and gets {value.shape[-1]}')
        ours = [axis for axis in 'hwc' if axis in axes]
        order = [axes.index(axis) for axis in ours]
        kernel = kernel.reshape(*(sizes[axis] for axis in axes), units)
        rows, columns, _ = value.signal.shape
        kernel = kernel.transpose(*order, len(axes)).reshape(rows, columns, -1, units)
        self.note('dense layer')
        signal = self._through(value.signal, Convolution(units, (rows, columns)), kernel, bias)
        return self._made(signal, (*batch, ('c',)))

    def normalise(self, value: Value, factor: NDArray, offset: NDArray, role: str) -> Value:
        """`factor` * `value` + `offset`, one for each channel."""
        _check_finite('factors', factor)
        _check_finite('offsets', offset)
        is_image = value.signal.terms[0] is self.prepared.term and not self.prepared.is_read
        if is_image and value.margins == UNPADDED and (factor > 0).all():
            self.note('part of the preprocessing of images')
            term = self.prepared.scale(factor, offset)
            return replace(value, signal=replace(value.signal, terms=(term,)))
        value = self.open(value)
        self.note(role)
        scaling = Convolution(factor.size, 1, groups=factor.size)
        if (factor == 1).all():
            signal = replace(value.signal, bias=(value.signal.bias + offset).astype(np.float32))
        else:
            signal = self._through(value.signal, scaling, factor.reshape(1, 1, 1, -1), offset)
        return self._made(signal, value.dimensions)

    def add(self, first: Value, second: Value) -> Value:
        """The sum of two values."""
        first, second = self.open(first), self.open(second)
        if first.dimensions != second.dimensions or first.shape != second.shape:
            raise ConversionError(f'adds arrays of the shapes {first.shape} and {second.shape}')
        self.note('sum of currents')
        return self._made(added(first.signal, second.signal), first.dimensions)

    def average(self, value: Value, block: Pair) -> Value:
        """Means of `value` over blocks of the map."""
        value = self.open(value)
        self.note('average pooling')
        return self._made(averaged(value.signal, block), value.dimensions)

    def rectify(self, value: Value, ceiling: float = inf) -> Value:
        """What is above 0 of `value`, up to `ceiling`: neurons."""
        value = self.open(value)
        if not ceiling > 0:
            raise ConversionError(f'lets nothing through: its ceiling is {ceiling}')
        self.note('rectifier' if isinf(ceiling) else f'rectifier up to {ceiling:g}')
        read = value.signal.read
        if read and read.source != IMAGE and self.populations[read.source].ceiling <= ceiling:
            self.note('which changes nothing')
            return value
        self.neurons += int(np.prod(value.signal.shape))
        if self.neurons > MAXIMUM_NEURONS:
            raise ConversionError(f'has more neurons than the {MAXIMUM_NEURONS} allowed')
        index = len(self.populations)
        signal = replace(value.signal, nodes=value.signal.nodes | {self.current})
        self.populations.append(Rectified(signal, float(ceiling), self.current))
        return Value.of(Signal.of(index, value.signal.shape), value.dimensions)

    def is_rectified(self, value: Value) -> bool:
        """Whether `value` is what neurons give, perhaps averaged."""
        read = value.signal.read
        return read is not None and read.source != IMAGE

    def pad(self, value: Value, margins: tuple[Pair, Pair]) -> Value:
        """Zeros around the map of `value`, for the convolution that reads it."""
        value = self.open(value, padded=True)
        (top, bottom), (left, right) = np.add(value.margins, margins).tolist()
        if min(top, bottom, left, right) < 0:
            raise ConversionError('cuts the map off: pad by 0 or more')
        self.note('padding of the convolution behind')
        return replace(value, margins=((top, bottom), (left, right)))

    def view(self, value: Value, change: Callable[[Value], Value]) -> Value:
        """`value` with other dimensions."""
        if value.margins != UNPADDED:
            self.open(value)
        self.note('only another view of the same values')
        return change(value)

    def same(self, value: Value, role: str) -> Value:
        """`value` as it is."""
        self.note(role)
        return value

    def end(self, value: Value) -> Value:
        """The softmax behind which nothing comes."""
        value = self.open(value)
        self.note('left out: a softmax at the end does not change which class is first')
        return replace(value, ended=True)

    def finish(self, value: Value, scale: Scale | None = None, bgr: bool = False) -> Analog:
        """The network whose output is `value`; `scale` is what the file says of its images."""
        signal = value.signal
        if value.margins != UNPADDED or signal.shape[:2] != (1, 1):
            raise ConversionError(
                f'the output has the shape {value.shape}, and must be one score for each class'
            )
        signal = self._without_last_rectifier(signal)
        signals = [population.signal for population in self.populations]
        readout = replace(signal, terms=tuple(map(over_whole_map, signal.terms)))
        layers, weights = written([*signals, readout])
        for index, each in enumerate([*signals, signal]):
            for node in each.nodes:
                self.layers_of.setdefault(node, set()).add(index)
        ceilings = tuple(population.ceiling for population in self.populations)
        fates = tuple(map(self._fate, sorted(self.nodes)))
        analog = Analog(self.shape, layers, weights, ceilings, fates, bgr=bgr)
        if scale := self.prepared.after(scale):
            analog = replace(analog, mean=scale.mean, deviation=scale.deviation)
        _ = analog.network  # Which checks shapes and sizes.
        return analog

    def _without_last_rectifier(self, signal: Signal) -> Signal:
        """The current of the last population, if `signal` is what that one gives and no more."""
        read, last = signal.read, len(self.populations) - 1
        if read is None or read.source != last or last < 0 or read.pooling != (1, 1):
            return signal
        if any(term.source == last for each in self.populations for term in each.signal.terms):
            return signal
        ended = self.populations.pop()
        self.current = ended.node
        self.note('left out: at the end it does not change which class is first')
        return replace(ended.signal, nodes=ended.signal.nodes | signal.nodes)

    def _fate(self, number: int) -> Fate:
        node, outcome = self.nodes[number], self.roles.get(number, 'left out')
        if layers := sorted(self.layers_of.get(number, ())):
            listed = ' and '.join(map(str, layers))
            outcome += f', of layer{"s" * (len(layers) > 1)} {listed}'
        return Fate(number, node.name, node.operator, outcome)

    def open(self, value: Value, padded: bool = False) -> Value:
        """`value`, if more can be done with it."""
        if value.ended:
            raise ConversionError('comes after a softmax, which can only be at the end')
        if not padded and value.margins != UNPADDED:
            raise ConversionError('reads a padded map, and only convolutions can do that')
        read = value.signal.read
        if read and read.source == IMAGE:
            self.prepared.is_read = True
            if read is not self.prepared.term:
                raise ConversionError(
                    'reads the image before it is scaled, and others behind: scale it outside of '
                    'the network'
                )
        return value

    def _through(
        self, signal: Signal, layer: Convolution, kernel: NDArray, bias: NDArray | None
    ) -> Signal:
        """`signal` convolved, with weights that are counted and finite."""
        _check_finite('weights', kernel)
        _check_finite('a bias', bias)
        if bias is not None and bias.shape != (layer.channels,):
            raise ConversionError(f'has {bias.size} biases for {layer.channels} channels')
        self.spend(kernel.size * len(signal.terms))
        convolved = through(signal, layer, kernel, bias)
        composed = [term.weights.size for term in convolved.terms if signal.read is None]
        self.spend(sum(composed))
        return convolved

    def _made(self, signal: Signal, dimensions: tuple[Dimension, ...]) -> Value:
        nodes = signal.nodes | {self.current}
        if not np.isfinite(signal.bias).all():
            raise ConversionError('leads to numbers that are not finite')
        return Value.of(replace(signal, nodes=nodes), dimensions)

    def spend(self, weights: int) -> None:
        """Count `weights` against what may be made of them."""
        self.spent += weights
        if self.spent > MAXIMUM_NUMBERS:
            raise ConversionError(
                f'leads to {self.spent} numbers, more than the {MAXIMUM_NUMBERS} allowed'
            )


def _title(layer: Convolution, inputs: Shape) -> str:
    rows, columns = layer.kernel_size
    kind = 'depthwise convolution' if 1 < layer.groups == inputs[2] else 'convolution'
    return f'{kind} {rows}x{columns}'


def _check_finite(what: str, values: NDArray | None) -> None:
    if values is not None and not np.isfinite(values).all():
        raise ConversionError(f'has {what} with values that are not finite: export it again')
