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

"""Numbers of spikes of neurons that take turns, as one differentiable operation.

Forward they are whole numbers, see `turns`; the gradient follows the line that the staircase
goes along (a straight-through estimator). On a CPU one pass over the currents makes both.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from snn_perception.compiled import compiled
from snn_perception.neurons import Neuron
from snn_perception.threads import in_parallel
from snn_perception.turns import thresholds

MOST_BINS = 2**16
"""A larger table would not stay in the caches of a processor."""


class Line(NamedTuple):
    """The line near which a neuron's current is for each number of spikes in its window.

    current = `slope` x spikes + `offset`, and in the middle between two thresholds it is that of
    a whole number of spikes. There are `steps` spikes at most.
    """

    slope: float
    offset: float
    steps: int

    @classmethod
    @lru_cache
    def of(cls, neuron: Neuron, steps: int, dt: float) -> Line:
        """The line of `neuron` with a window of `steps` steps of `dt` (s).

        It is fitted to the thresholds for many spikes: those for few lie above it, where a LIF
        neuron leaks, and what is hardly there is not worth a spike.
        """
        limits = thresholds(neuron, steps, dt)
        limits = limits[np.isfinite(limits)]
        upper = limits[len(limits) // 2 :]
        spikes = np.arange(len(limits))[len(limits) // 2 :] + 0.5
        if len(upper) < 2:
            raise ValueError(f'a firing_window of {steps} steps is too short to fit a line to')
        slope, offset = np.polyfit(spikes, upper, 1)
        return cls(float(slope), float(offset), len(limits))


def whole_spikes(current: Tensor, neuron: Neuron, steps: int, dt: float) -> Tensor:
    """Spikes of neurons under a constant `current` in `steps` steps of `dt` (s), whole numbers.

    With the shape, dtype and memory format of `current`.
    """
    return _WholeSpikes.apply(current, neuron, steps, dt)


class _WholeSpikes(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, current: Tensor, neuron: Neuron, steps: int, dt: float) -> Tensor:
        values = current.detach()
        ctx.line = Line.of(neuron, steps, dt)
        table = _table(neuron, steps, dt) if _is_compiled(values) else None
        if table is None:
            limits = torch.from_numpy(_limits(neuron, steps, dt)).to(values.device)
            counts = torch.bucketize(values.float().contiguous(), limits, right=True)
            counts = counts.to(values.dtype)
        else:
            values = values.contiguous()
            counts = torch.empty_like(values)
            _share_out(values.view(-1).numpy(), counts.view(-1).numpy(), table)
        ctx.save_for_backward(values)
        return counts.view_as(current)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None, None]:
        (current,) = ctx.saved_tensors
        line: Line = ctx.line
        low, high = line.offset - line.slope / 2, line.offset + line.slope * (line.steps + 0.5)
        [gradient] = gradients
        if not _is_compiled(current):
            inside = (current > low) & (current < high)
            return gradient * inside * (1 / line.slope), None, None, None
        result = torch.empty_like(current)
        arrays = [each.view(-1).numpy() for each in (current, gradient.contiguous(), result)]
        limits = np.float32(low), np.float32(high), np.float32(1 / line.slope)

        def run(first: int, end: int) -> None:
            _follow(*(array[first:end] for array in arrays), *limits)

        in_parallel(run, current.numel(), torch.get_num_threads())
        return result, None, None, None


def _is_compiled(values: Tensor) -> bool:
    """Whether the loops below are for `values`."""
    return values.device.type == 'cpu' and values.dtype == torch.float32


class _Table(NamedTuple):
    """Bins of currents from `lowest` on, `per_unit` of them in a unit, to look up spikes in.

    In each bin there is one limit at most. `counts` are the spikes at its beginning, and `limits`
    the current from which on there is one more.
    """

    lowest: np.float32
    per_unit: np.float32
    counts: NDArray[np.float32]
    limits: NDArray[np.float32]


@lru_cache
def _limits(neuron: Neuron, steps: int, dt: float) -> NDArray[np.float32]:
    limits = thresholds(neuron, steps, dt)
    return limits[np.isfinite(limits)].astype(np.float32)


@lru_cache
def _table(neuron: Neuron, steps: int, dt: float) -> _Table | None:
    """The table of `neuron`; none if limits are too close together for it, as in long windows."""
    limits = _limits(neuron, steps, dt).astype(float)
    gap = np.diff(limits).min(initial=1.0) * 0.9
    if limits[-1] - limits[0] > MOST_BINS * gap:
        return None
    # Evenly spaced limits, as those of IF, must not lie on a border, where a place may be rounded.
    begins = limits[0] - 2.05 * gap + gap * np.arange(int((limits[-1] - limits[0]) / gap) + 5)
    counts = np.searchsorted(limits, begins, side='right')
    next_limits = np.append(limits, np.inf)[counts]
    return _Table(
        np.float32(begins[0]),
        np.float32(1 / gap),
        counts.astype(np.float32),
        next_limits.astype(np.float32),
    )


def _share_out(current: NDArray, counts: NDArray, table: _Table) -> None:
    """Call the loop on parts of the arrays, in as many threads as PyTorch uses."""

    def run(first: int, end: int) -> None:
        _count(current[first:end], counts[first:end], table)

    in_parallel(run, current.size, torch.get_num_threads())


@compiled(fastmath={'contract'})
def _count(current: Any, counts: Any, table: Any) -> None:
    lowest, per_unit, begins, limits = table
    last = np.float32(begins.size - 1)
    for i in range(current.size):
        value = current[i]
        place = (value - lowest) * per_unit
        place = place if place > np.float32(0) else np.float32(0)
        place = place if place < last else last
        bin = np.int32(place)
        counts[i] = begins[bin] + (np.float32(1) if value >= limits[bin] else np.float32(0))


@compiled(fastmath={'contract'})
def _follow(current: Any, gradient: Any, result: Any, low: Any, high: Any, factor: Any) -> None:
    for i in range(current.size):
        inside = low < current[i] and current[i] < high
        result[i] = gradient[i] * factor if inside else np.float32(0)
