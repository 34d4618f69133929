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

Each hidden layer is a weighted sum, then batch normalisation, the softened rate curve, noise,
and a multiplication by `AMPLITUDE`. Everything except the rate curve is linear, so on export it
folds into the weights and biases that a chip would hold, J = W s + b.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import cast

import numpy as np
import torch
from torch import Generator, Tensor, nn

from snn_perception.backends.rate_curve import soft_rate
from snn_perception.backends.torch import weighted_sum
from snn_perception.layers import Convolution
from snn_perception.model import Weights
from snn_perception.network import Network, Stage
from snn_perception.neurons import Softened
from snn_perception.training.noise import Noise

AMPLITUDE = 0.01
"""Output of a neuron per Hz, which keeps the signals between layers near 1 in training."""


class HiddenLayer(nn.Module):
    """A weighted layer with its neurons, in softened rates.

    `forward` takes the firing rates (Hz) of the layer before, or the image, and returns the
    rates of this layer, (batch, height, width, channels), with noise in training. The inputs
    are multiplied by `input_scale` times the weights.
    """

    def __init__(
        self,
        stage: Stage,
        neuron: Softened,
        noise: Noise,
        input_scale: float,
        generator: Generator | None = None,
    ) -> None:
        super().__init__()
        self.input_scale = input_scale
        self.stage = stage
        self.neuron = neuron
        self.noise = noise
        channels = stage.output_shape[2]
        self.weight = nn.Parameter(_initial_weight(stage, generator))
        self.normalisation = nn.BatchNorm2d(channels)
        # Half of the neurons fire at first: that is where the curve bends.
        nn.init.constant_(self.normalisation.bias, neuron.neuron.rheobase)

    def forward(self, values: Tensor, generator: Generator | None) -> Tensor:
        kernel = as_kernel(self.stage, self.weight * self.input_scale)
        sums = weighted_sum(self.stage, kernel, values)
        current = self.normalisation(sums.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        rate = soft_rate(current, self.neuron)
        return self.noise.apply(rate, generator) if self.training else rate

    def fold(self) -> Weights:
        """Weights and biases that include the normalisation and the scale of the inputs."""
        normalisation = self.normalisation
        assert normalisation.running_mean is not None
        assert normalisation.running_var is not None
        gain = normalisation.weight / torch.sqrt(normalisation.running_var + normalisation.eps)
        bias = normalisation.bias - normalisation.running_mean * gain
        weight = self.weight * gain[:, None] * self.input_scale
        return Weights(weight_to_numpy(self.stage, weight), to_numpy(bias))


class ReadoutLayer(nn.Module):
    """The last layer: linear, without neurons."""

    def __init__(
        self, stage: Stage, input_scale: float, generator: Generator | None = None
    ) -> None:
        super().__init__()
        self.stage = stage
        self.input_scale = input_scale
        self.weight = nn.Parameter(_initial_weight(stage, generator))
        self.bias = nn.Parameter(torch.zeros(stage.output_shape[2]))

    def forward(self, values: Tensor) -> Tensor:
        kernel = as_kernel(self.stage, self.weight * self.input_scale)
        sums = weighted_sum(self.stage, kernel, values)
        return sums.flatten(1).float() + self.bias

    def fold(self) -> Weights:
        """See `HiddenLayer.fold`."""
        weight = weight_to_numpy(self.stage, self.weight * self.input_scale)
        return Weights(weight, to_numpy(self.bias))


class TrainableNetwork(nn.Module, ABC):
    """What the training loop needs of a network, whose weights are parameters of a module."""

    @abstractmethod
    def forward(self, images: Tensor, generator: Generator | None = None) -> tuple[Tensor, Tensor]:
        """Outputs (batch, classes) for `images` (batch, height, width, channels), float32.

        Also returns the mean firing rates (Hz) of the hidden layers, (layers,). Random numbers
        come from `generator`.
        """

    @abstractmethod
    def fold(self) -> tuple[Weights, ...]:
        """The weights of `model.Model`, everything linear folded in."""


class RateNetwork(TrainableNetwork):
    """`network` in firing rates, with noise on them in training.

    The weights that it starts with are drawn from `generator`, or from PyTorch's global one.
    """

    def __init__(self, network: Network, noise: Noise, generator: Generator | None = None) -> None:
        super().__init__()
        neuron = Softened(network.neuron, network.gamma)
        *hidden, readout = network.populations
        self.hidden = nn.ModuleList(
            HiddenLayer(stage, neuron, noise, AMPLITUDE if index else 1.0, generator)
            for index, stage in enumerate(hidden)
        )
        self.readout = ReadoutLayer(readout, AMPLITUDE if hidden else 1.0, generator)

    def forward(self, images: Tensor, generator: Generator | None = None) -> tuple[Tensor, Tensor]:
        """See `TrainableNetwork`."""
        values, mean_rates = images, []
        for layer in self.hidden:
            values = layer(values, generator)
            mean_rates.append(values.mean(dtype=torch.float32))
        return self.readout(values), torch.stack(mean_rates)

    def fold(self) -> tuple[Weights, ...]:
        """See `TrainableNetwork`."""
        layers = cast('list[HiddenLayer | ReadoutLayer]', [*self.hidden, self.readout])
        with torch.no_grad():
            return tuple(layer.fold() for layer in layers)


# In training weights are matrices (outputs, inputs), the inputs of a convolution in the order of
# rows, columns and channels: the optimiser thinks in matrices.


def _initial_weight(stage: Stage, generator: Generator | None) -> Tensor:
    """Kaiming-normal weights (outputs, inputs)."""
    *inputs, outputs = stage.weight_shape
    weight = torch.empty(outputs, math.prod(inputs))
    return nn.init.kaiming_normal_(weight, generator=generator)


def as_kernel(stage: Stage, weight: Tensor) -> Tensor:
    """`weight` (outputs, inputs) in the order that PyTorch's layers want, channels last."""
    if not isinstance(stage.layer, Convolution):
        return weight
    *inputs, outputs = stage.weight_shape
    return weight.view(outputs, *inputs).permute(0, 3, 1, 2)


def weight_from_numpy(kernel: np.ndarray) -> Tensor:
    """Weights of a model as (outputs, inputs)."""
    return torch.from_numpy(kernel.reshape(-1, kernel.shape[-1]).T.copy())


def weight_to_numpy(stage: Stage, weight: Tensor) -> np.ndarray:
    """Weights (outputs, inputs) as a model has them, float32."""
    return np.ascontiguousarray(to_numpy(weight).T).reshape(stage.weight_shape)


def to_numpy(tensor: Tensor) -> np.ndarray:
    """Values of `tensor` as float32, without its gradient."""
    return tensor.detach().float().cpu().numpy()
