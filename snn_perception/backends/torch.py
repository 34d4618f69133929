"""The dense engine: PyTorch on CPU or CUDA, layer-wise in time, any batch.

For a run of K steps each layer is computed for all K steps before the next: one convolution
over K x batch images, then a scan of the neurons over time. Feed-forward networks allow that
without changing a single spike.
"""

from __future__ import annotations

import math
from typing import ClassVar, NamedTuple

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from snn_perception.backends.base import Activity, Simulator, check_run
from snn_perception.model import Model, Weights
from snn_perception.network import Convolution, Stage
from snn_perception.neurons import LIF
from snn_perception.synapses import Synapse


class StageState(NamedTuple):
    """What the neurons of one weighted layer remember.

    synapse: (order, batch, channels, height, width); membrane_potential and refractory_time
    (batch, channels, height, width), as in `neurons.NeuronState`.
    """

    synapse: Tensor
    membrane_potential: Tensor
    refractory_time: Tensor


State = list[StageState]


class TorchSimulator(Simulator):
    """The model in PyTorch, in float32 unless `dtype` says otherwise."""

    name: ClassVar[str] = 'torch'

    def __init__(
        self, model: Model, device: str = 'auto', dtype: torch.dtype = torch.float32
    ) -> None:
        super().__init__(model, choose_device(device))
        self.dtype = dtype
        self.stages = place_weights(model, self.device, dtype)
        self.fan_out = [
            torch.from_numpy(stage.fan_out).to(self.device, torch.float64)
            for stage in model.network.stages
        ]

    @torch.inference_mode()
    def reset(self, batch: int = 1) -> State:
        """See `Simulator.reset`."""
        states = []
        for index, stage in enumerate(self.model.network.stages):
            height, width, channels = stage.output_shape
            shape = (batch, channels, height, width)
            order = self.model.network.synapse_of(index).order
            states.append(
                StageState(
                    *(
                        torch.zeros(size, dtype=self.dtype, device=self.device)
                        for size in ((order, *shape), shape, shape)
                    )
                )
            )
        return states

    @torch.inference_mode()
    def run(self, state: State, images: NDArray[np.float32], steps: int) -> Activity:
        """See `Simulator.run`."""
        network, dt = self.model.network, self.model.dt
        batch = state[0].membrane_potential.shape[0]
        check_run(self.model, batch, images, steps)
        counts = np.zeros((3, batch, len(network.stages)), np.int64)
        values = channels_first(images, self.device, self.dtype)[None]
        for index, placed in enumerate(self.stages):
            stage = placed.stage
            currents = placed.weighted_sum(values)
            filter_currents(currents, state[index].synapse, network.synapse_of(index), dt)
            currents += placed.bias
            if stage.is_readout:
                break
            if index == 0:
                currents = currents.expand(steps, *currents.shape[1:])
            values = integrate(currents, state[index], network.neuron, dt)
            per_position = values.sum(dim=(0, 2), dtype=torch.float64)
            arrived = (per_position * self.fan_out[index + 1]).sum(dim=(1, 2))
            counts[0, :, index] = per_position.sum(dim=(1, 2)).cpu().numpy()
            counts[1, :, index + 1] = arrived.cpu().numpy()
            counts[2, :, index] = steps * stage.neurons
        outputs = currents.expand(steps, *currents.shape[1:]).flatten(2)
        return Activity(outputs.float().cpu().numpy(), *counts)


def choose_device(device: str) -> str:
    """'cuda' or 'cpu' for 'auto'; raises ValueError for a device that is not there."""
    if device == 'auto':
        return 'cuda' if torch.cuda.is_available() else 'cpu'
    if device == 'cuda' and not torch.cuda.is_available():
        raise ValueError('device cuda is not available here; use cpu or auto')
    return device


def channels_first(images: NDArray[np.float32], device: str, dtype: torch.dtype) -> Tensor:
    """Images (batch, height, width, channels) as a tensor (batch, channels, height, width)."""
    return torch.from_numpy(np.ascontiguousarray(images)).to(device, dtype).permute(0, 3, 1, 2)


class PlacedStage:
    """A weighted layer with its weights on the device, in PyTorch's order of dimensions.

    `scale` multiplies the weights: 1 / dt where the input is spikes, so that they count in Hz.
    """

    def __init__(
        self, stage: Stage, weights: Weights, scale: float, device: str, dtype: torch.dtype
    ) -> None:
        self.stage = stage
        kernel = torch.from_numpy(weights.kernel).to(device, dtype) * scale
        self.is_convolution = isinstance(stage.layer, Convolution)
        if self.is_convolution:
            self.kernel = kernel.permute(3, 2, 0, 1).contiguous(memory_format=torch.channels_last)
        else:
            self.kernel = kernel.T.contiguous()
        self.bias = torch.from_numpy(weights.bias).to(device, dtype)[:, None, None]

    def weighted_sum(self, values: Tensor) -> Tensor:
        """Currents (steps, batch, *output) of `values` (steps, batch, *source), no bias."""
        flat = values.flatten(0, 1)
        for pooling in self.stage.pooling:
            flat = F.avg_pool2d(flat, pooling.size)
        if isinstance(self.stage.layer, Convolution):
            layer = self.stage.layer
            sums = F.conv2d(flat, self.kernel, stride=layer.stride, padding=layer.padding)
        else:
            sums = F.linear(flat.permute(0, 2, 3, 1).flatten(1), self.kernel)[:, :, None, None]
        return sums.unflatten(0, values.shape[:2])


def place_weights(model: Model, device: str, dtype: torch.dtype) -> list[PlacedStage]:
    """The weighted layers of a model that is to run on spikes."""
    return [
        PlacedStage(stage, weights, 1 / model.dt if index else 1.0, device, dtype)
        for index, (stage, weights) in enumerate(
            zip(model.network.stages, model.weights, strict=True)
        )
    ]


def filter_currents(currents: Tensor, state: Tensor, synapse: Synapse, dt: float) -> None:
    """Filter `currents` (steps, ...) over time in place, advancing `state` (order, ...)."""
    decay = synapse.decay(dt)
    for value in state:
        for current in currents:
            current.mul_(1 - decay).add_(value, alpha=decay)
            value.copy_(current)


def integrate(currents: Tensor, state: StageState, neuron: LIF, dt: float) -> Tensor:
    """Spikes (steps, ...), 1 or 0, of LIF neurons under `currents` (steps, ...).

    Advances the membrane potential and refractory time of `state` in place; see
    `neurons.LIF.step` for the equations.
    """
    potential, refractory = state.membrane_potential, state.refractory_time
    spikes = torch.empty_like(currents, memory_format=torch.contiguous_format)
    for current, spiked in zip(currents, spikes, strict=True):
        growth = (dt - refractory).clamp_(0, dt).div_(-neuron.tau_rc)
        torch.expm1(growth, out=growth)
        potential.addcmul_(current - potential, growth, value=-1).clamp_(min=0)
        torch.gt(potential, 1, out=spiked)
        # Overshoot is only used where a neuron spiked; elsewhere its argument may be anything.
        overshoot = ((1 - potential) / (current - 1)).clamp_(min=-1)
        overshoot = torch.log1p(overshoot).mul_(-neuron.tau_rc)
        refractory.sub_(dt)
        fired = spiked.bool()
        refractory.copy_(torch.where(fired, neuron.tau_ref - overshoot, refractory))
        potential.masked_fill_(fired, 0)
    return spikes


def steady_rate(current: Tensor, neuron: LIF, gamma: float) -> Tensor:
    """Soft-LIF firing rate (Hz) under constant `current`; see `neurons.SoftLIF.rate`."""
    x = (current - 1) / gamma
    softened = gamma * F.softplus(x, threshold=math.inf)
    log_term = torch.where(x < -30, -x - math.log(gamma), torch.log1p(1 / softened.clamp(1e-30)))
    return 1 / (neuron.tau_ref + neuron.tau_rc * log_term)
