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

"""How often a simulator is right when each answer has a deadline: a figure of one machine."""

from __future__ import annotations

import os
import platform
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from snn_perception.backends import Simulator
from snn_perception.datasets import Dataset
from snn_perception.evaluation.accuracy import Evaluation, answers_of, batches


@dataclass(frozen=True)
class TimedEvaluation:
    """Decisions that had `deadline` s each, and the `seconds` (images,) that they took."""

    evaluation: Evaluation
    deadline: float
    seconds: NDArray[np.float64]

    def share_stopped_by(self, reason: str) -> float:
        """Share of the decisions that `reason` ended, see `Decision.stopped_by`."""
        decisions = self.evaluation.decisions
        return sum(decision.stopped_by == reason for decision in decisions) / len(decisions)

    def summary(self) -> dict[str, Any]:
        """The figures of `Evaluation.summary`, and those that only make sense with a deadline."""
        reasons = ('confidence', 'time', 'deadline')
        return self.evaluation.summary() | {
            'deadline_s': self.deadline,
            'stopped_by': {reason: self.share_stopped_by(reason) for reason in reasons},
            'late': float((self.seconds > self.deadline).mean()),
            'latency_ms_median': 1000 * float(np.median(self.seconds)),
            'latency_ms_p99': 1000 * float(np.percentile(self.seconds, 99)),
            'machine': machine(),
        }


def evaluate_in_time(
    simulator: Simulator, rates: Simulator | None, dataset: Dataset, deadline: float
) -> TimedEvaluation:
    """As `evaluate`, but one image at a time, and with `deadline` s for each from when it comes.

    What an engine compiles, and how fast it is, is found out before on the first image.
    """
    model = simulator.model
    decisions, seconds = [], []
    simulator.classify(dataset.images[0])
    simulator.classify(dataset.images[0], deadline=time.perf_counter() + deadline)
    for image in tqdm(dataset.images, unit='image', desc='evaluating', disable=None):
        started = time.perf_counter()
        decisions.append(simulator.classify(image, deadline=started + deadline))
        seconds.append(time.perf_counter() - started)
    compared = None
    if rates is not None:
        parts = [answers_of(rates, inputs) for inputs in batches(simulator, dataset)]
        compared = np.concatenate(parts)
    answers = np.array([int(decision.scores.argmax()) for decision in decisions], np.int64)
    taken = np.array(seconds)
    total = float(taken.sum())
    evaluation = Evaluation(decisions, dataset.labels, answers, compared, model, total)
    return TimedEvaluation(evaluation, deadline, taken)


def machine() -> str:
    """What this machine computes with, for people."""
    try:
        lines = Path('/proc/cpuinfo').read_text(encoding='utf-8').splitlines()
    except OSError:
        lines = []
    names = [line.partition(':')[2].strip() for line in lines if line.startswith('model name')]
    processor = names[0] if names else platform.processor() or platform.machine()
    return f'{processor}, {os.cpu_count()} cores'
