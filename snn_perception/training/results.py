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

from snn_perception.backends import create_simulator
from snn_perception.datasets import Dataset, DatasetError, halves
from snn_perception.evaluation.findings import Findings, study
from snn_perception.evaluation.trajectories import record
from snn_perception.loading import load_model
from snn_perception.model import Model, save_model
from snn_perception.model_file import read_description
from snn_perception.reporting.writing import draw_figures, save
from snn_perception.training import card, fingerprint
from snn_perception.training.calibration import calibrate
from snn_perception.training.card import Origin
from snn_perception.training.data import divide
from snn_perception.training.recipe import Recipe

LOG = logging.getLogger('snn_perception.training')


def measure(
    model: Model, validation: Dataset, device: str, accuracy_cost: float, seed: int
) -> Findings:
    """Fit the readout of `model` to one half of the validation images and measure on the other.

    The halves have the same share of each class; `seed` chooses them. The findings are of the
    model with that readout, see `calibrate`.
    """
    started = time.monotonic()
    fitting, measuring = halves(validation, seed)
    rates = create_simulator(model, 'rate', device)
    # In turns many images at once are faster by dense arithmetic: a spike saves no time steps.
    engine = 'torch' if model.network.firing_window else 'auto'
    readout = calibrate(
        record(create_simulator(model, engine, device), rates, fitting), accuracy_cost
    )
    simulator = create_simulator(replace(model, readout=readout), engine, device)
    findings = study(record(simulator, rates, measuring), rates, measuring)
    LOG.info('measured on the validation images in %.0f s', time.monotonic() - started)
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


def measure_again(folder: Path, recipe: Recipe, dataset: Dataset, device: str = 'cpu') -> Model:
    """Calibrate and measure the model in `folder` again, as at the end of its training.

    `recipe` and `dataset` are those that it was trained by; its weights stay as they are.
    Raises DatasetError for other data, as far as the model knows its own.
    """
    known = read_description(folder / 'model.yaml').training
    training, validation = divide(dataset, recipe)
    data = fingerprint.in_one(fingerprint.of_data(training, validation))
    if known['training_images'] != len(training) or known.get('data', data) != data:
        raise DatasetError(f'the model in {folder} was trained on other data, or split otherwise')
    findings = measure(load_model(folder), validation, device, recipe.accuracy_cost, recipe.seed)
    origin = Origin(
        len(training),
        len(validation) - len(findings.dataset),
        data,
        known['seconds'],
        known['torch'],
    )
    document(findings, recipe, origin, folder)
    return findings.model
