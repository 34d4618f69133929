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

"""From a message of the camera to what is saved of it, and what the network would see."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snn_perception.datasets.folders import at_size
from snn_perception.images import Preprocessing, resize
from snn_perception.nodes.collecting.collection import Frame
from snn_perception.nodes.frames.frame_reader import FrameReader, Interpretation
from snn_perception.nodes.parameters.collect_parameters import CollectParameters
from snn_perception.views import WHOLE, region_of

LARGEST = 2**20
"""Pixels; no frame is larger."""


class FrameMaker:
    """Makes frames of messages, for one thread; `preprocessing` is that of the network."""

    def __init__(self, preprocessing: Preprocessing) -> None:
        self._preprocessing = preprocessing
        self._reader = FrameReader()
        self._count = 0

    def frame(self, message: Any, parameters: CollectParameters) -> Frame:
        """The frame in `message`; raises ValueError with a sentence if it cannot be read.

        What is seen of it is what a training will see of the file.
        """
        interpretation = Interpretation(
            significant_bits=parameters.significant_bits, float_range=parameters.float_range
        )
        largest = parameters.largest_side or LARGEST
        # A region is cut out before anything is shrunk.
        limit = largest if parameters.roi == WHOLE else LARGEST
        whole = self._reader.picture(message, interpretation, limit, limit)
        region = region_of(parameters.roi, *whole.shape[:2])
        picture = _shrunk(region.of(whole), largest)
        seen = at_size(picture, self._preprocessing)
        if self._preprocessing.invert:
            seen = np.bitwise_not(seen)
        self._count += 1
        return Frame(self._count, picture, seen, time.monotonic())


def _shrunk(picture: NDArray[np.uint8], largest: int) -> NDArray[np.uint8]:
    """`picture` with no side longer than `largest`."""
    height, width = picture.shape[:2]
    scale = largest / max(height, width)
    if scale >= 1:
        return picture
    return resize(picture, max(1, round(height * scale)), max(1, round(width * scale)))
