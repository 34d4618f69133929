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

"""Every parameter of the node `event_camera`; none of them changes."""

from __future__ import annotations

from dataclasses import dataclass

from snn_perception.nodes.parameters.parameter_kinds import parameter


@dataclass(frozen=True)
class EventCameraParameters:
    """Parameters of the node `event_camera`."""

    source: str = parameter(
        'package://snn_perception/resource/images/digits',
        'What to publish: a recording (.raw, .aedat4, .bin of N-MNIST, .npz, .npy, or a bag), a '
        'folder of recordings, or images, which are moved before a simulated sensor, as a file '
        'or a folder; or package://PACKAGE/PATH.',
    )
    speed: float = parameter(
        1.0,
        'How fast it is played; 1.0 for as fast as it was recorded. The times of the events stay.',
        minimum=0.001,
        maximum=1000.0,
    )
    loop: bool = parameter(
        True, 'Begin again after the last recording or image; otherwise the process ends then.'
    )
    shuffle: bool = parameter(False, 'Show the images of a folder in random order.')
    pause: float = parameter(
        0.25,
        'Seconds without events between two recordings or images; longer than the stream_gap of '
        'the classifier, they do not mix.',
        minimum=0.0,
        maximum=3600.0,
    )
    packet_time: float = parameter(
        0.01, 'Seconds of events in a packet.', minimum=0.0001, maximum=1.0
    )
    width: int = parameter(
        34,
        'Width in pixels of the simulated sensor, and of recordings that do not say it.',
        minimum=1,
        maximum=2048,
    )
    height: int = parameter(34, 'Height in pixels of the same.', minimum=1, maximum=2048)
    image_size: int = parameter(
        28,
        'Pixels of the simulated sensor that an image takes along its longer edge.',
        minimum=1,
        maximum=2048,
    )
    frame_id: str = parameter('camera', 'Name of the coordinate frame in every header.')
    wait_for_subscriber: bool = parameter(
        False, 'Begin only once somebody subscribes; otherwise at once.'
    )
