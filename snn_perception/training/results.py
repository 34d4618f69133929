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

"""What becomes of a trained network: calibrated, measured, and written with its card."""

from __future__ import annotations

import logging
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from snn_perception.backends import create_simulator
from snn_perception.datasets import Dataset, DatasetError, halves, sample
from snn_perception.datasets.event_set import EventSet
from snn_perception.evaluation.findings import Findings, study
from snn_perception.evaluation.trajectories import record
from snn_perception.loading import load_model
from snn_perception.model import Model
from snn_perception.model_file import read_description
from snn_perception.model_folder import save_model
from snn_perception.reporting.writing import draw_figures, save
from snn_perception.training import card, fingerprint
from snn_perception.training.calibration import calibrate
from snn_perception.training.card import Origin
from snn_perception.training.data import divide
from snn_perception.training.event_data import mixed
from snn_perception.training.knowing import TRAINING_IMAGES, learn, learned, probe
from snn_perception.training.recipe import Recipe
from snn_perception.widening import without_unknown

LOG = logging.getLogger('snn_perception.training')


def measure(
    model: Model,
    training: Dataset | EventSet,
    validation: Dataset | EventSet,
    device: str,
    accuracy_cost: float,
    seed: int,
) -> Findings:
    """Fit the readout of `model` to one half of the validation images and measure on the other.

    The halves have the same share of each class; `seed` chooses them. The findings are of the
    model with that readout, see `calibrate`, and with a score of being unknown, see `knowing`;
    for this the model sees some of the `training` images again. Of a model that hears events,
    recordings are what images are here.
    """
    started = time.monotonic()
    fitting, measuring = halves(validation, seed)
    engine = _engine_for(model)
    plain = without_unknown(model)
    rates = create_simulator(plain, 'rate', device)
    probing, basis = probe(plain)
    trajectories = record(create_simulator(probing, engine, device), rates, fitting)
    calibrated = replace(plain, readout=calibrate(trajectories, accuracy_cost))
    examples = sample(training, TRAINING_IMAGES, seed)
    final = learned(calibrated, basis, trajectories, rates, examples)
    simulator = create_simulator(final, engine, device)
    rates = create_simulator(final, 'rate', device)
    findings = study(record(simulator, rates, measuring), rates, measuring)
    things, seconds = f'{model.network.thing}s', time.monotonic() - started
    LOG.info('measured on the validation %s in %.0f s', things, seconds)
    return findings


def document(findings: Findings, recipe: Recipe, origin: Origin, output: Path) -> None:
    """Write the model of `findings`, its card and its pictures into `output`.

    The card links to curves.png, which is to be there. No picture shows any of the data.
    """
    figures = findings.figures
    provenance = {
        'recipe': recipe.name,
        'training_images': origin.training_images,
        'calibration_images': origin.calibration_images,
        'data': origin.data,
        'seconds': round(origin.seconds),
        'validation': figures,
        'seen_damages': sorted(recipe.augmentation.seen_damages),
        'torch': origin.torch,
    }
    save_model(findings.model, output, provenance)
    save(draw_figures(findings), output)
    card.write(output, recipe, findings, origin)
    LOG.info('validation: %s', figures)


def learn_again(
    folder: Path,
    recipe: Recipe,
    dataset: Dataset | EventSet,
    device: str = 'cpu',
    simulated: EventSet | None = None,
) -> Model:
    """Fit the score of being unknown of the model in `folder`, and nothing else, and save it.

    As `measure_again`, which measures the model too and writes its card, but in minutes.
    """
    known = read_description(folder / 'model.yaml').training
    training, validation = _own_data(known, folder, recipe, dataset, simulated)
    fitting, _ = halves(validation, recipe.seed)
    examples = sample(training, TRAINING_IMAGES, recipe.seed)
    model = load_model(folder)
    rates = create_simulator(without_unknown(model), 'rate', device)
    model = learn(model, rates, examples, fitting, _engine_for(model), device)
    save_model(model, folder, known)
    return model


def measure_again(
    folder: Path,
    recipe: Recipe,
    dataset: Dataset | EventSet,
    device: str = 'cpu',
    simulated: EventSet | None = None,
) -> Model:
    """Calibrate and measure the model in `folder` again, as at the end of its training.

    `recipe` and the data are those that it was trained by, see `pipeline.train`; its weights stay
    as they are. Raises DatasetError for other data, as far as the model knows its own.
    """
    known = read_description(folder / 'model.yaml').training
    training, validation = _own_data(known, folder, recipe, dataset, simulated)
    data = fingerprint.in_one(fingerprint.of_data(training, validation))
    findings = measure(
        load_model(folder), training, validation, device, recipe.accuracy_cost, recipe.seed
    )
    origin = Origin(
        len(training),
        len(validation) - len(findings.dataset),
        data,
        known['seconds'],
        known['torch'],
    )
    document(findings, recipe, origin, folder)
    return findings.model


def parts_of(
    recipe: Recipe, dataset: Dataset | EventSet, simulated: EventSet | None
) -> tuple[Dataset | EventSet, Dataset | EventSet]:
    """What a network is trained on by `recipe`, and what is held out for validation.

    Recordings that are `simulated` are all for training. Raises DatasetError if too few remain.
    """
    training, validation = divide(dataset, recipe)
    if simulated is None:
        return training, validation
    assert isinstance(training, EventSet)
    assert isinstance(validation, EventSet)
    return mixed(training, validation, simulated, recipe.simulation), validation


def _own_data(
    known: dict[str, Any],
    folder: Path,
    recipe: Recipe,
    dataset: Dataset | EventSet,
    simulated: EventSet | None,
) -> tuple[Dataset | EventSet, Dataset | EventSet]:
    """The `parts_of` the data of the model in `folder`, of which it has `known`."""
    training, validation = parts_of(recipe, dataset, simulated)
    data = fingerprint.in_one(fingerprint.of_data(training, validation))
    if known['training_images'] != len(training) or known.get('data', data) != data:
        raise DatasetError(f'the model in {folder} was trained on other data, or split otherwise')
    return training, validation


def _engine_for(model: Model) -> str:
    """The engine for very many images of `model`."""
    # In turns many images at once are faster by dense arithmetic: a spike saves no time steps.
    return 'torch' if model.network.firing_window else 'auto'
