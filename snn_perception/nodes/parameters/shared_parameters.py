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

"""Parameters of every node that classifies: which model on which engine, and what is answered."""

from __future__ import annotations

from functools import partial
from typing import Any

from snn_perception.energy import DEFAULT_CHIP, chip_names
from snn_perception.model import PRECISIONS
from snn_perception.nodes.parameters.parameter_kinds import Change, parameter

autostart = partial(
    parameter,
    True,
    'Configure and activate without waiting for a supervisor of the lifecycle; the process '
    'then ends if that fails.',
)
model = partial(
    parameter,
    description='Name of a model that comes with the package, path of a model folder, or '
    'package://PACKAGE/PATH.',
    change=Change.RELOADS,
)
backend = partial(
    parameter,
    'auto',
    'Engine that runs the network: auto, event, torch, rate, reference, nengo or loihi.',
    change=Change.RELOADS,
)
device = partial(
    parameter, 'auto', 'Where the engine runs: auto, cpu or cuda.', change=Change.RELOADS
)
threads = partial(
    parameter,
    0,
    'Threads of the engines event and loihi; 0: one for each core but one, or both of two.',
    minimum=0,
    maximum=1024,
    change=Change.RELOADS,
)
precision = partial(
    parameter,
    'auto',
    'Weights of the engine event: float32, bfloat16 or int8, which is the fastest; '
    'auto: what the model recommends.',
    choices=('auto', *PRECISIONS),
    change=Change.RELOADS,
)
reliability = partial(
    parameter,
    'auto',
    'Quality of service of the subscription. best_effort hears every camera, reliable only '
    'those that offer it; auto is reliable as long as all publishers of the topic are.',
    choices=('auto', 'best_effort', 'reliable'),
    change=Change.LIVE,
)
lazy = partial(
    parameter,
    False,
    'Subscribe to a camera only while somebody subscribes to an answer to it.',
    change=Change.LIVE,
)
min_confidence = partial(
    parameter,
    0.0,
    'Score from 0 to 1 that the best class must reach; below it the label is unknown.',
    minimum=0.0,
    maximum=1.0,
    change=Change.LIVE,
)
max_hypotheses = partial(
    parameter,
    5,
    'How many classes a classification lists at most, best first.',
    minimum=1,
    maximum=100_000,
    change=Change.LIVE,
)
energy_chip = partial(
    parameter,
    DEFAULT_CHIP,
    'Chip whose estimated energy goes to ~/energy; ~/statistics has them all.',
    choices=chip_names,
    change=Change.LIVE,
)


def max_silence(thing: str) -> Any:
    """Of a node that classifies things of this name."""
    return parameter(
        2.0,
        f'Seconds without a {thing} after which /diagnostics says STALE.',
        minimum=0.1,
        maximum=86_400.0,
        change=Change.LIVE,
    )


def max_delay(thing: str) -> Any:
    """Of a node that classifies things of this name."""
    return parameter(
        5.0,
        f'Seconds for which a {thing} may wait for its answer before /diagnostics says ERROR.',
        minimum=0.1,
        maximum=86_400.0,
        change=Change.LIVE,
    )


def max_latency(thing: str) -> Any:
    """Of a node that classifies things of this name."""
    return parameter(
        1.0,
        f'Seconds from the stamp of a {thing} to its answer, in the mean, above which '
        '/diagnostics says WARN.',
        minimum=0.0,
        maximum=60.0,
        change=Change.LIVE,
    )


def max_dropped(thing: str) -> Any:
    """Of a node that classifies things of this name."""
    return parameter(
        0.1,
        f'Share of the {thing}s that may be lost on their way, or dropped for newer ones, before '
        '/diagnostics says WARN.',
        minimum=0.0,
        maximum=1.0,
        change=Change.LIVE,
    )
