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

"""The readable engine: NumPy, float64, step by step. It defines what the others must compute."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from snn_perception.activity import Activity
from snn_perception.backends.base import Simulator
from snn_perception.model import Model
from snn_perception.network import AveragePooling, Convolution, Stage
from snn_perception.neurons import State


class StageState(NamedTuple):
    """What the neurons of one weighted layer remember: filter values and their own state."""

    synapse: NDArray
    neuron: State


Memory = list[StageState]


class ReferenceSimulator(Simulator):
    """Every step through every layer, on the CPU."""

    name: ClassVar[str] = 'reference'

    def __init__(self, model: Model, device: str = 'auto') -> None:
        if device not in ('auto', 'cpu'):
            raise ValueError(f'backend reference runs on cpu, not on {device}')
        super().__init__(model, 'cpu')

    def rest(self, batch: int) -> Memory:
        """See `Simulator.rest`."""
        network = self.model.network
        states = []
        for index, stage in enumerate(network.stages):
            shape = (batch, *stage.output_shape)
            synapse = network.synapse_of(index)
            states.append(StageState(synapse.rest(shape), network.neuron.rest(shape)))
        return states

    def advance(self, memory: Memory, images: NDArray[np.float32], steps: int) -> Activity:
        """See `Simulator.advance`."""
        network = self.model.network
        counts = np.zeros((3, len(images), len(network.stages)), np.int64)
        outputs = np.zeros((steps, len(images), network.classes))
        for step in range(steps):
            spiked, outputs[step] = self.step(memory, images)
            for index, (stage, spikes) in enumerate(zip(network.stages, spiked, strict=False)):
                arriving = spikes.sum(axis=3) * network.stages[index + 1].fan_out
                counts[0, :, index] += spikes.sum(axis=(1, 2, 3))
                counts[1, :, index + 1] += arriving.sum(axis=(1, 2))
                counts[2, :, index] += stage.neurons
        return Activity(outputs.astype(np.float32), *counts)

    def step(
        self, memory: Memory, images: NDArray[np.float32]
    ) -> tuple[list[NDArray[np.bool_]], NDArray[np.float64]]:
        """Advance `memory` in place by one time step.

        Returns which neurons spiked, bool (batch, height, width, channels) for each layer of
        neurons, and the output of the readout (batch, classes).
        """
        network, dt = self.model.network, self.model.dt
        values = images.astype(np.float64)
        spiked = []
        for index, stage in enumerate(network.stages):
            current = apply_stage(stage, self.model.weights[index].kernel, values)
            current = network.synapse_of(index).step(current, memory[index].synapse, dt)
            current = current + self.model.weights[index].bias
            if not stage.is_readout:
                spiked.append(network.neuron.step(current, memory[index].neuron, dt))
                values = spiked[-1] / dt
        return spiked, current.reshape(len(images), -1)


def apply_stage(stage: Stage, weight: NDArray, values: NDArray) -> NDArray:
    """Weighted sums (batch, *output_shape) of `values` (batch, *source_shape)."""
    for pooling in stage.pooling:
        values = _pool(pooling, values)
    if isinstance(stage.layer, Convolution):
        return _convolve(stage.layer, weight, values)
    return (values.reshape(len(values), -1) @ weight)[:, None, None, :]


def _pool(pooling: AveragePooling, values: NDArray) -> NDArray:
    size = pooling.size
    batch, height, width, channels = values.shape
    height, width = height // size, width // size
    blocks = values[:, : height * size, : width * size]
    return blocks.reshape(batch, height, size, width, size, channels).mean(axis=(2, 4))


def _convolve(layer: Convolution, weight: NDArray, values: NDArray) -> NDArray:
    border = (layer.padding, layer.padding)
    padded = np.pad(values, ((0, 0), border, border, (0, 0)))
    window = (layer.kernel, layer.kernel)
    windows = sliding_window_view(padded, window, axis=(1, 2))  # type: ignore[call-overload]
    windows = windows[:, :: layer.stride, :: layer.stride]
    return np.tensordot(windows, weight, axes=((4, 5, 3), (0, 1, 2)))
