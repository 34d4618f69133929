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

"""Training on spikes: forward with real spikes, backward along the softened rate curve.

The network of a model is simulated from rest for a short presentation, layer by layer. A layer
passes on its spike trains; the gradient sees the mean rate of each neuron as if it were the
softened rate of its mean current (a straight-through estimator). So the weights learn to be
right with the spikes that there are, latency included.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import torch
from torch import Generator, Tensor, nn

from snn_perception.backends.population_state import PopulationState
from snn_perception.backends.rate_curve import soft_rate
from snn_perception.backends.torch import filter_currents, integrate, weighted_sum
from snn_perception.model import Weights
from snn_perception.network import Network, Stage
from snn_perception.neurons import Softened
from snn_perception.synapses import Synapse
from snn_perception.training.trainable import (
    AMPLITUDE,
    TrainableNetwork,
    as_kernel,
    to_numpy,
    weight_from_numpy,
    weight_to_numpy,
)


@dataclass(frozen=True)
class Presentation:
    """How images are shown in training: `steps` of `dt` (s), evidence from `start` on.

    `gamma` softens the curve that the gradient follows.
    """

    steps: int
    start: int
    dt: float
    gamma: float


class SpikingLayer(nn.Module):
    """A weighted layer and its neurons; the last has none.

    Its parameters are the weights for inputs of `AMPLITUDE` per Hz, of a size that suits the
    steps of the optimiser.
    """

    def __init__(self, stage: Stage, weights: Weights, synapse: Synapse, is_first: bool) -> None:
        super().__init__()
        self.stage = stage
        self.synapse = synapse
        self.scale = 1.0 if is_first else AMPLITUDE
        self.weight = nn.Parameter(weight_from_numpy(weights.kernel) / self.scale)
        self.bias = nn.Parameter(torch.from_numpy(weights.bias.copy()))

    def current(self, values: Tensor) -> Tensor:
        """Mean current of mean inputs (batch, height, width, channels)."""
        return self._weighted_sum(values, 1.0).float() + self.bias

    def sums(self, trains: Tensor, scale: float) -> Tensor:
        """Weighted sums at each step for `scale` x `trains` (steps, batch, ...) of inputs."""
        return self._weighted_sum(trains.flatten(0, 1), scale).unflatten(0, trains.shape[:2])

    def _weighted_sum(self, values: Tensor, scale: float) -> Tensor:
        kernel = as_kernel(self.stage, self.weight * (self.scale * scale))
        return weighted_sum(self.stage, kernel, values)

    def to_weights(self) -> Weights:
        """The weights of `model.Weights`."""
        return Weights(weight_to_numpy(self.stage, self.weight * self.scale), to_numpy(self.bias))


class SpikingNetwork(TrainableNetwork):
    """`network` with `weights`, differentiable on images (batch, height, width, channels)."""

    def __init__(
        self, network: Network, weights: tuple[Weights, ...], presentation: Presentation
    ) -> None:
        super().__init__()
        self.neuron = network.neuron
        self.soft_neuron = Softened(network.neuron, presentation.gamma)
        self.presentation = presentation
        self.layers = nn.ModuleList(
            SpikingLayer(stage, weights[index], network.synapse_of(index), index == 0)
            for index, stage in enumerate(network.populations)
        )

    @property
    def _layers(self) -> list[SpikingLayer]:
        return cast('list[SpikingLayer]', list(self.layers))

    def forward(self, images: Tensor, generator: Generator | None = None) -> tuple[Tensor, Tensor]:
        """Evidence, the mean output of the readout, and rates; see `TrainableNetwork`."""
        trains, values = images[None], images
        scale, rates = 1.0, []
        *hidden, readout = self._layers
        for layer in hidden:
            soft = soft_rate(layer.current(values), self.soft_neuron)
            with torch.no_grad():
                trains = self._spikes(layer, trains, scale)
                scale = 1 / self.presentation.dt
                window = trains[self.presentation.start :] if layer is hidden[-1] else trains
                # In bfloat16, whole numbers up to 256 are exact, and sums are made in float32.
                count = window.sum(dim=0).float()
                difference = count.mul_(scale / len(window)).sub_(soft)
            values = soft + difference
            rates.append(values.mean())
        mean = readout.current(values)
        with torch.no_grad():
            difference = self._outputs(readout, trains, scale).sub_(mean)
        return (mean + difference).flatten(1), torch.stack(rates)

    def _spikes(self, layer: SpikingLayer, trains: Tensor, scale: float) -> Tensor:
        """Spikes (steps, batch, ...), 1 or 0, of neurons that start at rest."""
        time, sums = self.presentation, layer.sums(trains, scale)
        shape = tuple(sums.shape[1:])
        state = PopulationState.rest(shape, layer.synapse, self.neuron, layer.bias.detach())
        return integrate(sums, layer.bias, time.steps, state, layer.synapse, self.neuron, time.dt)

    def _outputs(self, readout: SpikingLayer, trains: Tensor, scale: float) -> Tensor:
        """Mean output (batch, ...) over the steps that are evidence."""
        sums = readout.sums(trains, scale).float()
        filters = sums.new_zeros(readout.synapse.order, *sums.shape[1:])
        filter_currents(sums, filters, readout.synapse, self.presentation.dt)
        return sums[self.presentation.start :].mean(dim=0) + readout.bias

    def fold(self) -> tuple[Weights, ...]:
        """See `TrainableNetwork`."""
        with torch.no_grad():
            return tuple(layer.to_weights() for layer in self._layers)
