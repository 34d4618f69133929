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

"""What a decision would cost on a chip: an estimate from what was counted, never a measurement.

    energy = synaptic operations x E_operation + neuron updates x E_update + MACs x E_mac
             + static power x chips x simulated time

Operations are counted as NeuroBench defines them (Yik et al., "The NeuroBench framework for
benchmarking neuromorphic computing algorithms and systems", 2025): an accumulate for each spike
and synapse, a multiply-accumulate for each pixel and synapse of the analog first layer. That layer
is constant and counts once per image, at 45 nm prices on neuromorphic chips, which have no unit
for it. A network that hears events has no such layer: their operations are synaptic ones.
NeuroBench would count two things differently: here accumulates after an average pooling are
counted for each spike before the pooling, and weights of zero count too.

The prices are in config/energy.yaml with their sources. Static power is included, for whole
chips, where it is published separately. On Loihi these are as many chips as the network is mapped
onto, because its synapses and axons need more room than its neurons; elsewhere as many as the
neurons need. Left out: routing, memory other than the chip's own, input and output, and the host.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from functools import cache, lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from snn_perception.backends.loihi.mapping import place
from snn_perception.decision import Decision
from snn_perception.locations import share_directory
from snn_perception.network import Network
from snn_perception.yaml_files import build, read_yaml

PICO = 1e-12
DEFAULT_CHIP = 'loihi'
"""The chip whose energy is shown where there is room for one."""


@dataclass(frozen=True)
class Price:
    """The published figure in use, the lowest and the highest one; in pJ, or in W for power."""

    value: float
    low: float
    high: float

    def check(self, name: str) -> None:
        """Raise ValueError, which calls it `name`, if its figures are not in order."""
        if not 0 <= self.low <= self.value <= self.high < math.inf:
            raise ValueError(
                f'low, value and high of {name} must be in order, finite and 0 or more, not '
                f'{self.low}, {self.value} and {self.high}'
            )

    @property
    def figures(self) -> NDArray[np.float64]:
        """All three, `value` first."""
        return np.array((self.value, self.low, self.high))


@dataclass(frozen=True)
class StaticPower(Price):
    """Power in W that a chip draws even when idle, and how many `neurons` it holds."""

    neurons: int = 1

    def check(self, name: str) -> None:
        """Raise ValueError also if it holds no neurons."""
        super().check(name)
        if self.neurons < 1:
            raise ValueError(f'neurons of {name} must be at least 1, not {self.neurons}')


@dataclass(frozen=True)
class Chip:
    """A chip that runs spikes: energy per `operation` and per `update`, and `static` power.

    `first_layer` names the rival that provides the price of the first layer's
    multiply-accumulates. Raises ValueError for prices that are not in order.
    """

    title: str
    operation: Price
    update: Price
    source: str
    static: StaticPower | None = None
    first_layer: str = 'cmos45'

    def __post_init__(self) -> None:
        self.operation.check('operation')
        self.update.check('update')
        if self.static is not None:
            self.static.check('static')


@dataclass(frozen=True)
class Rival:
    """Hardware that runs the same network without spikes: its energy per multiply-accumulate.

    Raises ValueError for prices that are not in order.
    """

    title: str
    mac: Price
    source: str

    def __post_init__(self) -> None:
        self.mac.check('mac')


@dataclass(frozen=True)
class Prices:
    """The content of config/energy.yaml: chips and rivals, by their names in topics and files."""

    chips: dict[str, Chip]
    rivals: dict[str, Rival]

    def __post_init__(self) -> None:
        if DEFAULT_CHIP not in self.chips:
            raise ValueError(f'chips must have {DEFAULT_CHIP}, which reports show')
        for name, chip in self.chips.items():
            if chip.first_layer not in self.rivals:
                raise ValueError(f'first_layer of {name} must be a rival, not {chip.first_layer}')


@dataclass(frozen=True)
class Estimate:
    """Energy in J, also by the lowest and the highest figures; `value` includes `static`."""

    value: float
    low: float
    high: float
    static: float = 0.0


@cache
def prices() -> Prices:
    """The prices of config/energy.yaml; raises ValueError that names the file and the field."""
    return read_prices(share_directory() / 'config' / 'energy.yaml')


def read_prices(path: Path) -> Prices:
    """The prices in the file `path`; raises ValueError that names the file and the field."""
    content = read_yaml(path)
    for section, kind in (('chips', Chip), ('rivals', Rival)):
        entries = content.get(section)
        if isinstance(entries, dict):
            content[section] = {
                name: build(kind, entry, f'{path}: {section}.{name}')
                if isinstance(entry, dict)
                else entry
                for name, entry in entries.items()
            }
    return build(Prices, content, path)


def chip_names() -> tuple[str, ...]:
    """Names of the chips, for choices and help; none where `prices` says what is wrong."""
    try:
        return tuple(prices().chips)
    except ValueError:
        return ()


@lru_cache(maxsize=16)
def count_chips(network: Network, views: int) -> dict[str, int]:
    """How many whole chips `views` copies of `network` need, for each kind with static power.

    On Loihi as many as the network is mapped onto, if it fits; else as many as the neurons need.
    """
    counts = {
        name: math.ceil(views * network.neurons / chip.static.neurons)
        for name, chip in prices().chips.items()
        if chip.static is not None
    }
    placement = place(network, views)
    if 'loihi' in counts and not placement.excess:
        counts['loihi'] = placement.chips
    return counts


def estimate(decision: Decision, chips: Mapping[str, int]) -> dict[str, Estimate]:
    """Estimated energy of `decision` on each chip; `chips` comes from `count_chips`."""
    return {
        name: _on_chip(decision, chip, chips.get(name, 0)) for name, chip in prices().chips.items()
    }


def mean(estimates: Sequence[dict[str, Estimate]]) -> dict[str, Estimate]:
    """The mean of several estimates on each chip."""
    return {
        name: Estimate(*np.mean([astuple(costs[name]) for costs in estimates], axis=0).tolist())
        for name in prices().chips
    }


def estimate_rivals(macs: float) -> dict[str, Estimate]:
    """Estimated energy of one pass of `macs` multiply-accumulates on each rival."""
    return {
        name: Estimate(*(macs * PICO * rival.mac.figures).tolist())
        for name, rival in prices().rivals.items()
    }


def _on_chip(decision: Decision, chip: Chip, chips: int) -> Estimate:
    counted = (
        decision.activity.synaptic_operations.sum() * chip.operation.figures
        + decision.activity.neuron_updates.sum() * chip.update.figures
        + decision.macs * prices().rivals[chip.first_layer].mac.figures
    )
    static = np.zeros(3)
    if chip.static is not None:
        static = chip.static.figures * (chips * decision.simulated_time)
    value, low, high = (counted * PICO + static).tolist()
    return Estimate(value, low, high, float(static[0]))
