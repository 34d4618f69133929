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

"""How often the answers are right in a stream, in which one recording follows on another."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from snn_perception.backends import Simulator
from snn_perception.datasets import DatasetError
from snn_perception.datasets.event_set import EventSet
from snn_perception.event_stream import EventStream
from snn_perception.events.binning import binned

SEED = 0
"""Of the order of the recordings."""


@dataclass(frozen=True)
class StreamEvaluation:
    """Answers in a stream, and the classes of what was seen, int64 (answers,) each.

    `seconds` (answers,) is how much of the stream each answer took. An answer `is_settled` if it
    has only seen the recording in which it fell, and nothing of the one before.
    """

    answers: NDArray[np.int64]
    labels: NDArray[np.int64]
    seconds: NDArray[np.float64]
    is_settled: NDArray[np.bool_]

    @property
    def accuracy(self) -> float:
        """Share of right answers."""
        return float((self.answers == self.labels).mean())

    @property
    def settled_accuracy(self) -> float:
        """Share of right answers among those that are settled, nan if none is."""
        right = (self.answers == self.labels)[self.is_settled]
        return float(right.mean()) if len(right) else float('nan')

    def summary(self) -> dict[str, Any]:
        """The figures that `evaluate --stream` prints, units in the names."""
        return {
            'stream_answers': len(self.answers),
            'stream_accuracy': self.accuracy,
            'stream_settled_accuracy': self.settled_accuracy,
            'stream_simulated_time_s': float(self.seconds.mean()),
        }


def evaluate_in_stream(simulator: Simulator, recordings: EventSet) -> StreamEvaluation:
    """Let `simulator` hear all `recordings` one after the other, without a pause or a new start.

    They come in an order drawn by chance, each to its last event, and their labels are indices
    into those of the model. An answer is right if it is the class of the recording in which it
    fell. Raises DatasetError if the events end before the first answer.
    """
    dt = simulator.model.dt
    stream = EventStream(simulator)
    order = np.random.default_rng(SEED).permutation(len(recordings))
    decisions, lengths = [], []
    for index in tqdm(order.tolist(), unit='recording', desc='streaming', disable=None):
        counts = binned(recordings.recording(index), dt, start=0)
        decisions += stream.advance(counts)
        lengths.append(len(counts))
    if not decisions:
        raise DatasetError('the recordings end before the first answer; give more of them')
    changes = np.cumsum(lengths)
    spans = np.array([round(each.simulated_time / dt) for each in decisions])
    ends = np.cumsum(spans)
    # The recordings of the first and of the last step of each answer.
    first, last = (np.searchsorted(changes, step, 'right') for step in (ends - spans, ends - 1))
    answers = np.array([int(each.scores.argmax()) for each in decisions], np.int64)
    return StreamEvaluation(answers, recordings.labels[order[last]], spans * dt, first == last)
