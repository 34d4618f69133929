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

"""Processor packages and memory, by the running average power limit (RAPL) counters.

Intel and AMD processors count the energy that they draw, and Linux shows the counters as
power zones (Documentation/power/powercap/powercap.rst of the kernel). They move about once per
millisecond and start over after minutes to hours, so two readings that are compared must be
closer together than that. Most systems let only root read them.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from snn_perception.power.base import Reading, Unreadable
from snn_perception.power.sysfs import read_integer, read_text


@dataclass(frozen=True)
class Domain:
    """One counter: its file, and the value in uJ after which it starts over."""

    counter: Path
    range: int


class RaplCounter:
    """The counters of `domains` together."""

    source = 'rapl'

    def __init__(self, domains: tuple[Domain, ...]) -> None:
        self._domains = domains

    def read(self) -> Reading:
        """Counts of all domains in uJ; raises Unreadable if one is missing."""
        values = tuple(_microjoules(domain.counter) for domain in self._domains)
        return Reading(time.monotonic(), self, values)

    def joules(self, before: tuple[float, ...], after: tuple[float, ...]) -> float:
        """Energy in J of all domains together; each may have started over once."""
        return 1e-6 * sum(
            (late - early) % (domain.range + 1)
            for domain, early, late in zip(self._domains, before, after, strict=True)
        )

    def close(self) -> None:
        """Nothing is held."""


def find_rapl(powercap: Path) -> RaplCounter:
    """The counters below `powercap` to add up: packages, and memory where it has its own counter.

    Cores and graphics are part of their package. Raises Unreadable if there is no package, or if
    one cannot be read, since the others alone would not measure the host.
    """
    domains = []
    for zone in sorted(powercap.glob('intel-rapl:*')):
        name = read_text(zone / 'name')
        if name.startswith('package') or name == 'dram':
            _microjoules(zone / 'energy_uj')
            limit = zone / 'max_energy_range_uj'
            if (largest := read_integer(limit)) <= 0:
                raise Unreadable(f'{limit} must be positive, not {largest}')
            domains.append(Domain(zone / 'energy_uj', largest))
    if not domains:
        raise Unreadable(f'{powercap} shows no energy counters of a processor')
    return RaplCounter(tuple(domains))


def _microjoules(counter: Path) -> int:
    value = read_integer(counter)
    if value < 0:
        raise Unreadable(f'{counter} must not be negative, but is {value}')
    return value
