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

"""Every parameter of the node `snn_collect`."""

from __future__ import annotations

from dataclasses import dataclass

from snn_perception.nodes.parameters import frame_parameters
from snn_perception.nodes.parameters.parameter_kinds import Change, parameter
from snn_perception.views import WHOLE, check_roi


@dataclass(frozen=True)
class CollectParameters:
    """Parameters of the node `snn_collect`."""

    folder: str = parameter(
        'collected',
        'Where to save: a folder per class is made in it. A relative path is below the working '
        'directory.',
    )
    model: str = parameter(
        'everyday',
        'What the frames are for: the model that a training begins with, by name or path. The '
        'page shows a frame as that sees it.',
    )
    class_name: str = parameter(
        '',
        'Class of the services ~/save and ~/record.',
        change=Change.LIVE,
    )
    image_transport: str = parameter(
        'raw',
        'Subscribe to images as they are on <image>, or to compressed ones on <image>/compressed.',
        choices=('raw', 'compressed'),
        change=Change.LIVE,
    )
    reliability: str = parameter(
        'auto',
        'Quality of service of the subscription. best_effort hears every camera, reliable only '
        'those that offer it; auto is reliable as long as all publishers of the topic are.',
        choices=('auto', 'best_effort', 'reliable'),
        change=Change.LIVE,
    )
    roi: tuple[float, ...] = parameter(
        WHOLE,
        'Part of the frame that is saved, the one that the classifier is to see: x, y, width and '
        'height as shares of the frame, from 0 to 1.',
        minimum=0.0,
        maximum=1.0,
        length=4,
        change=Change.LIVE,
    )
    significant_bits: int = frame_parameters.significant_bits()
    float_range: tuple[float, ...] = frame_parameters.float_range()
    largest_side: int = parameter(
        640,
        'Pixels of the longer side of what is saved; a larger frame is shrunk. 0: as it is.',
        minimum=0,
        maximum=16384,
        change=Change.LIVE,
    )
    record_rate: float = parameter(
        5.0,
        'Frames per second that are saved at most while recording.',
        minimum=0.1,
        maximum=60.0,
        change=Change.LIVE,
    )
    min_difference: float = parameter(
        4.0,
        'A frame that differs by less from one of its class is skipped: root mean square of 32x32 '
        'pixels, in levels of 0 to 255. 0.0 keeps all.',
        minimum=0.0,
        maximum=255.0,
        change=Change.LIVE,
    )
    take_pause: float = parameter(
        5.0,
        'Seconds without a frame of a class after which its next one begins a new take.',
        minimum=0.0,
        maximum=86_400.0,
        change=Change.LIVE,
    )
    max_silence: float = parameter(
        2.0,
        'Seconds without a frame after which the last one is too old to be saved.',
        minimum=0.1,
        maximum=86_400.0,
        change=Change.LIVE,
    )
    page: bool = parameter(True, 'Serve the page for a browser.')
    address: str = parameter(
        '127.0.0.1',
        'Address that the page is served on: this machine alone by default; 0.0.0.0 lets all '
        'that reach the machine see the camera and save.',
    )
    port: int = parameter(
        8642,
        'Port of the page; 0 for any that is free.',
        minimum=0,
        maximum=65535,
    )
    keyboard: bool = parameter(True, 'Take keys where the node runs in a terminal.')

    def __post_init__(self) -> None:
        check_roi(self.roi)
        frame_parameters.check_numbers(self.significant_bits, self.float_range)
