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

"""What a spiking network learns from the network that it comes from, on images without labels.

The loss is a weighted sum of

answers       cross-entropy with the original's probabilities, less their entropy
outputs       squared differences of all outputs less their mean, as a share of their variance:
              classes that no image shows have a say in it, too
activations   the same for the activations of each layer, averaged over the layers
operations    what the synaptic operations exceed their target by, per multiply-accumulate

Hinton et al., "Distilling the knowledge in a neural network", 2015; Romero et al., "FitNets:
hints for thin deep nets", 2015.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from snn_perception.graph import IMAGE, Connection
from snn_perception.training.augmentation import Augmentation
from snn_perception.training.checkpoint import random_seed
from snn_perception.training.converted import ConvertedNetwork
from snn_perception.training.data import Split
from snn_perception.training.objective import Objective, autocast
from snn_perception.training.optimisation import Optimisation
from snn_perception.training.precision import Precision

SMALLEST_SQUARE = 1e-8
"""Where a layer of the original is silent there is nothing to take a share of."""


@dataclass(frozen=True)
class Distillation(Optimisation):
    """A stage of distillation: how the weights change, and the weights of the parts of the loss.

    `operations_target` is in synaptic operations per multiply-accumulate of one pass of the
    original. `noise` is the width of uniform noise on numbers of spikes, for a stage in rates.
    `mixing` is the share of batches in which a rectangle of each image is that of another one
    (Yun et al., "CutMix", 2019). Raises ValueError for values out of range.
    """

    answers: float = 1.0
    outputs: float = 5.0
    activations: float = 1.0
    operations: float = 1.0
    operations_target: float = 1.0
    noise: float = 0.0
    mixing: float = 0.0

    def __post_init__(self) -> None:
        super().__post_init__()
        for name in ('answers', 'outputs', 'activations', 'operations', 'operations_target'):
            if not getattr(self, name) >= 0:
                raise ValueError(f'{name} must be 0 or more, not {getattr(self, name)}')
        for name in ('noise', 'mixing'):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(f'{name} must be from 0 to 1, not {getattr(self, name)}')


class Imitation(Objective):
    """The answers and activations of `teacher`, weighted by `distillation`."""

    measured = "agreement with the original's answers"

    def __init__(
        self,
        teacher: ConvertedNetwork,
        distillation: Distillation,
        augmentation: Augmentation,
        data: Split,
        precision: Precision,
        seed: int,
    ) -> None:
        self.teacher = teacher.in_mode('activations').to(data.device).eval()
        self.distillation = distillation
        self.augmentation = augmentation
        self.data = data
        self.precision = precision
        self.seed = seed

    def loss(
        self, step: int, epoch: int, network: ConvertedNetwork, indices: Tensor, part: int
    ) -> Tensor:
        """See `Objective.loss`."""
        weight = self.distillation
        generator = torch.Generator(self.data.device)
        generator.manual_seed(random_seed(self.seed, step, part))
        images, _ = self.data.training.batch(indices)
        images = self.augmentation.apply(images, indices + epoch, generator)
        images = self.data.normalise(mixed(images, weight.mixing, generator))
        with autocast(self):
            with torch.no_grad():
                wanted, original = self.teacher.watch(images)
            outputs, spikes = network.watch(images, generator)
            total = weight.outputs * relative_error(_centred(outputs), _centred(wanted))
            total = total + weight.answers * F.kl_div(
                outputs.log_softmax(1), wanted.softmax(1), reduction='batchmean'
            )
            if weight.activations:
                errors = [
                    relative_error(count * scale, target)
                    for count, scale, target in zip(
                        spikes, network.scales.values(), original, strict=True
                    )
                ]
                total = total + weight.activations * torch.stack(errors).mean()
        excess = F.relu(operations_per_mac(network, spikes) - weight.operations_target)
        return total + weight.operations * excess

    @torch.no_grad()
    def validate(self, network: ConvertedNetwork, indices: Tensor) -> tuple[int, list[float]]:
        """See `Objective.validate`: how often the answers are those of the original."""
        images, _ = self.data.validation.batch(indices)
        images = self.data.normalise(images)
        with autocast(self):
            outputs, mean_rates = network(images)
            wanted, _ = self.teacher.watch(images)
        return int((outputs.argmax(1) == wanted.argmax(1)).sum()), mean_rates.tolist()


def relative_error(values: Tensor, wanted: Tensor) -> Tensor:
    """Mean square of what `values` are off by, as a share of the mean square of `wanted`."""
    variance = wanted.float().square().mean()
    return F.mse_loss(values.float(), wanted.float()) / variance.clamp(min=SMALLEST_SQUARE)


def operations_per_mac(network: ConvertedNetwork, spikes: list[Tensor]) -> Tensor:
    """Synaptic operations per multiply-accumulate of one pass, by the mean of each layer."""
    counts = [each.mean(dtype=torch.float32) for each in spikes]
    operations = [
        counts[connection.source] * synapses_of_spikes(connection)
        for population in network.network.populations
        for connection in population.connections
        if connection.source != IMAGE
    ]
    return torch.stack(operations).sum() / network.network.macs


def synapses_of_spikes(connection: Connection) -> float:
    """The synapses that are reached if every neuron of the source of `connection` spikes once.

    A pooled map has more spikes than values.
    """
    return float(connection.fan_out.sum()) * connection.source_shape[2]


def mixed(images: Tensor, share: float, generator: Generator) -> Tensor:
    """`images` (batch, channels, height, width), in a `share` of calls with parts of others.

    A rectangle of a quarter of each image is taken from the one before it.
    """
    draws = torch.rand(3, generator=generator, device=generator.device).tolist()
    if draws[0] >= share:
        return images
    height, width = images.shape[2] // 2, images.shape[3] // 2
    top, left = int(draws[1] * (height + 1)), int(draws[2] * (width + 1))
    images = images.clone()
    area = (slice(None), slice(None), slice(top, top + height), slice(left, left + width))
    images[area] = images.roll(1, 0)[area]
    return images


def _centred(outputs: Tensor) -> Tensor:
    return outputs - outputs.mean(dim=1, keepdim=True)
