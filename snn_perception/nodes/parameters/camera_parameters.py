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

"""Every parameter of the node `camera`; none of them changes."""

from __future__ import annotations

from dataclasses import dataclass

from snn_perception.nodes.parameters.parameter_kinds import parameter


@dataclass(frozen=True)
class CameraParameters:
    """Parameters of the node `camera`."""

    source: str = parameter(
        'package://snn_perception/resource/images/digits',
        'What to publish: a folder of images (with all folders in it, in the order of their '
        'names), a video or image file, the number of a webcam, or package://PACKAGE/PATH.',
    )
    rate: float = parameter(10.0, 'Images per second.', minimum=0.01, maximum=1000.0)
    loop: bool = parameter(
        True,
        'Begin again after the last image; otherwise the process ends then.',
    )
    shuffle: bool = parameter(False, 'Show the images of a folder in random order.')
    width: int = parameter(
        0,
        'Width in pixels of what is published, with black borders where the aspect differs; '
        '0 for that of the first image.',
        minimum=0,
        maximum=8192,
    )
    height: int = parameter(
        0,
        'Height in pixels of what is published; 0 for that of the first image.',
        minimum=0,
        maximum=8192,
    )
    image_transport: str = parameter(
        'raw',
        'Publish pixels on image_raw (rgb8, or mono8 for grey images), or JPEG on '
        'image_raw/compressed.',
        choices=('raw', 'compressed'),
    )
    frame_id: str = parameter('camera', 'Name of the coordinate frame in every header.')
    wait_for_subscriber: bool = parameter(
        False,
        'Show the first image only once somebody subscribes; otherwise at once.',
    )
