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

"""A model on an engine, and what all answers of it have in common."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from snn_perception import energy
from snn_perception.backends import Simulator, choose_backend, create_simulator
from snn_perception.decision import Decision
from snn_perception.loading import load_model
from snn_perception.model import Model
from snn_perception.nodes.diagnostics.host import hardware_name
from snn_perception.nodes.pictures.debug_raster import Spikes
from snn_perception.nodes.process import load_library
from snn_perception.power import Power, PowerMeter, find_meter

WATCHED_INTERVAL = 0.005
"""Seconds of simulated time whose spikes are counted together for pictures."""
CLOSING_TIME = 1.0
"""Seconds to wait for an engine that should have ended."""

L = TypeVar('L', bound='LoadedModel')


class EngineParameters(Protocol):
    """The parameters that say which model runs on which engine."""

    @property
    def model(self) -> str:
        """Name or path of the model."""

    @property
    def backend(self) -> str:
        """Name of the engine."""

    @property
    def device(self) -> str:
        """Where it runs."""

    @property
    def threads(self) -> int:
        """Of the engine; 0 for as many as are good."""

    @property
    def precision(self) -> str:
        """Of its weights."""


class AnswerParameters(Protocol):
    """The parameters that say how answers are published."""

    @property
    def min_confidence(self) -> float:
        """Score below which the label is unknown."""

    @property
    def reject_unknown(self) -> bool:
        """Whether the label is unknown for what the model was not made for."""

    @property
    def max_hypotheses(self) -> int:
        """How many classes are listed at most."""

    @property
    def energy_chip(self) -> str:
        """Chip whose energy has a topic of its own."""


@dataclass(frozen=True)
class Answer:
    """A decision, and what it took on this host and would take on chips.

    `labels` are all classes, `engine` is what ran the network and where, and `network_time`
    how long that took, in s, for all that it was shown at once. `power` is what the host
    drew meanwhile. `energies` are J by chip. `doubt` and `is_frozen` are those of the `Sight`.
    `spikes` are there if they were asked for. `restart`
    says why a stream began again at rest, if it did, and `skipped` is the time of a stream in s
    that was not simulated.
    """

    decision: Decision
    labels: tuple[str, ...]
    engine: str
    energies: dict[str, float]
    network_time: float
    power: Power
    doubt: str = ''
    is_frozen: bool = False
    spikes: Spikes | None = None
    restart: str = ''
    skipped: float = 0.0


class LoadedModel(ABC):
    """A model on an engine, for one thread at a time. To be closed after use."""

    def __init__(self, simulator: Simulator, meter: PowerMeter) -> None:
        self.simulator = simulator
        self.model = simulator.model
        self.meter = meter
        self.hardware = f'{self.engine}: {hardware_name(simulator.device)}'
        self.busy = threading.Lock()
        self._chips: dict[int, dict[str, int]] = {}

    @classmethod
    def load(cls: type[L], parameters: EngineParameters, stop: Callable[[], bool]) -> L:
        """What `parameters` ask for, after a first run.

        Raises ValueError with a sentence if there is no such model, backend or device, the
        prices of energy are wrong, or the parameters do not suit the model, and Interrupted when
        `stop` returns True.
        """
        energy.prices()  # A wrong figure in them ends the configuration, not the first answer.
        model = cls.adapted(load_model(parameters.model), parameters)
        if choose_backend(parameters.backend, parameters.device) in ('torch', 'rate'):
            load_library('torch', 'lib/libtorch_cpu.so')
        simulator = create_simulator(
            model,
            parameters.backend,
            parameters.device,
            threads=parameters.threads,
            precision=parameters.precision,
        )
        loaded = cls(simulator, find_meter(simulator.device))
        loaded.require(parameters)
        loaded.try_out(stop)
        return loaded

    @classmethod
    def adapted(cls, model: Model, parameters: Any) -> Model:
        """`model` as `parameters` change it; raises ValueError if they do not suit it."""
        return model

    @abstractmethod
    def require(self, parameters: Any) -> None:
        """Raise ValueError if `parameters` do not suit the model."""

    @abstractmethod
    def try_out(self, stop: Callable[[], bool]) -> None:
        """Run the network once, so that the first answer takes no longer than others."""

    @property
    def engine(self) -> str:
        """Name of the engine and where it runs, for people."""
        return f'{self.simulator.name} on {self.simulator.device}'

    @property
    def watched_steps(self) -> int:
        """Time steps whose spikes are counted together for pictures."""
        return max(1, round(WATCHED_INTERVAL / self.model.dt))

    def close(self) -> None:
        """End the measurement of power, if possible when nothing is in work."""
        is_idle = self.busy.acquire(timeout=CLOSING_TIME)
        try:
            self.meter.close()
        finally:
            if is_idle:
                self.busy.release()

    def energies(self, decision: Decision, views: int = 1) -> dict[str, float]:
        """Estimated J of `decision` by chip; so many `views` were shown at once."""
        costs = energy.estimate(decision, self.chips_for(views))
        return {name: cost.value for name, cost in costs.items()}

    def chips_for(self, views: int = 1) -> dict[str, int]:
        """How many chips networks for all `views` need; see `energy.count_chips`."""
        count = views * self.model.readout.views
        if count not in self._chips:
            self._chips[count] = energy.count_chips(self.model.network, count)
        return self._chips[count]
