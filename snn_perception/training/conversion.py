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
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from torch import Tensor

from snn_perception.datasets import Dataset, DatasetError, drawn, spread
from snn_perception.datasets.unlabelled import Images
from snn_perception.images import Preprocessing
from snn_perception.interchange.analog import Analog
from snn_perception.layers import Convolution, Dense, Identity, Layer, Sum
from snn_perception.model import Model, Weights
from snn_perception.network import Network
from snn_perception.readout import Readout
from snn_perception.training import distributed, fingerprint, precision
from snn_perception.training.conversion_recipe import Conversion
from snn_perception.training.conversion_stages import Examination, StageFindings, folder_of
from snn_perception.training.converted import ConvertedNetwork
from snn_perception.training.data import Split
from snn_perception.training.distillation import Distillation, Imitation
from snn_perception.training.fitting import fit
from snn_perception.training.loop import Trainer
from snn_perception.training.recipe import RecipeError, with_units

LOG = logging.getLogger('snn_perception.training')


@dataclass(frozen=True)
class Converted:
    """A conversion: the model, what each stage made of it, and the stages that were trained.

    `digest` is that of the images, of which `training_images` and `validation_images` were used.
    """

    model: Model
    findings: list[StageFindings]
    trainers: list[Trainer]
    digest: str
    training_images: int
    validation_images: int


def convert(
    conversion: Conversion,
    analog: Analog,
    labels: tuple[str, ...],
    images: Images,
    checkpoints: Path,
    device: str = 'cpu',
) -> Converted | None:
    """The spiking model of `analog`, whose outputs have `labels`.

    Resumes from what lies in `checkpoints`, exactly. Raises DatasetError for too few images,
    RecipeError for checkpoints of another run, FloatingPointError if a loss stops being finite.
    Under torchrun only the first process returns what it has; see `distributed`.
    """
    network, weights = _network(conversion, analog)
    preprocessing = preprocessing_of(conversion, analog)
    groups = tuple(sorted(set(images.groups)))
    training, validation = _divide(images, groups, conversion)
    with distributed.together(device) as own_device:
        data = Split(training, validation, preprocessing, own_device)
        original = ConvertedNetwork(network, weights, analog.ceilings, conversion.dt)
        original = original.to(own_device).eval()
        examination = Examination(original, data, labels, groups, conversion.unseen)
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
        model = _model(conversion, labels, preprocessing, last, examination.temperature(last))
    digest = fingerprint.in_one(data.digests)
    return Converted(model, findings, trainers, digest, len(training), len(validation))


def with_outputs(analog: Analog, kept: list[int]) -> Analog:
    """`analog` with the outputs numbered `kept` alone, in that order."""
    *hidden, readout = analog.weights
    kernels = tuple(np.ascontiguousarray(kernel[..., kept]) for kernel in readout.kernels)
    layers = (*analog.layers[:-1], with_units(analog.layers[-1], len(kept)))
    weights = (*hidden, Weights(kernels, readout.bias[kept]))
    return replace(analog, layers=layers, weights=weights)


def preprocessing_of(conversion: Conversion, analog: Analog) -> Preprocessing:
    """How images become inputs: by the file, and by what the recipe says in its place."""
    changes = conversion.input
    mean, deviation = changes.mean or analog.mean, changes.deviation or analog.deviation
    if mean is None or deviation is None:
        raise RecipeError(
            'the file does not say which mean and deviation its pixels are to have; give both in '
            'the section input of the recipe, for pixels from 0 to 1'
        )
    return Preprocessing(
        analog.input_shape, tuple(mean), tuple(deviation), changes.fit, centre=changes.centre
    )


def _network(conversion: Conversion, analog: Analog) -> tuple[Network, tuple[Weights, ...]]:
    """The spiking network and its weights, in units of activations, of all connections.

    What passes a value on unchanged does so with weights, as each channel has its own scale. The
    channels of the image are turned round if the original wants blue first.
    """
    layers, kernels = [], []
    plain = Network(analog.input_shape, analog.layers)
    for population, weights in zip(plain.populations, analog.weights, strict=True):
        own = iter(weights.kernels)
        kernels.append(
            Weights(
                tuple(
                    next(own) if connection.weight_shape else connection.kernel(None)
                    for connection in population.connections
                ),
                weights.bias,
            )
        )
    populations = iter(plain.populations)
    for layer in analog.layers:
        if isinstance(layer, Identity | Sum):
            layer = _with_weights(layer, next(populations).output_shape[2])
        elif isinstance(layer, Convolution | Dense):
            next(populations)
        layers.append(layer)
    network = Network(
        analog.input_shape,
        tuple(layers),
        conversion.neuron.neuron,
        gamma=conversion.neuron.gamma,
        firing_window=conversion.firing_window,
    )
    return network, tuple(kernels)


def _with_weights(layer: Identity | Sum, channels: int) -> Layer:
    """`layer` with depthwise convolutions of one pixel in place of identities."""
    if isinstance(layer, Identity):
        return Convolution(channels, 1, groups=channels, name=layer.name, source=layer.source)
    branches: list[Any] = [
        tuple(
            _with_weights(each, channels) if isinstance(each, Identity) else each
            for each in branch
        )
        for branch in layer.branches
    ]
    return Sum(tuple(branches), layer.name)


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


def _model(
    conversion: Conversion,
    labels: tuple[str, ...],
    preprocessing: Preprocessing,
    network: ConvertedNetwork,
    temperature: float,
) -> Model:
    time = network.network.turns[-1] * conversion.firing_window
    return Model(
        conversion.name,
        labels,
        network.network,
        network.cpu().fold(),
        preprocessing,
        Readout(time, time - conversion.dt, time, temperature=temperature),
        conversion.dt,
        conversion.description,
    )


def _say(findings: StageFindings) -> None:
    """Log what a stage has come to."""
    accuracy = ''
    if findings.labelled:
        accuracy = f'{100 * findings.accuracy:.1f} % right of {findings.labelled}, '
    LOG.info(
        '%s: %s%.1f %% agree with the original, %.2f synaptic operations per MAC',
        findings.name, accuracy, 100 * findings.agreement, findings.operations_per_mac,
    )  # fmt: skip
    for unseen in filter(None, [findings.unseen]):
        _say(unseen)
