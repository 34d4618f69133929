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

"""The Loihi engine: the model in the chip's fixed point, as nengo-loihi emulates it.

All neurons, and the synapses between them, are on the chip. Once per image, the host computes the
currents that the image causes in the first layer and writes them as bias currents of its neurons.
The events of a sensor go to the chip as spikes, several of a pixel in one step as several spikes.
The host also reads the spikes of the last layer, and filters and weights them for the readout.

Differences from the other engines:
- weights have 8 bits, decays and the mantissas of biases 12, and all values are integers;
- a step of the model is one or more steps of the chip, each at most LONGEST_STEP long;
- a spike arrives in the next step, so each layer lags one step behind the layer before. The
  readout begins and ends later by the delay of all layers: decisions take that much longer;
- neurons fire at the end of a step; `blocks` explains how their rates are right all the same;
- an image causes currents of at most LARGEST_BIAS, and sums of weights wrap around if they are
  too large.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import ceil, sqrt
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from snn_perception.activity import Activity
from snn_perception.backends.base import Simulator
from snn_perception.backends.loihi.blocks import build, fixed_point_bias, sensor_of
from snn_perception.backends.loihi.emulator import ChipMemory, Emulator
from snn_perception.backends.loihi.mapping import MappingError, place
from snn_perception.backends.reference import weighted_sum
from snn_perception.graph import EVENTS, IMAGE, Connection
from snn_perception.inputs import batch_of, part_of
from snn_perception.model import Model
from snn_perception.network import Network
from snn_perception.readout import Schedule
from snn_perception.threads import default_threads, in_parallel

LONGEST_STEP = 0.0015
"""Longest step of the chip in s.

With steps of 2.5 ms the layers of the CIFAR-10 model fire 4 to 9 % too often, with half of that 1
to 2 %: intervals between spikes are whole numbers of steps, and should not be just a few.
"""


class Memory(NamedTuple):
    """What the network remembers for one image: on the chip, and in the readout on the host."""

    chip: ChipMemory
    readout: NDArray[np.float64]


@dataclass(frozen=True)
class WeightError:
    """How rounding to 8 bits changes the weights of a layer.

    `relative` is the root mean square change relative to the root mean square weight. `largest`
    is the largest change in steps of the fixed point, at most half a step unless bits are lost.
    """

    relative: float
    largest: float


class LoihiSimulator(Simulator):
    """The model on emulated chips, on the CPU; `threads` (0: see `default_threads`) share images.

    `placement` says how many cores are used and how full they are. `chip_steps` is the number of
    chip steps in one step of the model. `delay` (s) is how much later than on other engines
    spikes act on the next layer. `overflows` is how many values have wrapped around so far, which
    makes answers wrong. Raises ValueError, with a sentence, for a device other than the CPU and
    for a model that does not fit the chips or their fixed point.
    """

    name: ClassVar[str] = 'loihi'
    options: ClassVar[frozenset[str]] = frozenset({'threads'})

    def __init__(self, model: Model, device: str = 'auto', threads: int = 0) -> None:
        if device not in ('auto', 'cpu'):
            raise ValueError(f'backend loihi is an emulation on cpu, not on {device}')
        if threads < 0:
            raise ValueError(f'threads must be 0 or more, not {threads}')
        self.chip_steps = ceil(model.dt / LONGEST_STEP - 1e-9)
        step = model.dt / self.chip_steps
        # On other engines a spike acts from the start of its step, on average half a step before
        # it is fired; on the chip it acts from the end of its step.
        self.delay = (model.dt + step) / 2
        super().__init__(_patient(model, self.delay), 'cpu')
        self.threads = threads or default_threads()
        self.overflows = 0
        self.placement = place(model.network, self.views)
        if self.placement.excess:
            raise MappingError(self.placement.excess)
        self.cores = build(model, self.placement, step)
        blocks = [core.block for cores in self.cores for core in cores]
        sensor = sensor_of(model, self.placement, self.cores)
        # The indices of each layer's neurons among all compartments.
        self._places = []
        start = 0
        for cores in self.cores:
            neurons = np.concatenate([core.neurons for core in cores])
            self._places.append(start + neurons.argsort())
            start += len(neurons)
        potentials = np.zeros(start)
        for places, population in zip(self._places, model.network.populations, strict=False):
            first = model.network.neuron.rest(population.output_shape)[0]
            potentials[places] = first.reshape(-1)
        self.emulator = Emulator(blocks, sensor, potentials)

    @property
    def weight_errors(self) -> list[WeightError | None]:
        """What fixed point changed in each layer's weights on the chip; None if it has none."""
        errors: list[WeightError | None] = []
        for placed, cores in zip(self.placement.layers, self.cores, strict=True):
            if not placed.layer.wirings:
                errors.append(None)
                continue
            parts = [core.rounding for core in cores]
            weights = sum(part.weights for part in parts)
            changes = sum(part.changes for part in parts)
            relative = sqrt(changes / weights) if weights else 0.0
            errors.append(WeightError(relative, max(part.largest for part in parts)))
        return errors

    def rest(self, batch: int) -> list[Memory]:
        """See `Simulator.rest`."""
        network = self.model.network
        readout = network.synapse_of(len(network.populations) - 1)
        shape = network.populations[-1].output_shape
        return [Memory(self.emulator.rest(), readout.rest((1, *shape))) for _ in range(batch)]

    def advance(self, memory: list[Memory], inputs: NDArray, steps: int) -> Activity:
        """See `Simulator.advance`."""
        network, batch = self.model.network, batch_of(inputs)
        neurons = np.array([population.neurons for population in network.populations])
        spikes, operations = np.zeros((2, batch, len(neurons)), np.int64)
        outputs = np.zeros((steps, batch, network.classes), np.float32)
        for index, (fired, values) in enumerate(self._show(memory, inputs, steps)):
            outputs[:, index] = values
            spikes[index, :-1] = [count.sum() for count in fired]
            counts = dict(enumerate(fired))
            if network.hears_events:
                counts[EVENTS] = inputs[:, index].sum(axis=0, dtype=np.int32)
            for population in network.populations:
                for connection in population.connections:
                    if connection.source != IMAGE:
                        arriving = counts[connection.source].sum(axis=2) * connection.fan_out
                        operations[index, population.index] += arriving.sum()
        updates = np.tile(steps * self.chip_steps * neurons, (batch, 1))
        return Activity(outputs, spikes, operations, updates)

    def firing_rates(self, inputs: NDArray) -> list[NDArray[np.float64]]:
        """Rates (batch, *output_shape) in Hz of the neurons of each layer on prepared images.

        Events must be there for all of the presentation.

        Only spikes that become evidence count, in a presentation to a network at rest. For the
        earlier layers the time window is earlier by the delay to the last layer.
        """
        dt, layers = self.model.dt, self.model.network.populations[:-1]
        batch = batch_of(inputs)
        schedule, memory = Schedule.of(self.model.readout, dt), self.rest(batch)
        before = _layers_before(self.model.network)
        earlier = [round((max(before) - count) * self.delay / dt) for count in before]
        rates = [np.zeros((batch, *layer.output_shape)) for layer in layers]
        for step in range(schedule.total):
            given = part_of(inputs, step, 1)
            shown = [counts for counts, _ in self._show(memory, given, 1)]
            for rate, shift, counts in zip(rates, earlier, zip(*shown, strict=True), strict=True):
                if schedule.discarded <= step + shift < schedule.total:
                    rate += counts
        seconds = (schedule.total - schedule.discarded) * dt
        return [rate / seconds for rate in rates]

    def _show(
        self, memory: list[Memory], inputs: NDArray, steps: int
    ) -> list[tuple[list[NDArray[np.int32]], NDArray[np.float64]]]:
        """Advance the `memory` of each of the `inputs`; return its spikes and outputs.

        Spikes are counts per neuron, *output_shape for each layer; outputs are (steps, classes).
        """
        batch, hears_events = batch_of(inputs), self.model.network.hears_events
        shown: list[Any] = [None] * batch
        overflows = [0] * batch

        def work(first: int, last: int) -> None:
            for index in range(first, last):
                given = inputs[:, index] if hears_events else inputs[index]
                *shown[index], overflows[index] = self._show_one(memory[index], given, steps)

        in_parallel(work, batch, self.threads, smallest_share=1)
        self.overflows += sum(overflows)
        return shown

    def _show_one(
        self, memory: Memory, given: NDArray, steps: int
    ) -> tuple[list[NDArray[np.int32]], NDArray[np.float64], int]:
        """`_show` for one image, or the events (steps, height, width, 2) of one sensor.

        Also returns how many values wrapped around.
        """
        model = self.model
        *layers, last = model.network.populations
        bias, total = self._bias(given), np.zeros_like(self.emulator.bias)
        events = np.zeros((steps, 0), np.uint8)
        if model.network.hears_events:
            events = np.moveaxis(given, 3, 1).reshape(steps, -1)
        read = {each.source: np.zeros((steps, *each.source_shape)) for each in last.connections}
        values = {source: shown for source, shown in read.items() if source != IMAGE}
        overflows = 0
        for step in range(steps):
            counts = np.zeros_like(total)
            arguments = memory.chip, bias, self.chip_steps, counts, events[step]
            overflows += self.emulator.run(*arguments)
            for source, shown in values.items():
                if source == EVENTS:
                    shown[step] = given[step] / model.dt
                else:
                    fired = counts[self._places[source]]
                    shown[step] = fired.reshape(shown.shape[1:]) / model.dt
            total += counts
        currents = np.zeros((steps, *last.output_shape))
        for connection, kernel in self._connections(last.index, of_image=False):
            currents += weighted_sum(connection, kernel, values[connection.source])
        synapse = model.network.synapse_of(last.index)
        # The synapse returns a view of its state, which the next step overwrites.
        filtered = [
            synapse.step(one, memory.readout, model.dt).copy() for one in currents[:, None]
        ]
        outputs = np.array(filtered) + self._currents(last.index, given)
        counts = [
            total[places].reshape(layer.output_shape)
            for places, layer in zip(self._places, layers, strict=True)
        ]
        return counts, outputs.reshape(steps, -1), overflows

    def _connections(
        self, index: int, of_image: bool
    ) -> Iterator[tuple[Connection, NDArray[np.float32]]]:
        """The connections into population `index` from the image, or all others."""
        for connection, kernel in self.model.connections(index):
            if (connection.source == IMAGE) == of_image:
                yield connection, kernel

    def _currents(self, index: int, image: NDArray[np.float32]) -> NDArray[np.float64]:
        """What the image and the bias give population `index`, (1, *output_shape)."""
        shape = self.model.network.populations[index].output_shape
        currents = np.zeros((1, *shape))
        for connection, kernel in self._connections(index, of_image=True):
            currents += weighted_sum(connection, kernel, image[None].astype(np.float64))
        return currents + self.model.weights[index].bias

    def _bias(self, image: NDArray[np.float32]) -> NDArray[np.int32]:
        """The bias currents of all compartments while the chip is shown `image`."""
        bias, start = self.emulator.bias.copy(), 0
        for placed, cores in zip(self.placement.layers, self.cores, strict=True):
            layer = placed.layer
            if layer.population.sees_image:
                currents = self._currents(layer.index, image).ravel()
            for core in cores:
                stop = start + len(core.neurons)
                if layer.population.sees_image:
                    bias[start:stop] = fixed_point_bias(currents[core.neurons], core.block)
                start = stop
        return bias


def _layers_before(network: Network) -> list[int]:
    """How many layers of neurons there are on the longest way to each layer of neurons."""
    before: list[int] = []
    for population in network.populations[:-1]:
        sources = [connection.source for connection in population.connections]
        before.append(max(0 if source < 0 else before[source] + 1 for source in sources))
    return before


def _patient(model: Model, delay: float) -> Model:
    """`model` with a readout that waits until its input has passed through all layers.

    `delay` (s) is the delay from one layer to the next.
    """
    total = delay * max(model.network.depth - 1, 0)
    start_time = model.readout.start_time + total
    presentation_time = model.readout.presentation_time + total
    readout = replace(model.readout, start_time=start_time, presentation_time=presentation_time)
    return replace(model, readout=readout)
