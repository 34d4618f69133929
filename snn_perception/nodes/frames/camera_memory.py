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

"""What is remembered of one camera between its frames."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from snn_perception.backends import Simulator
from snn_perception.images import Preprocessing
from snn_perception.nodes.frames.frame_reader import (
    FrameReader,
    Interpretation,
    has_sixteen_bits,
    nanoseconds,
)
from snn_perception.nodes.frames.picture_check import PictureCheck
from snn_perception.nodes.frames.rhythm import Rhythm
from snn_perception.nodes.frames.stream_clock import Arrival, Step, StreamClock
from snn_perception.nodes.parameters.classifier_parameters import ClassifierParameters
from snn_perception.views import FRAME, Views


@dataclass(frozen=True)
class Frame:
    """An image message, and when it came among the others.

    `received` is when that was, by `time.perf_counter()`, and `transport` how long the message
    had taken since its stamp, in s. `lost` frames are missing between this and the one before.
    """

    message: Any
    arrival: Arrival
    received: float
    transport: float
    lost: int
    has_stamp: bool


class CameraMemory:
    """The size and rhythm of a camera's frames, and the state of the neurons that follow them.

    `receive` is for the thread that receives the frames, `read`, `advance` and `rest` for the
    one that works on them, and `reset` for any.
    """

    def __init__(self) -> None:
        self._reader = FrameReader()
        self._check = PictureCheck()
        self._clock = StreamClock()
        self._rhythm = Rhythm()
        self._simulator: Simulator | None = None
        self._views = FRAME
        self._fresh = threading.Event()
        self.state: Any = None

    def reset(self) -> None:
        """Have the next frame begin anew: at rest, and of any size."""
        self._fresh.set()

    def receive(self, message: Any, now: int, gap: float) -> Frame:
        """`message` as a frame, to be called for each message in the order of their arrival.

        `now` is the time of the node's clock in ns, which stands in for a stamp that is missing,
        and `gap` the longest time in s between two stamps of a stream.
        """
        received = time.perf_counter()
        stamp = nanoseconds(message.header)
        return Frame(
            message,
            self._clock.arrive(stamp or now, gap),
            received,
            (now - stamp) / 1e9,
            self._rhythm.note(stamp),
            stamp != 0,
        )

    @property
    def doubt(self) -> str:
        """What is odd about what the camera shows, '' if nothing is."""
        return self._check.doubt

    @property
    def is_frozen(self) -> bool:
        """Whether the camera sends the very same frame again and again."""
        return self._check.is_frozen

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the camera's frames in pixels."""
        return self._reader.size

    def read(
        self, frame: Frame, preprocessing: Preprocessing, parameters: ClassifierParameters
    ) -> NDArray[np.uint8]:
        """Pixels (views, height, width[, 3]) of `frame` at the size of the network.

        ValueError says why not.
        """
        if self._fresh.is_set():
            self._fresh.clear()
            self._reader.reset()
            self._check.reset()
            self.rest()
        try:
            views = self._reader.read_views(
                frame.message,
                preprocessing,
                _interpretation(parameters),
                Views.parse(parameters.views),
            )
        except ValueError:
            self._clock.refuse()
            raise
        pixels, message = np.stack(views), frame.message
        self._check.frozen_after = parameters.frozen_after
        self._check.see(pixels, message.data, frame.received, has_sixteen_bits(message))
        return np.asarray(cv2.bitwise_not(pixels)) if parameters.invert else pixels

    def picture(
        self, frame: Frame, parameters: ClassifierParameters, height: int, width: int
    ) -> NDArray[np.uint8]:
        """All of `frame` for people, uint8 RGB, made to fit into `height` x `width` pixels."""
        interpretation = _interpretation(parameters)
        return self._reader.picture(frame.message, interpretation, height, width)

    def rest(self) -> None:
        """Have the next frame of a stream begin at rest."""
        self._clock.reset()
        self.state = None

    def advance(self, frame: Frame, simulator: Simulator, longest: float, views: Views) -> Step:
        """What `frame` does to `state`, which becomes one of `simulator` for `views`.

        See `StreamClock`; another simulator, and other views, begin at rest.
        """
        if simulator is not self._simulator or views != self._views:
            self._simulator, self._views = simulator, views
            self.rest()
        step = self._clock.advance(frame.arrival, longest, simulator.model.dt)
        if step.restart:
            self.state = simulator.reset(views.count)
        return step


def _interpretation(parameters: ClassifierParameters) -> Interpretation:
    return Interpretation(parameters.roi, parameters.significant_bits, parameters.float_range)
