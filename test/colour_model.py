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

"""A tiny real model that tells red, green and blue apart: a group of neurons for each."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from snn_perception.images import Preprocessing
from snn_perception.layers import Dense
from snn_perception.model import Model, Weights
from snn_perception.model_folder import save_model
from snn_perception.network import Network
from snn_perception.readout import Readout
from snn_perception.unknown import Unknown, UnknownSection
from snn_perception.widening import with_unknown

SIZE = 8
GROUP = 4
LABELS = ('red', 'green', 'blue')
COLOURS = {'red': (255, 0, 0), 'green': (0, 255, 0), 'blue': (0, 0, 255)}


def build() -> Model:
    """A model whose neurons of one colour get three times their threshold from a full image."""
    network = Network((SIZE, SIZE, 3), (Dense(3 * GROUP), Dense(3)))
    sees = np.zeros((SIZE * SIZE, 3, 3, GROUP), np.float32)
    says = np.zeros((3, GROUP, 3), np.float32)
    for colour in range(3):
        sees[:, colour, colour] = 3 / SIZE**2
        says[colour, :, colour] = 0.02
    weights = (
        Weights((sees.reshape(-1, 3 * GROUP),), np.zeros(3 * GROUP, np.float32)),
        Weights((says.reshape(-1, 3),), np.zeros(3, np.float32)),
    )
    return Model(
        name='colours',
        labels=LABELS,
        network=network,
        weights=weights,
        input=Preprocessing((SIZE, SIZE, 3)),
        readout=Readout(presentation_time=0.03),
    )


def with_unknown_score() -> Model:
    """The model with a score of being unknown, for which a picture of two colours is too strange.

    It measures how strongly each group of neurons fires.
    """
    section = UnknownSection(-1.0, -0.9, 0.0, 1.0, directions=3, groups=3)
    unknown = Unknown(section, np.eye(3, dtype=np.float32))
    return with_unknown(build(), unknown, np.eye(3, dtype=np.float32).repeat(GROUP, axis=0))


def save(folder: Path, model: Model | None = None) -> Path:
    """The model, or another `model`, in `folder`, which is returned."""
    save_model(model or build(), folder)
    return folder


def image(colour: str, height: int = 24, width: int = 32) -> np.ndarray:
    """An RGB image all of one colour."""
    return np.full((height, width, 3), COLOURS[colour], np.uint8)
