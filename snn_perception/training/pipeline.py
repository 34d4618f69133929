"""From a recipe and a data set to a model folder: train, fold, calibrate, measure, document."""

from __future__ import annotations

import ctypes
import logging
import time
from dataclasses import replace
from pathlib import Path

import torch

from snn_perception.backends import create_simulator
from snn_perception.datasets import Dataset, DatasetError, split
from snn_perception.evaluation.findings import Findings, study
from snn_perception.evaluation.trajectories import record
from snn_perception.model import Model, save_model
from snn_perception.reporting.training_curves import save_curves
from snn_perception.reporting.writing import draw_figures, save
from snn_perception.training import card, distributed
from snn_perception.training.calibration import calibrate
from snn_perception.training.loop import Split
from snn_perception.training.parallel import check_batch
from snn_perception.training.recipe import Recipe
from snn_perception.training.stages import run_stages

LOG = logging.getLogger('snn_perception.training')


def train(recipe: Recipe, dataset: Dataset, output: Path, device: str = 'cpu') -> Model | None:
    """Train the network of `recipe` on `dataset` and write everything into `output`.

    Resumes from the checkpoints in `output`, exactly. Written at the end: the model, its card
    README.md and the pictures in it; the log goes to training.log all along. Raises
    DatasetError or RecipeError before anything is written, FloatingPointError if the loss
    stops being finite.

    Under torchrun the processes train together, see `distributed`. Only the first writes,
    measures and returns the model; the others return nothing once it is trained.
    """
    if len(dataset.class_names) < 2:
        raise DatasetError(
            f'the data has the class {dataset.class_names[0]} alone; there must be two or more'
        )
    if recipe.base:
        recipe = recipe.with_classes(len(dataset.class_names))
    if len(dataset.class_names) != recipe.network.classes:
        raise DatasetError(
            f'the data has {len(dataset.class_names)} classes, but the last layer of the recipe '
            f'{recipe.name} has {recipe.network.classes} units; make them equal'
        )
    for optimisation in filter(None, (recipe.optimisation, recipe.fine_tuning)):
        check_batch(optimisation.batch_size)
    training, validation = split(dataset, _held_out(recipe, dataset), recipe.seed)
    checkpoints = output / 'checkpoints'
    if distributed.leads():
        checkpoints.mkdir(parents=True, exist_ok=True)
        _log_to(output / 'training.log')
    keep_memory()
    LOG.info(
        '%s: %d training and %d validation images', recipe.name, len(training), len(validation)
    )
    with distributed.together(device) as own_device:
        data = Split(training, validation, recipe.preprocessing, own_device)
        stages = run_stages(recipe, data, checkpoints)
    if not distributed.leads():
        return None
    model = Model(
        recipe.name,
        dataset.class_names,
        recipe.network,
        stages[-1].average.fold(),
        recipe.preprocessing,
        recipe.readout,
        recipe.dt,
        recipe.description,
    )
    findings = measure(model, validation, device, recipe.accuracy_cost)
    seconds = sum(stage.progress.seconds for stage in stages)
    save_curves({stage.title: stage.progress.history for stage in stages}, output / 'curves.png')
    document(findings, recipe, len(training), seconds, output)
    LOG.info('wrote %s', output)
    return findings.model


def _held_out(recipe: Recipe, dataset: Dataset) -> int:
    """How many images of `dataset` are for validation."""
    count = recipe.validation_images
    return max(round(count if count >= 1 else count * len(dataset)), 1)


def measure(model: Model, validation: Dataset, device: str, accuracy_cost: float) -> Findings:
    """The validation images on spikes, with a readout calibrated on them; see `calibrate`."""
    started = time.monotonic()
    rates = create_simulator(model, 'rate', device)
    trajectories = record(create_simulator(model, 'auto', device), rates, validation)
    readout = calibrate(trajectories, accuracy_cost)
    simulator = create_simulator(replace(model, readout=readout), 'auto', device)
    trajectories = replace(trajectories, simulator=simulator, readout=readout)
    findings = study(trajectories, rates, validation)
    LOG.info('measured on the validation images in %.0f s', time.monotonic() - started)
    return findings


def document(
    findings: Findings, recipe: Recipe, training_images: int, seconds: float, output: Path
) -> None:
    """Write the model of `findings`, its card and its pictures into `output`.

    `seconds` is how long the training by `recipe` took. No picture shows any of the data.
    """
    figures = findings.figures
    provenance = {
        'recipe': recipe.name,
        'training_images': training_images,
        'seconds': round(seconds),
        'validation': figures,
        'torch': str(torch.__version__),
    }
    save_model(findings.model, output, provenance)
    save(draw_figures(findings), output)
    card.write(output, recipe, findings, training_images, seconds)
    LOG.info('validation: %s', figures)


def keep_memory() -> None:
    """Let the C library keep freed memory instead of giving it back to the system.

    Every training step allocates the same large tensors; fetching their pages anew each time
    costs more than computing them. Does nothing where the C library is not glibc.
    """
    trim_threshold, mmap_max, arena_max = -1, -4, -8
    try:
        libc = ctypes.CDLL('libc.so.6')
    except OSError:
        return
    libc.mallopt(trim_threshold, 2**31 - 1)
    libc.mallopt(mmap_max, 0)
    # The arenas of threads are made of small pieces that do go back to the system.
    libc.mallopt(arena_max, 1)


def _log_to(path: Path) -> None:
    """Append the log of this run to `path`, one line per event with the time."""
    for handler in LOG.handlers[:]:
        if isinstance(handler, logging.FileHandler):
            LOG.removeHandler(handler)
            handler.close()
    handler = logging.FileHandler(path, encoding='utf-8')
    handler.setFormatter(logging.Formatter('%(asctime)s %(message)s'))
    LOG.addHandler(handler)
    LOG.setLevel(logging.INFO)
