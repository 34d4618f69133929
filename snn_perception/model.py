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

"""A model: a network with its weights, labels, preprocessing and readout."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from snn_perception.events.shaping import EventShaping
from snn_perception.graph import Connection, Population
from snn_perception.images import Preprocessing
from snn_perception.model_file import ModelError
from snn_perception.network import Network
from snn_perception.readout import Readout, Schedule
from snn_perception.sentences import shown
from snn_perception.turns import steps_of
from snn_perception.unknown import Unknown

PRECISIONS = ('float32', 'bfloat16', 'int8')
"""Precisions of weights, for engines that have a choice; int8 has a scale for each channel."""


@dataclass(frozen=True)
class Weights:
    """Parameters of one population: `bias` (channels,) and the kernels of its connections.

    `kernels` are in the weight shapes of those connections that have weights, in their order.
    """

    kernels: tuple[NDArray[np.float32], ...]
    bias: NDArray[np.float32]

    @property
    def kernel(self) -> NDArray[np.float32]:
        """The kernel of the only connection that has one."""
        (kernel,) = self.kernels
        return kernel


@dataclass(frozen=True)
class Model:
    """A network ready to run. `dt` is the time step of the simulation in s.

    `input` says how images, or the events of a sensor, become the input of the network.
    `precision`, one of PRECISIONS, is that of its weights where an engine has a choice and nobody
    asks for another. `unknown` is how it scores being unknown, if it does; the outputs of the
    readout are one for each label and then its directions. Raises ModelError if weights, labels
    or `unknown` do not fit the network.
    """

    name: str
    labels: tuple[str, ...]
    network: Network
    weights: tuple[Weights, ...]
    input: Preprocessing | EventShaping
    readout: Readout
    dt: float = 0.001
    description: str = ''
    precision: str = 'float32'
    unknown: Unknown | None = None

    def __post_init__(self) -> None:
        if not 0 < self.dt <= 0.1:
            raise ModelError(f'dt must be above 0 and at most 0.1 s, not {self.dt}')
        if self.precision not in PRECISIONS:
            raise ModelError(
                f'precision must be one of {", ".join(PRECISIONS)}, not {shown(self.precision)}'
            )
        check_labels(self.labels, self.network, self.directions)
        if isinstance(self.input, EventShaping) != self.network.hears_events:
            made = 'image' if self.network.hears_events else 'events'
            raise ModelError(
                f'the network has an input of kind {self.network.input_kind}, and the model '
                f'makes one of kind {made}'
            )
        if tuple(self.input.shape) != self.network.input_shape:
            raise ModelError(
                "what the model makes of its input must have the network's input shape, "
                f'{self.network.input_shape}, not {tuple(self.input.shape)}'
            )
        self._check_turns()
        for population, weights in zip(self.network.populations, self.weights, strict=True):
            shapes, values = tensor_shapes(population), (*weights.kernels, weights.bias)
            if len(shapes) != len(values):
                raise ModelError(
                    f'layer {population} needs {len(shapes) - 1} kernels, not {len(values) - 1}'
                )
            for (name, shape), tensor in zip(shapes.items(), values, strict=True):
                if tensor.shape != shape:
                    raise ModelError(wrong_shape(name, tensor.shape, shape))
                if not np.isfinite(tensor).all():
                    raise ModelError(f'{name} holds values that are not finite')

    def _check_turns(self) -> None:
        if not self.network.firing_window:
            return
        try:
            steps = self.network.turns[-1] * self.window_steps
        except ValueError as reason:
            raise ModelError(str(reason)) from None
        if Schedule.of(self.readout, self.dt).discarded + 1 < steps:
            raise ModelError(
                f'start_time of the readout must be at least {(steps - 1) * self.dt:g} s: before, '
                f'not all layers of {self.name} have had their turn'
            )

    @property
    def preprocessing(self) -> Preprocessing:
        """How images become inputs; raises ModelError if the model takes events."""
        if not isinstance(self.input, Preprocessing):
            raise ModelError(
                f'model {self.name} takes the events of a sensor, not images; '
                'give it counts of events'
            )
        return self.input

    @property
    def shaping(self) -> EventShaping:
        """How events become inputs; raises ModelError if the model takes images."""
        if not isinstance(self.input, EventShaping):
            raise ModelError(
                f'model {self.name} takes images, not the events of a sensor; give it an image'
            )
        return self.input

    @property
    def window_steps(self) -> int:
        """Time steps of the network's `firing_window`; 0 if layers do not take turns.

        Raises ValueError for one that is not a multiple of `dt`.
        """
        window = self.network.firing_window
        return steps_of(window, self.dt) if window else 0

    def connections(self, index: int) -> Iterator[tuple[Connection, NDArray[np.float32]]]:
        """The connections into population `index`, each with its kernel.

        The kernel is that of `Connection.convolution`: (rows, columns, inputs, channels).
        """
        kernels = iter(self.weights[index].kernels)
        for connection in self.network.populations[index].connections:
            yield connection, connection.kernel(next(kernels) if connection.weight_shape else None)

    @property
    def classes(self) -> int:
        """Number of classes: the first outputs of the readout."""
        return len(self.labels)

    @property
    def directions(self) -> int:
        """Number of the readout's outputs behind them, for the score of being unknown."""
        return self.unknown.directions if self.unknown else 0

    @property
    def presentation_time(self) -> float:
        """Longest time (s) that one image is shown for."""
        return self.readout.presentation_time

    @property
    def shortest_presentation_time(self) -> float:
        """Time (s) from which on an image shown to a network at rest yields any evidence."""
        return (Schedule.of(self.readout, self.dt).discarded + 1) * self.dt

    def schedule(self, presentation_time: float | None = None) -> Schedule:
        """The steps in which an image is shown to a network at rest.

        `presentation_time` (s) replaces the model's own. Raises ValueError with a sentence for
        one out of range or below `shortest_presentation_time`.
        """
        schedule = Schedule.of(self.readout, self.dt, presentation_time)
        if schedule.total <= schedule.discarded:
            raise ValueError(
                f'presentation_time must be at least {self.shortest_presentation_time:g} s with '
                f'model {self.name}, whose output means nothing before, not {presentation_time} s'
            )
        return schedule


def check_labels(labels: tuple[str, ...], network: Network, directions: int) -> None:
    """Raise ModelError unless the outputs of `network` are for `labels` and `directions`."""
    if len(labels) + directions != network.classes:
        further = f' and {directions} directions of unknown' if directions else ''
        raise ModelError(
            f'{len(labels)} labels{further} do not fit the {network.classes} outputs of the '
            f'readout'
        )
    if len(set(labels)) != len(labels):
        raise ModelError('labels must differ from each other')


def tensor_shapes(population: Population) -> dict[str, tuple[int, ...]]:
    """Names of the tensors of `population` in the file and their shapes, the bias last."""
    prefix = f'layers.{population.index}'
    is_sum = len(population.connections) > 1
    shapes = {
        f'{prefix}.{number}.weight' if is_sum else f'{prefix}.weight': connection.weight_shape
        for number, connection in enumerate(population.connections)
        if connection.weight_shape
    }
    return {**shapes, f'{prefix}.bias': (population.output_shape[2],)}


def wrong_shape(name: str, shape: tuple[int, ...], expected: tuple[int, ...]) -> str:
    """What to say of the tensor `name` of another `shape` than `expected`."""
    return f'{name} has the shape {tuple(shape)} where the network needs {tuple(expected)}'
