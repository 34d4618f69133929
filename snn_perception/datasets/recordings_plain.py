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

"""Recordings that are little more than arrays: N-MNIST's .bin, and .npz and .npy of NumPy."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from snn_perception.datasets.base import DatasetError
from snn_perception.events.ascending import ascend, begin
from snn_perception.events.decoder import Decoded, Faults
from snn_perception.events.stream import Events, Triggers

NMNIST = (34, 34)
"""Width and height in N-MNIST."""

BYTES = 5
OVERFLOW_ROW, OVERFLOW = 240, 2**13
"""A row that means that all later times are so many microseconds later."""

POLARITIES = ('polarity', 'p', 'on')


def read_bin(path: Path, size: tuple[int, int] | None = None) -> Iterator[Decoded]:
    """The events of a .bin file, at once; see `read_recording`.

    Five bytes an event: column, row, polarity in the highest bit of what is left and the time.
    """
    width, height = size or NMNIST
    content = np.frombuffer(path.read_bytes(), np.uint8)
    whole = len(content) // BYTES * BYTES
    columns, rows, high, middle, low = content[:whole].reshape(-1, BYTES).T
    t = (high & 0x7F).astype(np.int64) << 16 | middle.astype(np.int64) << 8 | low
    is_overflow = rows == OVERFLOW_ROW
    t += OVERFLOW * np.cumsum(is_overflow)
    events, faults = checked(
        *(t[~is_overflow], columns[~is_overflow], rows[~is_overflow], high[~is_overflow] >> 7),
        *(width, height),
    )
    yield Decoded(events, Triggers.none(), faults + Faults(truncated=len(content) - whole))


def read_columns(path: Path, size: tuple[int, int] | None = None) -> Iterator[Decoded]:
    """The events of a .npz or .npy file, at once; see `read_recording`.

    Arrays, or fields of one, called t (microseconds), x, y, and one of POLARITIES; a .npz may
    say `width` and `height`, too. Without a size the sensor is as large as the events need.
    """
    try:
        # No pickles: they can do anything.
        content = np.load(path, allow_pickle=False)
        names = content.files if hasattr(content, 'files') else content.dtype.names or ()
        polarity = next((name for name in POLARITIES if name in names), None)
        if polarity is None or not {'t', 'x', 'y'} <= set(names):
            raise ValueError(f't, x, y and polarity are needed, and {names} are there')
        t, x, y, sign = (content[name] for name in ('t', 'x', 'y', polarity))
        if 'width' in names and 'height' in names:
            size = int(content['width']), int(content['height'])
        if any(column.ndim != 1 or column.dtype.kind not in 'biu' for column in (t, x, y, sign)):
            raise ValueError('t, x, y and polarity must be lists of integers')
        if not len(t) == len(x) == len(y) == len(sign):
            raise ValueError('t, x, y and polarity must be equally long')
        if size is None:
            size = (int(x.max()) + 1, int(y.max()) + 1) if len(t) else (1, 1)
        events, faults = checked(t, x, y, sign > 0, *size)
    except OSError:
        raise
    except Exception as reason:
        # What NumPy and those below it raise for damaged files is of many kinds.
        why = str(reason) or type(reason).__name__
        raise DatasetError(f'{path} cannot be read: {why}') from None
    yield Decoded(events, Triggers.none(), faults)


def checked(
    t: np.ndarray,
    x: np.ndarray,
    y: np.ndarray,
    polarity: np.ndarray,
    width: int,
    height: int,
    state: np.ndarray | None = None,
) -> tuple[Events, Faults]:
    """Events on the sensor with times in order, and what had to be left out or changed.

    `state` is that of `ascend`, of a recording that comes in parts.
    """
    on_sensor = (x >= 0) & (x < width) & (y >= 0) & (y < height)
    kept = t[on_sensor].astype(np.int64)
    late = ascend(kept, begin() if state is None else state)
    events = Events.of(kept, x[on_sensor], y[on_sensor], polarity[on_sensor], width, height)
    return events, Faults(outside=int(np.count_nonzero(~on_sensor)), backwards=late)
