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

"""A taught network of winner-take-all circuits with all that it needs to classify recordings.

<name>/model.yaml            everything but the weights, for people to read
<name>/weights.safetensors   float32 `hidden` and `outputs`; the rows are those of `network`
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from snn_perception.decision import Decision
from snn_perception.events.stream import Events
from snn_perception.model_file import ModelError, dump_yaml
from snn_perception.online.coding import Coding
from snn_perception.online.cosines import RaisedCosines
from snn_perception.online.deciding import decide
from snn_perception.online.files import FORMAT, model_folder
from snn_perception.online.network import Circuits, WtaNetwork
from snn_perception.online.running import Run, Weights, known, rest, run
from snn_perception.sentences import shown
from snn_perception.whole_files import written_whole
from snn_perception.yaml_files import build, read_yaml


@dataclass(frozen=True)
class Connections:
    """The network of a model or a recipe but for its ends, see `WtaNetwork`."""

    hidden: Circuits
    synapse: RaisedCosines
    feedback: RaisedCosines = field(default_factory=lambda: RaisedCosines(1, 5))
    recurrent: bool = True
    direct: bool = True
    output_history: bool = False

    def between(self, coding: Coding, classes: int) -> WtaNetwork:
        """The network with inputs for `coding` and one output circuit with a neuron a class."""
        ends = Circuits(coding.circuits, coding.symbols), Circuits(1, classes)
        return WtaNetwork(
            ends[0], self.hidden, ends[1], self.synapse, self.feedback,
            self.recurrent, self.direct, self.output_history,
        )  # fmt: skip


@dataclass(frozen=True)
class OnlineFile:
    """The content of model.yaml."""

    format: str
    name: str
    labels: tuple[str, ...]
    coding: Coding
    network: Connections
    description: str = ''
    training: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class OnlineModel:
    """A network with its weights, the names of its classes, and how events become its input."""

    name: str
    labels: tuple[str, ...]
    coding: Coding
    connections: Connections
    weights: Weights
    description: str = ''

    @property
    def network(self) -> WtaNetwork:
        return self.connections.between(self.coding, len(self.labels))

    def run(self, events: Events, generator: np.random.Generator) -> Run:
        """What the network does from rest when it hears `events`."""
        network = self.network
        symbols = known(network, self.coding.encode(events, generator))
        return run(network, self.weights, rest(network), symbols, generator)

    def classify(self, events: Events, generator: np.random.Generator) -> Decision:
        """The answer to a recording; the neurons draw their spikes from `generator`."""
        return decide(self.network, self.run(events, generator), self.labels, self.coding.dt)


def save(model: OnlineModel, folder: Path, training: dict[str, Any] | None = None) -> None:
    """Write `model` into `folder`, created if needed; `training` is noted in model.yaml.

    Raises OSError with a sentence if a file cannot be written.
    """
    content = OnlineFile(
        FORMAT, model.name, model.labels, model.coding, model.connections, model.description,
        training or {},
    )  # fmt: skip
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {
        name: np.ascontiguousarray(tensor, np.float32)
        for name, tensor in vars(model.weights).items()
    }
    with written_whole(folder / 'weights.safetensors') as unfinished:
        save_file(tensors, unfinished)
    with written_whole(folder / 'model.yaml') as unfinished:
        unfinished.write_text(dump_yaml(asdict(content)), encoding='utf-8')


def load(location: str | Path) -> OnlineModel:
    """The model at `location`, a shipped name or a folder; raises ModelError with a sentence."""
    folder = model_folder(location)
    path = folder / 'model.yaml'
    content = read_yaml(path, ModelError)
    if content.get('format') != FORMAT:
        raise ModelError(f'{path}: format must be {FORMAT}, not {shown(content.get("format"))}')
    file = build(OnlineFile, content, path, ModelError)
    if not file.labels or len(set(file.labels)) < len(file.labels):
        raise ModelError(f'{path}: labels must be different ones, and at least one')
    try:
        network = file.network.between(file.coding, len(file.labels))
    except ValueError as reason:
        raise ModelError(f'{path}: {reason}') from None
    weights = _read_weights(folder / 'weights.safetensors', network)
    return OnlineModel(
        file.name, file.labels, file.coding, file.network, weights, file.description
    )


def _read_weights(path: Path, network: WtaNetwork) -> Weights:
    """Read the weights once the header has the expected names, types and shapes."""
    shapes = {'hidden': network.hidden_group.shape, 'outputs': network.output_group.shape}
    if not path.is_file():
        raise ModelError(f'{path} does not exist')
    needed = sum(4 * prod(shape) for shape in shapes.values())
    if path.stat().st_size > needed + 1_000_000:
        raise ModelError(f'{path} is larger than the {needed} bytes that the network needs')
    try:
        with safe_open(path, framework='numpy') as file:
            if set(file.keys()) != set(shapes):
                raise ModelError(f'{path} must hold {" and ".join(shapes)}, not '
                                 f'{shown(sorted(file.keys()))}')  # fmt: skip
            for name, shape in shapes.items():
                header = file.get_slice(name)
                found = header.get_dtype(), tuple(header.get_shape())
                if found != ('F32', shape):
                    raise ModelError(f'{path}: {name} must be F32 of shape {shape}, not '
                                     f'{found[0]} of shape {found[1]}')  # fmt: skip
            tensors = {name: file.get_tensor(name).astype(np.float64) for name in shapes}
    except (SafetensorError, OSError) as reason:
        raise ModelError(f'{path} is truncated or corrupt: {reason}') from None
    odd = [name for name, tensor in tensors.items() if not np.isfinite(tensor).all()]
    if odd:
        raise ModelError(f'{path}: {odd[0]} has weights that are not finite')
    return Weights(**tensors)
