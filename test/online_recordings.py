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

"""Folders of small made recordings."""

from __future__ import annotations

import numpy as np


def write_recording(path, events):
    """Write events (microseconds, column, row, polarity) in the format of N-MNIST."""
    t, x, y, polarity = np.array(events, np.int64).reshape(-1, 4).T
    content = np.stack([x, y, polarity << 7 | t >> 16, t >> 8 & 255, t & 255], axis=1)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.astype(np.uint8).tobytes())


def write_recordings(folder, count=10, labels=('left', 'right'), seed=0):
    """`count` recordings (34 x 34, 40 ms) per class: events in one half, or in the other."""
    generator = np.random.default_rng(seed)
    for label, name in enumerate(labels):
        for number in range(count):
            size = 200
            t = np.sort(generator.integers(0, 40_000, size))
            x = generator.integers(0, 17, size) + 17 * label
            y, polarity = generator.integers(0, 34, size), generator.integers(0, 2, size)
            events = np.stack([t, x, y, polarity], axis=1)
            write_recording(folder / name / f'{number:05}.bin', events)
    return folder


RECIPE = {
    'trainer': 'online',
    'name': 'halves',
    'coding': {'sensor': [34, 34], 'shape': [2, 2], 'pool': 16, 'steps': 8, 'dt': 0.005},
    'network': {'hidden': {'count': 2, 'symbols': 2}, 'synapse': {'count': 2, 'length': 4}},
    'learning': {'output_rate': 0.05, 'hidden_rate': 0.0001},
    'epochs': 2,
}
"""The content of a recipe for them."""
