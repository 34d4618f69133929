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

"""The first events on their way to a network, for which much may have to be compiled."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from snn_perception.events.binning import binned
from snn_perception.events.decoding import decoder_for
from snn_perception.events.shaping import EventShaping
from snn_perception.events.stream import Events


def first_event(shaping: EventShaping, dt: float, encodings: Iterable[str]) -> NDArray[np.uint8]:
    """Counts (1, height, width, 2) of one event in a step of `dt` (s), as `shaping` makes them.

    When they are there, all that decodes any of `encodings`, shapes and counts has been compiled,
    or loaded.
    """
    height, width, _ = shaping.shape
    for encoding in encodings:
        decoder = decoder_for(encoding, width, height)
        decoder.decode(bytes(decoder.word.itemsize))
    event = Events.of([0], [0], [0], [1], width, height)
    whole = replace(shaping, crop=None, pooling=1)
    return binned(whole.apply(whole.rest(width, height), event), dt, 1)
