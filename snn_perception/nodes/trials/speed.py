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

"""How fast the node answers, and what it takes for that: measured from other processes.

The classifier, a camera and the observer each run in a process of their own, as on a robot. A
latency is the time from the stamp that the camera gives a frame, right before it publishes it, to
the arrival of the label at the observer. Three things make it: the network, the overhead of the
node, from the arrival of the message to the publication of the label, and the middleware, which
takes the message to the node and the label to the observer.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snn_perception.images import Preprocessing, convert_channels, fit_image
from snn_perception.nodes.trials.observer import Answer, Observer, Unanswered
from snn_perception.nodes.trials.processes import Program, Sample, camera, classifier, own_domain

Figures = dict[str, Any]

START = 180.0
"""Seconds that the node may take to become active: the first time it compiles."""
WARM_UP = 1.0
"""Seconds at the beginning whose latencies do not count."""
ASK_AGAIN = 0.2
"""Seconds for which a starting node may not answer: it may not have found who asks."""
IDLE = 3.0
"""Seconds for which a node without frames is watched."""
REST = 10.0
"""Seconds that the camera and the last report may take after the last frame."""
MAXIMUM_BYTES = 200_000_000
"""Of the frames that the camera holds in memory."""
PERIOD = 0.2
"""Seconds between two looks at the memory."""


def frames_of(images: NDArray[np.uint8], width: int, height: int) -> NDArray[np.uint8]:
    """`images` as frames (count, height, width, 3) RGB, framed in black where the aspect differs.

    As many as fit into MAXIMUM_BYTES, and at least one.
    """
    count = max(1, min(len(images), MAXIMUM_BYTES // (3 * width * height)))
    place = Preprocessing((height, width, 3), fit='pad')
    return np.stack([fit_image(convert_channels(image, 3), place) for image in images[:count]])


def measure(
    parameters: dict[str, Any],
    images: NDArray[np.uint8],
    size: tuple[int, int],
    rate: float,
    seconds: float,
) -> Figures:
    """Figures of the classifier with `parameters` under frames of `size` (width, height) pixels.

    `images` (count, height, width, channels) are shown in turns at `rate` Hz for `seconds`.
    Raises ValueError with a sentence if the node cannot be started or gives no answers.
    """
    count = max(1, round(rate * seconds))
    with own_domain(), tempfile.TemporaryDirectory() as folder, Observer() as observer:
        path = Path(folder) / 'frames.npy'
        np.save(path, frames_of(images, *size))
        with classifier(parameters) as program:
            wait_until_active(observer, program)  # what it compiles the second start finds
        with classifier(parameters) as program:
            figures: Figures = {'startup_s': wait_until_active(observer, program)}
            figures |= _idle(program)
            figures |= _busy(observer, program, path, rate, count)
    return figures


def wait_until_active(observer: Observer, program: Program, timeout: float = START) -> float:
    """Seconds from the start of the process `program` until its node is active.

    Raises ValueError with its last words if it ends before, or does not become active.
    """
    while program.is_running:
        try:
            state = observer.state(timeout=ASK_AGAIN)
        except Unanswered:
            state = ''
        passed = time.monotonic() - program.started
        if state == 'active':
            return passed
        if passed > timeout:
            break
        time.sleep(0.01)
    raise ValueError(f'the classifier does not become active: {program.last_words()}')


def _idle(program: Program) -> Figures:
    before = program.sample()
    time.sleep(IDLE)
    after = program.sample()
    return {'idle_cpu_percent': load(before, after), 'idle_memory_mb': after.memory_mb}


def load(before: Sample, after: Sample) -> float:
    """Share of one core that was used between two samples, in percent."""
    return 100 * (after.cpu_s - before.cpu_s) / (after.time - before.time)


def _busy(observer: Observer, program: Program, frames: Path, rate: float, count: int) -> Figures:
    """The figures of `count` frames."""
    before, memory = program.sample(), [0.0]
    with camera(frames, rate, count) as source:
        while not source.wait(PERIOD):
            if not program.is_running:
                raise ValueError(f'the classifier has ended: {program.last_words()}')
            memory.append(program.sample().memory_mb)
        after, output = program.sample(), source.output()
        if not output:
            raise ValueError(f'the camera published nothing: {source.last_words()}')
    sent = json.loads(output)
    reports = observer.reports
    observer.wait_for(lambda: observer.reports > reports + 1, REST, 'a report on /diagnostics')
    return summary(observer, sent, rate) | {
        'cpu_percent': load(before, after),
        'memory_mb': max(memory),
    }


def summary(observer: Observer, sent: dict[str, float], rate: float) -> Figures:
    """What the observer saw of the frames that the camera `sent`."""
    answers = sorted(observer.answers.values(), key=lambda answer: answer.stamp)
    if not answers:
        raise ValueError('the classifier answered none of the frames')
    counts = {name: int(observer.diagnostics.get(name, 0)) for name in ('received', 'dropped')}
    frames = int(sent['frames'])
    figures: Figures = {
        'frames': frames,
        'answered': len(answers),
        'lost': frames - counts['received'],
        'dropped': counts['dropped'],
    }
    first = answers[0].stamp + round(1e9 * WARM_UP)
    counted = [answer for answer in answers if answer.stamp >= first] or answers
    figures |= times(counted, observer.statistics)
    figures['publish_ms_median'] = sent['publish_ms_median']
    figures['camera_late_ms_max'] = sent['late_ms_max']
    return figures


def times(answers: list[Answer], statistics: dict[int, dict[str, str]]) -> Figures:
    """Latencies of `answers` and where they come from, by what the node says of each frame."""
    pairs = [(one, statistics[one.stamp]) for one in answers if one.stamp in statistics]
    latencies = 1e3 * np.array([one.latency for one in answers])
    stages = {
        name: np.array([float(values[f'{name}_ms']) for _, values in pairs])
        for name in ('waiting', 'reading', 'network', 'processing')
    }
    network = stages['network']
    overhead = stages['waiting'] + stages['processing'] - network
    whole = 1e3 * np.array([one.latency for one, _ in pairs])
    figures: Figures = {
        'latency_ms_median': float(np.median(latencies)),
        'latency_ms_p99': float(np.percentile(latencies, 99)),
        'latency_ms_max': float(latencies.max()),
        'overhead_ms_median': float(np.median(overhead)),
        'middleware_ms_median': float(np.median(whole - network - overhead)),
    }
    figures |= {
        f'{name}_ms_median': float(np.median(stages[name]))
        for name in ('waiting', 'reading', 'network')
    }
    stopped = Counter(values['stopped_by'] for _, values in pairs if 'stopped_by' in values)
    if stopped:
        figures['stopped_by'] = {name: number / len(pairs) for name, number in stopped.items()}
    return figures
