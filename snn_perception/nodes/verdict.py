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

"""What a node that classifies frames says about itself: a level and a sentence."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import IntEnum

SILENCE = 2.0
"""Seconds without a frame that are unremarkable."""

DELAY = 5.0
"""Seconds without an answer to a frame that are unremarkable."""


class Level(IntEnum):
    """Severity, with the numbers of diagnostic_msgs/DiagnosticStatus."""

    OK = 0
    WARN = 1
    ERROR = 2
    STALE = 3


@dataclass(frozen=True)
class Report:
    """One verdict: its level, a sentence, and the values that it rests on, as text by name."""

    level: Level
    message: str
    values: dict[str, str]


@dataclass
class Counts:
    """Frames since the node became active, or was reset.

    `dropped` were overwritten by a newer one before their turn, `rejected` were not
    usable images, `failed` ended in an error of the engine, `restarts` are those of a stream, and
    `skipped` is the time of a stream in s that was not simulated.
    """

    received: int = 0
    classified: int = 0
    dropped: int = 0
    rejected: int = 0
    failed: int = 0
    restarts: int = 0
    skipped: float = 0.0

    def since(self, before: Counts) -> Counts:
        """What was added to `before`."""
        names = [field.name for field in fields(self)]
        return Counts(**{name: getattr(self, name) - getattr(before, name) for name in names})


@dataclass(frozen=True)
class Source:
    """Where frames should come from.

    `topic` has so many `publishers`; if none of them can be heard, `unheard` says why.
    """

    topic: str
    publishers: int
    unheard: str = ''


@dataclass(frozen=True)
class Period:
    """What happened since the last report, of `seconds`.

    `silence` is the time since the last frame and `delay` that for which frames have waited
    for an answer; `is_busy` tells whether the engine has one of them. `usual` is how long the
    last answer took. `skipped` is the time of a stream that was skipped since the last reset,
    and `is_skipping` tells whether the last frame added to it. All times are in s. `doubt` says
    why no latency is known, empty if one is.
    """

    seconds: float
    counts: Counts
    silence: float = 0.0
    delay: float = 0.0
    is_busy: bool = False
    usual: float = 0.0
    skipped: float = 0.0
    is_skipping: bool = False
    last_error: str = ''
    doubt: str = ''


def judge(period: Period, source: Source) -> tuple[Level, str]:
    """The verdict on `period`: the worst that is found."""
    return (
        judge_engine(period)
        or _judge_frames(period, source)
        or _judge_stream(period)
        or (Level.OK, _all_is_well(period, source))
    )


def judge_engine(period: Period) -> tuple[Level, str] | None:
    """The error of an engine that gives no answers, None if there is none.

    An engine that is known to be slow is given three times as long as its last answer took.
    """
    if period.delay <= max(DELAY, 3 * period.usual):
        return None
    busy, idle = 'the engine is still busy with one frame', 'frames wait and none is taken up'
    reason = busy if period.is_busy else idle
    return Level.ERROR, f'nothing classified for {period.delay:.0f} s: {reason}'


def _judge_frames(period: Period, source: Source) -> tuple[Level, str] | None:
    """What is wrong with the frames, or with how they come."""
    counts = period.counts
    rejected = f'{_number(counts.rejected, "frame")} rejected: {period.last_error}'
    if counts.failed:
        return Level.ERROR, f'{_number(counts.failed, "frame")} failed: {period.last_error}'
    if counts.rejected and not counts.classified:
        return Level.ERROR, rejected
    if period.silence > SILENCE:
        missing = f'no frame for {period.silence:.0f} s on {source.topic}'
        heard = f'which has {_number(source.publishers, "publisher")}'
        return Level.STALE, f'{missing}, {source.unheard or heard}'
    if source.unheard:
        return Level.WARN, f'no frames on {source.topic}, {source.unheard}'
    if counts.rejected:
        return Level.WARN, rejected
    return None


def _number(count: int, thing: str) -> str:
    return f'{count or "no"} {thing}{"s" * (count != 1)}'


def _judge_stream(period: Period) -> tuple[Level, str] | None:
    """The warning of a stream that falls behind its video."""
    if not (period.counts.skipped or period.is_skipping):
        return None
    skipped = f'{period.skipped:.2f} s of it were skipped so far'
    return Level.WARN, f'the engine is too slow for the stream: {skipped}'


def _all_is_well(period: Period, source: Source) -> str:
    unknown = f'; their latency is unknown: {period.doubt}' if period.doubt else ''
    return f'classifying the frames on {source.topic}{unknown}'
