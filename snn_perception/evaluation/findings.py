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

"""What running a model shows about it, for a report or a model card."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from snn_perception.backends import Simulator
from snn_perception.datasets import Dataset, spread
from snn_perception.evaluation import agreement, on_chip, robustness, unfamiliar
from snn_perception.evaluation.accuracy import Evaluation, Recordings, inputs_of
from snn_perception.evaluation.agreement import LayerAgreement
from snn_perception.evaluation.reliability import Reliability, reliability
from snn_perception.evaluation.trajectories import Trajectories
from snn_perception.evaluation.unfamiliar import Unfamiliar
from snn_perception.model import Model

if TYPE_CHECKING:
    from snn_perception.backends.loihi.simulator import LoihiSimulator


@dataclass(frozen=True)
class Findings:
    """Results of a model on `dataset`, and on some of its images undamaged and damaged.

    Recordings of events are not damaged: they have no `conditions`.

    `agreement` compares each layer's spikes with the rates of the network without spikes.
    `chip` holds the figures of `evaluation.on_chip`; it is empty unless the engine is a chip.
    `unfamiliar` is what becomes of what is made here, empty unless the model can tell the unknown.
    """

    trajectories: Trajectories
    dataset: Dataset | Recordings
    conditions: list[robustness.Condition]
    agreement: list[LayerAgreement]
    chip: dict[str, Any]
    unfamiliar: list[Unfamiliar]

    @property
    def model(self) -> Model:
        """The model."""
        return self.trajectories.model

    @cached_property
    def evaluation(self) -> Evaluation:
        """The decisions at the model's own threshold."""
        return self.trajectories.evaluation(self.model.readout.confidence_threshold)

    @cached_property
    def reliability(self) -> Reliability:
        """Whether the scores of the decisions are probabilities."""
        return reliability_of(self.evaluation)

    @property
    def _robustness(self) -> dict[str, Any]:
        return robustness.summary(
            {each.damage: each.figures for each in self.conditions if each.damage}
        )

    @property
    def figures(self) -> dict[str, Any]:
        """The figures of `Evaluation.summary` and more, units in the names."""
        return {
            **figures_of(self.evaluation),
            **(self._robustness if self.conditions else {}),
            **({'unknown': unfamiliar.figures(self.unfamiliar)} if self.unfamiliar else {}),
        }


def figures_of(evaluation: Evaluation) -> dict[str, Any]:
    """The figures of `Evaluation.summary` and of how late and how sure decisions are."""
    figures = evaluation.summary()
    # The runs continued past the decisions, so their duration says nothing about decisions.
    del figures['ms_per_image']
    times = [decision.simulated_time for decision in evaluation.decisions]
    slowest = np.percentile(times, 99, method='inverted_cdf')
    return {
        **figures,
        'simulated_time_p99_s': float(slowest),
        'expected_calibration_error': reliability_of(evaluation).expected_calibration_error,
    }


def reliability_of(evaluation: Evaluation) -> Reliability:
    """Whether the scores of the decisions are probabilities."""
    scores = [decision.score for decision in evaluation.decisions]
    return reliability(scores, evaluation.answers == evaluation.labels)


def study(trajectories: Trajectories, rates: Simulator, dataset: Dataset | Recordings) -> Findings:
    """Add to `trajectories`, recorded on `dataset`, what damaged images do to both networks.

    Also adds how their layers compare, and what becomes of what is of no class. The images have
    the size of the network's input, and the labels are indices into the model's labels.
    Recordings of events are not damaged.
    """
    simulator = trajectories.simulator
    conditions = (
        robustness.measure(simulator, rates, dataset) if isinstance(dataset, Dataset) else []
    )
    some = spread(len(dataset), min(agreement.IMAGES, len(dataset)))
    inputs = inputs_of(simulator.model, dataset, some)
    layers = agreement.spikes_with_rates(simulator.model, inputs)
    chip_figures: dict[str, Any] = {}
    if simulator.name == 'loihi':
        chip_figures = on_chip.study_chip(cast('LoihiSimulator', simulator), inputs)
    known = trajectories.evaluation(trajectories.readout.confidence_threshold)
    made = unfamiliar.look_at_made(simulator, known)
    return Findings(trajectories, dataset, conditions, layers, chip_figures, made)
