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

"""How a node that classifies events is doing: its packets, and the events in them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from snn_perception.events.decoder import Faults
from snn_perception.nodes.diagnostics.health import Health
from snn_perception.nodes.diagnostics.verdict import (
    Counts,
    Finding,
    Level,
    Period,
    Source,
    first_of_the_worst,
    judge,
)


@dataclass
class EventCounts(Counts):
    """What `Counts` says of packets, and of the `events` in those that could be used.

    `lost` packets are missing by their numbers, and `dropped` ones had waited too long.
    `late` events came after later ones, and are taken for as late as these. Left out were those
    `outside` of the sensor, `unplaced` ones, whose time, row or column is not known, and those of
    `hot` pixels. `unknown` words are no events, `misread` times had wrong bits, and `truncated`
    are bytes of a cut word.
    """

    events: int = 0
    late: int = 0
    outside: int = 0
    unplaced: int = 0
    hot: int = 0
    unknown: int = 0
    misread: int = 0
    truncated: int = 0


class EventHealth(Health):
    """Counts what happens to packets and their events; see `Health`."""

    thing = 'packet'
    counted = EventCounts

    _total: EventCounts

    def decoded(self, events: int, faults: Faults, hot: int) -> None:
        """Count the `events` of a packet, its `faults` and those of `hot` pixels."""
        total = self._total
        with self._lock:
            total.events += events
            total.hot += hot
            if not faults:
                return
            total.late += faults.backwards
            for name in ('outside', 'unplaced', 'unknown', 'misread', 'truncated'):
                setattr(total, name, getattr(total, name) + getattr(faults, name))
            self._last_error = f'a packet has {faults}'

    def _values(self, period: Period) -> dict[str, str]:
        values = super()._values(period)
        assert isinstance(period.counts, EventCounts)
        rate = period.counts.events / period.seconds
        return {'events_per_s': f'{rate:.0f}', **values}

    def _judge(self, period: Period, source: Source) -> Finding:
        found = [judge(period, source), *_judge_events(period, source)]
        return first_of_the_worst(found)


def _judge_events(period: Period, source: Source) -> Iterator[Finding]:
    """What is wrong with the events."""
    counts, limits = period.counts, period.limits
    assert isinstance(counts, EventCounts)
    wrong = counts.outside + counts.unplaced + counts.unknown + counts.misread
    if wrong + counts.late + counts.truncated:
        yield Level.WARN, f'not all events on {source.topic} are right: {period.last_error}'
    if counts.hot > limits.dropped * max(counts.events, 1):
        yield (
            Level.WARN,
            f'{counts.hot} of {counts.events} events on {source.topic} are of hot pixels, and '
            f'left out',
        )
    if counts.received > counts.rejected and not counts.events:
        yield Level.WARN, f'the packets on {source.topic} have no events'
