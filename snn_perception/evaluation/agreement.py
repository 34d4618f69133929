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

"""How far the firing rates of each layer are from the rates of the network without spikes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from snn_perception.backends.reference import ReferenceSimulator
from snn_perception.evaluation.trajectories import schedule_of
from snn_perception.inputs import batch_of, part_of
from snn_perception.model import Model
from snn_perception.network import Network

IMAGES = 8
"""Few images are enough: every neuron counts for every image."""


@dataclass(frozen=True)
class LayerAgreement:
    """One layer of neurons in two networks with the same weights, over the same images.

    `expected` and `found` are mean rates in Hz. `error` is the root mean square difference
    between a neuron's two rates in Hz, `correlation` is the correlation between them (NaN for a
    layer whose neurons are all alike).
    """

    expected: float
    found: float
    error: float
    correlation: float


def compare(expected: list[NDArray], found: list[NDArray]) -> list[LayerAgreement]:
    """Compare the rates (Hz) of each layer, of any shape but the same; silent neurons count."""
    return [_compare(*pair) for pair in zip(expected, found, strict=True)]


def spikes_with_rates(model: Model, inputs: NDArray) -> list[LayerAgreement]:
    """The layers on spikes compared with the rate network, on prepared images, or on events."""
    # It needs PyTorch, which all else here does not.
    from snn_perception.backends.rate import RateSimulator

    rates = RateSimulator(model, 'cpu').firing_rates(inputs)
    return compare(rates, spiking_rates(model, inputs))


def layer_name(network: Network, index: int) -> str:
    """Number and name or kind of population `index`."""
    return str(network.populations[index])


def spiking_rates(model: Model, inputs: NDArray) -> list[NDArray[np.float64]]:
    """Rates (Hz) of the neurons of each layer, (batch, *output_shape).

    Events must be there for all of the presentation. Spikes on the reference engine are counted
    from the first output that is evidence to the end of the presentation; those of layers that
    take turns in their windows.
    """
    schedule = schedule_of(model)
    if model.network.firing_window:
        return _rates_in_turns(model, inputs, schedule.total)
    simulator, first = ReferenceSimulator(model), schedule.discarded
    batch = batch_of(inputs)
    memory = simulator.rest(batch)
    counts = [
        np.zeros((batch, *population.output_shape))
        for population in model.network.populations[:-1]
    ]
    for step in range(schedule.total):
        given = part_of(inputs, step, 1).reshape(batch, *model.network.input_shape)
        spiked, _ = simulator.step(memory, given)
        if step >= first:
            for total, spikes in zip(counts, spiked, strict=True):
                total += spikes
    seconds = (schedule.total - first) * model.dt
    return [total / seconds for total in counts]


def _rates_in_turns(
    model: Model, inputs: NDArray[np.float32], steps: int
) -> list[NDArray[np.float64]]:
    """`spiking_rates` of layers that take turns: one pass of the dense engine counts them."""
    from snn_perception.backends.torch import TorchSimulator

    simulator = TorchSimulator(model, 'cpu')
    state = simulator.reset(len(inputs))
    simulator.run(state, inputs, steps)
    counts = state.memory.counts.values()
    return [each.double().numpy() / model.network.firing_window for each in counts]


def _compare(expected: NDArray, found: NDArray) -> LayerAgreement:
    first, second = expected.ravel().astype(np.float64), found.ravel().astype(np.float64)
    error = np.sqrt(np.mean((second - first) ** 2))
    deviations = first.std() * second.std()
    covariance = np.mean((first - first.mean()) * (second - second.mean()))
    correlation = covariance / deviations if deviations > 0 else np.nan
    return LayerAgreement(
        float(first.mean()), float(second.mean()), float(error), float(correlation)
    )
