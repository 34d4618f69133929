"""Answers for people: one aligned line for each, and a summary."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from snn_perception.nodes.sources import Picture

PREFIXES = {-4: 'p', -3: 'n', -2: 'u', -1: 'm', 0: '', 1: 'k', 2: 'M', 3: 'G'}

COLUMNS = (
    ('frame', 5),
    ('shown', 10),
    ('label', 10),
    ('score', 7),
    ('latency', 9),
    ('simulated', 9),
    ('spikes', 9),
    ('operations', 11),
    ('energy', 9),
)


@dataclass
class Answer:
    """What came back about one picture: label, score (0 to 1), and the statistics by key."""

    picture: Picture
    label: str = ''
    score: float = 0.0
    statistics: dict[str, str] = field(default_factory=dict)

    @property
    def is_complete(self) -> bool:
        """Whether the classification and the statistics have both arrived."""
        return bool(self.label and self.statistics)

    @property
    def is_right(self) -> bool:
        """Whether the label is the name of the folder that the picture is from."""
        return self.label == self.picture.label

    def value(self, key: str) -> float:
        """The statistic `key` as a number."""
        return float(self.statistics[key])


def quantity(value: float, unit: str) -> str:
    """`value` with three digits and a prefix, for example '12.3 uJ'."""
    if not math.isfinite(value):
        return '-'
    exponent = 0 if value == 0 else math.floor(math.log10(abs(float(f'{value:.2e}'))) / 3)
    exponent = min(max(exponent, min(PREFIXES)), max(PREFIXES))
    return f'{value / 1000**exponent:.3g} {PREFIXES[exponent]}{unit}'


def heading() -> str:
    """The line above the answers."""
    return '  '.join(title.rjust(width) for title, width in COLUMNS)


def row(number: int, answer: Answer, chip: str) -> str:
    """The line of the answer `number`, with its energy on `chip`."""
    cells = (
        str(number),
        answer.picture.label,
        answer.label,
        f'{100 * answer.score:.1f} %',
        f'{answer.value("latency_ms"):.1f} ms',
        f'{answer.value("simulated_time_ms"):.0f} ms',
        f'{answer.value("spikes"):,.0f}',
        f'{answer.value("synaptic_operations"):,.0f}',
        quantity(answer.value(f'energy_{chip}_j'), 'J'),
    )
    line = '  '.join(cell.rjust(width) for cell, (_, width) in zip(cells, COLUMNS, strict=True))
    return line if answer.is_right else f'{line}  wrong'


def summary(answers: Sequence[Answer], chip: str) -> str:
    """A sentence or two about `answers`, at least one of them."""

    def mean(key: str) -> float:
        return sum(answer.value(key) for answer in answers) / len(answers)

    right = sum(answer.is_right for answer in answers)
    return (
        f'{right} of {len(answers)} right. On average: {mean("latency_ms"):.1f} ms from the stamp '
        f'of an image to its label, {mean("network_ms"):.1f} ms of them in the network, which '
        f'simulated {mean("simulated_time_ms"):.0f} ms with {mean("spikes"):,.0f} spikes and '
        f'{mean("synaptic_operations"):,.0f} synaptic operations; estimated for {chip}: '
        f'{quantity(mean(f"energy_{chip}_j"), "J")}.'
    )
