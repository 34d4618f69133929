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

"""Every parameter of the node `event_classifier`: its type, default, description and range."""

from __future__ import annotations

from dataclasses import dataclass

from snn_perception.nodes.parameters import shared_parameters
from snn_perception.nodes.parameters.parameter_kinds import Change, parameter


@dataclass(frozen=True)
class EventClassifierParameters:
    """Parameters of the node `event_classifier`; raises ValueError if some do not agree."""

    autostart: bool = shared_parameters.autostart()
    model: str = shared_parameters.model('nmnist')
    backend: str = shared_parameters.backend()
    device: str = shared_parameters.device()
    threads: int = shared_parameters.threads()
    precision: str = shared_parameters.precision()
    reliability: str = shared_parameters.reliability()
    lazy: bool = shared_parameters.lazy()
    presentation_time: float = parameter(
        0.0,
        'Longest time in seconds of events from one decision to the next; 0.0 for the time that '
        'the model was made for. A decision falls earlier when the evidence suffices.',
        minimum=0.0,
        maximum=10.0,
        change=Change.RELOADS,
    )
    stream_gap: float = parameter(
        0.2,
        'Longest time in seconds without events that passes for the network, too; after a longer '
        'one it starts again at rest.',
        minimum=0.001,
        maximum=10.0,
        change=Change.LIVE,
    )
    max_backlog: float = parameter(
        0.1,
        'Longest time in seconds for which a packet may wait for its turn; after that it is '
        'dropped, the oldest first and the newest never, and its time is skipped.',
        minimum=0.001,
        maximum=10.0,
        change=Change.LIVE,
    )
    crop: tuple[int, ...] = parameter(
        (0, 0, 0, 0),
        'Part of the sensor that counts: left, top, width and height in pixels; with a width of '
        '0 as the model says.',
        minimum=0,
        maximum=65_535,
        length=4,
        change=Change.LIVE,
    )
    pooling: int = parameter(
        0,
        "So many by so many pixels of the sensor become one of the network's; 0 for as the model "
        'says, which is usually as many as the sensor has room for.',
        minimum=0,
        maximum=1024,
        change=Change.LIVE,
    )
    hot_pixel_rate: float = parameter(
        -1.0,
        'Pixels that fire more often for longer, in Hz, are silenced; 0.0 for none, below 0 for '
        'as the model says.',
        minimum=-1.0,
        maximum=1e6,
        change=Change.LIVE,
    )
    refractory: float = parameter(
        -1.0,
        'Events that follow one of the same pixel sooner, in seconds, are left out; below 0 for '
        'as the model says.',
        minimum=-1.0,
        maximum=10.0,
        change=Change.LIVE,
    )
    min_confidence: float = shared_parameters.min_confidence()
    reject_unknown: bool = parameter(
        False,
        'Whether the label is unknown for what is unlike all that the model was made for, with '
        'models that have an unknown_score: a score above 1.',
        change=Change.LIVE,
    )
    max_hypotheses: int = shared_parameters.max_hypotheses()
    energy_chip: str = shared_parameters.energy_chip()
    max_silence: float = shared_parameters.max_silence('packet')
    max_delay: float = shared_parameters.max_delay('packet')
    max_latency: float = shared_parameters.max_latency('packet')
    max_dropped: float = shared_parameters.max_dropped('packet')

    def __post_init__(self) -> None:
        if self.crop[2] == 0 < self.crop[3] or self.crop[3] == 0 < self.crop[2]:
            raise ValueError(
                f'crop must have a width and a height above 0, or neither, not {list(self.crop)}'
            )
