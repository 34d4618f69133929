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

from snn_perception.backends.torch_connections import PlacedPopulation, place_weights
from snn_perception.graph import IMAGE
from snn_perception.model import Model
from snn_perception.turns import thresholds


@dataclass
class TurnMemory:
    """What the populations remember after `steps` steps.

    counts: spikes that each population has fired, (batch, height, width, channels).
    """

    counts: dict[int, Tensor]
    steps: int = 0


class TurnTaking:
    """`model`, whose layers take turns, with tensors like `like`.

    `layer_done` is called with the number of each population that is done.
    """

    def __init__(self, model: Model, like: Tensor, layer_done: Callable[[int], None]) -> None:
        self.model = model
        self.like = like
        self.layer_done = layer_done
        self.populations = place_weights(model, 1 / model.network.firing_window, like)
        neuron, window = model.network.neuron, model.window_steps
        self.thresholds = [
            torch.from_numpy(thresholds(neuron, elapsed, model.dt)).to(like)
            for elapsed in range(window + 1)
        ]

    def rest(self, batch: int) -> TurnMemory:
        """The memory of a batch of networks at rest."""
        shapes = [(batch, *placed.population.output_shape) for placed in self.populations[:-1]]
        return TurnMemory({i: self.like.new_zeros(shape) for i, shape in enumerate(shapes)})

    def simulate(self, memory: TurnMemory, images: Tensor, steps: int) -> tuple[Tensor, Tensor]:
        """`TorchSimulator.simulate`; its counts are (3, batch, layers), neuron updates too."""
        counts = self.like.new_zeros((3, len(images), len(self.populations)), dtype=torch.float64)
        *hidden, readout = self.populations
        # What the readout hears by each step, of each of its sources.
        heard = {source: [memory.counts[source]] * steps for source, _ in readout.fan_outs}
        fired: dict[int, Tensor] = {}  # by each population in its turn, (batch, height, width)
        for placed in hidden:
            index = placed.population.index
            first, end = self._turn(index, memory.steps, steps)
            if first < end:
                current = self._current(placed, {**memory.counts, IMAGE: images})
                before, start = memory.counts[index], memory.steps - self._start(index)
                memory.counts[index] = self._count(current, start + end)
                if index in heard:
                    by_step = [
                        self._count(current, start + each + 1) for each in range(first, end)
                    ]
                    heard[index][first:] = by_step + by_step[-1:] * (steps - end)
                fired[index] = (memory.counts[index] - before).sum(dim=3, dtype=torch.float64)
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

    def _start(self, index: int) -> int:
        """The step in which the turn of population `index` begins."""
        return self.model.network.turns[index] * self.model.window_steps

    def _turn(self, index: int, done: int, steps: int) -> tuple[int, int]:
        """The first of the next `steps` steps in which population `index` fires, and their end."""
        start = self._start(index) - done
        return max(start, 0), min(start + self.model.window_steps, steps)

    def _count(self, current: Tensor, elapsed: int) -> Tensor:
        """Spikes of neurons under `current` in the first `elapsed` steps of their turn."""
        counts = torch.bucketize(current, self.thresholds[elapsed], right=True)
        return counts.to(self.like.dtype)

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
