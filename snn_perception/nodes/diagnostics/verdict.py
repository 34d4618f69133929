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

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, fields
from enum import IntEnum
from typing import TypeVar

LARGE_FRAMES = 'for large frames see "Frames that get lost" in the README'


class Level(IntEnum):
    """Severity, with the numbers of diagnostic_msgs/DiagnosticStatus."""

    OK = 0
    WARN = 1
    ERROR = 2
    STALE = 3


Finding = tuple[Level, str]


@dataclass(frozen=True)
class Report:
    """One verdict: its level, a sentence, and the values that it rests on, as text by name."""

    level: Level
    message: str
    values: dict[str, str]


C = TypeVar('C', bound='Counts')


@dataclass
class Counts:
    """Frames since the node became active, or was reset.

    `lost` did not arrive, as the rhythm of the stamps tells. `dropped` were overwritten by a newer
    one before their turn, `duplicates` of a stream had the stamp of the one before, `rejected`
    were not usable images, and `failed` ended in an error of the engine. `unstamped` had no stamp,
    and `hurried` answers ended at the deadline. `restarts` are those of a stream, and `skipped` is
    its time in s that was not simulated.
    """

    received: int = 0
    classified: int = 0
    lost: int = 0
    dropped: int = 0
    duplicates: int = 0
    rejected: int = 0
    failed: int = 0
    unstamped: int = 0
    hurried: int = 0
    restarts: int = 0
    skipped: float = 0.0

    def since(self: C, before: C) -> C:
        """What was added to `before`."""
        names = [field.name for field in fields(self)]
        grown = {name: getattr(self, name) - getattr(before, name) for name in names}
        return type(self)(**grown)


@dataclass(frozen=True)
class Limits:
    """What is unremarkable: `silence` between two frames, `delay` of an answer that is waited for,
    mean `latency` of those that came, all in s, and the share of frames `dropped` or lost.
    """

    silence: float = 2.0
    delay: float = 5.0
    latency: float = 1.0
    dropped: float = 0.1


@dataclass(frozen=True)
class Source:
    """Where frames should come from.

    `topic` has so many `publishers`. If some of them cannot be heard, `unheard` says why, and if
    none of them can, it `is_deaf`.
    """

    topic: str
    publishers: int
    unheard: str = ''
    is_deaf: bool = False


@dataclass(frozen=True)
class Period:
    """What happened since the last report, of `seconds`.

    `silence` is the time since the last frame and `delay` that for which frames have waited
    for an answer; `is_busy` tells whether the engine has one of them. `usual` is how long the
    last answer took, and `latency` the mean time from stamp to answer, NaN if unknown. `skipped`
    is the time of a stream that was skipped since the last reset, and `is_skipping` tells whether
    the last frame added to it. All times are in s. `doubt` says why no latency is known, empty if
    one is, and `pictures` what is odd about what the frames show. `thing` is what a frame
    is called.
    """

    seconds: float
    counts: Counts
    silence: float = 0.0
    delay: float = 0.0
    is_busy: bool = False
    usual: float = 0.0
    latency: float = 0.0
    skipped: float = 0.0
    is_skipping: bool = False
    last_error: str = ''
    doubt: str = ''
    pictures: str = ''
    thing: str = 'frame'
    limits: Limits = field(default_factory=Limits)


def judge(period: Period, source: Source) -> Finding:
    """The verdict on `period`: the first of the worst that is found."""
    found = [
        *judge_engine(period),
        *_judge_frames(period, source),
        *_judge_pace(period),
        (Level.OK, _all_is_well(period, source)),
    ]
    return first_of_the_worst(found)


def first_of_the_worst(found: Sequence[Finding]) -> Finding:
    """The first of those of `found` that are worst."""
    order = Level.ERROR, Level.STALE, Level.WARN, Level.OK
    return min(found, key=lambda finding: order.index(finding[0]))


def judge_engine(period: Period) -> Iterator[Finding]:
    """The error of an engine that gives no answers.

    An engine that is known to be slow is given three times as long as its last answer took.
    """
    if period.delay > max(period.limits.delay, 3 * period.usual):
        busy = f'the engine is still busy with one {period.thing}'
        idle = f'{period.thing}s wait and none is taken up'
        reason = busy if period.is_busy else idle
        yield Level.ERROR, f'nothing classified for {period.delay:.0f} s: {reason}'


def _judge_frames(period: Period, source: Source) -> Iterator[Finding]:
    """What is wrong with the frames, or with how they come."""
    counts = period.counts
    rejected = f'{_number(counts.rejected, period.thing)} rejected: {period.last_error}'
    if counts.failed:
        yield Level.ERROR, f'{_number(counts.failed, period.thing)} failed: {period.last_error}'
    if counts.rejected:
        yield (Level.WARN if counts.classified else Level.ERROR), rejected
    if period.silence > period.limits.silence:
        missing = f'no {period.thing} for {period.silence:.0f} s on {source.topic}'
        heard = f'which has {_number(source.publishers, "publisher")}'
        hint = f'; {LARGE_FRAMES}' if source.publishers else ''
        yield Level.STALE, f'{missing}, {source.unheard or heard + hint}'
    if source.unheard:
        which = f'{"no" if source.is_deaf else "not all"} {period.thing}s'
        yield Level.WARN, f'{which} on {source.topic}, {source.unheard}'
    if counts.restarts and source.publishers > 1:
        yield (
            Level.WARN,
            f'{source.topic} has {source.publishers} publishers, whose stamps do not fit together',
        )
    if period.pictures:
        yield Level.WARN, f'the {period.thing}s on {source.topic} are {period.pictures}'


def _judge_pace(period: Period) -> Iterator[Finding]:
    """The warnings of a node that falls behind its camera."""
    counts, limits = period.counts, period.limits
    if counts.skipped or period.is_skipping:
        skipped = f'{period.skipped:.2f} s of it were skipped so far'
        yield Level.WARN, f'the engine is too slow for the stream: {skipped}'
    sent = counts.received + counts.lost
    if counts.lost > limits.dropped * sent:
        yield (
            Level.WARN,
            f'{counts.lost} of {sent} {period.thing}s were lost on their way; {LARGE_FRAMES}',
        )
    if counts.dropped > limits.dropped * counts.received:
        yield (
            Level.WARN,
            f'falling behind: {counts.dropped} of {_number(counts.received, period.thing)} '
            f'dropped, since an answer takes {1e3 * period.usual:.0f} ms',
        )
    if period.latency > limits.latency:
        yield (
            Level.WARN,
            f'answers come {period.latency:.2f} s after their {period.thing}s, and '
            f'{limits.latency:g} s are allowed',
        )


def _number(count: int, thing: str) -> str:
    return f'{count or "no"} {thing}{"s" * (count != 1)}'


def _all_is_well(period: Period, source: Source) -> str:
    unknown = f'; their latency is unknown: {period.doubt}' if period.doubt else ''
    return f'classifying the {period.thing}s on {source.topic}{unknown}'
