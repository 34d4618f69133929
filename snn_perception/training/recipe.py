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

"""A training recipe: a YAML file that says everything about how a network is made."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from snn_perception.datasets.simulated import Simulation
from snn_perception.events.shaping import EventShaping
from snn_perception.images import Preprocessing
from snn_perception.layers import Layer
from snn_perception.locations import MODELS, RECIPES, resolve
from snn_perception.model_file import (
    HOOKS,
    AnyInput,
    InputSection,
    NeuronSection,
    input_of,
    kind_of_input,
)
from snn_perception.network import Network
from snn_perception.readout import Readout
from snn_perception.synapses import Synapse
from snn_perception.training.augmentation import Augmentation
from snn_perception.training.event_augmentation import EventAugmentation
from snn_perception.training.initialisation import Initialisation
from snn_perception.training.noise import Noise
from snn_perception.training.optimisation import (
    FineTuning,
    Optimisation,
    RateRegularisation,
    require_not_negative,
    require_positive,
)
from snn_perception.training.rate_scales import check_scales
from snn_perception.turns import steps_of
from snn_perception.widening import with_units
from snn_perception.yaml_files import build, read_yaml

INHERITED = (
    'input', 'neuron', 'synapse', 'readout_synapse', 'layers', 'readout', 'dt', 'firing_window'
)  # fmt: skip
"""Sections that a recipe with a base takes from its model.yaml."""


class RecipeError(ValueError):
    """A recipe that cannot be used; the message is one sentence for the user."""


@dataclass(frozen=True)
class Recipe:
    """How a model is trained; each section is documented at its own class.

    A file that says `like`, with the name or path of another recipe, takes over all of its
    sections that it does not have itself.

    With a `base`, the name or path of a model, the network is that model's with other classes:
    the recipe takes over the `INHERITED` sections and the weights of all layers except the last,
    which gets a new unit for each class of the data. First that layer is trained alone, by
    `optimisation`, then all layers by `fine_tuning`, both on spikes.

    With a `firing_window` (s) layers take turns, see `turns`, in steps of `dt` also in training;
    the times of `fine_tuning` are for other networks.

    `rate_scales`, a number for each layer of neurons, says how many times as often as in the first
    stage they fire from the second on; see `training.rate_scales`.

    If the input is events, `event_augmentation` takes the place of `augmentation`, and from
    images recordings are made by `simulation`. Recordings that are held out are real ones, if
    there are any.

    `validation_images` is the number of images that are held out, or under 1 the share of them;
    `seed` chooses them. One half of them fits the temperature and the confidence threshold of
    the readout, in place of those in `readout`; the threshold may cost up to `accuracy_cost` (0
    to 1) of their accuracy. The other half measures what the card says. The labels of the model
    are the class names of the data. `intended_use` and `limits` go into its card.

    Raises ValueError for values that are out of range or do not go together.
    """

    name: str
    input: AnyInput
    neuron: NeuronSection
    layers: tuple[Layer, ...]
    readout: Readout
    optimisation: Optimisation
    fine_tuning: FineTuning | None = None
    synapse: Synapse = field(default_factory=Synapse)
    readout_synapse: Synapse = field(default_factory=Synapse)
    dt: float = 0.001
    firing_window: float = 0.0
    initialisation: Initialisation = field(default_factory=Initialisation)
    noise: Noise = field(default_factory=Noise)
    rate_regularisation: RateRegularisation = field(default_factory=RateRegularisation)
    rate_scales: tuple[float, ...] = ()
    augmentation: Augmentation = field(default_factory=Augmentation)
    event_augmentation: EventAugmentation = field(default_factory=EventAugmentation)
    simulation: Simulation = field(default_factory=Simulation)
    base: str = ''
    validation_images: float = 5000
    accuracy_cost: float = 0.001
    seed: int = 0
    description: str = ''
    data: str = ''
    intended_use: str = ''
    limits: str = ''

    def __post_init__(self) -> None:
        require_positive('validation_images', self.validation_images)
        if 1 <= self.validation_images < 2:
            raise ValueError('validation_images must be 2 or more, since one half fits the '
                             'readout and the other measures, or a share under 1')  # fmt: skip
        if self.readout.mirror and not self.augmentation.flip:
            raise ValueError('mirror of the readout is for images that are mirrored in training: '
                             'set flip of the augmentation, too')  # fmt: skip
        if self.base and self.fine_tuning is None:
            raise ValueError('fine_tuning is missing: with a base the network is tuned on spikes')
        if self.base and self.fine_tuning and self.fine_tuning.distillation:
            raise ValueError('distillation must be 0: with a base there is no rate network')
        self._check_events()
        require_not_negative('accuracy_cost', self.accuracy_cost)
        self.initialisation.check(self.layers[0], self.input.shape)
        if self.firing_window:
            steps_of(self.firing_window, self.dt)
        if self.rate_scales:
            if self.fine_tuning is None or self.base:
                raise ValueError('rate_scales are for a recipe with both stages, without a base')
            check_scales(self.network, self.rate_scales)

    @property
    def hears_events(self) -> bool:
        """Whether the input is the events of a sensor."""
        return not isinstance(self.input, InputSection)

    def _check_events(self) -> None:
        if self.hears_events and self.augmentation != Augmentation():
            raise ValueError('augmentation is for images; with an input of events give '
                             'event_augmentation')  # fmt: skip
        if not self.hears_events and self.event_augmentation != EventAugmentation():
            raise ValueError('event_augmentation is for an input of kind events; for images give '
                             'augmentation')  # fmt: skip
        if self.fine_tuning and self.fine_tuning.distillation and self.hears_events:
            raise ValueError('distillation must be 0 with an input of events')
        if self.fine_tuning and self.fine_tuning.parts > 1 and not self.hears_events:
            raise ValueError('parts of the fine_tuning must be 1 for images, which do not change')

    @property
    def shaping(self) -> EventShaping:
        """How events become inputs; raises ValueError if the input is images."""
        if isinstance(self.input, InputSection):
            raise ValueError(f'recipe {self.name} is for images, and not for events')
        return self.input

    @property
    def network(self) -> Network:
        """The network to train; raises ValueError if its layers do not fit."""
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

    def with_classes(self, count: int) -> Recipe:
        """The same with `count` units in the last layer."""
        *layers, last = self.layers
        return replace(self, layers=(*layers, with_units(last, count)))

    @property
    def preprocessing(self) -> Preprocessing:
        """How images become inputs.

        Raises ValueError for values that do not fit, and if the input is events.
        """
        if not isinstance(self.input, InputSection):
            raise ValueError(f'recipe {self.name} is for events, and not for images')
        return self.input.preprocessing


def load_recipe(location: str) -> tuple[Recipe, Path]:
    """The recipe at `location`, a shipped name such as 'mnist' or a path, and its file.

    Raises RecipeError.
    """
    path = _find(location)
    content = read_yaml(path, RecipeError)
    if 'like' in content:
        content = _like(content, path)
    if 'base' in content:
        content = _inherited(content, path) | content
    recipe = build(Recipe, content, path, RecipeError, hooks=HOOKS)
    try:
        _ = recipe.network, input_of(recipe.input)
    except ValueError as reason:
        raise RecipeError(f'{path}: {reason}') from None
    return recipe, path


def _find(location: str) -> Path:
    """The file of the recipe at `location`; raises RecipeError if it is not there."""
    try:
        path = resolve(location, RECIPES)
    except ValueError as reason:
        raise RecipeError(f'recipe {location}: {reason}') from None
    if path.name and not path.suffix and not path.is_file():
        path = path.with_name(f'{path.name}.yaml')
    if not path.exists():
        raise RecipeError(RECIPES.not_found(location, path))
    return path


def _like(content: dict[str, Any], path: Path) -> dict[str, Any]:
    """The recipe `content` from `path`, completed by the one that it is like."""
    other = read_yaml(_find(str(content.pop('like'))), RecipeError)
    if 'like' in other:
        raise RecipeError(f'{path}: like: that recipe is like another itself; name that one')
    return other | content


def _inherited(content: dict[str, Any], path: Path) -> dict[str, Any]:
    """The sections of its base that the recipe `content` from `path` takes over."""
    given = ', '.join(name for name in ('input', 'neuron', 'layers') if name in content)
    if given:
        raise RecipeError(f'{path}: {given} come from the base; leave them out')
    base = str(content['base'])
    try:
        file = resolve(base, MODELS) / 'model.yaml'
    except ValueError as reason:
        raise RecipeError(f'{path}: base: {reason}') from None
    if not file.exists():
        raise RecipeError(f'{path}: base: {MODELS.not_found(base, file)}')
    description = read_yaml(file, RecipeError)
    sections = {name: description[name] for name in INHERITED if name in description}
    augmentation, readout = content.get('augmentation'), sections.get('readout')
    flips = isinstance(augmentation, dict) and augmentation.get('flip')
    if isinstance(readout, dict) and not flips:
        sections['readout'] = {**readout, 'mirror': False}
    return sections
