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

"""Running a simulator over a data set: how often it is right, how fast, and at what cost."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from snn_perception import energy
from snn_perception.backends import Simulator
from snn_perception.datasets import Dataset
from snn_perception.decision import Decision
from snn_perception.events.shaping import EventShaping
from snn_perception.images import Preprocessing, prepare
from snn_perception.inputs import batch_of, steps_of
from snn_perception.model import Model
from snn_perception.readout import Schedule

BATCH = 100
"""The most images that are shown at once."""
MOST_NEURONS = 40_000_000
"""The most neurons, of all images of a batch, if one image has not more: they take memory."""
MOST_COUNTS = 256 * 2**20
"""The most counts of events in a batch, a byte each, if one recording has not more."""
BEST = 5
"""Answers of which one may be right, for models with more classes."""


class Recordings(Protocol):
    """Labelled recordings of events, with what the measuring of a model asks of them."""

    @property
    def labels(self) -> NDArray[np.int64]:
        """Class indices (count,)."""

    def __len__(self) -> int:
        """How many there are."""

    def counts(
        self, indices: NDArray[np.int64], shaping: EventShaping, dt: float, steps: int
    ) -> NDArray[np.uint8]:
        """The events of those at `indices` in the first `steps` steps of `dt` (s), see `inputs`.

        Of a recording that is shorter, silence is the rest.
        """


@dataclass(frozen=True)
class Evaluation:
    """Decisions on a data set. `labels` and `answers` are class indices, int64 (images,).

    `rate_answers` are the answers of the rate network: the same network run once on softened
    firing rates, without spikes. None if it was not asked.
    """

    decisions: list[Decision]
    labels: NDArray[np.int64]
    answers: NDArray[np.int64]
    rate_answers: NDArray[np.int64] | None
    model: Model
    seconds: float

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one pass of the same network without spikes."""
        return self.model.network.macs

    @property
    def accuracy(self) -> float:
        """Share of right answers."""
        return float((self.answers == self.labels).mean())

    def accuracy_among(self, best: int) -> float:
        """Share of images whose true class has one of the `best` highest scores."""
        pairs = zip(self.decisions, self.labels, strict=True)
        return float(
            np.mean([_better(decision.scores, label) < best for decision, label in pairs])
        )

    @property
    def rate_accuracy(self) -> float:
        """The rate network's share of right answers on the same images, nan if not asked."""
        if self.rate_answers is None:
            return math.nan
        return float((self.rate_answers == self.labels).mean())

    def per_layer(self, counted: str) -> NDArray[np.float64]:
        """Mean per image of `counted`, the name of a field of `LayerActivity`: (layers,)."""
        counts = [getattr(decision.activity, counted) for decision in self.decisions]
        return np.mean(counts, axis=0)

    @cached_property
    def energies(self) -> dict[str, energy.Estimate]:
        """Mean estimated energy of a decision on each chip."""
        chips = energy.count_chips(self.model.network, self.model.readout.views)
        return energy.mean([energy.estimate(decision, chips) for decision in self.decisions])

    def confusion(self, classes: int) -> NDArray[np.int64]:
        """Counts (true class, answer)."""
        matrix = np.zeros((classes, classes), np.int64)
        np.add.at(matrix, (self.labels, self.answers), 1)
        return matrix

    def summary(self) -> dict[str, Any]:
        """The figures that `evaluate` prints: means per image, units in the names."""
        decisions = self.decisions
        operations = float(self.per_layer('synaptic_operations').sum())
        has_many = len(self.model.labels) > BEST
        return {
            'images': len(decisions),
            'accuracy': self.accuracy,
            **({f'top{BEST}_accuracy': self.accuracy_among(BEST)} if has_many else {}),
            'rate_accuracy': self.rate_accuracy,
            'simulated_time_s': float(np.mean([d.simulated_time for d in decisions])),
            'spikes': float(self.per_layer('spikes').sum()),
            'synaptic_operations': operations,
            'macs': self.macs,
            'synaptic_operations_per_mac': operations / self.macs,
            'firing_rate_hz': float(np.mean([d.firing_rate for d in decisions])),
            'energy_j': {chip: cost.value for chip, cost in self.energies.items()},
            'energy_range_j': {chip: [c.low, c.high] for chip, c in self.energies.items()},
            'rival_energy_j': {
                name: cost.value for name, cost in energy.estimate_rivals(self.macs).items()
            },
            'ms_per_image': 1000 * self.seconds / len(decisions),
        }


def evaluate(
    simulator: Simulator, rates: Simulator | None, dataset: Dataset | Recordings
) -> Evaluation:
    """Let `simulator`, and `rates` for comparison if there is one, decide on all of `dataset`.

    Images have the size of the network's input, and the labels are indices into the model's
    labels. Only `simulator` is timed, in the batches of `batches`, after a first run.
    """
    model = simulator.model
    decisions: list[Decision] = []
    rate_answers: list[int] = []
    seconds = 0.0
    thing = model.network.thing
    with tqdm(total=len(dataset), unit=thing, desc='evaluating', disable=None) as bar:
        for inputs in batches(simulator, dataset):
            if not decisions:
                # Compiling and loading in an engine's first run is not part of an image's time.
                simulator.classify_batch(inputs[..., :1, :, :, :])
            started = time.perf_counter()
            decisions += simulator.classify_batch(inputs)
            seconds += time.perf_counter() - started
            if rates is not None:
                rate_answers += answers_of(rates, inputs).tolist()
            bar.update(batch_of(inputs))
    answers = np.array([int(decision.scores.argmax()) for decision in decisions], np.int64)
    compared = None if rates is None else np.array(rate_answers)
    return Evaluation(decisions, dataset.labels, answers, compared, model, seconds)


def answers_of(rates: Simulator, inputs: NDArray) -> NDArray[np.int64]:
    """Answers (batch,) of the rate network `rates` to prepared images, or all of the events."""
    outputs = rates.run(rates.reset(batch_of(inputs)), inputs, steps_of(inputs)).outputs
    return outputs[-1].argmax(axis=1)


def batches(simulator: Simulator, dataset: Dataset | Recordings) -> Iterator[NDArray]:
    """Prepared images, or as many steps of events as are presented, of all of `dataset` in order.

    At most BATCH at a time, and only one where more would have over MOST_NEURONS neurons or
    MOST_COUNTS counts of events.
    """
    model = simulator.model
    neurons = model.network.neurons * simulator.views
    size = min(BATCH, MOST_NEURONS // max(1, neurons))
    if not isinstance(dataset, Dataset):
        counts = _steps_of(model) * math.prod(model.shaping.shape)
        size = min(size, MOST_COUNTS // counts)
    size = max(1, size)
    for start in range(0, len(dataset), size):
        yield inputs_of(model, dataset, np.arange(start, min(start + size, len(dataset))))


def inputs_of(model: Model, dataset: Dataset | Recordings, indices: NDArray[np.int64]) -> NDArray:
    """What the network of `model` is given of those at `indices`, see `inputs`."""
    if isinstance(dataset, Dataset):
        return prepared(dataset.images[indices], model.preprocessing)
    return dataset.counts(indices, model.shaping, model.dt, _steps_of(model))


def _steps_of(model: Model) -> int:
    """How many steps of events a presentation has."""
    return Schedule.of(model.readout, model.dt).total


def prepared(images: NDArray[np.uint8], preprocessing: Preprocessing) -> NDArray[np.float32]:
    """Network inputs (count, height, width, channels) of `images` of a data set."""
    return np.stack([prepare(image, preprocessing) for image in images])


def _better(scores: NDArray[np.float32], label: int) -> int:
    """How many classes come before `label`; of equal scores the first is the best, as argmax."""
    own = scores[label]
    return int(np.count_nonzero(scores > own) + np.count_nonzero(scores[:label] == own))
