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

"""From an image message to an answer: a model on an engine, and what it keeps between frames."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from snn_perception import energy
from snn_perception.backends import Simulator, choose_backend, create_simulator
from snn_perception.decision import Decision
from snn_perception.images import Preprocessing
from snn_perception.loading import load_model
from snn_perception.nodes.frames import FrameReader, nanoseconds
from snn_perception.nodes.parameters import ClassifierParameters
from snn_perception.nodes.process import load_library
from snn_perception.nodes.stream_clock import Arrival, StreamClock
from snn_perception.power import Power, PowerMeter, find_meter, mean_power


@dataclass(frozen=True)
class Answer:
    """A decision, and what it took on this host and would take on chips.

    `labels` are all classes, `engine` is what ran the network and where, and `network_time`
    how long that took, in s. `power` is what the host drew meanwhile. `energies` are J by chip.
    `restart` says why a stream began again at rest, if it did, and `skipped` is the time of a
    stream in s that was not simulated before this frame.
    """

    decision: Decision
    labels: tuple[str, ...]
    engine: str
    energies: dict[str, float]
    network_time: float
    power: Power
    restart: str = ''
    skipped: float = 0.0


@dataclass(frozen=True)
class Frame:
    """An image message, and when it came among the others."""

    message: Any
    arrival: Arrival


class Recognizer:
    """Classifies the frames of one camera.

    In mode 'stream' the neurons keep their state from frame to frame. To be closed after use.
    `receive` is for the thread that receives the frames, `read` and `decide` for the one that
    works on them.
    """

    def __init__(self, simulator: Simulator, mode: str, meter: PowerMeter) -> None:
        self.simulator = simulator
        self.model = simulator.model
        self._mode = mode
        self._chips = energy.count_chips(self.model.network, self.model.readout.views)
        self.meter = meter
        self._reader = FrameReader()
        self._clock = StreamClock(self.model.dt)
        self._state: Any = None
        self._fresh = threading.Event()

    @classmethod
    def load(cls, parameters: ClassifierParameters, stop: Callable[[], bool]) -> Recognizer:
        """The recognizer that `parameters` ask for, after a first run on a black image.

        Raises ValueError with a sentence if there is no such model, backend or device, or the
        prices of energy are wrong, and
        Interrupted when `stop` returns True.
        """
        energy.prices()  # A wrong figure in them ends the configuration, not the first frame.
        model = load_model(parameters.model)
        if parameters.mode == 'stream':
            # An early decision would leave the simulation behind the video.
            model = replace(model, readout=replace(model.readout, confidence_threshold=1.0))
        if choose_backend(parameters.backend, parameters.device) in ('torch', 'rate'):
            load_library('torch', 'lib/libtorch_cpu.so')
        simulator = create_simulator(
            model,
            parameters.backend,
            parameters.device,
            threads=parameters.threads,
            precision=parameters.precision,
        )
        black = np.zeros(model.network.input_shape[:2], np.uint8)
        simulator.classify(black, stop=stop)
        return cls(simulator, parameters.mode, find_meter(simulator.device))

    @property
    def engine(self) -> str:
        """Name of the engine and where it runs, for people."""
        return f'{self.simulator.name} on {self.simulator.device}'

    def close(self) -> None:
        """End the measurement of power."""
        self.meter.close()

    def reset(self) -> None:
        """Have the next frame begin anew: at rest, and of any size. From any thread."""
        self._fresh.set()

    def receive(self, message: Any, parameters: ClassifierParameters) -> Frame:
        """`message` as a frame, to be called for each message in the order of their arrival."""
        stamp = nanoseconds(message.header)
        return Frame(message, self._clock.arrive(stamp, parameters.stream_gap))

    def read(self, frame: Frame, parameters: ClassifierParameters) -> NDArray[np.uint8]:
        """Pixels of `frame` at the size of the network; ValueError says why not."""
        if self._fresh.is_set():
            self._fresh.clear()
            self._reader.reset()
            self._clock.reset()
        try:
            pixels = self._reader.read(frame.message, self._preprocessing(parameters))
        except ValueError:
            self._clock.refuse()
            raise
        return np.asarray(cv2.bitwise_not(pixels)) if parameters.invert else pixels

    def decide(
        self,
        pixels: NDArray[np.uint8],
        arrival: Arrival,
        parameters: ClassifierParameters,
        stop: Callable[[], bool],
    ) -> Answer:
        """Answer for `pixels` from `read`, of the frame with `arrival`.

        Raises Interrupted when `stop` returns True.
        """
        duration = parameters.presentation_time or None
        restart, skipped = '', 0.0
        if self._mode == 'stream':
            longest = parameters.presentation_time or self.model.presentation_time
            step = self._clock.advance(arrival, longest)
            if step.restart:
                self._state = self.simulator.reset()
            duration, restart, skipped = step.duration, step.reason, step.skipped
        before = self.meter.read()
        start = time.perf_counter()
        decision = self.simulator.classify(pixels, self._state, duration, stop)
        network_time = time.perf_counter() - start
        power = mean_power(before, self.meter.read())
        costs = energy.estimate(decision, self._chips)
        energies = {name: cost.value for name, cost in costs.items()}
        return Answer(
            decision,
            self.model.labels,
            self.engine,
            energies,
            network_time,
            power,
            restart,
            skipped,
        )

    def _preprocessing(self, parameters: ClassifierParameters) -> Preprocessing:
        """The model's preprocessing as `parameters` change it."""
        own = self.model.preprocessing
        fit = own.fit if parameters.fit == 'model' else parameters.fit
        return replace(own, fit=fit, invert=own.invert != parameters.invert)
