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

"""A model: a network with its weights, labels, preprocessing and readout, as a folder of files.

<name>/model.yaml            everything but the weights, for people to read
<name>/weights.safetensors   'layers.<i>.weight' and 'layers.<i>.bias' of each population (poolings
                             are none); those that sum several connections have a weight
                             'layers.<i>.<k>.weight' for each one that has any; and the
                             'unknown.means' of a score of being unknown that has directions
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from snn_perception.graph import Connection, Population
from snn_perception.images import Preprocessing
from snn_perception.model_file import (
    FORMAT,
    ModelError,
    ModelFile,
    NeuronSection,
    dump_yaml,
    layer_to_mapping,
    read_description,
)
from snn_perception.network import Network
from snn_perception.readout import Readout, Schedule
from snn_perception.sentences import sentence, shown
from snn_perception.turns import steps_of
from snn_perception.unknown import Unknown, UnknownSection
from snn_perception.whole_files import written_whole

PRECISIONS = ('float32', 'bfloat16', 'int8')
"""Precisions of weights, for engines that have a choice; int8 has a scale for each channel."""
MEANS = 'unknown.means'
"""Name of the tensor of `Unknown.means`."""


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

    `precision`, one of PRECISIONS, is that of its weights where an engine has a choice and nobody
    asks for another. `unknown` is how it scores being unknown, if it does; the outputs of the
    readout are one for each label and then its directions. Raises ModelError if weights, labels
    or `unknown` do not fit the network.
    """

    name: str
    labels: tuple[str, ...]
    network: Network
    weights: tuple[Weights, ...]
    preprocessing: Preprocessing
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
        _check_labels(self.labels, self.network, self.directions)
        if tuple(self.preprocessing.shape) != self.network.input_shape:
            raise ModelError("the preprocessing must produce images of the network's input shape")
        self._check_turns()
        for population, weights in zip(self.network.populations, self.weights, strict=True):
            shapes, values = _shapes_of(population), (*weights.kernels, weights.bias)
            if len(shapes) != len(values):
                raise ModelError(
                    f'layer {population} needs {len(shapes) - 1} kernels, not {len(values) - 1}'
                )
            for (name, shape), tensor in zip(shapes.items(), values, strict=True):
                if tensor.shape != shape:
                    raise ModelError(_wrong_shape(name, tensor.shape, shape))
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


def read_folder(folder: Path) -> Model:
    """The model in `folder`; raises ModelError.

    Everything is checked before memory is allocated for the weights.
    """
    description = read_description(folder / 'model.yaml')
    try:
        network = description.network()
        unknown = description.unknown
        _check_labels(description.labels, network, unknown.directions if unknown else 0)
        path = folder / 'weights.safetensors'
        return assemble(description, *_read_weights(path, network, unknown))
    except ValueError as reason:
        raise ModelError(f'model {folder}: {sentence(reason)}') from None


def assemble(
    description: ModelFile, weights: tuple[Weights, ...], means: NDArray[np.float32] | None = None
) -> Model:
    """The model of `description` with `weights`; raises ValueError if they do not fit.

    `means` are those of its `Unknown`, if that has any.
    """
    unknown = None
    if description.unknown:
        known = (description.unknown,) if means is None else (description.unknown, means)
        unknown = Unknown(*known)
    return Model(
        description.name,
        description.labels,
        description.network(),
        weights,
        description.input.preprocessing,
        description.readout,
        description.dt,
        description.description,
        description.precision,
        unknown,
    )


def save_model(model: Model, folder: Path, training: dict[str, Any] | None = None) -> None:
    """Write `model` into `folder` (created if needed); `training` is noted in model.yaml.

    Raises OSError with a sentence if a file cannot be written, for example on a full disk.
    """
    tensors = {}
    for population, weights in zip(model.network.populations, model.weights, strict=True):
        values = (*weights.kernels, weights.bias)
        for name, tensor in zip(_shapes_of(population), values, strict=True):
            tensors[name] = np.ascontiguousarray(tensor, np.float32)
    if model.unknown and model.directions:
        tensors[MEANS] = np.ascontiguousarray(model.unknown.means, np.float32)
    folder.mkdir(parents=True, exist_ok=True)
    with written_whole(folder / 'weights.safetensors') as unfinished:
        save_file(tensors, unfinished)
    with written_whole(folder / 'model.yaml') as unfinished:
        unfinished.write_text(to_yaml(model, training), encoding='utf-8')


def to_yaml(model: Model, training: dict[str, Any] | None = None) -> str:
    """The text of model.yaml for `model`: everything but its weights."""
    network = model.network
    content = {
        'format': FORMAT,
        'name': model.name,
        'description': model.description,
        'labels': list(model.labels),
        'input': asdict(model.preprocessing),
        'dt': model.dt,
        'precision': model.precision,
        'neuron': NeuronSection(network.neuron, network.gamma).mapping,
        'synapse': asdict(network.synapse),
        'readout_synapse': asdict(network.readout_synapse),
        **({'firing_window': network.firing_window} if network.firing_window else {}),
        'layers': [layer_to_mapping(layer) for layer in network.layers],
        'readout': asdict(model.readout),
        **({'unknown': asdict(model.unknown.section)} if model.unknown else {}),
        'training': training or {},
    }
    return dump_yaml(content)


def _check_labels(labels: tuple[str, ...], network: Network, directions: int) -> None:
    if len(labels) + directions != network.classes:
        further = f' and {directions} directions of unknown' if directions else ''
        raise ModelError(
            f'{len(labels)} labels{further} do not fit the {network.classes} outputs of the '
            f'readout'
        )
    if len(set(labels)) != len(labels):
        raise ModelError('labels must differ from each other')


def _shapes_of(population: Population) -> dict[str, tuple[int, ...]]:
    """Names of the tensors of `population` in the file and their shapes, the bias last."""
    prefix = f'layers.{population.index}'
    is_sum = len(population.connections) > 1
    shapes = {
        f'{prefix}.{number}.weight' if is_sum else f'{prefix}.weight': connection.weight_shape
        for number, connection in enumerate(population.connections)
        if connection.weight_shape
    }
    return {**shapes, f'{prefix}.bias': (population.output_shape[2],)}


def _wrong_shape(name: str, shape: tuple[int, ...], expected: tuple[int, ...]) -> str:
    return f'{name} has the shape {tuple(shape)} where the network needs {tuple(expected)}'


def _read_weights(
    path: Path, network: Network, unknown: UnknownSection | None
) -> tuple[tuple[Weights, ...], NDArray[np.float32] | None]:
    """Read the weights once the header has the expected names, types and shapes.

    The means of a score of being `unknown` that has directions come with them.
    """
    shapes = [_shapes_of(population) for population in network.populations]
    expected = {name: shape for tensors in shapes for name, shape in tensors.items()}
    has_means = unknown is not None and unknown.directions > 0
    if unknown and has_means:
        expected[MEANS] = unknown.groups, unknown.directions
    if not path.is_file():
        raise ModelError(f'{path.name} does not exist')
    needed = sum(4 * prod(shape) for shape in expected.values())
    if path.stat().st_size > needed + 1_000_000:
        raise ModelError(f'{path.name} is larger than the {needed} bytes that the network needs')
    try:
        with safe_open(path, framework='numpy') as file:
            if set(file.keys()) != set(expected):
                odd = ', '.join(sorted(set(file.keys()) ^ set(expected))[:4])
                raise ModelError(f'{path.name} does not hold the tensors of the network: {odd}')
            for name, shape in expected.items():
                header = file.get_slice(name)
                if header.get_dtype() != 'F32':
                    raise ModelError(f'{name} must be of type F32, not {header.get_dtype()}')
                if tuple(header.get_shape()) != shape:
                    raise ModelError(_wrong_shape(name, header.get_shape(), shape))
            tensors = [[file.get_tensor(name) for name in names] for names in shapes]
            weights = tuple(Weights(tuple(kernels), bias) for *kernels, bias in tensors)
            return weights, file.get_tensor(MEANS) if has_means else None
    except (SafetensorError, OSError) as reason:
        raise ModelError(f'{path.name} is truncated or corrupt: {reason}') from None
