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

"""From a file and images to a model folder: read, convert, measure, document."""

from __future__ import annotations

import logging
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from snn_perception.backends import create_simulator
from snn_perception.datasets import Dataset, drawn, halves, spread
from snn_perception.datasets.unlabelled import load_images
from snn_perception.evaluation.accuracy import Evaluation, evaluate
from snn_perception.evaluation.findings import figures_of
from snn_perception.evaluation.unfamiliar import figures as figures_of_unknown
from snn_perception.evaluation.unfamiliar import look_at_made
from snn_perception.interchange.analog import Analog, read_analog
from snn_perception.model import Model
from snn_perception.model_file import read_description
from snn_perception.model_folder import save_model
from snn_perception.reporting import unknown_pictures
from snn_perception.reporting.conversion_picture import picture
from snn_perception.reporting.energies import picture as draw_energies
from snn_perception.reporting.training_curves import save_curves
from snn_perception.reporting.writing import save
from snn_perception.training import conversion_card
from snn_perception.training.conversion import Converted, Plan, convert, plan
from snn_perception.training.conversion_card import Source
from snn_perception.training.conversion_network import preprocessing_of, with_outputs
from snn_perception.training.conversion_recipe import Conversion, read_labels
from snn_perception.training.conversion_stages import StageFindings
from snn_perception.training.knowing import SEED, TRAINING_IMAGES, learn
from snn_perception.training.logs import log_in
from snn_perception.training.recipe import RecipeError
from snn_perception.widening import without_unknown

LOG = logging.getLogger('snn_perception.training')
MOST_MEASURED = 1000
"""Validation images that the finished model is measured on, on its engine."""


def read(file: Path, conversion: Conversion, folder: Path) -> tuple[Analog, tuple[str, ...]]:
    """The network in `file` with the outputs and labels that `conversion` keeps of it.

    `folder` is where the path of its file of labels begins. Raises ConversionError or
    RecipeError.
    """
    analog = read_analog(file)
    labels, kept = read_labels(conversion, folder, analog.network.classes)
    return with_outputs(analog, kept), labels


def convert_file(
    source: Source,
    conversion: Conversion,
    analog: Analog,
    labels: tuple[str, ...],
    images: Path,
    output: Path,
    device: str = 'cpu',
    limit: int | None = None,
) -> Converted | None:
    """Convert `analog`, read from `source`, by at most `limit` images below the folder `images`.

    Resumes from the checkpoints in `output`, exactly. Written at the end: the model, its card
    README.md and the pictures in it; the log goes to training.log all along. Before anything is
    written, raises RecipeError or DatasetError for what does not fit, also if `output` holds a
    model of something else. For the rest see `conversion.convert`.
    """
    preprocessing = preprocessing_of(conversion, analog)
    planned = plan(conversion, analog, labels, load_images(images, preprocessing, limit))
    _require_own_folder(source, planned, output)
    with log_in(output):
        LOG.info(
            '%s: %d images to convert by and %d to validate on, %d layers, %.0f ms',
            conversion.name, len(planned.training), len(planned.validation),
            len(planned.network.populations), 1000 * planned.network.synaptic_delay,
        )  # fmt: skip
        converted = convert(planned, output / 'checkpoints', device)
    if converted is None:
        return None
    converted = replace(converted, model=knowing(planned, converted.model, device))
    with log_in(output):
        _document(source, analog, planned, converted, output, device)
        LOG.info('wrote %s', output)
    return converted


def _require_own_folder(source: Source, planned: Plan, output: Path) -> None:
    """Raise a sentence if `output` holds a model of another file, or made by other images."""
    path = output / 'model.yaml'
    if not path.exists():
        return
    training = read_description(path).training
    known = training.get('file_digest'), training.get('data')
    if known != (source.digest, planned.digest):
        raise RecipeError(
            f'{output} holds a model that was not, as far as it says, converted from the same '
            f'file by the same images; move it away or choose another output folder'
        )


def _document(
    source: Source,
    analog: Analog,
    planned: Plan,
    converted: Converted,
    output: Path,
    device: str,
) -> None:
    """Measure the model, and write it with its card and pictures into `output`."""
    evaluation, has_classes = _measure(planned, converted, device)
    simulator = create_simulator(converted.model, 'torch', device)
    unfamiliar = look_at_made(simulator, evaluation)
    figures = _figures(evaluation, has_classes) | {'unknown': figures_of_unknown(unfamiliar)}
    provenance = {
        'recipe': source.recipe,
        'file': source.file.name,
        'file_digest': source.digest,
        'data': planned.digest,
        'training_images': len(planned.training),
        'validation_images': len(planned.validation),
        'seconds': round(sum(trainer.progress.seconds for trainer in converted.trainers)),
        'stages': [_stage(each) for each in converted.findings],
        'validation': figures,
        'torch': str(torch.__version__),
    }
    save_model(converted.model, output, provenance)
    pictures = {
        'stages': _draw(converted.findings),
        'energies': draw_energies(evaluation),
        'unknown': unknown_pictures.picture(unfamiliar),
    }
    save(pictures, output)
    if converted.trainers:
        histories = {each.title: each.progress.history for each in converted.trainers}
        save_curves(histories, output / 'curves.png')
    conversion_card.write(
        output, source, planned, analog, converted, evaluation, figures, unfamiliar
    )
    LOG.info('validation: %s', figures)


def knowing(planned: Plan, model: Model, device: str) -> Model:
    """`model` with a score of being unknown, from images of `planned` as it was made by.

    Their classes may not be known: what is alike makes a group. The scale is fitted to one half
    of the validation images, the larger one, as there may be a single image.
    """
    _, examples = drawn(planned.training, min(TRAINING_IMAGES, len(planned.training)), SEED)
    _, known = halves(planned.validation, SEED)
    rates = create_simulator(without_unknown(model), 'rate', device)
    return learn(model, rates, examples, known, 'torch', device, are_labelled=False)


def _measure(planned: Plan, converted: Converted, device: str) -> tuple[Evaluation, bool]:
    """Decisions of the model on validation images, and whether their classes are known.

    If not, the answers of the original stand for them.
    """
    examination, validation = converted.examination, planned.validation
    seen = ~examination.is_unseen
    known = seen & (examination.targets >= 0)
    has_classes = bool(known.any())
    labels = examination.targets if has_classes else examination.wanted.outputs.argmax(1)
    chosen = np.flatnonzero((known if has_classes else seen).numpy())
    chosen = chosen[spread(len(chosen), min(len(chosen), MOST_MEASURED))]
    dataset = Dataset(validation.images[chosen], labels.numpy()[chosen], planned.labels)
    model = converted.model
    rates = create_simulator(model, 'rate', device)
    return evaluate(create_simulator(model, 'auto', device), rates, dataset), has_classes


def _figures(evaluation: Evaluation, has_classes: bool) -> dict[str, Any]:
    """The figures of `evaluation`; without classes, of which answers are the original's."""
    figures = figures_of(evaluation)
    if has_classes:
        return figures
    renamed = {'accuracy': 'agreement', 'rate_accuracy': 'rate_agreement'}
    left_out = ('top5_accuracy', 'expected_calibration_error')
    return {
        renamed.get(name, name): value for name, value in figures.items() if name not in left_out
    }


def _draw(findings: list[StageFindings]) -> Any:
    return picture(
        {each.name: each.agreement for each in findings},
        {each.name: each.accuracy for each in findings},
        {each.name: each.errors for each in findings[1:]},
    )


def _stage(findings: StageFindings) -> dict[str, Any]:
    """`findings` for model.yaml, as far as they are known; the card has those of layers."""
    figures = asdict(replace(findings, unseen=None))
    if findings.unseen is not None:
        figures['unseen'] = _stage(findings.unseen)
    return {
        name: round(value, 5) if isinstance(value, float) else value
        for name, value in figures.items()
        if value is not None and not isinstance(value, tuple) and value == value  # not nan
    }
