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

"""What each stage of a conversion comes to, overall and layer by layer, on validation images."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from snn_perception.datasets.labels import LabelError, label_indices
from snn_perception.training.converted import ConvertedNetwork
from snn_perception.training.data import Split
from snn_perception.training.distillation import operations_per_mac, relative_error

BATCH = 50
FEWEST_LABELLED = 100
"""With fewer images whose class is known, scores are fitted to the original's answers."""


@dataclass(frozen=True)
class Answers:
    """Outputs (images, classes) on validation images, in a mode of the network.

    spikes, errors: of each layer, the mean number of spikes of a neuron, and the mean square of
    what its activations are off by, as a share of the original's.
    """

    outputs: Tensor
    operations_per_mac: float
    spikes: tuple[float, ...]
    errors: tuple[float, ...]


@dataclass(frozen=True)
class StageFindings:
    """What a stage has come to: shares of `images` validation images, on spikes and in rates.

    `accuracy` and `top5_accuracy` are of the `labelled` ones, which lie in folders named like a
    class, nan if there are none; `agreement` is how often the answer is the original's.
    `spikes` and `errors` are of each layer, see `Answers`; of the original they are zeros.
    `unseen` are the findings on images of things that no image for training shows.
    """

    name: str
    images: int
    labelled: int
    accuracy: float
    top5_accuracy: float
    agreement: float
    rate_accuracy: float
    rate_agreement: float
    operations_per_mac: float
    spikes: tuple[float, ...]
    errors: tuple[float, ...]
    seconds: float = 0.0
    unseen: StageFindings | None = None


@dataclass
class Examination:
    """Validation images, with the original's answers to them and, where known, their classes.

    targets: indices of labels (images,), -1 where no label is the name of the image's folder.
    is_unseen: whether an image (images,) lies in one of the folders `unseen`.
    """

    original: ConvertedNetwork
    data: Split
    labels: tuple[str, ...]
    groups: Sequence[str]
    unseen: Sequence[str] = ()
    is_unseen: Tensor = field(init=False)
    targets: Tensor = field(init=False)
    wanted: Answers = field(init=False)

    def __post_init__(self) -> None:
        own = self.data.validation.labels.cpu()
        names = [folder_of(group) for group in self.groups]
        self.is_unseen = torch.tensor([name in self.unseen for name in names])[own]
        self.targets = torch.tensor([_label_of(name, self.labels) for name in names])[own]
        self.wanted = self._answers(self.original, 'activations')

    def of(self, name: str, network: ConvertedNetwork, seconds: float = 0.0) -> StageFindings:
        """What `network`, which some stage has made, comes to."""
        on_spikes, in_rates = (self._answers(network, mode) for mode in ('spikes', 'rates'))
        return self._findings(name, on_spikes, in_rates.outputs, seconds)

    def of_original(self) -> StageFindings:
        """What the original itself comes to, which has no spikes."""
        layers = (0.0,) * len(self.wanted.spikes)
        answers = replace(self.wanted, spikes=layers, errors=layers)
        return self._findings('original', answers, self.wanted.outputs)

    def _findings(
        self, name: str, on_spikes: Answers, in_rates: Tensor, seconds: float = 0.0
    ) -> StageFindings:
        def on(chosen: Tensor) -> StageFindings:
            accuracy, top5 = self._accuracy(on_spikes.outputs, chosen)
            return StageFindings(
                name,
                int(chosen.sum()),
                int((chosen & (self.targets >= 0)).sum()),
                accuracy,
                top5,
                self._agreement(on_spikes.outputs, chosen),
                self._accuracy(in_rates, chosen)[0],
                self._agreement(in_rates, chosen),
                on_spikes.operations_per_mac,
                on_spikes.spikes,
                on_spikes.errors,
                seconds,
            )

        seen = on(~self.is_unseen)
        if not self.is_unseen.any():
            return seen
        return replace(seen, unseen=replace(on(self.is_unseen), name=f'{name}, unseen things'))

    def temperature(self, network: ConvertedNetwork) -> float:
        """That of the readout of `network` whose scores have the least cross-entropy.

        With the classes of the images, or else with the original's answers; see `calibration`.
        """
        outputs = self._answers(network, 'spikes').outputs
        known = self.targets >= 0
        if int(known.sum()) >= FEWEST_LABELLED:
            outputs, targets = outputs[known], self.targets[known]
        else:
            targets = self.wanted.outputs.argmax(1)
        candidates = torch.logspace(-1.5, 1.5, 301)
        losses = [float(F.cross_entropy(outputs / each, targets)) for each in candidates]
        return float(candidates[int(np.argmin(losses))])

    @torch.no_grad()
    def _answers(self, network: ConvertedNetwork, mode: str) -> Answers:
        network = network.in_mode(mode).eval()
        rows, counts, errors = [], [], []
        operations = []
        for images in self._batches():
            outputs, spikes = network.watch(images)
            rows.append(outputs.cpu())
            counts.append([float(each.mean()) for each in spikes])
            if mode != 'activations':
                operations.append(float(operations_per_mac(network, spikes)))
            if mode == 'spikes':
                _, wanted = self.original.in_mode('activations').watch(images)
                scales = network.scales.values()
                errors.append(
                    [
                        float(relative_error(count * scale, target))
                        for count, scale, target in zip(spikes, scales, wanted, strict=True)
                    ]
                )
        return Answers(
            torch.cat(rows),
            float(np.mean(operations)) if operations else math.nan,
            tuple(np.mean(counts, axis=0).tolist()),
            tuple(np.mean(errors, axis=0).tolist()) if errors else (),
        )

    def _batches(self) -> Iterator[Tensor]:
        for indices in torch.arange(len(self.data.validation)).split(BATCH):
            yield self.data.normalise(self.data.validation.batch(indices)[0])

    def _accuracy(self, outputs: Tensor, chosen: Tensor) -> tuple[float, float]:
        """The shares of `chosen` of known class whose class is the best, one of the best five."""
        known = chosen & (self.targets >= 0)
        if not known.any():
            return math.nan, math.nan
        best = outputs[known].topk(min(5, outputs.shape[1]), 1).indices
        right = (best == self.targets[known, None]).float()
        return float(right[:, 0].mean()), float(right.amax(1).mean())

    def _agreement(self, outputs: Tensor, chosen: Tensor) -> float:
        same = outputs.argmax(1) == self.wanted.outputs.argmax(1)
        return float(same[chosen].float().mean())


def folder_of(group: str) -> str:
    """The name of the folder of a group of images, without those that it lies in."""
    return group.rsplit('/')[-1]


def _label_of(name: str, labels: tuple[str, ...]) -> int:
    """The index of the one of `labels` that `name` stands for, -1 if it stands for none."""
    try:
        return label_indices([name], labels)[0]
    except LabelError:
        return -1
