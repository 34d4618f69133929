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

"""Layers that take turns: each fires in a time window of its own, after those of its sources.

A population waits until all populations that it hears have had their windows. Then its input
current is known, and it is held constant while the population fires:

    J = W r + V x + b        with r the mean rate (Hz) of each source over the source's own window

So every neuron starts at rest, follows its analytic rate curve f to the spike, and fires

    floor((T + tau_ref) f(J))        spikes in a window of T, at most one per time step

Nothing depends on when spikes arrive, only on how many do, and few are needed: in a deep network
whose layers all fire at once, uneven arrival costs more accuracy than whole numbers of spikes do.
Integration and firing phases of layers: Park et al., "T2FSNN: Deep spiking neural networks with
time-to-first-spike coding", 2020.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snn_perception.neurons import IF, LIF, Neuron

WITH_TURNS = (LIF, IF)
"""Neurons whose first interval, from rest, is as long as the others."""


def steps_of(duration: float, dt: float) -> int:
    """The whole number of steps of `dt` (s) in `duration` (s), at least 1.

    Raises ValueError unless `duration` is a multiple of `dt`.
    """
    steps = round(duration / dt)
    if steps < 1 or abs(steps * dt - duration) > 1e-6 * duration:
        raise ValueError(f'firing_window must be a multiple of dt, {dt} s, not {duration} s')
    return steps


def thresholds(neuron: Neuron, steps: int, dt: float) -> NDArray[np.float64]:
    """Currents (steps,) from which on a neuron fires 1, 2, ... spikes in `steps` of `dt` (s).

    The neuron is at rest at first, and the current constant: it fires as many spikes as there are
    thresholds up to its current. Those that no current reaches are infinite.
    """
    return _thresholds(neuron, steps, dt).copy()


def count_spikes(current: NDArray, thresholds: NDArray) -> NDArray[np.int64]:
    """Spikes of neurons under a constant `current`, of any shape; see `thresholds`."""
    return np.searchsorted(thresholds, current, side='right')


def expected(rate: Any, window: float, dt: float) -> Any:
    """The mean rate (Hz) that whole spikes in a `window` (s) amount to at the analytic `rate`.

    The part of an interval that is left at the end is lost, half of one in the mean, and there is
    one spike per `dt` (s) at most. Takes and returns a NumPy array or a PyTorch tensor.
    """
    return (rate - 0.5 / window).clip(0, 1 / dt)


@lru_cache
def _thresholds(neuron: Neuron, steps: int, dt: float) -> NDArray[np.float64]:
    time = steps * dt + neuron.tau_ref  # type: ignore[attr-defined]
    return np.array([_current_at(neuron, (count + 1) / time) for count in range(steps)])


def _current_at(neuron: Neuron, rate: float) -> float:
    try:
        return neuron.current_at(rate)
    except ValueError:
        return float('inf')
