"""A network in training: rates, batch normalisation, noise; and its folding into weights.

Each hidden layer is weighted sum -> batch normalisation -> soft-LIF rate -> noise -> times
`AMPLITUDE`. All but the rate curve is linear, so on export it folds into the weights and
biases that a chip would hold, J = W s + b.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import cast

import numpy as np
import torch
from torch import Generator, Tensor, nn

from snn_perception.backends.torch import weighted_sum
from snn_perception.model import Weights
from snn_perception.network import Convolution, Network, Stage
from snn_perception.neurons import SoftLIF
from snn_perception.training.noise import Noise
from snn_perception.training.softlif import soft_lif_rate

AMPLITUDE = 0.01
"""Output of a neuron per Hz: signals of order one between layers in training."""


class HiddenLayer(nn.Module):
    """A weighted layer with its soft-LIF neurons.

    `forward` takes the firing rates (Hz) of the layer before, or the image, and returns its
    own, (batch, height, width, channels), with noise in training. `input_scale` times its
    weights are those that the inputs meet.
    """

    def __init__(self, stage: Stage, neuron: SoftLIF, noise: Noise, input_scale: float) -> None:
        super().__init__()
        self.input_scale = input_scale
        self.stage = stage
        self.neuron = neuron
        self.noise = noise
        channels = stage.output_shape[2]
        self.weight = nn.Parameter(_initial_kernel(stage))
        self.normalisation = nn.BatchNorm2d(channels)
        nn.init.ones_(self.normalisation.bias)

    def forward(self, values: Tensor, generator: Generator | None) -> Tensor:
        sums = weighted_sum(self.stage, self.weight * self.input_scale, values)
        current = self.normalisation(sums.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        rate = soft_lif_rate(current, self.neuron)
        return self.noise.apply(rate, generator) if self.training else rate

    def fold(self) -> Weights:
        """Weights and biases with the normalisation and the scale of the inputs inside."""
        normalisation = self.normalisation
        assert normalisation.running_mean is not None
        assert normalisation.running_var is not None
        gain = normalisation.weight / torch.sqrt(normalisation.running_var + normalisation.eps)
        bias = normalisation.bias - normalisation.running_mean * gain
        kernel = self.weight * gain.view(-1, *[1] * (self.weight.dim() - 1)) * self.input_scale
        return Weights(kernel_to_numpy(self.stage, kernel), to_numpy(bias))


class ReadoutLayer(nn.Module):
    """The last layer: linear, without neurons."""

    def __init__(self, stage: Stage, input_scale: float) -> None:
        super().__init__()
        self.stage = stage
        self.input_scale = input_scale
        self.weight = nn.Parameter(_initial_kernel(stage))
        self.bias = nn.Parameter(torch.zeros(stage.output_shape[2]))

    def forward(self, values: Tensor) -> Tensor:
        sums = weighted_sum(self.stage, self.weight * self.input_scale, values)
        return sums.flatten(1).float() + self.bias

    def fold(self) -> Weights:
        """See `HiddenLayer.fold`."""
        kernel = kernel_to_numpy(self.stage, self.weight * self.input_scale)
        return Weights(kernel, to_numpy(self.bias))


class TrainableNetwork(nn.Module, ABC):
    """What the training loop needs of a network; its weights are a module's parameters."""

    @abstractmethod
    def forward(self, images: Tensor, generator: Generator | None = None) -> tuple[Tensor, Tensor]:
        """Outputs (batch, classes) for `images` (batch, height, width, channels), float32.

        Second, the mean firing rate (Hz) of each hidden layer. Random numbers come from
        `generator`.
        """

    @abstractmethod
    def fold(self) -> tuple[Weights, ...]:
        """The weights of `model.Model`, everything linear folded in."""


class RateNetwork(TrainableNetwork):
    """`network` in firing rates, with noise on them in training."""

    def __init__(self, network: Network, noise: Noise) -> None:
        super().__init__()
        neuron = SoftLIF(network.neuron.tau_rc, network.neuron.tau_ref, network.gamma)
        *hidden, readout = network.stages
        self.hidden = nn.ModuleList(
            HiddenLayer(stage, neuron, noise, AMPLITUDE if index else 1.0)
            for index, stage in enumerate(hidden)
        )
        self.readout = ReadoutLayer(readout, AMPLITUDE if hidden else 1.0)

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


def _initial_kernel(stage: Stage) -> Tensor:
    """Kaiming-normal weights in PyTorch's order: (out, in, kernel, kernel) or (out, in)."""
    *inputs, outputs = stage.weight_shape
    if isinstance(stage.layer, Convolution):
        kernel = torch.empty(outputs, inputs[2], *inputs[:2])
        kernel = kernel.contiguous(memory_format=torch.channels_last)
    else:
        kernel = torch.empty(outputs, *inputs)
    return nn.init.kaiming_normal_(kernel)


def kernel_from_numpy(stage: Stage, kernel: np.ndarray) -> Tensor:
    """Weights of a model in PyTorch's order of dimensions."""
    if isinstance(stage.layer, Convolution):
        return torch.from_numpy(kernel.transpose(3, 2, 0, 1).copy()).contiguous(
            memory_format=torch.channels_last
        )
    return torch.from_numpy(kernel.T.copy())


def kernel_to_numpy(stage: Stage, kernel: Tensor) -> np.ndarray:
    """Weights in PyTorch's order of dimensions as a model has them, float32."""
    order = (2, 3, 1, 0) if isinstance(stage.layer, Convolution) else (1, 0)
    return np.ascontiguousarray(to_numpy(kernel).transpose(order))


def to_numpy(tensor: Tensor) -> np.ndarray:
    """Values of `tensor` as float32, without its gradient."""
    return tensor.detach().float().cpu().numpy()
