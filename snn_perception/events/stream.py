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

"""Events of a camera in memory: where and when it got brighter or darker."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray


class _Columns:
    """Arrays of one length, `t` first and ascending, with what holds for all of their entries."""

    t: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.t)

    def _each(self, change: Any) -> Any:
        """The same with `change` done to each array."""
        columns = {name: getattr(self, name) for name in columns_of(type(self))}
        return replace(self, **{name: change(column) for name, column in columns.items()})  # type: ignore[type-var]

    def __getitem__(self, part: Any) -> Any:
        """Those at `part`, a slice, or an array of indices or of bool that keeps their order."""
        return self._each(lambda column: column[part])

    def between(self, start: int, end: int) -> Any:
        """Those from `start` on and before `end`, microseconds; views, not copies."""
        first, last = np.searchsorted(self.t, (start, end))
        return self[first:last]


@dataclass(frozen=True)
class Events(_Columns):
    """Events of one camera in order of time.

    t: int64 (count,), microseconds, never descending; from when on is the camera's affair.
    x, y: uint16 (count,), column and row of the pixel, from the upper left.
    polarity: uint8 (count,), 1 where it got brighter (on), 0 where darker (off).
    width, height: pixels of the sensor; all events are on it.
    """

    t: NDArray[np.int64]
    x: NDArray[np.uint16]
    y: NDArray[np.uint16]
    polarity: NDArray[np.uint8]
    width: int
    height: int

    @staticmethod
    def none(width: int, height: int) -> Events:
        """No events of a sensor of that size."""
        return Events.of((), (), (), (), width, height)

    @staticmethod
    def of(t: Any, x: Any, y: Any, polarity: Any, width: int, height: int) -> Events:
        """The same from anything that arrays can be made of.

        Raises ValueError for columns of different lengths, times that descend and pixels that
        the sensor does not have.
        """
        # Looked at before they are made smaller, when what does not fit would wrap round.
        columns = [np.asarray(column) for column in (t, x, y, polarity)]
        _check(columns, width, height)
        t, x, y, polarity = columns
        return Events(
            *(np.ascontiguousarray(t, np.int64), np.ascontiguousarray(x, np.uint16)),
            *(np.ascontiguousarray(y, np.uint16), np.ascontiguousarray(polarity, np.uint8)),
            *(width, height),
        )


@dataclass(frozen=True)
class Triggers(_Columns):
    """Edges of signals at the trigger inputs of a camera, in order of time.

    t: int64 (count,), microseconds of the same clock as the events'.
    channel: uint8 (count,), which input.
    edge: uint8 (count,), 1 for a rising one, 0 for a falling one.
    """

    t: NDArray[np.int64]
    channel: NDArray[np.uint8]
    edge: NDArray[np.uint8]

    @staticmethod
    def none() -> Triggers:
        return Triggers(np.empty(0, np.int64), np.empty(0, np.uint8), np.empty(0, np.uint8))


C = TypeVar('C', Events, Triggers)


def columns_of(kind: type) -> list[str]:
    """The names of the arrays of Events or Triggers."""
    return [field.name for field in fields(kind) if field.name not in ('width', 'height')]


def concatenate(parts: Sequence[C]) -> C:
    """All of `parts`, at least one, one after the other.

    Raises ValueError unless each begins no earlier than the one before it ends, and, of events,
    all are of a sensor of one size.
    """
    first = parts[0]
    if len(parts) == 1:
        return first
    if isinstance(first, Events):
        sizes = {(part.width, part.height) for part in parts if isinstance(part, Events)}
        if len(sizes) > 1:
            raise ValueError(f'events of sensors of different sizes are no stream: {sizes}')
    _check_order(part.t for part in parts if len(part))
    columns = columns_of(type(first))
    return replace(
        first,
        **{name: np.concatenate([getattr(part, name) for part in parts]) for name in columns},
    )


def _check_order(times: Iterable[NDArray[np.int64]]) -> None:
    last = None
    for t in times:
        if last is not None and t[0] < last:
            raise ValueError(f'events at {t[0]} us must not follow those at {last} us')
        last = t[-1]


def _check(columns: list[NDArray], width: int, height: int) -> None:
    lengths = [len(column) for column in columns]
    if len(set(lengths)) > 1:
        raise ValueError(f't, x, y and polarity must be equally long, not {lengths}')
    if min(width, height) < 1 or max(width, height) > 2**16:
        raise ValueError(f'a sensor has 1 to 65536 columns and rows, not {width} x {height}')
    t, x, y, polarity = columns
    if not len(t):
        return
    if any(column.dtype.kind not in 'biu' for column in columns):
        kinds = ', '.join(str(column.dtype) for column in columns)
        raise ValueError(f't, x, y and polarity must be integers, not {kinds}')
    if np.any(t[1:] < t[:-1]):
        raise ValueError('the times of events must not descend')
    if min(x.min(), y.min()) < 0 or x.max() >= width or y.max() >= height:
        raise ValueError(
            f'events are in columns {x.min()} to {x.max()} and rows {y.min()} to {y.max()}, and '
            f'the sensor has {width} x {height} pixels'
        )
    if polarity.min() < 0 or polarity.max() > 1:
        raise ValueError(f'polarity must be 0 (off) or 1 (on), not {polarity.max()}')
