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

"""Made tasks in which classes differ in rates, in times or in values, and in nothing else.

In all of them circuits say off and on. Each class has a template of its own, drawn once, and a
presentation is the template with jitter: every spike comes up to one step early or late, and some
are missing.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

KINDS = 'rates', 'times', 'values'


@dataclass(frozen=True)
class Task:
    """Four classes that differ in `kind`; raises ValueError for another one.

    rates: how often a circuit fires and with which symbol; its moments are drawn anew each time.
    times: when circuits fire. All of them fire as often, and which half of their spikes is off is
    drawn anew each time.
    values: which half of the spikes of a circuit is off. Their moments are those of all classes.
    """

    kind: str
    circuits: int = 12
    steps: int = 30
    classes: int = 4
    loss: float = 0.2

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise ValueError(
                f'kind of a task must be one of {", ".join(KINDS)}, not {self.kind!r}'
            )

    def draw(
        self, count: int, generator: np.random.Generator, seed: int = 0
    ) -> tuple[list[NDArray[np.int16]], NDArray[np.int64]]:
        """`count` presentations (steps, circuits) of templates of `seed`, and their classes."""
        templates = self._templates(np.random.default_rng(seed))
        classes = generator.permutation(np.arange(count) % self.classes)
        return [self._present(templates[number], generator) for number in classes], classes

    def _templates(self, generator: np.random.Generator) -> NDArray[np.int16]:
        """Symbols (classes, steps, circuits) without jitter: as many off as on, but for rates."""
        made = np.zeros((self.classes, self.steps, self.circuits), np.int16)
        # Far enough from each other and from the ends that no jitter hides a spike.
        slots = np.arange(2, self.steps - 1, 3)
        spikes = len(slots) // 4 * 2
        symbols = np.repeat([1, 2], spikes // 2)
        for circuit in range(self.circuits):
            common = generator.choice(slots, spikes, replace=False)
            for number in range(self.classes):
                moments = generator.choice(slots, spikes, replace=False)
                if self.kind == 'values':
                    moments = common
                said = generator.permutation(symbols)
                if self.kind == 'rates':
                    said = generator.integers(0, 3, spikes)
                made[number, moments, circuit] = said
        return made

    def _present(
        self, template: NDArray[np.int16], generator: np.random.Generator
    ) -> NDArray[np.int16]:
        moments, circuits = np.nonzero(template)
        said = template[moments, circuits]
        kept = generator.random(len(said)) >= self.loss
        moments = moments + generator.integers(-1, 2, len(said))
        if self.kind == 'rates':
            moments = generator.integers(self.steps, size=len(said))
        if self.kind == 'times':
            for circuit in range(self.circuits):
                said[circuits == circuit] = generator.permutation(said[circuits == circuit])
        presented = np.zeros_like(template)
        presented[moments[kept], circuits[kept]] = said[kept]
        return presented
