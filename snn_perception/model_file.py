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

"""model.yaml: everything about a model but its weights, for people to read and change."""

from __future__ import annotations

import sys
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

import yaml

from snn_perception.events.shaping import EventShaping
from snn_perception.images import Preprocessing
from snn_perception.layers import KINDS, Layer, Sum, kind_of
from snn_perception.network import Network
from snn_perception.neurons import NEURON_TYPES, Neuron
from snn_perception.readout import Readout
from snn_perception.sentences import shown
from snn_perception.synapses import Synapse
from snn_perception.unknown import UnknownSection
from snn_perception.yaml_files import build, read_yaml

FORMAT = 2
READABLE = 1, 2
"""Versions of the format: 1 had chains of square convolutions only, and its files are as valid."""


class ModelError(ValueError):
    """A model that cannot be used; the message is one sentence for the user."""


@dataclass(frozen=True)
class InputSection:
    """The `input` of model.yaml, of images: the shape of the network's input and what it shows.

    Of events it says `kind: events`, and the rest is an EventShaping.
    """

    shape: tuple[int, int, int]
    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    fit: str = 'crop'
    invert: bool = False
    centre: float = 1.0

    @property
    def preprocessing(self) -> Preprocessing:
        """How images become inputs; raises ValueError for values that do not fit."""
        return Preprocessing(**asdict(self))


AnyInput = InputSection | EventShaping
INPUT_SECTIONS: dict[str, Any] = {'image': InputSection, 'events': EventShaping}
"""The class of the `input` of model.yaml, by its kind."""


@dataclass(frozen=True)
class NeuronSection:
    """The `neuron` of model.yaml: its `type`, its parameters, and `gamma`; see `neurons`."""

    neuron: Neuron
    gamma: float

    @property
    def mapping(self) -> dict[str, Any]:
        """The YAML form."""
        kind = next(name for name, type_ in NEURON_TYPES.items() if type_ is type(self.neuron))
        values = {each.name: getattr(self.neuron, each.name) for each in fields(self.neuron)}  # type: ignore[arg-type]
        if values.get('initial_potential') == 0:
            del values['initial_potential']
        if values.get('phases') == 1:
            del values['phases']
        return {'type': kind, **values, 'gamma': self.gamma}


@dataclass(frozen=True)
class ModelFile:
    """The content of model.yaml."""

    format: int
    name: str
    labels: tuple[str, ...]
    input: AnyInput
    neuron: NeuronSection
    synapse: Synapse
    readout_synapse: Synapse
    layers: tuple[Layer, ...]
    readout: Readout
    dt: float
    precision: str = 'float32'
    description: str = ''
    firing_window: float = 0.0
    unknown: UnknownSection | None = None
    training: dict[str, Any] = field(default_factory=dict)

    def network(self) -> Network:
        """The network described here; raises ValueError if its layers do not fit."""
        return Network(
            self.input.shape,
            self.layers,
            self.neuron.neuron,
            self.synapse,
            self.readout_synapse,
            self.neuron.gamma,
            self.firing_window,
            kind_of_input(self.input),
        )


def layer_from_mapping(content: Any) -> Layer:
    """A layer from its YAML form, a mapping with its `type`; raises ValueError otherwise.

    The `branches` of a sum are a list of such mappings, or of lists of them.
    """
    values = dict(content) if isinstance(content, dict) else content
    if not isinstance(values, dict) or values.get('type') != 'sum':
        return _from_mapping('layer', KINDS, content)
    branches = values.pop('branches', None)
    if not isinstance(branches, list):
        raise ValueError(f'branches of a sum must be a list of layers, not {shown(branches)}')
    values['branches'] = tuple(
        tuple(_from_mapping('layer', KINDS, layer) for layer in branch)
        if isinstance(branch, list)
        else (_from_mapping('layer', KINDS, branch),)
        for branch in branches
    )
    unknown = ', '.join(sorted(map(str, values.keys() - {'type', 'name', 'branches'})))
    if unknown:
        raise ValueError(f'sum: unknown {unknown}')
    if not isinstance(values.get('name', ''), str):
        raise ValueError(f'sum: name must be a text, not {shown(values["name"])}')
    return Sum(values['branches'], values.get('name', ''))


def layer_to_mapping(layer: Layer) -> dict[str, Any]:
    """The YAML form of `layer`, without what has its usual value."""
    mapping: dict[str, Any] = {'type': kind_of(layer), 'name': layer.name}
    if isinstance(layer, Sum):
        branches = [[layer_to_mapping(each) for each in branch] for branch in layer.branches]
        mapping['branches'] = [branch if len(branch) > 1 else branch[0] for branch in branches]
    else:
        mapping['source'] = layer.source
        mapping |= {field.name: getattr(layer, field.name) for field in fields(layer)}
    unset = {'name': '', 'source': '', 'groups': 1}
    return {key: value for key, value in mapping.items() if value != unset.get(key)}


def neuron_from_mapping(content: Any) -> NeuronSection:
    """Neurons and the softening of their curve from the YAML form; raises ValueError."""
    values = dict(content) if isinstance(content, dict) else content
    if not isinstance(values, dict) or 'gamma' not in values:
        raise ValueError(f'neuron must be a mapping with a type and gamma, not {shown(content)}')
    gamma = values.pop('gamma')
    neuron = _from_mapping('neuron', NEURON_TYPES, values)
    is_number = isinstance(gamma, int | float) and not isinstance(gamma, bool)
    if not is_number or abs(gamma) > sys.float_info.max:
        raise ValueError(f'gamma of the neuron must be a number, not {shown(gamma)}')
    return NeuronSection(neuron, float(gamma))


def input_from_mapping(content: Any) -> AnyInput:
    """The `input` from its YAML form, a mapping whose `kind` is image if it has none.

    Raises ValueError for anything else.
    """
    if not isinstance(content, dict):
        raise ValueError(f'input must be a mapping with a shape, not {shown(content)}')
    values = dict(content)
    kind = values.pop('kind', 'image')
    if not isinstance(kind, str) or kind not in INPUT_SECTIONS:
        known = ', '.join(INPUT_SECTIONS)
        raise ValueError(f'unknown kind of input {shown(kind)}; known are {known}')
    return build(INPUT_SECTIONS[kind], values, 'input')


def input_to_mapping(given: Preprocessing | EventShaping) -> dict[str, Any]:
    """The YAML form of the input of a model."""
    kind = {} if isinstance(given, Preprocessing) else {'kind': 'events'}
    return {**kind, **asdict(given)}


def kind_of_input(section: AnyInput) -> str:
    """Which of `network.INPUT_KINDS` this section describes."""
    return next(kind for kind, type_ in INPUT_SECTIONS.items() if isinstance(section, type_))


def input_of(section: AnyInput) -> Preprocessing | EventShaping:
    """The input of a model that `section` describes; raises ValueError for wrong values."""
    return section.preprocessing if isinstance(section, InputSection) else section


def layers_from_list(content: Any) -> tuple[Layer, ...]:
    """All layers from their YAML form; raises ValueError that says which one is wrong."""
    if not isinstance(content, list | tuple):
        raise ValueError(f'layers must be a list, not {shown(content)}')
    layers = []
    for number, each in enumerate(content):
        try:
            layers.append(layer_from_mapping(each))
        except ValueError as reason:
            raise ValueError(f'layer {number}: {reason}') from None
    return tuple(layers)


HOOKS: dict[Any, Any] = {
    tuple[Layer, ...]: layers_from_list,
    NeuronSection: neuron_from_mapping,
    AnyInput: input_from_mapping,
}
"""Makers of YAML sections whose fields depend on their type; see `yaml_files.build`."""


def _from_mapping(what: str, types: dict[str, type], content: Any) -> Any:
    """One of `types` from a mapping with its `type` and its fields; raises ValueError."""
    if not isinstance(content, dict):
        raise ValueError(f'a {what} must be a mapping with a type, not {shown(content)}')
    values = dict(content)
    kind = values.pop('type', None)
    if not isinstance(kind, str) or kind not in types:
        raise ValueError(f'unknown {what} type {shown(kind)}; known are {", ".join(types)}')
    return build(types[kind], values, kind)


def read_description(path: Path) -> ModelFile:
    """The content of the model.yaml at `path`; raises ModelError."""
    return description_from(read_yaml(path, ModelError), path)


def description_from(content: dict[str, Any], source: object) -> ModelFile:
    """The ModelFile with this `content`; messages call it `source`. Raises ModelError."""
    version = content.get('format')
    if version not in READABLE:
        raise ModelError(
            f'{source}: unknown format version {shown(version)}; '
            f'this package reads {" and ".join(map(str, READABLE))}'
        )
    return build(ModelFile, content, source, ModelError, hooks=HOOKS)


def dump_yaml(content: dict[str, Any]) -> str:
    """`content` as YAML that is easy to read: short lists and mappings on one line."""
    return yaml.dump(content, Dumper=_Dumper, sort_keys=False, default_flow_style=None)


class _Dumper(yaml.SafeDumper):
    """Writes plain values as YAML, and tuples as lists."""


_Dumper.add_representer(tuple, lambda dumper, value: dumper.represent_list(value))
