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

"""Every parameter of the nodes: its type, default, description and range, in one place.

A node's parameters are a frozen dataclass; what ROS needs to know besides type and default is
in the metadata of its fields. `parameter_server.py` declares them on a node.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Any, TypeVar

from snn_perception.energy import DEFAULT_CHIP, chip_names
from snn_perception.images import FITS

T = TypeVar('T')

KINDS = {bool: 'true or false', int: 'a whole number', float: 'a number', str: 'text'}


@dataclass(frozen=True)
class Parameter:
    """What ROS is told about one parameter, and what may be given for it.

    `minimum` and `maximum` are inclusive. `is_live` parameters may change at any time,
    others only before the node is configured, and `is_read_only` ones never.
    """

    name: str
    default: Any
    description: str
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()
    is_live: bool = False
    is_read_only: bool = False

    def coerce(self, value: Any) -> Any:
        """`value` in the type of the default if it is a whole number that can be that.

        Numbers where text is meant are what `-p source:=0` gives for the first webcam.
        """
        kind = type(self.default)
        return kind(value) if type(value) is int and kind in (float, str) else value

    def check(self, value: Any) -> Any:
        """`value`, coerced; raises ValueError with a sentence that says what would be right."""
        kind = type(self.default)
        value = self.coerce(value)
        if type(value) is not kind:
            raise ValueError(f'{self.name} must be {KINDS[kind]}, not {value!r}')
        if self.choices and value not in self.choices:
            raise ValueError(
                f'{self.name} must be one of {", ".join(self.choices)}, not {value!r}'
            )
        if self.minimum is None or self.maximum is None:
            return value
        if not (self.minimum <= value <= self.maximum and math.isfinite(value)):
            raise ValueError(
                f'{self.name} must be between {self.minimum} and {self.maximum}, not {value}'
            )
        return value


def parameter(default: T, description: str, **properties: Any) -> T:
    """Field of a dataclass of parameters; `properties` are those of `Parameter`.

    `choices` may be a function that returns them, if they are not known before the first use.
    """
    metadata = {'description': description, **properties}
    return field(default=default, metadata=metadata)


def table(kind: type) -> Iterator[Parameter]:
    """The parameters that the dataclass `kind` describes, in its order."""
    for entry in fields(kind):
        properties = dict(entry.metadata)
        if callable(properties.get('choices')):
            properties['choices'] = properties['choices']()
        yield Parameter(entry.name, entry.default, **properties)


@dataclass(frozen=True)
class ClassifierParameters:
    """Parameters of the node `snn_classifier`."""

    autostart: bool = parameter(
        True,
        'Configure and activate without waiting for a supervisor of the lifecycle; the process '
        'then ends if that fails.',
        is_read_only=True,
    )
    model: str = parameter(
        'mnist',
        'Name of a model that comes with the package, path of a model folder, or '
        'package://PACKAGE/PATH.',
    )
    backend: str = parameter(
        'auto',
        'Engine that runs the network: auto, event, torch, rate, reference, nengo or loihi.',
    )
    device: str = parameter('auto', 'Where the engine runs: auto, cpu or cuda.')
    threads: int = parameter(
        0,
        'Threads of the engines event and loihi; 0: one for each core but one, or both of two.',
        minimum=0,
        maximum=1024,
    )
    precision: str = parameter(
        'float32',
        'Weights of the engine event: float32, or bfloat16 or int8, which are faster and smaller.',
        choices=('float32', 'bfloat16', 'int8'),
    )
    image_transport: str = parameter(
        'raw',
        'Subscribe to images as they are on <image>, or to JPEG and PNG on <image>/compressed.',
        choices=('raw', 'compressed'),
    )
    reliability: str = parameter(
        'best_effort',
        'Quality of service of the subscription; best_effort hears every camera, reliable only '
        'those that offer it.',
        choices=('best_effort', 'reliable'),
    )
    mode: str = parameter(
        'frame',
        'frame: every image is shown to a network at rest. stream: the neurons keep their '
        'state, and each image advances the network by the time between the stamps.',
        choices=('frame', 'stream'),
    )
    presentation_time: float = parameter(
        0.0,
        'Longest time in seconds of the simulation that an image is shown for; 0.0 for the time '
        'that the model was made for. In stream mode that of the first image, and of one before '
        'which others were dropped: what is left of the time since then is skipped.',
        minimum=0.0,
        maximum=10.0,
        is_live=True,
    )
    stream_gap: float = parameter(
        1.0,
        'Stream mode: longest time in seconds between the stamps of two images that the camera '
        'sends one after the other; after a longer one the network starts again at rest.',
        minimum=0.001,
        maximum=10.0,
        is_live=True,
    )
    min_confidence: float = parameter(
        0.0,
        'Score from 0 to 1 that the best class must reach; below it the label is unknown.',
        minimum=0.0,
        maximum=1.0,
        is_live=True,
    )
    max_hypotheses: int = parameter(
        5,
        'How many classes a classification lists at most, best first.',
        minimum=1,
        maximum=100_000,
        is_live=True,
    )
    fit: str = parameter(
        'model',
        'How an image is fitted to the aspect of the network: crop its middle, pad it with black, '
        'stretch it, or as the model says.',
        choices=('model', *FITS),
        is_live=True,
    )
    invert: bool = parameter(
        False,
        'Swap light and dark before the network sees the image, for dark digits on light paper.',
        is_live=True,
    )
    energy_chip: str = parameter(
        DEFAULT_CHIP,
        'Chip whose estimated energy goes to ~/energy; ~/statistics has them all.',
        choices=chip_names,
        is_live=True,
    )


@dataclass(frozen=True)
class CameraParameters:
    """Parameters of the node `camera`."""

    source: str = parameter(
        'package://snn_perception/resource/images/digits',
        'What to publish: a folder of images (with all folders in it, in the order of their '
        'names), a video or image file, the number of a webcam, or package://PACKAGE/PATH.',
        is_read_only=True,
    )
    rate: float = parameter(
        10.0, 'Images per second.', minimum=0.01, maximum=1000.0, is_read_only=True
    )
    loop: bool = parameter(
        True,
        'Begin again after the last image; otherwise the process ends then.',
        is_read_only=True,
    )
    shuffle: bool = parameter(
        False, 'Show the images of a folder in random order.', is_read_only=True
    )
    width: int = parameter(
        0,
        'Width in pixels of what is published, with black borders where the aspect differs; '
        '0 for that of the first image.',
        minimum=0,
        maximum=8192,
        is_read_only=True,
    )
    height: int = parameter(
        0,
        'Height in pixels of what is published; 0 for that of the first image.',
        minimum=0,
        maximum=8192,
        is_read_only=True,
    )
    image_transport: str = parameter(
        'raw',
        'Publish pixels on image_raw (rgb8, or mono8 for grey images), or JPEG on '
        'image_raw/compressed.',
        choices=('raw', 'compressed'),
        is_read_only=True,
    )
    frame_id: str = parameter(
        'camera', 'Name of the coordinate frame in every header.', is_read_only=True
    )
    wait_for_subscriber: bool = parameter(
        False,
        'Show the first image only once somebody subscribes; otherwise at once.',
        is_read_only=True,
    )
