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

"""The same network on softened firing rates, without spikes: the reference for a spiking run.

In short the network "in rates", or the rate network.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from snn_perception.activity import Activity
from snn_perception.backends.base import Simulator
from snn_perception.backends.rate_curve import soft_rate
from snn_perception.backends.torch import choose_device
from snn_perception.backends.torch_connections import place_weights
from snn_perception.graph import EVENTS, IMAGE
from snn_perception.inputs import batch_of
from snn_perception.model import Model
from snn_perception.neurons import Softened
from snn_perception.turns import expected


@dataclass
class Memory:
    """The events (batch, height, width, 2) so far, in so many `steps`; unused with images."""

    events: NDArray[np.float32]
    steps: int = 0


class RateSimulator(Simulator):
    """No spikes and no time: every step of a run has the same output.

    An image is all that it depends on. Of events it is the mean rates since rest, up to the end
    of the run, so runs that follow each other go towards what a single one says.
    """

    name: ClassVar[str] = 'rate'
    gains_by_batches: ClassVar[bool] = True
    takes_turns: ClassVar[bool] = True

    def __init__(self, model: Model, device: str = 'auto') -> None:
        super().__init__(model, choose_device(device))
        self.neuron = Softened(model.network.neuron, model.network.gamma)
        self.populations = place_weights(model, 1.0, torch.zeros((), device=self.device))

    @property
    def macs_per_image(self) -> int:
        """The multiply-accumulates of all layers."""
        return self.model.network.macs

    def rest(self, batch: int) -> Memory:
        """See `Simulator.rest`."""
        has_events = self.model.network.hears_events
        shape = (batch, *self.model.network.input_shape) if has_events else (0,)
        return Memory(np.zeros(shape, np.float32))

    @torch.inference_mode()
    def advance(self, memory: Memory, inputs: NDArray, steps: int) -> Activity:
        """See `Simulator.advance`."""
        batch = batch_of(inputs)
        *_, last = self._values(inputs, memory)
        outputs = last.flatten(2).expand(steps, -1, -1).cpu().numpy()
        return Activity(outputs, *np.zeros((3, batch, len(self.populations)), np.int64))

    @torch.inference_mode()
    def firing_rates(self, inputs: NDArray) -> list[NDArray[np.float32]]:
        """Rates (batch, *output_shape) in Hz of the neurons of each layer on these inputs.

        They are as for `run`; of events all steps count.
        """
        *hidden, _ = self._values(inputs, self.rest(batch_of(inputs)))
        return [rates[0].cpu().numpy() for rates in hidden]

    def _rate(self, current: Tensor) -> Tensor:
        """The firing rates (Hz) at `current`, of neurons that take turns those to be expected."""
        rate, window = soft_rate(current, self.neuron), self.model.network.firing_window
        return expected(rate, window, self.model.dt) if window else rate

    def _values(self, inputs: NDArray, memory: Memory) -> Iterator[Tensor]:
        """The output of each population, (1, batch, *output_shape); advances `memory`."""
        source = IMAGE
        if self.model.network.hears_events:
            memory.events += inputs.sum(axis=0, dtype=np.float32)
            memory.steps += len(inputs)
            source, inputs = EVENTS, memory.events / (memory.steps * self.model.dt)
        inputs = np.ascontiguousarray(inputs)
        values = {source: torch.from_numpy(inputs).to(self.device, torch.float32)[None]}
        for placed in self.populations:
            current = placed.constant_sum(values) + placed.bias
            sums = placed.spiking_sum(values)
            if sums is not None:
                current = sums.add_(current)
            population = placed.population
            output = current if population.is_readout else self._rate(current)
            values[population.index] = output
            for source in self.model.network.read_last[population.index]:
                del values[source]
            self.layer_done(population.index)
            yield output
