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

"""The recordings of a training on events, handed out in batches as a stage takes them."""

from __future__ import annotations

import copy
from collections.abc import Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Generator, Tensor

from snn_perception.datasets.base import spread
from snn_perception.datasets.event_set import EventSet, joined
from snn_perception.datasets.simulated import Simulation
from snn_perception.training import fingerprint
from snn_perception.training.data import SAMPLE, SAMPLED_AT_ONCE
from snn_perception.training.event_augmentation import NOTHING, EventAugmentation, binned
from snn_perception.training.recipe import Recipe


def mixed(
    training: EventSet, held_out: EventSet, simulated: EventSet, simulation: Simulation
) -> EventSet:
    """`training` and `simulated` recordings as one set, by the rules of the `simulation`.

    Where recordings have the numbers of their images, what was simulated from the image of one
    that is `held_out` is left out. Raises DatasetError if the sets do not fit together.
    """
    if simulation.numbered:
        known = set(zip(held_out.labels.tolist(), held_out.names.tolist(), strict=True))
        pairs = zip(simulated.labels.tolist(), simulated.names.tolist(), strict=True)
        chosen = [index for index, pair in enumerate(pairs) if pair not in known]
        simulated = simulated.subset(np.array(chosen, np.int64))
    return joined([*[training] * simulation.repeats, simulated])


class Recordings:
    """Labelled recordings, of which a network on `device` sees `steps` steps of `dt` (s)."""

    def __init__(self, recordings: EventSet, device: str, steps: int, dt: float) -> None:
        self.recordings = recordings
        self.device, self.steps, self.dt = device, steps, dt
        self.labels = torch.from_numpy(recordings.labels).to(device)

    def __len__(self) -> int:
        return len(self.labels)

    def batch(
        self,
        indices: Tensor,
        augmentation: EventAugmentation = NOTHING,
        random: np.random.Generator | None = None,
    ) -> tuple[Tensor, Tensor]:
        """What a network hears of the recordings at `indices`, and their labels.

        Counts (steps, batch, height, width, 2), or if there is but one step, mean rates in Hz
        (batch, height, width, 2).
        """
        counts = binned(
            self.recordings, indices.numpy(), self.steps, self.dt, augmentation, random
        )
        inputs = torch.from_numpy(counts).to(self.device).float()
        labels = self.labels[indices.to(self.labels.device)]
        return (inputs[0] / self.dt if self.steps == 1 else inputs), labels


class EventSplit:
    """Training and validation recordings, as `data.Split` has images.

    A stage in rates hears the mean rates of the events in the presentation of `recipe`, one on
    spikes the counts of each step of its fine tuning.
    """

    def __init__(
        self, training: EventSet, validation: EventSet, recipe: Recipe, device: str = 'cpu'
    ) -> None:
        self.device = device
        self.augmentation = recipe.event_augmentation
        self.digests = fingerprint.of_data(training, validation)
        self._sets = training, validation
        self._show(1, recipe.readout.presentation_time)

    def _show(self, steps: int, dt: float) -> None:
        self.training, self.validation = (
            Recordings(each, self.device, steps, dt) for each in self._sets
        )

    def in_steps(self, steps: int, dt: float) -> EventSplit:
        """The same in `steps` steps of `dt` (s)."""
        other = copy.copy(self)
        other._show(steps, dt)
        return other

    def examples(self, indices: Tensor, epoch: int, generator: Generator) -> tuple[Tensor, Tensor]:
        """See `data.Split.examples`."""
        seed = torch.randint(2**62, (1,), generator=generator, device=generator.device)
        random = np.random.default_rng(int(seed))
        return self.training.batch(indices, self.augmentation, random)

    def held_out(self, indices: Tensor) -> tuple[Tensor, Tensor]:
        """See `data.Split.held_out`."""
        return self.validation.batch(indices)

    def sample(self) -> Iterator[Tensor]:
        """See `data.Split.sample`."""
        count = len(self.training)
        chosen: NDArray[np.int64] = spread(count, min(SAMPLE, count))
        for part in torch.from_numpy(chosen).split(SAMPLED_AT_ONCE):
            yield self.training.batch(part)[0]
