"""What the host really draws while it classifies: measured by its own counters, or unavailable.

A meter has a `source` and two methods: `read` takes a `Reading` of energy counters, and
`mean_power` gives the watts between two readings. `find_meter` picks the best one there is.
Nothing here estimates: without counters the power is NaN and the source `unavailable`.
"""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

POWERCAP = Path('/sys/class/powercap')
"""Where Linux shows the energy counters of the processor (Intel and AMD)."""


@dataclass(frozen=True)
class Reading:
    """Energy counters at one moment: `time` in s, `counters` in uJ since some time ago."""

    time: float
    counters: tuple[int, ...] = ()


class PowerMeter(Protocol):
    """What measures the power of the host; `source` names how, or is 'unavailable'."""

    source: str

    def read(self) -> Reading:
        """Counters now; never raises."""
        ...

    def mean_power(self, start: Reading, end: Reading) -> float:
        """Mean power in W between two readings; NaN if it was not measured."""
        ...


class NoMeter:
    """The meter of a host that does not say what it draws."""

    source = 'unavailable'

    def read(self) -> Reading:
        """A reading without counters."""
        return Reading(time.monotonic())

    def mean_power(self, start: Reading, end: Reading) -> float:
        """NaN: nothing was measured."""
        return math.nan


@dataclass(frozen=True)
class Domain:
    """One energy counter of RAPL: its file, and the value in uJ at which it starts over."""

    counter: Path
    range: int


class RaplMeter:
    """Processor packages and memory, by the running average power limit (RAPL) counters.

    The counters move about once per millisecond and start over after a range of minutes to
    hours: readings must be less than that apart.
    """

    source = 'rapl'

    def __init__(self, domains: tuple[Domain, ...]) -> None:
        self._domains = domains

    def read(self) -> Reading:
        """Counters of all domains; without counters if one cannot be read any more."""
        try:
            counters = tuple(int(domain.counter.read_text()) for domain in self._domains)
        except (OSError, ValueError):
            counters = ()
        return Reading(time.monotonic(), counters)

    def mean_power(self, start: Reading, end: Reading) -> float:
        """Mean power in W of all domains together between two readings; NaN if one is empty."""
        seconds = end.time - start.time
        if seconds <= 0 or not start.counters or not end.counters:
            return math.nan
        microjoules = sum(
            (after - before) % (domain.range + 1)
            for domain, before, after in zip(
                self._domains, start.counters, end.counters, strict=True
            )
        )
        return microjoules * 1e-6 / seconds


def find_meter(powercap: Path = POWERCAP) -> PowerMeter:
    """The meter of this host, a `NoMeter` if it has none that may be read.

    Most systems let only root read the counters; `chmod a+r` on them opens RAPL for all.
    """
    domains = _rapl_domains(powercap)
    return RaplMeter(domains) if domains else NoMeter()


def _rapl_domains(powercap: Path) -> tuple[Domain, ...]:
    """Readable RAPL counters to add up: packages, and memory where it is counted apart.

    Cores and graphics are part of their package. If one package cannot be read there are no
    domains at all, since the rest would be no measure of the host.
    """
    domains = []
    for zone in sorted(powercap.glob('intel-rapl:*')):
        try:
            name = (zone / 'name').read_text().strip()
            if not name.startswith('package') and name != 'dram':
                continue
            counter = zone / 'energy_uj'
            int(counter.read_text())
            domains.append(Domain(counter, int((zone / 'max_energy_range_uj').read_text())))
        except (OSError, ValueError):
            return ()
    return tuple(domains)
