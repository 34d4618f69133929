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
from torch import Tensor, nn

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

    `forward` takes the scaled rates of the layer before and returns its own, (batch,
    height, width, channels), and leaves the mean of its firing rates (Hz) in `mean_rate`.
    """

    def __init__(self, stage: Stage, neuron: SoftLIF, noise: Noise) -> None:
        super().__init__()
        self.stage = stage
        self.neuron = neuron
        self.noise = noise
        channels = stage.output_shape[2]
        self.weight = nn.Parameter(_initial_kernel(stage))
        self.normalisation = nn.BatchNorm2d(channels)
        nn.init.ones_(self.normalisation.bias)
        self.mean_rate = torch.zeros(())

    def forward(self, values: Tensor) -> Tensor:
        sums = weighted_sum(self.stage, self.weight, values)
        current = self.normalisation(sums.permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        rate = soft_lif_rate(current, self.neuron)
        self.mean_rate = rate.mean(dtype=torch.float32)
        if self.training:
            rate = self.noise.apply(rate)
        return rate * AMPLITUDE

    def fold(self, input_scale: float) -> Weights:
        """Weights and biases with the normalisation and the scale of the inputs inside."""
        normalisation = self.normalisation
        assert normalisation.running_mean is not None
        assert normalisation.running_var is not None
        gain = normalisation.weight / torch.sqrt(normalisation.running_var + normalisation.eps)
        bias = normalisation.bias - normalisation.running_mean * gain
        kernel = self.weight * gain.view(-1, *[1] * (self.weight.dim() - 1)) * input_scale
        return Weights(kernel_to_numpy(self.stage, kernel), to_numpy(bias))


class ReadoutLayer(nn.Module):
    """The last layer: linear, without neurons."""

    def __init__(self, stage: Stage) -> None:
        super().__init__()
        self.stage = stage
        self.weight = nn.Parameter(_initial_kernel(stage))
        self.bias = nn.Parameter(torch.zeros(stage.output_shape[2]))

    def forward(self, values: Tensor) -> Tensor:
        return weighted_sum(self.stage, self.weight, values).flatten(1) + self.bias

    def fold(self, input_scale: float) -> Weights:
        """See `HiddenLayer.fold`."""
        kernel = kernel_to_numpy(self.stage, self.weight * input_scale)
        return Weights(kernel, to_numpy(self.bias))


class TrainableNetwork(nn.Module, ABC):
    """What the training loop needs of a network; its weights are a module's parameters."""

    @abstractmethod
    def forward(self, images: Tensor) -> Tensor:
        """Outputs (batch, classes) float32 for `images` (batch, height, width, channels)."""

    @abstractmethod
    def mean_rates(self) -> Tensor:
        """Mean firing rate (Hz) of each hidden layer in the last forward pass."""

    @abstractmethod
    def fold(self) -> tuple[Weights, ...]:
        """The weights of `model.Model`, everything linear folded in."""


class RateNetwork(TrainableNetwork):
    """`network` in firing rates, with noise on them in training."""

    def __init__(self, network: Network, noise: Noise) -> None:
        super().__init__()
        neuron = SoftLIF(network.neuron.tau_rc, network.neuron.tau_ref, network.gamma)
        *hidden, readout = network.stages
        self.hidden = nn.ModuleList(HiddenLayer(stage, neuron, noise) for stage in hidden)
        self.readout = ReadoutLayer(readout)

    def forward(self, images: Tensor) -> Tensor:
        """See `TrainableNetwork`."""
        values = images
        for layer in self.hidden:
            values = layer(values)
        return self.readout(values).float()

    def mean_rates(self) -> Tensor:
        """See `TrainableNetwork`."""
        layers = cast('list[HiddenLayer]', list(self.hidden))
        return torch.stack([layer.mean_rate for layer in layers])

    def fold(self) -> tuple[Weights, ...]:
        """See `TrainableNetwork`."""
        with torch.no_grad():
            layers = [*self.hidden, self.readout]
            return tuple(
                layer.fold(AMPLITUDE if index else 1.0) for index, layer in enumerate(layers)
            )


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
