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

"""The dense engine for layers that take turns; see `turns`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from operator import is_not

import torch
from torch import Tensor

from snn_perception.backends.population_state import PopulationState
from snn_perception.backends.torch_connections import PlacedPopulation, place_weights
from snn_perception.graph import IMAGE
from snn_perception.model import Model
from snn_perception.neurons import Neuron
from snn_perception.synapses import Synapse

Integrate = Callable[[Tensor, Tensor, int, PopulationState, Synapse, Neuron, float], Tensor]


@dataclass
class TurnMemory:
    """What the populations remember after `steps` steps.

    counts: spikes that each population has fired, (batch, height, width, channels).
    """

    states: list[PopulationState]
    counts: dict[int, Tensor]
    steps: int = 0


class TurnTaking:
    """`model`, whose layers take turns, with tensors like `like`.

    `integrate` is `torch.integrate`, and `layer_done` is called with the number of each
    population that is done.
    """

    def __init__(
        self, model: Model, like: Tensor, integrate: Integrate, layer_done: Callable[[int], None]
    ) -> None:
        self.model = model
        self.like = like
        self.integrate = integrate
        self.layer_done = layer_done
        self.populations = place_weights(model, 1 / model.network.firing_window, like)

    def rest(self, states: list[PopulationState]) -> TurnMemory:
        """The memory of populations in `states` of rest."""
        counts = {index: torch.zeros_like(each.neuron[0]) for index, each in enumerate(states)}
        return TurnMemory(states, counts)

    def simulate(self, memory: TurnMemory, images: Tensor, steps: int) -> tuple[Tensor, Tensor]:
        """`TorchSimulator.simulate`; its counts are (3, batch, layers), neuron updates too."""
        counts = self.like.new_zeros((3, len(images), len(self.populations)), dtype=torch.float64)
        *hidden, readout = self.populations
        heard = {source: [memory.counts[source]] * steps for source, _ in readout.fan_outs}
        fired: dict[int, Tensor] = {}  # by each population in its turn, (batch, height, width)
        for placed in hidden:
            index = placed.population.index
            first, end = self._turn(index, memory.steps, steps)
            if first < end:
                spikes = self._fire(placed, memory, images, end - first)
                by_then = spikes.cumsum(0).add_(memory.counts[index])
                memory.counts[index] = by_then[-1].clone()
                if index in heard:
                    heard[index][first:] = [*by_then, *[by_then[-1]] * (steps - end)]
                fired[index] = spikes.sum(dim=(0, 4), dtype=torch.float64)
                counts[0, :, index] = fired[index].sum(dim=(1, 2))
                counts[2, :, index] = (end - first) * placed.population.neurons
            self.layer_done(index)
        for placed in self.populations:
            for source, fan_out in placed.fan_outs:
                if source in fired:
                    operations = (fired[source] * fan_out).sum(dim=(1, 2))
                    counts[1, :, placed.population.index] += operations
        outputs = self._outputs(readout, heard, images, steps)
        self.layer_done(readout.population.index)
        memory.steps += steps
        return outputs, counts

    def _turn(self, index: int, done: int, steps: int) -> tuple[int, int]:
        """The first of the next `steps` steps in which population `index` fires, and their end."""
        window = self.model.window_steps
        start = self.model.network.turns[index] * window - done
        return max(start, 0), min(start + window, steps)

    def _fire(
        self, placed: PlacedPopulation, memory: TurnMemory, images: Tensor, steps: int
    ) -> Tensor:
        """The spikes (steps, batch, ...) of a population in its turn."""
        network, index = self.model.network, placed.population.index
        current = self._current(placed, {**memory.counts, IMAGE: images})[None]
        return self.integrate(
            current,
            torch.zeros_like(placed.bias),
            steps,
            memory.states[index],
            Synapse(),
            network.neuron,
            self.model.dt,
        )

    def _current(self, placed: PlacedPopulation, values: dict[int, Tensor]) -> Tensor:
        """The currents (batch, ...) for these counts of spikes and images."""
        alone = {source: each[None] for source, each in values.items()}
        current = placed.constant_sum(alone) + placed.bias
        sums = placed.spiking_sum(alone)
        return (current if sums is None else sums.add_(current))[0]

    def _outputs(
        self, readout: PlacedPopulation, heard: dict[int, list[Tensor]], images: Tensor, steps: int
    ) -> Tensor:
        """Outputs (steps, batch, classes) for the counts that it has `heard` by each step."""
        outputs = self.like.new_empty((steps, len(images), self.model.network.classes))
        before: list[Tensor] | None = None
        for step in range(steps):
            counts = {source: each[step] for source, each in heard.items()}
            # Mostly nobody fires that the readout hears, and nothing changes.
            if before is None or any(map(is_not, counts.values(), before)):
                output = self._current(readout, {**counts, IMAGE: images}).flatten(1)
                before = list(counts.values())
            outputs[step] = output
        return outputs.float()
