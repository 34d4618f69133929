"""A training recipe: the YAML file that says everything about how a network is made."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path

from snn_perception.files import build, read_yaml, resolve
from snn_perception.images import Preprocessing
from snn_perception.model import InputSection, NeuronSection, layer_from_mapping
from snn_perception.network import Layer, Network
from snn_perception.neurons import LIF
from snn_perception.readout import Readout
from snn_perception.synapses import Synapse
from snn_perception.training.augmentation import Augmentation
from snn_perception.training.noise import Noise


class RecipeError(ValueError):
    """A recipe that cannot be used; the message is one sentence for the user."""


@dataclass(frozen=True)
class RateRegularisation:
    """Penalty `weight` x mean over layers of (mean rate / `target` Hz - 1)^2 above `target`."""

    target: float = 10.0
    weight: float = 0.0

    def __post_init__(self) -> None:
        _require_positive('target of the rate regularisation', self.target)
        _require_not_negative('weight of the rate regularisation', self.weight)


@dataclass(frozen=True)
class Optimisation:
    """Muon for the weights and AdamW for the rest, with a one-cycle learning rate.

    Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024, with steps
    of the size that AdamW's have (Liu et al., "Muon is scalable for LLM training", 2025).
    `average_decay` is the decay per step of the running average of the weights that becomes
    the model (0: the last weights). `precision` is float32 or bfloat16 (mixed).
    """

    epochs: int
    batch_size: int = 128
    learning_rate: float = 0.003
    warm_up: float = 0.15
    weight_decay: float = 0.01
    label_smoothing: float = 0.0
    average_decay: float = 0.998
    precision: str = 'bfloat16'

    def __post_init__(self) -> None:
        for name in ('epochs', 'batch_size', 'learning_rate'):
            _require_positive(name, getattr(self, name))
        for name in ('weight_decay', 'label_smoothing', 'average_decay', 'warm_up'):
            value = getattr(self, name)
            if not 0 <= value < 1:
                raise ValueError(f'{name} must be at least 0 and under 1, not {value}')
        if self.precision not in ('float32', 'bfloat16'):
            raise ValueError(f'precision must be float32 or bfloat16, not {self.precision!r}')


@dataclass(frozen=True)
class FineTuning(Optimisation):
    """A second stage on spikes, after the rates; see `training.spiking`.

    Images are shown for `presentation_time` (s) in steps of `time_step` (s), with evidence
    from `start_time` (s) on; `gamma` softens the curve that the gradient follows.
    """

    presentation_time: float = 0.05
    start_time: float = 0.02
    time_step: float = 0.002
    gamma: float = 0.1

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ('presentation_time', 'time_step', 'gamma'):
            _require_positive(name, getattr(self, name))
        if not 0 <= self.start_time < self.presentation_time:
            raise ValueError(
                f'start_time must be between 0 and the presentation_time, not {self.start_time}'
            )


@dataclass(frozen=True)
class Recipe:
    """How a model is trained; each section is documented at its own class.

    `validation_images` are held out of the training data, chosen by `seed`. On them the
    temperature of the readout is fitted and its confidence threshold, which may cost up to
    `accuracy_cost` (0 to 1) of their accuracy; those of `readout` do not matter. The model's
    labels are the class names of the data. `intended_use` and `limits` go into its card.
    """

    name: str
    input: InputSection
    neuron: NeuronSection
    layers: tuple[Layer, ...]
    readout: Readout
    optimisation: Optimisation
    fine_tuning: FineTuning | None = None
    synapse: Synapse = field(default_factory=Synapse)
    readout_synapse: Synapse = field(default_factory=Synapse)
    dt: float = 0.001
    noise: Noise = field(default_factory=Noise)
    rate_regularisation: RateRegularisation = field(default_factory=RateRegularisation)
    augmentation: Augmentation = field(default_factory=Augmentation)
    validation_images: int = 5000
    accuracy_cost: float = 0.001
    seed: int = 0
    description: str = ''
    data: str = ''
    intended_use: str = ''
    limits: str = ''

    def __post_init__(self) -> None:
        if self.neuron.type != 'lif':
            raise ValueError(f'neuron.type must be lif, not {self.neuron.type!r}')
        if self.validation_images < 1:
            raise ValueError('validation_images must be at least 1')
        _require_not_negative('accuracy_cost', self.accuracy_cost)

    @property
    def network(self) -> Network:
        """The network to train; raises ValueError if its layers do not fit."""
        neuron = LIF(self.neuron.tau_rc, self.neuron.tau_ref)
        return Network(
            self.input.shape,
            self.layers,
            neuron,
            self.synapse,
            self.readout_synapse,
            self.neuron.gamma,
        )

    @property
    def preprocessing(self) -> Preprocessing:
        """How images become inputs; raises ValueError for values that do not fit."""
        section = self.input
        return Preprocessing(
            section.shape, section.mean, section.deviation, section.fit, section.invert
        )


def load_recipe(location: str) -> tuple[Recipe, Path]:
    """The recipe at `location`, a shipped name such as 'mnist' or a path, and its file.

    Raises RecipeError.
    """
    try:
        path = resolve(location, 'config/train')
    except ValueError as reason:
        raise RecipeError(f'recipe {location}: {reason}') from None
    if not path.exists() and not path.suffix:
        path = path.with_suffix('.yaml')
    content = read_yaml(path, RecipeError)
    recipe = build(Recipe, content, path, RecipeError, hooks={Layer: layer_from_mapping})
    try:
        _ = recipe.network, recipe.preprocessing
    except ValueError as reason:
        raise RecipeError(f'{path}: {reason}') from None
    return recipe, path


def _require_positive(name: str, value: float) -> None:
    if not (math.isfinite(value) and value > 0):
        raise ValueError(f'{name} must be positive, not {value}')


def _require_not_negative(name: str, value: float) -> None:
    if not (math.isfinite(value) and value >= 0):
        raise ValueError(f'{name} must be 0 or more, not {value}')
