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

"""How a trained network becomes a spiking one: a YAML file, or what it says by default."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from snn_perception.backends.rate_curve import HIGHEST_CURRENT
from snn_perception.locations import CONVERSIONS, resolve
from snn_perception.model_file import HOOKS, NeuronSection
from snn_perception.neurons import LIF
from snn_perception.training.augmentation import Augmentation
from snn_perception.training.distillation import Distillation
from snn_perception.training.recipe import RecipeError
from snn_perception.turns import WITH_TURNS, steps_of, thresholds
from snn_perception.yaml_files import build, read_yaml


@dataclass(frozen=True)
class InputChanges:
    """What the file to convert does not say about its input; None leaves it as the file has it.

    `mean` and `deviation` are for pixels from 0 to 1; `bgr` is for networks that want blue first.
    `fit` and `centre` are as in `images.Preprocessing`.
    """

    mean: tuple[float, ...] | None = None
    deviation: tuple[float, ...] | None = None
    bgr: bool | None = None
    fit: str = 'crop'
    centre: float = 1.0


@dataclass(frozen=True)
class Conversion:
    """A recipe for a conversion; each section is documented at its own class.

    Layers take turns, each for `firing_window` (s) in steps of `dt` (s), see `turns`. Without any
    training, activations are counted on `calibration_images`, and the largest of the usual ones
    become `most_spikes` spikes; see `fitting`. Then come the stages `rates` and `spikes`, of which
    each may be missing; see `distillation`. `validation_images` (a number, or under 1 a share)
    are held out of the images; `seed` chooses them. So are all images in folders that are named
    in `unseen`: they tell what becomes of things that no image for training shows.

    `labels` is a file with a line for each output, beside the recipe or from the working
    directory; outputs whose labels are in `left_out` are dropped. `data`, `intended_use`,
    `limits` and `licence` go into the card. Raises ValueError for values that do not fit.
    """

    name: str = 'converted'
    description: str = 'A converted network'
    input: InputChanges = field(default_factory=InputChanges)
    neuron: NeuronSection = field(default_factory=lambda: NeuronSection(LIF(0.0025, 0.0), 0.05))
    firing_window: float = 0.005
    dt: float = 0.00025
    most_spikes: int = 20
    calibration_images: int = 128
    rates: Distillation | None = None
    spikes: Distillation | None = None
    augmentation: Augmentation = field(default_factory=Augmentation)
    validation_images: float = 0.1
    unseen: tuple[str, ...] = ()
    seed: int = 0
    labels: str = ''
    left_out: tuple[str, ...] = ()
    data: str = ''
    intended_use: str = ''
    limits: str = ''
    licence: str = ''

    def __post_init__(self) -> None:
        if type(self.neuron.neuron) not in WITH_TURNS:
            kinds = ' or '.join(kind.__name__ for kind in WITH_TURNS)
            raise ValueError(
                f'neurons of a conversion must be {kinds}, not {type(self.neuron.neuron).__name__}'
            )
        steps = steps_of(self.firing_window, self.dt)
        limits = thresholds(self.neuron.neuron, steps, self.dt)
        highest = limits[np.isfinite(limits)].max(initial=0.0)
        if highest > HIGHEST_CURRENT:
            raise ValueError(
                f'for {steps} spikes in its window a neuron needs a current of {highest:.3g}, and '
                f'rate curves end at {HIGHEST_CURRENT:g}: make tau_rc of the neuron shorter'
            )
        for name in ('most_spikes', 'calibration_images'):
            if getattr(self, name) < 1:
                raise ValueError(f'{name} must be at least 1, not {getattr(self, name)}')
        if not (math.isfinite(self.validation_images) and self.validation_images > 0):
            raise ValueError(
                f'validation_images must be a number of images, or a share under 1, '
                f'not {self.validation_images}'
            )

    @property
    def stages(self) -> dict[str, Distillation]:
        """The stages of distillation by their mode, in order."""
        both = {'rates': self.rates, 'spikes': self.spikes}
        return {mode: stage for mode, stage in both.items() if stage is not None}


def load_conversion(location: str) -> tuple[Conversion, Path]:
    """The conversion at `location`, a shipped name such as 'everyday' or a path, and its file.

    Raises RecipeError.
    """
    try:
        path = resolve(location, CONVERSIONS)
    except ValueError as reason:
        raise RecipeError(f'conversion {location}: {reason}') from None
    if not path.exists():
        raise RecipeError(CONVERSIONS.not_found(location, path))
    content: dict[str, Any] = read_yaml(path, RecipeError)
    return build(Conversion, content, path, RecipeError, hooks=HOOKS), path


def read_labels(
    conversion: Conversion, folder: Path, outputs: int
) -> tuple[tuple[str, ...], list[int]]:
    """The labels of the model, and the outputs of the file that they are of.

    `folder` is where a relative path of the file of labels begins. Without one, labels are
    numbers. Raises RecipeError for a file that does not fit the number of `outputs`.
    """
    if not conversion.labels:
        return tuple(map(str, range(outputs))), list(range(outputs))
    path = folder / Path(conversion.labels).expanduser()
    try:
        lines = [line.strip() for line in path.read_text(encoding='utf-8').splitlines()]
    except (OSError, UnicodeDecodeError) as reason:
        raise RecipeError(f'the labels in {path} cannot be read: {reason}') from None
    while lines and not lines[-1]:
        lines.pop()
    if len(lines) != outputs:
        raise RecipeError(
            f'{path} has {len(lines)} labels, one on each line, but the network has {outputs} '
            f'outputs; they must be as many'
        )
    missing = [label for label in conversion.left_out if label not in lines]
    if missing:
        raise RecipeError(f'{path} has no label {missing[0]!r} that could be left out')
    kept = [index for index, line in enumerate(lines) if line not in conversion.left_out]
    labels = tuple(lines[index] for index in kept)
    twice = next((label for label in labels if labels.count(label) > 1), None)
    if twice is not None or '' in labels:
        raise RecipeError(
            f'{path} must have a label of its own on each line, and has {twice!r} twice'
        )
    return labels, kept
