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

"""From a trained network and images without labels to a spiking model, stage by stage."""

from __future__ import annotations

import copy
import logging
import math
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from snn_perception.datasets import Dataset, DatasetError, drawn, spread
from snn_perception.datasets.unlabelled import Images
from snn_perception.images import Preprocessing
from snn_perception.interchange.analog import Analog
from snn_perception.model import Model, Weights
from snn_perception.network import Network
from snn_perception.readout import Readout
from snn_perception.training import distributed, fingerprint, precision
from snn_perception.training.conversion_network import network_of, preprocessing_of
from snn_perception.training.conversion_recipe import Conversion
from snn_perception.training.conversion_stages import Examination, StageFindings, folder_of
from snn_perception.training.converted import ConvertedNetwork
from snn_perception.training.data import Split
from snn_perception.training.distillation import Distillation, Imitation
from snn_perception.training.fitting import fit
from snn_perception.training.loop import Trainer
from snn_perception.training.parallel import check_batch
from snn_perception.training.recipe import RecipeError

LOG = logging.getLogger('snn_perception.training')


@dataclass(frozen=True)
class Plan:
    """All that a conversion needs, checked, before anything is computed or written.

    `weights` are those of the original, of all connections of `network`; `ceilings` the bounds of
    its rectifiers. `groups` are the class names of the images, as far as folders say anything.
    """

    conversion: Conversion
    labels: tuple[str, ...]
    preprocessing: Preprocessing
    network: Network
    weights: tuple[Weights, ...]
    ceilings: tuple[float, ...]
    groups: tuple[str, ...]
    training: Dataset
    validation: Dataset

    @cached_property
    def digest(self) -> str:
        """Digest of all the images, as they are divided."""
        return fingerprint.in_one(fingerprint.of_data(self.training, self.validation))


@dataclass(frozen=True)
class Converted:
    """A conversion: the model, what each stage made of it, and the stages that were trained."""

    model: Model
    findings: list[StageFindings]
    trainers: list[Trainer]
    examination: Examination

    @property
    def labelled(self) -> int:
        """Validation images whose class is known."""
        return int((self.examination.targets >= 0).sum())


def plan(conversion: Conversion, analog: Analog, labels: tuple[str, ...], images: Images) -> Plan:
    """What `convert` needs to make `analog`, whose outputs have `labels`, a spiking model.

    Raises DatasetError for too few images, RecipeError and other ValueErrors for what does not
    fit the network.
    """
    network, weights = network_of(conversion, analog)
    preprocessing = preprocessing_of(conversion, analog)
    for stage in conversion.stages.values():
        check_batch(stage.batch_size)
    groups = tuple(sorted(set(images.groups)))
    training, validation = _divide(images, groups, conversion)
    return Plan(
        conversion, labels, preprocessing, network, weights, analog.ceilings, groups, training,
        validation,
    )  # fmt: skip


def convert(plan: Plan, checkpoints: Path, device: str = 'cpu') -> Converted | None:
    """The spiking model of `plan`.

    Resumes from what lies in `checkpoints`, exactly. Raises RecipeError for checkpoints of
    another run, FloatingPointError if a loss stops being finite; KeyboardInterrupt comes after a
    checkpoint is written, see `Trainer.run`. Under torchrun only the first process returns what
    it has; see `distributed`.
    """
    conversion = plan.conversion
    with distributed.together(device) as own_device:
        distributed.require_same(plan.digest, 'other data', DatasetError)
        distributed.require_same(repr(conversion), 'another recipe', RecipeError)
        own_weights = fingerprint.of_weights(plan.weights)
        distributed.require_same(own_weights, 'another network', RecipeError)
        data = Split(plan.training, plan.validation, plan.preprocessing, own_device)
        original = ConvertedNetwork(plan.network, plan.weights, plan.ceilings, conversion.dt)
        original = original.to(own_device).eval()
        examination = Examination(original, data, plan.labels, plan.groups, conversion.unseen)
        fitted = copy.deepcopy(original)
        fit(fitted, _calibration(data, conversion), conversion.most_spikes)
        findings = [examination.of_original(), examination.of('without training', fitted)]
        for each in findings:
            _say(each)
        last, trainers = fitted, list[Trainer]()
        for mode in conversion.stages:
            trainer = _trainer(conversion, mode, last, original, data, checkpoints)
            trainer.run()
            last = cast('ConvertedNetwork', trainer.average)
            trainers.append(trainer)
            findings.append(examination.of(mode, last, trainer.progress.seconds))
            _say(findings[-1])
        if not distributed.leads():
            return None
        return Converted(_model(plan, last, examination), findings, trainers, examination)


def _divide(
    images: Images, groups: tuple[str, ...], conversion: Conversion
) -> tuple[Dataset, Dataset]:
    """The training and the validation images, drawn evenly from the groups.

    All images of groups that are to be unseen are for validation.
    """
    labels = np.searchsorted(groups, images.groups).astype(np.int64)
    missing = set(conversion.unseen) - set(map(folder_of, groups))
    if missing:
        raise DatasetError(f'no folder of the images is called {sorted(missing)[0]!r}')
    everything = Dataset(images.images, labels, groups)
    is_unseen = np.array([folder_of(group) in conversion.unseen for group in groups])[labels]
    dataset = everything.subset(np.flatnonzero(~is_unseen))
    share = conversion.validation_images
    count = max(round(share if share >= 1 else share * len(dataset)), 1)
    if count >= len(dataset):
        raise DatasetError(
            f'{len(dataset)} images are too few: {count} of them are for validation, and some '
            f'must be left to convert by'
        )
    training, validation = drawn(dataset, count, conversion.seed)
    unseen = everything.subset(np.flatnonzero(is_unseen))
    return training, replace(
        validation,
        images=np.concatenate([validation.images, unseen.images]),
        labels=np.concatenate([validation.labels, unseen.labels]),
    )


def _calibration(data: Split, conversion: Conversion) -> Tensor:
    """The training images that activations are counted on, prepared."""
    count = min(conversion.calibration_images, len(data.training))
    chosen = torch.from_numpy(spread(len(data.training), count))
    return data.normalise(data.training.batch(chosen)[0])


def _trainer(
    conversion: Conversion,
    mode: str,
    before: ConvertedNetwork,
    original: ConvertedNetwork,
    data: Split,
    checkpoints: Path,
) -> Trainer:
    """The stage of `mode`, which goes on from the network `before`."""
    stage = conversion.stages[mode]
    network = copy.deepcopy(before).in_mode(mode)
    network.noise = stage.noise
    objective = Imitation(
        copy.deepcopy(original),
        stage,
        conversion.augmentation,
        data,
        precision.choose(stage.precision, data.device),
        conversion.seed,
    )
    start = {
        'weights of the original': fingerprint.of_module(original),
        'weights of the stage before': fingerprint.of_module(before),
    }
    run = fingerprint.of_run(_sections(conversion, stage), data.digests, start)
    return Trainer(mode, network, stage, objective, checkpoints / f'{mode}.safetensors', run)


def _sections(conversion: Conversion, stage: Distillation) -> dict[str, Any]:
    """What of the recipe decides how a stage comes out, besides where it starts."""
    return {
        'neuron': conversion.neuron.mapping,
        'firing_window': conversion.firing_window,
        'dt': conversion.dt,
        'augmentation': asdict(conversion.augmentation),
        'seed': conversion.seed,
        'stage': asdict(stage),
    }


def _model(plan: Plan, network: ConvertedNetwork, examination: Examination) -> Model:
    conversion, time = plan.conversion, network.network.synaptic_delay
    temperature = examination.temperature(network)
    return Model(
        conversion.name,
        plan.labels,
        network.network,
        network.cpu().fold(),
        plan.preprocessing,
        Readout(time, time - conversion.dt, time, temperature=temperature),
        conversion.dt,
        conversion.description,
    )


def _say(findings: StageFindings) -> None:
    """Log what a stage has come to."""
    words = [f'{100 * findings.agreement:.1f} % agree with the original']
    if findings.labelled:
        right = f'{100 * findings.accuracy:.1f} % right of {findings.labelled}'
        words.insert(0, right)
    if not math.isnan(findings.operations_per_mac):
        words.append(f'{findings.operations_per_mac:.2f} synaptic operations per MAC')
    LOG.info('%s: %s', findings.name, ', '.join(words))
    for unseen in filter(None, [findings.unseen]):
        _say(unseen)
