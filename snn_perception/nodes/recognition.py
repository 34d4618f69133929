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

from snn_perception import create_simulator, energy, load_model
from snn_perception.backends import Simulator, choose_backend
from snn_perception.decision import Decision
from snn_perception.images import Preprocessing
from snn_perception.nodes.frames import FrameReader
from snn_perception.nodes.parameters import ClassifierParameters
from snn_perception.nodes.process import load_library
from snn_perception.nodes.timing import StreamClock
from snn_perception.power import Power, PowerMeter, find_meter, mean_power


@dataclass(frozen=True)
class Answer:
    """A decision, and what it took on this host and would take on chips.

    `labels` are all classes, `engine` is what ran the network and where, and `network_time`
    how long that took, in s. `power` is what the host drew meanwhile. `energies` are J by chip.
    `restart` says why a stream began again at rest, if it did.
    """

    decision: Decision
    labels: tuple[str, ...]
    engine: str
    energies: dict[str, float]
    network_time: float
    power: Power
    restart: str = ''


class Recognizer:
    """Classifies the frames of one camera. All methods are for one thread, but `reset`, `close`.

    In mode 'stream' the neurons keep their state from frame to frame. To be closed after use.
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

        Raises ValueError with a sentence if there is no such model, backend or device, and
        Interrupted when `stop` returns True.
        """
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

    def read(self, message: Any, parameters: ClassifierParameters) -> NDArray[np.uint8]:
        """Pixels of `message` at the size of the network; ValueError says why not."""
        if self._fresh.is_set():
            self._fresh.clear()
            self._reader.reset()
            self._clock.reset()
        pixels = self._reader.read(message, self._preprocessing(parameters))
        return np.asarray(cv2.bitwise_not(pixels)) if parameters.invert else pixels

    def decide(
        self,
        pixels: NDArray[np.uint8],
        stamp: int,
        parameters: ClassifierParameters,
        stop: Callable[[], bool],
    ) -> Answer:
        """Answer for `pixels` from `read`, of a frame stamped `stamp` (ns).

        Raises Interrupted when `stop` returns True.
        """
        duration = parameters.presentation_time or None
        restart = ''
        if self._mode == 'stream':
            first = parameters.presentation_time or self.model.presentation_time
            step = self._clock.advance(stamp, first, parameters.stream_gap)
            if step.restart:
                self._state = self.simulator.reset()
            duration, restart = step.duration, step.reason
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
        )

    def _preprocessing(self, parameters: ClassifierParameters) -> Preprocessing:
        """The model's preprocessing as `parameters` change it."""
        own = self.model.preprocessing
        fit = own.fit if parameters.fit == 'model' else parameters.fit
        return replace(own, fit=fit, invert=own.invert != parameters.invert)
