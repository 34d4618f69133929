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

The events of a sensor are spike trains themselves. What they say changes while they come, so the
gradient follows the mean rates in each of several `parts` of the presentation.

Layers that take turns pass on whole numbers of spikes instead, and the gradient follows the line
that these go along; see `turns` and `whole_spikes`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, cast

import torch
from torch import Generator, Tensor, nn
from torch.optim import AdamW, Optimizer

from snn_perception.backends.population_state import PopulationState
from snn_perception.backends.rate_curve import soft_rate
from snn_perception.backends.torch import filter_currents, integrate
from snn_perception.backends.whole_spikes import whole_spikes
from snn_perception.graph import IMAGE, Population
from snn_perception.model import Weights
from snn_perception.network import INPUT_KINDS, Network
from snn_perception.neurons import Softened
from snn_perception.synapses import Synapse
from snn_perception.training.connections import Connections, to_numpy, weight_from_numpy
from snn_perception.training.trainable import TrainableNetwork
from snn_perception.turns import steps_of


@dataclass(frozen=True)
class Presentation:
    """How images are shown in training: `steps` of `dt` (s), evidence from `start` on.

    `gamma` softens the curve that the gradient follows, in each of `parts` equal parts, of which
    there is one for images.
    """

    steps: int
    start: int
    dt: float
    gamma: float
    parts: int = 1


class SpikingLayer(Connections):
    """A population of neurons, or the readout, which has none, with the weights of a model."""

    def __init__(self, population: Population, weights: Weights, synapse: Synapse) -> None:
        weighted = [each for each in population.connections if each.weight_shape]
        super().__init__(population, map(weight_from_numpy, weighted, weights.kernels))
        self.synapse = synapse
        self.bias = nn.Parameter(torch.from_numpy(weights.bias.copy()))

    def mean_current(self, values: Mapping[int, Tensor]) -> Tensor:
        """Mean current of the mean `values` of each source, (batch, height, width, channels)."""
        current = self.total(values)
        assert current is not None
        return current.float() + self.bias

    def current_of_counts(self, counts: Mapping[int, Tensor], window: float) -> Tensor:
        """Current (batch, height, width, channels) of spikes in a `window` (s), float32.

        counts: spikes of each source, in that shape, and the image.
        """
        image = {source: each for source, each in counts.items() if source == IMAGE}
        spikes = {source: each for source, each in counts.items() if source != IMAGE}
        sums = (self.total(spikes, 1 / window), self.total(image))
        return sum((each.float() for each in sums if each is not None), self.bias)

    def sums(self, trains: Mapping[int, Tensor], dt: float) -> tuple[Tensor | None, Tensor | None]:
        """Weighted sums of spikes at each step, (steps, batch, ...), and those of the image.

        trains: spikes of each source, or events, (steps, batch, ...), and the image, (batch, ...).
        Sums are None where there is no such source; those of the image are (1, batch, ...).
        """
        spiking = {each.source: trains[each.source] for each in self.population.connections}
        image = spiking.pop(IMAGE, None)
        constant = None if image is None else self.total({IMAGE: image})
        steps = len(next(iter(spiking.values()))) if spiking else 0
        flat = {source: spikes.flatten(0, 1) for source, spikes in spiking.items()}
        sums = self.total(flat, 1 / dt)
        if sums is not None:
            sums = sums.unflatten(0, (steps, -1))
        return sums, None if constant is None else constant[None]

    def fold(self) -> Weights:
        """The weights of `model.Weights`."""
        return Weights(tuple(map(self.kernel, self.weighted)), to_numpy(self.bias))


class NetworkOnSpikes(TrainableNetwork):
    """`network` with `weights`, differentiable on images (batch, height, width, channels)."""

    def __init__(self, network: Network, weights: tuple[Weights, ...]) -> None:
        super().__init__()
        self.network = network
        self.layers = nn.ModuleList(
            SpikingLayer(population, weights[index], network.synapse_of(index))
            for index, population in enumerate(network.populations)
        )

    @property
    def _layers(self) -> list[SpikingLayer]:
        return cast('list[SpikingLayer]', list(self.layers))

    def fold(self) -> tuple[Weights, ...]:
        """See `TrainableNetwork`."""
        with torch.no_grad():
            return tuple(layer.fold() for layer in self._layers)


class TurnTakingNetwork(NetworkOnSpikes):
    """A network whose layers take turns, in steps of `dt` (s)."""

    def __init__(self, network: Network, weights: tuple[Weights, ...], dt: float) -> None:
        super().__init__(network, weights)
        self.dt = dt
        self.steps = steps_of(network.firing_window, dt)

    def forward(self, images: Tensor, generator: Generator | None = None) -> tuple[Tensor, Tensor]:
        """See `TrainableNetwork`; the rates are those in a layer's own window."""
        window = self.network.firing_window
        values, rates = {IMAGE: images}, []
        *hidden, readout = self._layers
        for index, layer in enumerate(hidden):
            current = layer.current_of_counts(values, window)
            spikes = whole_spikes(current, self.network.neuron, self.steps, self.dt)
            values[index] = spikes
            rates.append(spikes.mean() / window)
            for source in self.network.read_last[index]:
                del values[source]
        return readout.current_of_counts(values, window).flatten(1), torch.stack(rates)

    def make_optimizers(self, weight_decay: float) -> dict[str, Optimizer]:
        """AdamW, since it starts from weights that are nearly right; see `TrainableNetwork`.

        Muon turns all directions of a matrix by the same angle, also those that matter most.
        """
        trained = [parameter for parameter in self.parameters() if parameter.requires_grad]
        groups: list[dict[str, Any]] = [
            {'params': [each for each in trained if each.dim() > 1], 'weight_decay': weight_decay},
            {'params': [each for each in trained if each.dim() == 1]},
        ]
        return {'adamw': AdamW(groups, lr=1.0, weight_decay=0.0, betas=(0.9, 0.99))}


class SpikingNetwork(NetworkOnSpikes):
    """A network whose layers fire all the time, shown images or events for a `presentation`."""

    def __init__(
        self, network: Network, weights: tuple[Weights, ...], presentation: Presentation
    ) -> None:
        super().__init__(network, weights)
        self.neuron = network.neuron
        self.soft_neuron = Softened(network.neuron, presentation.gamma)
        self.presentation = presentation
        self.source = INPUT_KINDS[network.input_kind]
        self.read_last = network.read_last
        *hidden, readout = network.populations
        self.heard_by_readout = {each.source for each in readout.connections}
        self.heard_by_hidden = {each.source for other in hidden for each in other.connections}

    def forward(self, inputs: Tensor, generator: Generator | None = None) -> tuple[Tensor, Tensor]:
        """Evidence, the mean output of the readout, and rates; see `TrainableNetwork`."""
        trains = {self.source: inputs}
        # Mean rates: in each part, and while the outputs are evidence.
        values, late = {self.source: inputs}, {self.source: inputs}
        if self.source != IMAGE:
            values, late = {self.source: self._in_parts(inputs)}, {self.source: self._late(inputs)}
        rates = []
        *hidden, readout = self._layers
        for index, layer in enumerate(hidden):
            soft = soft_rate(layer.mean_current(values), self.soft_neuron)
            spikes = trains[index] = self._spikes(layer, trains)
            if index in self.heard_by_readout:
                late[index] = _with_gradient(self._late(spikes), self._soft_late(soft))
            if index in self.heard_by_hidden:
                values[index] = _with_gradient(self._in_parts(spikes), soft)
            rates.append((values if index in values else late)[index].mean())
            for source in self.read_last[index]:
                if source != self.source:
                    del trains[source], values[source]
        mean = readout.mean_current(late)
        difference = self._outputs(readout, trains).sub_(mean.detach())
        return (mean + difference).flatten(1), torch.stack(rates)

    @torch.no_grad()
    def _spikes(self, layer: SpikingLayer, trains: Mapping[int, Tensor]) -> Tensor:
        """Spikes (steps, batch, ...), 1 or 0, of neurons that start at rest."""
        time = self.presentation
        sums, constant = layer.sums(trains, time.dt)
        currents = constant if sums is None else sums
        assert currents is not None
        shape = currents.shape[1:]
        state = PopulationState.rest(shape, layer.synapse, self.neuron, layer.bias.detach())
        if sums is not None and constant is not None:
            # What a filter of unit gain has always received it lets through as it is.
            currents += constant
            state.filters.add_(constant)
        return integrate(
            currents, layer.bias, time.steps, state, layer.synapse, self.neuron, time.dt
        )

    @torch.no_grad()
    def _in_parts(self, spikes: Tensor) -> Tensor:
        """Mean rates (Hz), (parts x batch, ...), of `spikes` (steps, batch, ...)."""
        parts = spikes.unflatten(0, (self.presentation.parts, -1))
        return self._mean_rate(parts, 1).flatten(0, 1)

    @torch.no_grad()
    def _late(self, spikes: Tensor) -> Tensor:
        """Mean rates (Hz), (batch, ...), of `spikes` (steps, batch, ...) that are evidence."""
        return self._mean_rate(spikes[self.presentation.start :], 0)

    def _mean_rate(self, spikes: Tensor, dimension: int) -> Tensor:
        # In bfloat16, whole numbers up to 256 are exact, and sums are made in float32.
        count = spikes.sum(dim=dimension).float()
        return count.mul_(1 / self.presentation.dt / spikes.shape[dimension])

    def _soft_late(self, soft: Tensor) -> Tensor:
        """The mean (batch, ...) of the rates `soft` (parts x batch, ...) in parts of evidence."""
        time = self.presentation
        return soft.unflatten(0, (time.parts, -1))[time.parts * time.start // time.steps :].mean(0)

    @torch.no_grad()
    def _outputs(self, readout: SpikingLayer, trains: Mapping[int, Tensor]) -> Tensor:
        """Mean output (batch, ...) over the steps that are evidence."""
        sums, constant = readout.sums(trains, self.presentation.dt)
        outputs = readout.bias if constant is None else constant[0].float() + readout.bias
        if sums is None:
            return outputs
        sums = sums.float()
        filters = sums.new_zeros(readout.synapse.order, *sums.shape[1:])
        filter_currents(sums, filters, readout.synapse, self.presentation.dt)
        return sums[self.presentation.start :].mean(dim=0) + outputs


def _with_gradient(rate: Tensor, soft: Tensor) -> Tensor:
    """The `rate` with the gradient of the rate `soft`."""
    return soft + (rate - soft.detach())
