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

"""From a recipe and a data set to a model folder: train, fold, calibrate, measure, document."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import numpy as np

from snn_perception.datasets import Dataset, DatasetError, Labelled
from snn_perception.datasets.event_set import EventSet
from snn_perception.evaluation.findings import Findings
from snn_perception.model import Model
from snn_perception.model_file import input_of, read_description
from snn_perception.reporting.training_curves import save_curves
from snn_perception.training import distributed, takes
from snn_perception.training.card import Origin, things_of, uncertainty
from snn_perception.training.data import Split
from snn_perception.training.event_data import EventSplit
from snn_perception.training.fingerprint import in_one
from snn_perception.training.logs import log_in
from snn_perception.training.loop import Trainer
from snn_perception.training.parallel import check_batch
from snn_perception.training.recipe import Recipe, RecipeError
from snn_perception.training.results import document, measure, parts_of
from snn_perception.training.stages import run_stages

LOG = logging.getLogger('snn_perception.training')
FEWEST_IMAGES = 20
"""What is measured on fewer says next to nothing."""
UNEQUAL = 10
"""A class is small if another one has so many times its images."""


def train(
    recipe: Recipe,
    dataset: Dataset | EventSet,
    output: Path,
    device: str = 'cpu',
    simulated: EventSet | None = None,
) -> Model | None:
    """Train the network of `recipe` on `dataset` and write everything into `output`.

    Recordings of events may have `simulated` ones beside them, of which none is held out.

    Resumes from the checkpoints in `output`, exactly. Written at the end: the model, its card
    README.md and the pictures in it; the log goes to training.log all along. Raises
    DatasetError or RecipeError before anything but the log is written, also if `output` holds a
    model or checkpoints of other data; FloatingPointError if the loss stops being finite.
    KeyboardInterrupt comes after a checkpoint is written, see `Trainer.run`.

    Under torchrun the processes train together, see `distributed`. Only the first writes,
    measures and returns the model; the others return nothing once it is trained.
    """
    recipe = _fitted(recipe, dataset)
    with distributed.together(device) as own_device:
        data, training, validation = _divided(recipe, dataset, simulated, own_device)
        digest = in_one(data.digests)
        _require_agreement(recipe, digest)
        _require_own_folder(digest, output)
        with log_in(output):
            LOG.info('%s: %d training and %d validation %s',
                     recipe.name, len(training), len(validation), things_of(recipe))  # fmt: skip
            if validation.takes is not None:
                LOG.info(takes.held_out(training, validation))
            for sentence in shortcomings(training, validation):
                LOG.warning(sentence)
            stages = run_stages(recipe, data, output / 'checkpoints')
    if not distributed.leads():
        return None
    with log_in(output):
        findings = _findings(recipe, stages, training, validation, device)
        histories = {stage.title: stage.progress.history for stage in stages}
        save_curves(histories, output / 'curves.png')
        seconds = sum(stage.progress.seconds for stage in stages)
        calibration = len(validation) - len(findings.dataset)
        document(findings, recipe, Origin(len(training), calibration, digest, seconds), output)
        LOG.info('wrote %s', output)
    return findings.model


def _divided(
    recipe: Recipe, dataset: Dataset | EventSet, simulated: EventSet | None, device: str
) -> tuple[Split | EventSplit, Dataset | EventSet, Dataset | EventSet]:
    """The data as the stages of `recipe` take it, and its parts for training and validation."""
    training, validation = parts_of(recipe, dataset, simulated)
    if isinstance(training, Dataset) and isinstance(validation, Dataset):
        split = Split(training, validation, recipe.preprocessing, device, recipe.augmentation)
        return split, training, validation
    assert isinstance(training, EventSet)
    assert isinstance(validation, EventSet)
    return EventSplit(training, validation, recipe, device), training, validation


def _findings(
    recipe: Recipe,
    stages: list[Trainer],
    training: Dataset | EventSet,
    validation: Dataset | EventSet,
    device: str,
) -> Findings:
    """What `measure` finds about the model that the last of `stages` has made."""
    model = Model(
        recipe.name,
        training.class_names,
        recipe.network,
        stages[-1].average.fold(),
        input_of(recipe.input),
        recipe.readout,
        recipe.dt,
        recipe.description,
    )
    return measure(model, training, validation, device, recipe.accuracy_cost, recipe.seed)


def _fitted(recipe: Recipe, dataset: Labelled) -> Recipe:
    """`recipe` for the classes of `dataset`; raises a sentence if it cannot be trained by it."""
    classes = len(dataset.class_names)
    if classes < 2:
        raise DatasetError(
            f'the data has the class {dataset.class_names[0]} alone; there must be two or more'
        )
    if recipe.base:
        recipe = recipe.with_classes(classes)
    if classes != recipe.network.classes:
        raise DatasetError(
            f'the data has {classes} classes, but the last layer of the recipe {recipe.name} has '
            f'{recipe.network.classes} units; make them equal'
        )
    for optimisation in filter(None, (recipe.optimisation, recipe.fine_tuning)):
        check_batch(optimisation.batch_size)
    return recipe


def _require_agreement(recipe: Recipe, digest: str) -> None:
    """Raise a sentence unless all processes have this `recipe` and the data of `digest`."""
    # The base may lie elsewhere on another machine; its weights come from the first process.
    recipe = replace(recipe, base='')
    distributed.require_same(digest, 'other data', DatasetError)
    distributed.require_same(repr(recipe), 'another recipe', RecipeError)


def _require_own_folder(digest: str, output: Path) -> None:
    """Raise a sentence if `output` holds a model of other data than that of `digest`."""
    path = output / 'model.yaml'
    if path.exists() and read_description(path).training.get('data') != digest:
        raise RecipeError(
            f'{output} holds a model that was not, as far as it says, trained on the same images; '
            f'move it away or choose another output folder'
        )


def shortcomings(training: Labelled, validation: Labelled) -> list[str]:
    """What will be poor about a model of these images, in sentences."""
    names, found = training.class_names, []
    learned, held_out = (
        np.bincount(part.labels, minlength=len(names)) for part in (training, validation)
    )
    counts = learned + held_out
    most = counts.argmax()
    small = [f'{names[i]} ({counts[i]})' for i in np.flatnonzero(counts * UNEQUAL <= counts[most])]
    if small:
        found.append(
            f'the classes are very unequal: next to {names[most]} ({counts[most]} images), the '
            f'network will hardly ever answer {", ".join(small)}; add images of these, or take '
            f'fewer of the others'
        )
    unseen = [names[index] for index in np.flatnonzero(held_out == 0)]
    if unseen:
        found.append(
            f'no validation image is of the class {", ".join(unseen)}: nothing will say how well '
            f'it is recognised'
        )
    found += takes.shortcomings(training, validation)
    fitting = len(validation) // 2
    measuring = len(validation) - fitting
    if measuring < FEWEST_IMAGES:
        found.append(
            f'there are only {len(validation)} validation images, {fitting} to fit the readout '
            f'and {measuring} to measure; {uncertainty(measuring)}; add images, or raise '
            f'validation_images of the recipe'
        )
    return found
