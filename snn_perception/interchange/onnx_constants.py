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

"""Nodes of ONNX files that compute nothing but constants: shapes, and weights not dequantised."""

from __future__ import annotations

from collections.abc import Callable
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snn_perception.interchange.analog_fates import ConversionError
from snn_perception.interchange.analog_signals import check_size

Arrays = list[NDArray | None]
"""Inputs of a node; None where an optional one is missing."""


def dequantised(
    stored: NDArray, scale: NDArray, zero_point: NDArray | None, axis: int
) -> NDArray[np.float32]:
    """scale * (stored - zero_point), with one scale, or one for each index of `axis`."""
    zero_point = np.zeros(1) if zero_point is None else zero_point
    difference = stored.astype(np.float64) - _aligned(zero_point, stored, axis)
    return (difference * _aligned(scale, stored, axis)).astype(np.float32)


def quantised(values: NDArray, scale: NDArray, zero_point: NDArray | None, axis: int) -> NDArray:
    """The nearest that can be stored with `scale` and `zero_point`, whose type it has."""
    zero_point = np.zeros(1, np.uint8) if zero_point is None else zero_point
    if zero_point.dtype.kind not in 'iu':
        raise ConversionError('quantises to a type that is not read: use 8 bits')
    limits = np.iinfo(zero_point.dtype)
    steps = np.rint(values / _aligned(scale, values, axis)) + _aligned(zero_point, values, axis)
    return np.clip(steps, limits.min, limits.max).astype(zero_point.dtype)


def _aligned(numbers: NDArray, values: NDArray, axis: int) -> NDArray:
    """`numbers` in a shape that is broadcast to that of `values`."""
    if numbers.size == 1:
        return numbers.reshape(()).astype(np.float64)
    if numbers.ndim != 1 or not -values.ndim <= axis < values.ndim:
        raise ConversionError('is quantised in blocks, which is not read: use one scale a channel')
    if values.shape[axis] != numbers.size:
        raise ConversionError(
            f'has {numbers.size} scales for an array of the shape {values.shape}: it is damaged'
        )
    shape = [1] * values.ndim
    shape[axis] = numbers.size
    return numbers.reshape(shape).astype(np.float64)


def axes_of(inputs: Arrays, attributes: dict[str, Any]) -> list[int] | None:
    """Axes from the second input, as in newer opsets, or from the attribute of older ones."""
    if len(inputs) > 1 and inputs[1] is not None:
        return [int(axis) for axis in inputs[1].reshape(-1)]
    found = attributes.get('axes')
    return None if found is None else [int(axis) for axis in found]


def squeezed(shape: tuple[int, ...], axes: list[int] | None) -> list[int]:
    """`shape` without `axes`, or without all of size 1."""
    if axes is None:
        return [size for size in shape if size != 1]
    if any(not -len(shape) <= axis < len(shape) for axis in axes):
        raise ConversionError(f'has no dimensions {axes} to leave out of {shape}')
    left_out = {axis % len(shape) for axis in axes}
    if any(shape[axis] != 1 for axis in left_out):
        raise ConversionError(f'leaves dimensions {axes} out of {shape}, which are not of size 1')
    return [size for axis, size in enumerate(shape) if axis not in left_out]


def unsqueezed(shape: tuple[int, ...], axes: list[int] | None) -> list[int]:
    """`shape` with dimensions of size 1 put in, to be at `axes`."""
    axes, left = axes or [], list(shape)
    rank = len(shape) + len(axes)
    places = {axis % rank for axis in axes}
    if len(places) != len(axes) or rank > 32:
        raise ConversionError(f'cannot put dimensions {axes} into {shape}')
    return [1 if axis in places else left.pop(0) for axis in range(rank)]


def reshaping(shape: tuple[int, ...], wanted: NDArray, attributes: dict[str, Any]) -> list[int]:
    """The shape that Reshape gives an array of `shape`; a 0 stands for what is there."""
    sizes = [int(size) for size in wanted.reshape(-1)]
    if attributes.get('allowzero', 0):
        return sizes
    there = [*shape, *([0] * len(sizes))]
    return [size or there[axis] for axis, size in enumerate(sizes)]


def flattening(shape: tuple[int, ...], axis: int) -> list[int]:
    """The shape that Flatten gives an array of `shape`."""
    axis = axis + len(shape) if axis < 0 else axis
    return [prod(shape[:axis]), prod(shape[axis:])]


def _sliced(inputs: Arrays, attributes: dict[str, Any]) -> NDArray:
    """In older opsets starts, ends and axes are attributes."""
    given = [attributes.get(name) for name in ('starts', 'ends', 'axes')]
    starts, ends, axes, steps = [*(inputs[1:] or given), None, None][:4]
    assert inputs[0] is not None
    axes = np.arange(len(starts)) if axes is None else axes
    steps = np.ones(len(starts), np.int64) if steps is None else steps
    where = [slice(None)] * inputs[0].ndim
    for axis, start, end, step in zip(axes, starts, ends, steps, strict=True):
        where[int(axis)] = slice(int(start), int(end), int(step))
    return inputs[0][tuple(where)]


def _gathered(inputs: Arrays, attributes: dict[str, Any]) -> NDArray:
    data, indices = inputs[:2]
    assert data is not None
    assert indices is not None
    axis = attributes.get('axis', 0)
    check_size(indices.size * data.size // max(1, data.shape[axis]))
    return np.take(data, indices.astype(np.int64), axis)


def _arithmetic(operator: Callable) -> Callable[[Arrays, dict[str, Any]], NDArray]:
    def compute(inputs: Arrays, attributes: dict[str, Any]) -> NDArray:
        first, second = inputs
        assert first is not None
        assert second is not None
        check_size(int(np.prod(np.broadcast_shapes(first.shape, second.shape), dtype=float)))
        result = operator(first, second)
        return np.asarray(result, first.dtype)

    return compute


def _cast(inputs: Arrays, attributes: dict[str, Any]) -> NDArray:
    assert inputs[0] is not None
    # 6 and 7 are int32 and int64, 9 is bool; all others that are read are kept as float32.
    kind = {6: np.int32, 7: np.int64, 9: np.bool_}.get(attributes.get('to', 1), np.float32)
    return inputs[0].astype(kind)


FOLDED: dict[str, Callable[[Any, dict[str, Any]], NDArray]] = {
    'Add': _arithmetic(np.add),
    'Sub': _arithmetic(np.subtract),
    'Mul': _arithmetic(np.multiply),
    'Div': _arithmetic(lambda a, b: a // b if a.dtype.kind in 'iu' else a / b),
    'Cast': _cast,
    'Concat': lambda inputs, attributes: np.concatenate(inputs, attributes.get('axis', 0)),
    'DequantizeLinear': lambda inputs, attributes: dequantised(
        inputs[0], inputs[1], inputs[2] if len(inputs) > 2 else None, attributes.get('axis', 1)
    ),
    'QuantizeLinear': lambda inputs, attributes: quantised(
        inputs[0], inputs[1], inputs[2] if len(inputs) > 2 else None, attributes.get('axis', 1)
    ),
    'Flatten': lambda inputs, attributes: inputs[0].reshape(
        flattening(inputs[0].shape, attributes.get('axis', 1))
    ),
    'Gather': _gathered,
    'Identity': lambda inputs, attributes: inputs[0],
    'Reshape': lambda inputs, attributes: inputs[0].reshape(
        reshaping(inputs[0].shape, inputs[1], attributes)
    ),
    'Slice': _sliced,
    'Squeeze': lambda inputs, attributes: inputs[0].reshape(
        squeezed(inputs[0].shape, axes_of(inputs, attributes))
    ),
    'Transpose': lambda inputs, attributes: inputs[0].transpose(attributes.get('perm')),
    'Unsqueeze': lambda inputs, attributes: inputs[0].reshape(
        unsqueezed(inputs[0].shape, axes_of(inputs, attributes))
    ),
}
"""What is computed here, by operator, if all inputs are constants; raises what NumPy does."""
