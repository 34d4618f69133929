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

"""Models from wherever they lie: those of the package, folders, and NIR files."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from snn_perception.interchange.nir_files import is_nir
from snn_perception.interchange.nir_reading import read_model
from snn_perception.locations import MODELS, resolve
from snn_perception.model import Model
from snn_perception.model_file import ModelError, read_description
from snn_perception.model_folder import read_folder


def load_model(location: str | Path, step: float | None = None) -> Model:
    """The model at `location`: a shipped name, a folder or NIR file, or `package://PACKAGE/PATH`.

    A plain word is the shipped model of that name, and if there is none, a folder or file here; a
    Path is always a path. `step` (s) is the time step of the library that wrote a NIR file, for
    one that does not say; see `interchange.nir_reading`. Everything is checked before memory is
    allocated for the weights. Raises ModelError.
    """
    try:
        path = resolve(location, MODELS)
    except ValueError as reason:
        raise ModelError(f'model {location}: {reason}') from None
    if is_nir(path):
        return read_model(path, step)
    if path.is_file():
        raise ModelError(
            f'model {path}: it is not a NIR file; a model is that, or a folder with a model.yaml'
        )
    if not (path / 'model.yaml').is_file():
        raise ModelError(MODELS.not_found(location, path / 'model.yaml'))
    return read_folder(path)


def training_of(location: str | Path) -> dict[str, Any]:
    """What model.yaml of the model at `location` says about its training; a NIR file is silent.

    Raises ModelError and ValueError as `load_model` does.
    """
    path = resolve(location, MODELS)
    return {} if is_nir(path) else read_description(path / 'model.yaml').training
