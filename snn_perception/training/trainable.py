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

"""A network in training: rates, batch normalisation, noise; and its folding into weights.

The currents of each connection with weights into a hidden population are normalised by
themselves and summed; then come the softened rate curve, noise, and a multiplication by
`AMPLITUDE`. Everything except the rate curve is linear, so on export it folds into the weights
and biases that a chip would hold, J = W s + b.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import cast

import torch
from torch import Generator, Tensor, nn
from torch.optim import Optimizer

from snn_perception.backends.rate_curve import soft_rate
from snn_perception.graph import Population
from snn_perception.model import Weights
from snn_perception.network import INPUT_KINDS, Network
from snn_perception.neurons import Softened
from snn_perception.training.connections import Connections, initial_weights, to_numpy
from snn_perception.training.noise import Noise
from snn_perception.training.optimizers import make_optimizers


class HiddenLayer(Connections):
    """A population in softened rates, with normalised currents from its connections.

    At first each current has the same share of a variance of 1. An identity's is not
    normalised: it stays `scale` times the rate.
    """

    def __init__(
        self,
        population: Population,
        neuron: Softened,
        noise: Noise,
        generator: Generator | None = None,
    ) -> None:
        super().__init__(population, initial_weights(population, generator))
        self.neuron = neuron
        self.noise = noise
        channels = population.output_shape[2]
        # Half of the neurons fire at first: that is where the curve bends.
        bias = torch.full((channels,), neuron.neuron.rheobase)
        for number in self.weighted:
            normalisation = nn.BatchNorm2d(channels)
            nn.init.constant_(normalisation.weight, len(self.weighted) ** -0.5)
            if number == self.weighted[0]:
                normalisation.bias.data.copy_(bias)
            self.add_module(self.name_of('normalisation', number), normalisation)
        if not self.weighted:
            self.bias = nn.Parameter(bias)

    def forward(self, values: Mapping[int, Tensor], generator: Generator | None) -> Tensor:
        """Firing rates (Hz), (batch, height, width, channels), with noise in training.

        values: of each source, rates in Hz or the image.
        """
        current = self.total(values)
        assert current is not None
        if not self.weighted:
            current = current + self.bias
        rate = soft_rate(current, self.neuron)
        return self.noise.apply(rate, generator) if self.training else rate

    def current(self, number: int, values: Tensor, scale: float = 1.0) -> Tensor:
        """See `Connections.current`; normalised if it has weights."""
        sums = super().current(number, values, scale)
        if number not in self.weighted:
            return sums
        normalise = self.part('normalisation', number)
        return normalise(sums.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)

    def fold(self) -> Weights:
        """Weights and biases that include the normalisation and the scale of the inputs."""
        kernels = []
        biases: list[Tensor] = [] if self.weighted else [self.bias]
        for number in self.weighted:
            normalisation = self.part('normalisation', number)
            gain = normalisation.weight / torch.sqrt(normalisation.running_var + normalisation.eps)
            kernels.append(self.kernel(number, gain))
            biases.append(normalisation.bias - normalisation.running_mean * gain)
        return Weights(tuple(kernels), to_numpy(torch.stack(biases).sum(dim=0)))


class ReadoutLayer(Connections):
    """The last population: linear, without neurons."""

    def __init__(self, population: Population, generator: Generator | None = None) -> None:
        super().__init__(population, initial_weights(population, generator))
        self.bias = nn.Parameter(torch.zeros(population.output_shape[2]))

    def forward(self, values: Mapping[int, Tensor]) -> Tensor:
        """Outputs (batch, classes) for the `values` of each source, rates in Hz or the image."""
        current = self.total(values)
        assert current is not None
        return current.flatten(1).float() + self.bias

    def fold(self) -> Weights:
        """See `HiddenLayer.fold`."""
        return Weights(tuple(map(self.kernel, self.weighted)), to_numpy(self.bias))


class TrainableNetwork(nn.Module, ABC):
    """What the training loop needs of a network, whose weights are parameters of a module."""

    @abstractmethod
    def forward(self, inputs: Tensor, generator: Generator | None = None) -> tuple[Tensor, Tensor]:
        """Outputs (batch, classes) for `inputs`, float32 (batch, height, width, channels).

        These are images, or rates of events in Hz. A network on spikes takes counts of events
        instead, (steps, batch, height, width, 2). Also returns the mean firing rates (Hz) of the
        hidden layers, (layers,). Random numbers come from `generator`.
        """

    @abstractmethod
    def fold(self) -> tuple[Weights, ...]:
        """The weights of `model.Model`, everything linear folded in."""

    def make_optimizers(self, weight_decay: float) -> dict[str, Optimizer]:
        """The optimisers of its parameters, by their names in checkpoints."""
        return make_optimizers(self, weight_decay)


class RateNetwork(TrainableNetwork):
    """`network` in firing rates, with noise on them in training.

    The weights that it starts with are drawn from `generator`, or from PyTorch's global one.
    """

    def __init__(self, network: Network, noise: Noise, generator: Generator | None = None) -> None:
        super().__init__()
        neuron = Softened(network.neuron, network.gamma)
        *hidden, readout = network.populations
        self.read_last = network.read_last
        self.source = INPUT_KINDS[network.input_kind]
        self.hidden = nn.ModuleList(
            HiddenLayer(population, neuron, noise, generator) for population in hidden
        )
        self.readout = ReadoutLayer(readout, generator)

    def forward(self, inputs: Tensor, generator: Generator | None = None) -> tuple[Tensor, Tensor]:
        """See `TrainableNetwork`."""
        values, mean_rates = {self.source: inputs}, []
        for index, layer in enumerate(self.hidden):
            rates = layer(values, generator)
            mean_rates.append(rates.mean(dtype=torch.float32))
            values[index] = rates
            for source in self.read_last[index]:
                del values[source]
        return self.readout(values), torch.stack(mean_rates)

    def fold(self) -> tuple[Weights, ...]:
        """See `TrainableNetwork`."""
        layers = cast('list[HiddenLayer | ReadoutLayer]', [*self.hidden, self.readout])
        with torch.no_grad():
            return tuple(layer.fold() for layer in layers)
