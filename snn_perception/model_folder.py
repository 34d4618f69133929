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

"""A model as a folder of files.

<name>/model.yaml            everything but the weights, for people to read
<name>/weights.safetensors   'layers.<i>.weight' and 'layers.<i>.bias' of each population (poolings
                             are none); those that sum several connections have a weight
                             'layers.<i>.<k>.weight' for each one that has any; and the
                             'unknown.means' of a score of being unknown that has directions
"""

from __future__ import annotations

from dataclasses import asdict
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from snn_perception.model import Model, Weights, check_labels, tensor_shapes, wrong_shape
from snn_perception.model_file import (
    FORMAT,
    ModelError,
    ModelFile,
    NeuronSection,
    dump_yaml,
    input_of,
    input_to_mapping,
    layer_to_mapping,
    read_description,
)
from snn_perception.network import Network
from snn_perception.sentences import sentence
from snn_perception.unknown import Unknown, UnknownSection
from snn_perception.whole_files import written_whole

MEANS = 'unknown.means'
"""Name of the tensor of `Unknown.means`."""


def read_folder(folder: Path) -> Model:
    """The model in `folder`; raises ModelError.

    Everything is checked before memory is allocated for the weights.
    """
    description = read_description(folder / 'model.yaml')
    try:
        network = description.network()
        unknown = description.unknown
        check_labels(description.labels, network, unknown.directions if unknown else 0)
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
        input_of(description.input),
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
        for name, tensor in zip(tensor_shapes(population), values, strict=True):
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
        'input': input_to_mapping(model.input),
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


def _read_weights(
    path: Path, network: Network, unknown: UnknownSection | None
) -> tuple[tuple[Weights, ...], NDArray[np.float32] | None]:
    """Read the weights once the header has the expected names, types and shapes.

    The means of a score of being `unknown` that has directions come with them.
    """
    shapes = [tensor_shapes(population) for population in network.populations]
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
                    raise ModelError(wrong_shape(name, header.get_shape(), shape))
            tensors = [[file.get_tensor(name) for name in names] for names in shapes]
            weights = tuple(Weights(tuple(kernels), bias) for *kernels, bias in tensors)
            return weights, file.get_tensor(MEANS) if has_means else None
    except (SafetensorError, OSError) as reason:
        raise ModelError(f'{path.name} is truncated or corrupt: {reason}') from None
