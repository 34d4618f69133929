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

"""Every parameter of the classifier: its type, default, description and range, in one place.

`parameter_kinds` says how they are described, and `parameter_server` declares them on a node.
"""

from __future__ import annotations

from dataclasses import dataclass

from snn_perception.images import FITS
from snn_perception.nodes.parameters import frame_parameters, shared_parameters
from snn_perception.nodes.parameters.parameter_kinds import Change, parameter
from snn_perception.views import WHOLE, Views, check_roi

MOST_CAMERAS = 16


@dataclass(frozen=True)
class ClassifierParameters:
    """Parameters of the node `snn_classifier`; raises ValueError for some that do not agree."""

    autostart: bool = shared_parameters.autostart()
    model: str = shared_parameters.model('mnist')
    backend: str = shared_parameters.backend()
    device: str = shared_parameters.device()
    threads: int = shared_parameters.threads()
    precision: str = shared_parameters.precision()
    image_topics: tuple[str, ...] = parameter(
        ('image_raw',),
        'Topics of the cameras. With more than one, the answers to each have a namespace of '
        'their own, such as ~/front for /front/image_raw.',
        change=Change.UNCONFIGURED,
    )
    image_transport: str = parameter(
        'raw',
        'Subscribe to images as they are on <image>, or to compressed ones on <image>/compressed.',
        choices=('raw', 'compressed'),
        change=Change.LIVE,
    )
    reliability: str = shared_parameters.reliability()
    lazy: bool = shared_parameters.lazy()
    mode: str = parameter(
        'frame',
        'frame: every image is shown to a network at rest. stream: the neurons keep their '
        'state, and each image advances the network by the time between the stamps.',
        choices=('frame', 'stream'),
        change=Change.LIVE,
    )
    presentation_time: float = parameter(
        0.0,
        'Longest time in seconds of the simulation that an image is shown for; 0.0 for the time '
        'that the model was made for. In stream mode that of the first image, and of one before '
        'which others were dropped: what is left of the time since then is skipped.',
        minimum=0.0,
        maximum=10.0,
        change=Change.LIVE,
    )
    deadline: float = parameter(
        0.0,
        'Seconds of real time from the arrival of a frame to its answer: then a decision ends '
        'with the best answer so far. 0.0 for none.',
        minimum=0.0,
        maximum=60.0,
        change=Change.LIVE,
    )
    stream_gap: float = parameter(
        1.0,
        'Stream mode: longest time in seconds between the stamps of two images that the camera '
        'sends one after the other; after a longer one the network starts again at rest.',
        minimum=0.001,
        maximum=10.0,
        change=Change.LIVE,
    )
    min_confidence: float = shared_parameters.min_confidence()
    reject_unknown: bool = parameter(
        False,
        'Whether the label is unknown for frames that can be no picture of anything (almost '
        'black, almost white, or frozen) and, with models that have an unknown_score, for what is '
        'unlike all that the model was made for: a score above 1.',
        change=Change.LIVE,
    )
    max_hypotheses: int = shared_parameters.max_hypotheses()
    roi: tuple[float, ...] = parameter(
        WHOLE,
        'Part of the frame that counts: x, y, width and height as shares of it, from 0 to 1.',
        length=4,
        change=Change.LIVE,
    )
    views: str = parameter(
        'frame',
        'Parts of the roi that are shown to the network at once, at the cost of all: frame (all '
        "of it), centre (the middle half of width and height), a grid of crops as in 'grid 3x2', "
        'or several of these with + between them; then best (the view with the highest score) or '
        "mean (of the outputs), as in 'frame + grid 3x2 best'.",
        change=Change.LIVE,
    )
    fit: str = parameter(
        'model',
        'How an image is fitted to the aspect of the network: crop its middle, pad it with black, '
        'stretch it, or as the model says.',
        choices=('model', *FITS),
        change=Change.LIVE,
    )
    invert: bool = parameter(
        False,
        'Swap light and dark before the network sees the image, for dark digits on light paper.',
        change=Change.LIVE,
    )
    significant_bits: int = frame_parameters.significant_bits()
    float_range: tuple[float, ...] = frame_parameters.float_range()
    energy_chip: str = shared_parameters.energy_chip()
    max_silence: float = shared_parameters.max_silence('frame')
    frozen_after: float = parameter(
        5.0,
        'Seconds for which frames may be bit for bit the same, as those of a real sensor never '
        'are, before they count as frozen and /diagnostics says WARN; 0.0: no matter how long.',
        minimum=0.0,
        maximum=86_400.0,
        change=Change.LIVE,
    )
    max_delay: float = shared_parameters.max_delay('frame')
    max_latency: float = shared_parameters.max_latency('frame')
    max_dropped: float = shared_parameters.max_dropped('frame')

    def __post_init__(self) -> None:
        topics = self.image_topics
        if len(set(topics)) < len(topics) or len(topics) > MOST_CAMERAS or '' in topics:
            raise ValueError(
                f'image_topics must be from 1 to {MOST_CAMERAS} different names, '
                f'not {list(topics)}'
            )
        check_roi(self.roi)
        Views.parse(self.views)
        frame_parameters.check_numbers(self.significant_bits, self.float_range)
