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

"""Answers for people: an aligned line for each one, and a summary of all."""

from __future__ import annotations

from collections import defaultdict, deque
from dataclasses import dataclass, field

from snn_perception.datasets.sources import Picture
from snn_perception.sentences import shortened
from snn_perception.units import quantity

AVERAGED = ('latency_ms', 'network_ms', 'simulated_time_ms', 'spikes', 'synaptic_operations')

NAME = 17
"""Letters of a class name that a line has room for."""

COLUMNS = (
    ('frame', 5),
    ('shown', NAME),
    ('label', NAME),
    ('score', 7),
    ('latency', 9),
    ('simulated', 9),
    ('spikes', 9),
    ('operations', 11),
    ('energy', 9),
)


@dataclass
class Outcome:
    """The answer to one picture.

    `hypotheses` are labels with scores from 0 to 1, the best first, and `statistics` texts by key.
    """

    picture: Picture
    hypotheses: tuple[tuple[str, float], ...] = ()
    statistics: dict[str, str] = field(default_factory=dict)

    @property
    def is_complete(self) -> bool:
        """Whether the classification and the statistics have both arrived."""
        return bool(self.hypotheses and self.statistics)

    @property
    def label(self) -> str:
        """The best hypothesis; there must be one."""
        return self.hypotheses[0][0]

    @property
    def shown(self) -> str:
        """The label that was published: the best hypothesis, or unknown."""
        return self.statistics.get('label', self.label)

    @property
    def score(self) -> float:
        """That of the label."""
        return self.hypotheses[0][1]

    @property
    def is_right(self) -> bool:
        """Whether the label names the truth."""
        return self.names_truth(self.label)

    def names_truth(self, label: str) -> bool:
        """Whether the folder of the picture is called `label`, or by a name that it lists."""
        return self.picture.label in (label, *names(label))

    def value(self, key: str) -> float:
        """The statistic `key` as a number."""
        return float(self.statistics[key])


def names(label: str) -> list[str]:
    """The names that a label lists, such as tabby and tabby cat for 'tabby, tabby cat'."""
    return [name.strip() for name in label.split(',')]


def heading() -> str:
    """The line above the answers."""
    return '  '.join(title.rjust(width) for title, width in COLUMNS)


def row(number: int, outcome: Outcome, chip: str) -> str:
    """The line for outcome number `number`, with its energy on `chip`."""
    cells = (
        str(number),
        shortened(names(outcome.picture.label)[0], NAME),
        shortened(names(outcome.shown)[0], NAME),
        f'{100 * outcome.score:.1f} %',
        f'{outcome.value("latency_ms"):.1f} ms',
        f'{outcome.value("simulated_time_ms"):.0f} ms',
        f'{outcome.value("spikes"):,.0f}',
        f'{outcome.value("synaptic_operations"):,.0f}',
        quantity(outcome.value(f'energy_{chip}_j'), 'J'),
    )
    line = '  '.join(cell.rjust(width) for cell, (_, width) in zip(cells, COLUMNS, strict=True))
    return line if outcome.is_right else f'{line}  wrong'


class Scoreboard:
    """Counts outcomes, averages their statistics, and remembers the latest ones."""

    def __init__(self, chip: str, remembered: int = 12) -> None:
        self.chip = chip
        self.latest: deque[Outcome] = deque(maxlen=remembered)
        self.count = 0
        self._right = 0
        self._sums: dict[str, float] = defaultdict(float)

    def add(self, outcome: Outcome) -> None:
        """Count one more outcome, which must be complete."""
        self.latest.append(outcome)
        self.count += 1
        self._right += outcome.is_right
        for key in AVERAGED:
            self._sums[key] += outcome.value(key)
        self._sums['energy'] += outcome.value(f'energy_{self.chip}_j')

    @property
    def verdict(self) -> str:
        """How many were right, as a sentence."""
        return f'{self._right} of {self.count} right.'

    @property
    def averages(self) -> str:
        """What an answer took on average, as a sentence; there must be at least one."""
        mean = {key: total / self.count for key, total in self._sums.items()}
        return (
            f'On average {mean["latency_ms"]:.1f} ms from the stamp of an image to its label, '
            f'of which {mean["network_ms"]:.1f} ms in the network, which simulated '
            f'{mean["simulated_time_ms"]:.0f} ms with {mean["spikes"]:,.0f} spikes and '
            f'{mean["synaptic_operations"]:,.0f} synaptic operations; estimated for {self.chip}: '
            f'{quantity(mean["energy"], "J")}.'
        )
