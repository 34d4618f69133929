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

"""A network from elsewhere in training: its activations, and spikes in their place.

It is computed in one of three ways, by its `mode`:

activations   as it was: a rectifier with a ceiling behind each sum
rates         spikes in a window as a softened number, what the rate curve makes of the current
spikes        whole numbers of spikes, as neurons that take turns fire them

In the latter two an activation is a number of spikes times the `activation per spike`, which
each channel has for itself. It is trained too, as a logarithm. Everything else is linear, and is
folded into currents: those at which a neuron fires n spikes are near a line in n, see `Line`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
import torch
from torch import Generator, Tensor, nn
from torch.optim import AdamW, Optimizer

from snn_perception.backends.rate_curve import soft_rate
from snn_perception.backends.torch_connections import weighted_sum
from snn_perception.backends.whole_spikes import Line, whole_spikes
from snn_perception.graph import IMAGE, Connection, Population
from snn_perception.layers import Dense
from snn_perception.model import Weights
from snn_perception.network import Network
from snn_perception.neurons import Softened
from snn_perception.training.connections import to_numpy
from snn_perception.training.trainable import TrainableNetwork
from snn_perception.turns import expected, steps_of

MODES = ('activations', 'rates', 'spikes')
SCALE_FACTOR = 10.0
"""How much faster the logarithms of the scales learn than the weights."""


class ConvertedLayer(nn.Module):
    """The weights into one population, in units of activations.

    `weight`, or `weight<i>` where there are several connections, is as in `model.Weights`, in
    PyTorch's order; `log_scale` (channels,) is ln of the activation per spike, not in the readout.
    """

    def __init__(self, population: Population, weights: Weights) -> None:
        super().__init__()
        self.population = population
        for number, kernel in enumerate(weights.kernels):
            connection = population.connections[number]
            values = torch.from_numpy(connection.kernel(kernel)).permute(3, 2, 0, 1)
            self.register_parameter(f'weight{number}', nn.Parameter(values.contiguous()))
        self.bias = nn.Parameter(torch.from_numpy(weights.bias.copy()))
        if not population.is_readout:
            self.log_scale = nn.Parameter(torch.zeros(population.output_shape[2]))

    def weight(self, number: int) -> Tensor:
        """Of connection `number`: (channels, inputs of a group, rows, columns)."""
        return cast('Tensor', getattr(self, f'weight{number}'))

    def total(
        self, values: Mapping[int, Tensor], scales: Mapping[int, Tensor], gain: Tensor | None
    ) -> Tensor:
        """The sum (batch, height, width, channels) of `values` of the sources, and the bias.

        values: of each source, activations, the image or, if `scales` has its activations per
        spike, spikes. All but them is multiplied by `gain` (channels,).
        """
        bias = self.bias if gain is None else self.bias * gain
        total: Tensor | None = None
        for number, connection in enumerate(self.population.connections):
            kernel = self.kernel(number, scales.get(connection.source), gain)
            if isinstance(connection.layer, Dense):
                kernel = kernel.permute(0, 2, 3, 1).flatten(1)
            sums = weighted_sum(connection, kernel, values[connection.source])
            total = sums if total is None else total + sums
        assert total is not None
        return total + bias

    def kernel(self, number: int, scale: Tensor | None, gain: Tensor | None) -> Tensor:
        """The weights of a connection for inputs of spikes worth `scale`, times `gain`."""
        weight = self.weight(number)
        if scale is not None:
            inputs = _inputs_of_channels(self.population.connections[number], scale)
            weight = weight * inputs
        return weight if gain is None else weight * gain.view(-1, 1, 1, 1)

    def fold(self, scales: Mapping[int, Tensor], line: Line, window: float) -> Weights:
        """Weights for rates in Hz, over a `window` (s), and biases, both in units of current."""
        gain = None if self.population.is_readout else line.slope / self.log_scale.exp()
        kernels = []
        for number, connection in enumerate(self.population.connections):
            kernel = self.kernel(number, scales.get(connection.source), gain)
            if connection.source in scales:
                kernel = kernel * window
            values = to_numpy(kernel.permute(2, 3, 1, 0)).reshape(connection.weight_shape)
            kernels.append(np.ascontiguousarray(values))
        bias = self.bias if gain is None else self.bias * gain + line.offset
        return Weights(tuple(kernels), to_numpy(bias))


class ConvertedNetwork(TrainableNetwork):
    """`network`, whose layers take turns, in steps of `dt` (s), with weights of activations.

    `ceilings` are the largest activations that its rectifiers let through, of each hidden
    population. `noise` is the width of the uniform noise on numbers of spikes in training on
    rates: whole numbers differ from them by up to a half either way. Every connection must have
    weights.
    """

    def __init__(
        self,
        network: Network,
        weights: Sequence[Weights],
        ceilings: Sequence[float],
        dt: float,
        noise: float = 0.0,
    ) -> None:
        super().__init__()
        self.network = network
        self.ceilings = tuple(ceilings)
        self.dt = dt
        self.noise = noise
        self.steps = steps_of(network.firing_window, dt)
        self.line = Line.of(network.neuron, self.steps, dt)
        self.soft_neuron = Softened(network.neuron, network.gamma)
        self.mode = 'spikes'
        self.layers = nn.ModuleList(map(ConvertedLayer, network.populations, weights))

    @property
    def _layers(self) -> list[ConvertedLayer]:
        return cast('list[ConvertedLayer]', list(self.layers))

    def in_mode(self, mode: str) -> ConvertedNetwork:
        """Itself, from now on computed in the way called `mode`, one of MODES."""
        self.mode = mode
        return self

    @property
    def scales(self) -> dict[int, Tensor]:
        """The activation per spike of the channels of each hidden population."""
        hidden = self._layers[:-1]
        return {layer.population.index: layer.log_scale.exp() for layer in hidden}

    def forward(self, images: Tensor, generator: Generator | None = None) -> tuple[Tensor, Tensor]:
        """See `TrainableNetwork`; the rates are those in a layer's own window."""
        outputs, values = self.watch(images, generator)
        means = torch.stack([each.mean(dtype=torch.float32) for each in values])
        return outputs, means / self.network.firing_window

    def watch(
        self, images: Tensor, generator: Generator | None = None
    ) -> tuple[Tensor, list[Tensor]]:
        """Outputs (batch, classes), and what each hidden population gives on.

        That is numbers of spikes, or activations in that mode, (batch, height, width, channels).
        """
        values = {IMAGE: images}
        scales = {} if self.mode == 'activations' else self.scales
        *hidden, readout = self._layers
        for layer, ceiling in zip(hidden, self.ceilings, strict=True):
            index = layer.population.index
            if self.mode == 'activations':
                values[index] = layer.total(values, scales, None).clamp(0, ceiling)
            else:
                gain = self.line.slope / scales[index]
                current = layer.total(values, scales, gain) + self.line.offset
                values[index] = self._spikes(current.float(), generator).to(current.dtype)
        outputs = readout.total(values, scales, None).flatten(1).float()
        return outputs, [values[layer.population.index] for layer in hidden]

    def _spikes(self, current: Tensor, generator: Generator | None) -> Tensor:
        """Spikes under `current`, whole numbers unless in the mode of rates."""
        window = self.network.firing_window
        if self.mode == 'spikes':
            return whole_spikes(current, self.network.neuron, self.steps, self.dt)
        rate = soft_rate(current, self.soft_neuron)
        spikes = expected(rate, window, self.dt) * window
        if self.noise and self.training:
            random = torch.rand(spikes.shape, generator=generator, device=spikes.device) - 0.5
            spikes = spikes + random * (self.noise * (spikes > 0))
        return spikes

    def fold(self) -> tuple[Weights, ...]:
        """See `TrainableNetwork`."""
        with torch.no_grad():
            window = self.network.firing_window
            return tuple(layer.fold(self.scales, self.line, window) for layer in self._layers)

    def make_optimizers(self, weight_decay: float) -> dict[str, Optimizer]:
        """AdamW, since it starts from weights that are nearly right; see `TrainableNetwork`."""
        names = dict(self.named_parameters())
        scales = [value for name, value in names.items() if name.endswith('log_scale')]
        weights = [value for name, value in names.items() if '.weight' in name]
        biases = [value for name, value in names.items() if name.endswith('bias')]
        groups: list[dict[str, Any]] = [
            {'params': weights, 'weight_decay': weight_decay},
            {'params': biases},
            {'params': scales, 'factor': SCALE_FACTOR},
        ]
        return {'adamw': AdamW(groups, lr=1.0, weight_decay=0.0, betas=(0.9, 0.99))}


def _inputs_of_channels(connection: Connection, scale: Tensor) -> Tensor:
    """`scale` (inputs,) for the weights (channels, inputs of a group, 1, 1) of `connection`."""
    layer = connection.convolution
    if layer.groups == 1:
        return scale.view(1, -1, 1, 1)
    by_group = scale.view(layer.groups, -1)
    return by_group.repeat_interleave(layer.channels // layer.groups, 0)[..., None, None]
