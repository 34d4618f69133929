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

"""A network that tells on which side of a small sensor events are, and packets of such events."""

from __future__ import annotations

from array import array
from pathlib import Path
from typing import Any

import numpy as np

from snn_perception.events.encoding import encode_evt3
from snn_perception.events.shaping import EventShaping
from snn_perception.events.stream import Events
from snn_perception.layers import Dense
from snn_perception.model import Model, Weights
from snn_perception.model_folder import save_model
from snn_perception.network import Network
from snn_perception.readout import Readout
from snn_perception.synapses import Synapse
from snn_perception.unknown import Unknown, UnknownSection
from snn_perception.widening import with_unknown

HEIGHT, WIDTH = 8, 12
SHAPE = (4, 6, 2)
READOUT = Readout(0.1, decision_interval=0.005, confidence_threshold=0.95, settling_time=0.01)
PACKET = 10_000
"""Microseconds of events in a packet."""


def model() -> Model:
    """Neurons for each side, which decide within 0.1 s."""
    synapse = Synapse('exponential', 0.005)
    network = Network(
        SHAPE, (Dense(20), Dense(2)), synapse=synapse, readout_synapse=synapse, input_kind='events'
    )
    hears = np.zeros((*SHAPE, 2, 10), np.float32)
    hears[:, :3, :, 0] = hears[:, 3:, :, 1] = 0.01
    says = np.zeros((2, 10, 2), np.float32)
    says[0, :, 0] = says[1, :, 1] = 0.01
    weights = (
        Weights((hears.reshape(-1, 20),), np.zeros(20, np.float32)),
        Weights((says.reshape(-1, 2),), np.zeros(2, np.float32)),
    )
    return Model('sides', ('left', 'right'), network, weights, EventShaping(SHAPE), READOUT)


def with_unknown_score() -> Model:
    """The same with a score of being unknown, for which events at both sides are too strange.

    It measures how strongly the neurons of each side fire.
    """
    section = UnknownSection(-1.0, -0.9, 0.0, 1.0, directions=2, groups=2)
    unknown = Unknown(section, np.eye(2, dtype=np.float32))
    return with_unknown(model(), unknown, np.eye(2, dtype=np.float32).repeat(10, axis=0))


def save(folder: Path, saved: Model | None = None) -> Path:
    """The model, or another one that is `saved`, in `folder`, which is returned."""
    save_model(saved or model(), folder)
    return folder


def events(side: str, number: int, duration: int = PACKET, per_ms: int = 20) -> Events:
    """Events at this side of the sensor, or at 'both', of packet `number` of a stream.

    They take `duration` us.
    """
    random = np.random.default_rng(number)
    count = per_ms * duration // 1000
    t = np.sort(random.integers(0, duration, count)) + number * PACKET
    first, last = {'left': (0, WIDTH // 2), 'right': (WIDTH // 2, WIDTH), 'both': (0, WIDTH)}[side]
    x = random.integers(first, last, count)
    y, polarity = random.integers(0, HEIGHT, count), random.integers(0, 2, count)
    return Events.of(t, x, y, polarity, WIDTH, HEIGHT)


def packet(side: str, number: int, duration: int = PACKET, **changes: Any) -> Any:
    """The same as a message, stamped `number` s."""
    from event_camera_msgs.msg import EventPacket
    from std_msgs.msg import Header

    header = Header(frame_id='camera')
    header.stamp.sec = number
    data = array('B', encode_evt3(events(side, number, duration)).tobytes())
    fields = {
        'header': header,
        'height': HEIGHT,
        'width': WIDTH,
        'seq': number,
        'encoding': 'evt3',
        'events': data,
    }
    return EventPacket(**{**fields, **changes})
