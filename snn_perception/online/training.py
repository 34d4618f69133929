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

"""Teaching a network of winner-take-all circuits, one recording after another."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snn_perception.datasets.recordings import Recordings
from snn_perception.decision import Decision
from snn_perception.online.deciding import decide, energies, targets
from snn_perception.online.learning import Rule, learn, new_memory
from snn_perception.online.model import OnlineModel
from snn_perception.online.network import WtaNetwork
from snn_perception.online.recipe import OnlineRecipe
from snn_perception.online.recordings import divided, encoded, require_labels
from snn_perception.online.running import Run, Weights, known, random_weights, rest, run

LOG = logging.getLogger('snn_perception.online')

Said = Sequence[NDArray[np.int16]]
"""What the input circuits (steps, circuits) say in each of several presentations."""


@dataclass(frozen=True)
class Epoch:
    """After an epoch: the mean log-probability per step that the outputs gave to what they should
    say, before they learned from it, and the part of what was held out that is right."""

    log_chance: float
    accuracy: float


@dataclass(frozen=True)
class Measurement:
    """What a network achieves: means per presentation, of which `accuracy` are right.

    `input_spikes` are what it hears; for `decisions` see `Decision`.
    """

    accuracy: float
    input_spikes: float
    decisions: tuple[Decision, ...]

    def summary(self) -> dict[str, Any]:
        """The figures by name, as commands print them."""
        counts = [each.activity for each in self.decisions]
        costs = [energies(each) for each in self.decisions]
        return {
            'recordings': len(self.decisions),
            'accuracy': self.accuracy,
            'simulated_time_s': float(np.mean([each.simulated_time for each in self.decisions])),
            'input_spikes': self.input_spikes,
            'spikes': float(np.mean([each.spikes.sum() for each in counts])),
            'synaptic_operations': float(
                np.mean([each.synaptic_operations.sum() for each in counts])
            ),
            'neuron_updates': float(np.mean([each.neuron_updates.sum() for each in counts])),
            'firing_rate_hz': float(np.mean([each.firing_rate for each in self.decisions])),
            'energy_j': {
                name: float(np.mean([each[name].value for each in costs])) for name in costs[0]
            },
        }


def teach(
    network: WtaNetwork,
    weights: Weights,
    said: Said,
    classes: NDArray[np.int64],
    rule: Rule,
    epochs: int,
    generator: np.random.Generator,
) -> Iterator[float]:
    """Let `weights` learn which class each presentation is of, each from rest.

    The rates of `rule` fall in a straight line, to 0 at the end.
    Yields the mean log-probability per step of the right outputs after every epoch.
    """
    memory = new_memory(network)
    total = epochs * len(said)
    for epoch in range(epochs):
        chances = []
        for number, index in enumerate(generator.permutation(len(said)), epoch * len(said)):
            memory.rest()
            slower = rule.slowed(1 - number / total)
            outputs = targets(network, int(classes[index]), len(said[index]))
            symbols = known(network, said[index], outputs)
            log_chances = learn(
                network, weights, memory, rest(network), symbols, slower, generator
            )
            chances.append(log_chances[:, -network.outputs.count :].sum(axis=1).mean())
        yield float(np.mean(chances))
        require_finite(weights)


def require_finite(weights: Weights) -> None:
    """Raise FloatingPointError, with a sentence, if weights have grown beyond all bounds."""
    if not (np.isfinite(weights.hidden).all() and np.isfinite(weights.outputs).all()):
        raise FloatingPointError(
            'weights are not finite any more; lower output_rate or hidden_rate of the learning'
        )


def measure(
    network: WtaNetwork,
    weights: Weights,
    said: Said,
    classes: NDArray[np.int64],
    labels: tuple[str, ...],
    dt: float,
    generator: np.random.Generator,
) -> Measurement:
    """What `network` achieves on presentations that it hears from rest, in steps of `dt` (s)."""
    decisions = []
    for inputs in said:
        done: Run = run(network, weights, rest(network), known(network, inputs), generator)
        decisions.append(decide(network, done, labels, dt))
    right = [each.label == labels[number] for each, number in zip(decisions, classes, strict=True)]
    spikes = [int((inputs > 0).sum()) for inputs in said]
    return Measurement(float(np.mean(right)), float(np.mean(spikes)), tuple(decisions))


def train(recipe: OnlineRecipe, recordings: Recordings) -> tuple[OnlineModel, list[Epoch]]:
    """The model that `recipe` makes of `recordings`, and how it got there.

    Raises ValueError for recordings that do not fit, and FloatingPointError if it diverges.
    """
    generator = np.random.default_rng(recipe.seed)
    coding, labels = recipe.coding, recordings.class_names
    shown, kept = divided(recordings, recipe.held_out)
    network = recipe.network.between(coding, len(labels))
    weights = random_weights(network, recipe.size, generator, recipe.learning.silence)
    said, unseen = (encoded(part, coding, generator) for part in (shown, kept))
    epochs = []
    chances = teach(
        network, weights, said, shown.labels, recipe.learning, recipe.epochs, generator
    )
    for number, chance in enumerate(chances, 1):
        found = measure(network, weights, unseen, kept.labels, labels, coding.dt, generator)
        epochs.append(Epoch(chance, found.accuracy))
        LOG.info(
            'epoch %d of %d: log-probability %.3f, accuracy %.1f %% of %d held out',
            *(number, recipe.epochs, chance, 100 * found.accuracy, len(kept)),
        )
    model = OnlineModel(recipe.name, labels, coding, recipe.network, weights, recipe.description)
    return model, epochs


def evaluate(model: OnlineModel, recordings: Recordings, seed: int = 0) -> Measurement:
    """What `model` achieves on `recordings`; its spikes are drawn from `seed`.

    Raises ValueError for recordings of other classes or another sensor.
    """
    require_labels(recordings, model.labels)
    generator = np.random.default_rng(seed)
    said = encoded(recordings, model.coding, generator)
    return measure(
        model.network, model.weights, said, recordings.labels, model.labels, model.coding.dt,
        generator,
    )  # fmt: skip
