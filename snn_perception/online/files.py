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

"""Which recipes and models are of this room, told without loading what runs them."""

from __future__ import annotations

from pathlib import Path

from snn_perception.locations import MODELS, RECIPES, resolve
from snn_perception.yaml_files import read_yaml

TRAINER = 'online'
"""What a recipe of this room has as its `trainer`."""
FORMAT = 'online 1'
"""The format of model.yaml; other models have a number there."""


def recipe_file(location: str) -> Path:
    """The file of the recipe at `location`, a shipped name or a path; it need not exist."""
    path = resolve(location, RECIPES)
    if path.name and not path.suffix and not path.is_file():
        path = path.with_name(f'{path.name}.yaml')
    return path


def model_folder(location: str | Path) -> Path:
    """The folder of the model at `location`, a shipped name or a path; it need not exist."""
    return resolve(location, MODELS)


def is_recipe(location: str) -> bool:
    """Whether the recipe at `location` names the trainer `online`."""
    try:
        return read_yaml(recipe_file(location)).get('trainer') == TRAINER
    except (ValueError, OSError):
        return False  # Whoever reads it as another recipe says what is wrong.


def is_model(location: str) -> bool:
    """Whether the model at `location` is of winner-take-all circuits."""
    try:
        content = read_yaml(model_folder(location) / 'model.yaml')
    except (ValueError, OSError):
        return False  # Whoever loads it as another model says what is wrong.
    return str(content.get('format')).startswith(FORMAT.split()[0])
