"""A model: a network with its weights, labels, preprocessing and readout, as a folder of files.

<name>/model.yaml            everything but the weights, for people to read
<name>/weights.safetensors   'layers.<i>.weight' and 'layers.<i>.bias' of each weighted layer
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from snn_perception.files import build, read_yaml, resolve, share_directory, written_whole
from snn_perception.images import Preprocessing
from snn_perception.network import AveragePooling, Convolution, Dense, Layer, Network
from snn_perception.neurons import NEURON_TYPES, Neuron
from snn_perception.readout import Readout
from snn_perception.synapses import Synapse

FORMAT = 1
LAYER_TYPES: dict[str, type] = {
    'convolution': Convolution,
    'dense': Dense,
    'average_pooling': AveragePooling,
}


class ModelError(ValueError):
    """A model that cannot be used; the message is one sentence for the user."""


@dataclass(frozen=True)
class Weights:
    """Parameters of one weighted layer: `kernel` in the layer's weight shape, `bias` (units,)."""

    kernel: NDArray[np.float32]
    bias: NDArray[np.float32]


@dataclass(frozen=True)
class Model:
    """A network ready to run. `dt` is the time step of the simulation in s.

    Raises ModelError if weights or labels do not fit the network.
    """

    name: str
    labels: tuple[str, ...]
    network: Network
    weights: tuple[Weights, ...]
    preprocessing: Preprocessing
    readout: Readout
    dt: float = 0.001
    description: str = ''

    def __post_init__(self) -> None:
        if not 0 < self.dt <= 0.1:
            raise ModelError(f'dt must be over 0 and at most 0.1 s, not {self.dt}')
        _check_labels(self.labels, self.network)
        if tuple(self.preprocessing.shape) != self.network.input_shape:
            raise ModelError('the preprocessing must give images of the shape of the input')
        for index, (stage, weights) in enumerate(
            zip(self.network.stages, self.weights, strict=True)
        ):
            for name, values, shape in (
                ('weight', weights.kernel, stage.weight_shape),
                ('bias', weights.bias, (stage.output_shape[2],)),
            ):
                if values.shape != shape:
                    raise ModelError(_wrong_shape(f'layers.{index}.{name}', values.shape, shape))
                if not np.isfinite(values).all():
                    raise ModelError(f'layers.{index}.{name} holds values that are not finite')

    @property
    def presentation_time(self) -> float:
        """Longest time (s) that one image is shown for."""
        return self.readout.presentation_time


@dataclass(frozen=True)
class InputSection:
    """The `input` of model.yaml: the shape of the network's input and how images get there."""

    shape: tuple[int, int, int]
    mean: tuple[float, ...]
    deviation: tuple[float, ...]
    fit: str = 'crop'
    invert: bool = False


@dataclass(frozen=True)
class NeuronSection:
    """The `neuron` of model.yaml: its `type`, its parameters, and `gamma`; see `neurons`."""

    neuron: Neuron
    gamma: float

    @property
    def mapping(self) -> dict[str, Any]:
        """The YAML form."""
        return {**_to_mapping(NEURON_TYPES, self.neuron), 'gamma': self.gamma}


@dataclass(frozen=True)
class ModelFile:
    """The content of model.yaml."""

    format: int
    name: str
    labels: tuple[str, ...]
    input: InputSection
    neuron: NeuronSection
    synapse: Synapse
    readout_synapse: Synapse
    layers: tuple[Layer, ...]
    readout: Readout
    dt: float
    description: str = ''
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
        )

    def model(self, weights: tuple[Weights, ...]) -> Model:
        """The model described here with `weights`; raises ValueError if they do not fit."""
        return Model(
            self.name,
            self.labels,
            self.network(),
            weights,
            Preprocessing(**asdict(self.input)),
            self.readout,
            self.dt,
            self.description,
        )


def layer_from_mapping(content: Any) -> Layer:
    """A layer from its YAML form, a mapping with its `type`; raises ValueError otherwise."""
    return _from_mapping('layer', LAYER_TYPES, content)


def layer_to_mapping(layer: Layer) -> dict[str, Any]:
    """The YAML form of `layer`."""
    return _to_mapping(LAYER_TYPES, layer)


def neuron_from_mapping(content: Any) -> NeuronSection:
    """Neurons and the softening of their curve from the YAML form; raises ValueError."""
    values = dict(content) if isinstance(content, dict) else content
    if not isinstance(values, dict) or 'gamma' not in values:
        raise ValueError(f'neuron must be a mapping with a type and gamma, not {content!r}')
    gamma = values.pop('gamma')
    neuron = _from_mapping('neuron', NEURON_TYPES, values)
    if isinstance(gamma, bool) or not isinstance(gamma, int | float):
        raise ValueError(f'gamma of the neuron must be a number, not {gamma!r}')
    return NeuronSection(neuron, float(gamma))


HOOKS = {Layer: layer_from_mapping, NeuronSection: neuron_from_mapping}
"""What makes sections of YAML files whose fields depend on their type; see `files.build`."""


def _from_mapping(what: str, types: dict[str, type], content: Any) -> Any:
    """One of `types` from a mapping with its `type` and its fields; raises ValueError."""
    if not isinstance(content, dict):
        raise ValueError(f'a {what} must be a mapping with a type, not {content!r}')
    values = dict(content)
    kind = values.pop('type', None)
    if not isinstance(kind, str) or kind not in types:
        raise ValueError(f'unknown {what} type {kind!r}; known are {", ".join(types)}')
    return build(types[kind], values, f'{what} {kind}')


def _to_mapping(types: dict[str, type], value: Any) -> dict[str, Any]:
    kind = next(name for name, type_ in types.items() if type_ is type(value))
    return {'type': kind, **asdict(value)}


def shipped_models() -> tuple[str, ...]:
    """Names of the models that come with the package."""
    return tuple(
        sorted(path.parent.name for path in share_directory().glob('models/*/model.yaml'))
    )


def load_model(location: str | Path) -> Model:
    """The model at `location`: a shipped name, a folder, or a `package://PACKAGE/PATH` URI.

    A folder may be a file of NIR, too, with a name that ends in .nir. Everything is checked
    before memory is taken for the weights. Raises ModelError.
    """
    try:
        folder = resolve(str(location), 'models')
    except ValueError as reason:
        raise ModelError(f'model {location}: {reason}') from None
    if folder.suffix == '.nir' and not folder.is_dir():
        from snn_perception.interchange.nir_reading import read_model

        return read_model(folder)
    if not (folder / 'model.yaml').is_file():
        shipped = ', '.join(shipped_models()) or 'none'
        raise ModelError(
            f'model {str(location)!r} is not found: {folder / "model.yaml"} does not exist; '
            f'shipped models: {shipped}'
        )
    description = read_description(folder / 'model.yaml')
    try:
        network = description.network()
        _check_labels(description.labels, network)
        return description.model(_read_weights(folder / 'weights.safetensors', network))
    except ValueError as reason:
        raise ModelError(f'model {folder}: {reason}') from None


def read_description(path: Path) -> ModelFile:
    """The content of the model.yaml at `path`; raises ModelError."""
    return description_from(read_yaml(path, ModelError), path)


def description_from(content: dict[str, Any], source: object) -> ModelFile:
    """`content` of a model.yaml, which messages call `source`; raises ModelError."""
    version = content.get('format')
    if version != FORMAT:
        raise ModelError(
            f'{source}: unknown format version {version!r}; this package reads {FORMAT}'
        )
    return build(ModelFile, content, source, ModelError, hooks=HOOKS)


def save_model(model: Model, folder: Path, training: dict[str, Any] | None = None) -> None:
    """Write `model` into `folder` (made if needed); `training` is kept in model.yaml.

    Raises OSError with a sentence if a file cannot be written, as on a full disk.
    """
    tensors = {}
    for index, weights in enumerate(model.weights):
        tensors[f'layers.{index}.weight'] = np.ascontiguousarray(weights.kernel, np.float32)
        tensors[f'layers.{index}.bias'] = np.ascontiguousarray(weights.bias, np.float32)
    folder.mkdir(parents=True, exist_ok=True)
    with written_whole(folder / 'weights.safetensors') as unfinished:
        save_file(tensors, unfinished)
    with written_whole(folder / 'model.yaml') as unfinished:
        unfinished.write_text(to_yaml(model, training), encoding='utf-8')


def to_yaml(model: Model, training: dict[str, Any] | None = None) -> str:
    """The text of the model.yaml of `model`: everything but its weights."""
    network = model.network
    content = {
        'format': FORMAT,
        'name': model.name,
        'description': model.description,
        'labels': list(model.labels),
        'input': asdict(model.preprocessing),
        'dt': model.dt,
        'neuron': NeuronSection(network.neuron, network.gamma).mapping,
        'synapse': asdict(network.synapse),
        'readout_synapse': asdict(network.readout_synapse),
        'layers': [layer_to_mapping(layer) for layer in network.layers],
        'readout': asdict(model.readout),
        'training': training or {},
    }
    return yaml.dump(content, Dumper=_Dumper, sort_keys=False, default_flow_style=None)


class _Dumper(yaml.SafeDumper):
    """YAML of plain values, tuples as lists."""


_Dumper.add_representer(tuple, lambda dumper, value: dumper.represent_list(value))


def _check_labels(labels: tuple[str, ...], network: Network) -> None:
    if len(labels) != network.classes:
        raise ModelError(
            f'{len(labels)} labels do not fit the {network.classes} outputs of the readout'
        )
    if len(set(labels)) != len(labels):
        raise ModelError('labels must differ from each other')


def _wrong_shape(name: str, shape: tuple[int, ...], expected: tuple[int, ...]) -> str:
    return f'{name} has the shape {tuple(shape)} where the network needs {tuple(expected)}'


def _read_weights(path: Path, network: Network) -> tuple[Weights, ...]:
    """Read the weights after their names, types and shapes were found right in the header."""
    expected = {}
    for index, stage in enumerate(network.stages):
        expected[f'layers.{index}.weight'] = stage.weight_shape
        expected[f'layers.{index}.bias'] = (stage.output_shape[2],)
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
            return tuple(
                Weights(file.get_tensor(f'layers.{i}.weight'), file.get_tensor(f'layers.{i}.bias'))
                for i in range(len(network.stages))
            )
    except (SafetensorError, OSError) as reason:
        raise ModelError(f'{path.name} is truncated or corrupt: {reason}') from None
