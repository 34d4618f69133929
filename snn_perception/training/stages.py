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

"""The stages of training: in rates and then on spikes, or on spikes from a given model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from snn_perception.loading import load_model
from snn_perception.model import Weights
from snn_perception.training import fingerprint, precision
from snn_perception.training.checkpoint import random_seed
from snn_perception.training.data import Split
from snn_perception.training.event_data import EventSplit
from snn_perception.training.fingerprint import Digests
from snn_perception.training.loop import Trainer
from snn_perception.training.objective import Labels
from snn_perception.training.optimisation import FineTuning
from snn_perception.training.rate_scales import scaled
from snn_perception.training.recipe import Recipe
from snn_perception.training.spiking import (
    NetworkOnSpikes,
    Presentation,
    SpikingNetwork,
    TurnTakingNetwork,
)
from snn_perception.training.starting_weights import initialise
from snn_perception.training.trainable import RateNetwork, TrainableNetwork


def run_stages(recipe: Recipe, data: Split | EventSplit, checkpoints: Path) -> list[Trainer]:
    """Train by `recipe` and return the stages, each of which has a checkpoint in `checkpoints`.

    The average of the last one is the weights of the model.
    """
    if recipe.base:
        first = _train_readout(recipe, data, checkpoints / 'readout.safetensors')
    else:
        first = _train_rates(recipe, data, checkpoints / 'rates.safetensors')
    if recipe.fine_tuning is None:
        return [first]
    weights = scaled(recipe.network, first.average.fold(), recipe.rate_scales)
    network = on_spikes(recipe, weights)
    path = checkpoints / 'spikes.safetensors'
    teacher = first.average if recipe.fine_tuning.distillation else None
    start = {'weights of the stage before': fingerprint.of_module(first.average)}
    spikes = make_trainer('spikes', network, recipe, data, path, start, teacher)
    spikes.run()
    return [first, spikes]


def make_trainer(
    stage: str,
    network: TrainableNetwork,
    recipe: Recipe,
    data: Split | EventSplit,
    checkpoint: Path,
    start: Digests | None = None,
    teacher: TrainableNetwork | None = None,
) -> Trainer:
    """The trainer of a `stage` of `recipe`, of which 'spikes' is the fine tuning.

    `start` are the digests of the weights that the stage begins with, see `fingerprint`. With a
    `teacher`, part of what is learned is its answers; see `FineTuning`.
    """
    is_tuning = stage == 'spikes'
    optimisation = recipe.fine_tuning if is_tuning else recipe.optimisation
    assert optimisation is not None
    chosen = precision.choose(optimisation.precision, data.device)
    if is_tuning or recipe.base:
        assert recipe.fine_tuning is not None
        shown = presentation(recipe.fine_tuning)
        data = data.in_steps(shown.steps, shown.dt)
    objective = Labels(recipe, optimisation, data, chosen, teacher)
    run = fingerprint.fingerprint(recipe, data.digests, start or {}, is_tuning)
    return Trainer(stage, network, optimisation, objective, checkpoint, run)


def on_spikes(recipe: Recipe, weights: tuple[Weights, ...]) -> NetworkOnSpikes:
    """The network of `recipe` with `weights`, as it is tuned on spikes."""
    if recipe.firing_window:
        return TurnTakingNetwork(recipe.network, weights, recipe.dt)
    assert recipe.fine_tuning is not None
    return SpikingNetwork(recipe.network, weights, presentation(recipe.fine_tuning))


def presentation(tuning: FineTuning) -> Presentation:
    """The presentation of `tuning` in whole steps."""
    steps = max(round(tuning.presentation_time / tuning.time_step), 1)
    start = min(round(tuning.start_time / tuning.time_step), steps - 1)
    return Presentation(steps, start, tuning.time_step, tuning.gamma, tuning.parts)


def _train_rates(recipe: Recipe, data: Split | EventSplit, checkpoint: Path) -> Trainer:
    """Train a new network in firing rates."""
    generator = torch.Generator().manual_seed(random_seed(recipe.seed, -1))
    network = RateNetwork(recipe.network, recipe.noise, generator)
    initialise(network, recipe.initialisation, data.sample())
    trainer = make_trainer('rates', network, recipe, data, checkpoint)
    trainer.run()
    return trainer


def _train_readout(recipe: Recipe, data: Split | EventSplit, checkpoint: Path) -> Trainer:
    """Train a new last layer on the spikes of the base, whose own layers stay as they are."""
    base = load_model(recipe.base).weights
    *hidden, _ = base
    readout = recipe.network.populations[-1]
    shapes = [each.weight_shape for each in readout.connections]
    kernels = tuple(np.zeros(shape, np.float32) for shape in shapes)
    nothing = Weights(kernels, np.zeros(readout.output_shape[2], np.float32))
    network = on_spikes(recipe, (*hidden, nothing))
    for layer in network.layers[:-1]:
        layer.requires_grad_(False)
    start = {'weights of the base': fingerprint.of_weights(base)}
    trainer = make_trainer('readout', network, recipe, data, checkpoint, start)
    trainer.run()
    return trainer
