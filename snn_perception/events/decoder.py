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

"""What decoders of all encodings have in common, and what they leave out and say so."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snn_perception.events.stream import Events, Triggers

Bytes = bytes | bytearray | memoryview | NDArray[np.uint8]


@dataclass(frozen=True)
class Faults:
    """What was wrong with encoded events, and how often.

    outside: events at pixels that the sensor does not have; left out.
    unplaced: events before the first time, row or column that they refer to; left out.
    unknown: words of no kind that the encoding has, or marked as not valid; left out.
    misread: times that the next one contradicts, for single wrong bits; not believed.
    backwards: events before the one that they follow; kept, at its time.
    truncated: bytes that are too few for a word; left out.
    """

    outside: int = 0
    unplaced: int = 0
    unknown: int = 0
    misread: int = 0
    backwards: int = 0
    truncated: int = 0

    def __add__(self, other: Faults) -> Faults:
        sums = {name: count + getattr(other, name) for name, count in asdict(self).items()}
        return Faults(**sums)

    def __bool__(self) -> bool:
        return any(asdict(self).values())

    def __str__(self) -> str:
        """The faults that there are, as part of a sentence."""
        what = {
            'outside': 'events outside the sensor',
            'unplaced': 'events without a time or a place',
            'unknown': 'unknown words',
            'misread': 'times with wrong bits',
            'backwards': 'events back in time',
            'truncated': 'bytes of a cut word',
        }
        counts = asdict(self)
        return ', '.join(f'{counts[name]} {words}' for name, words in what.items() if counts[name])


FAULTS = tuple(Faults.__dataclass_fields__)
OUTSIDE, UNPLACED, UNKNOWN, MISREAD, BACKWARDS, TRUNCATED = range(len(FAULTS))
"""Where compiled decoders count them."""

RESTART = 1_000_000
"""Microseconds; times that go back by more are of a clock that was started anew, and go on."""

LATEST = 2**62
"""Nanoseconds; no packet is later."""

NEVER = -(2**62)
"""The time of the last event before the first one."""


@dataclass(frozen=True)
class Decoded:
    """What came out of some bytes."""

    events: Events
    triggers: Triggers
    faults: Faults


class Decoder(ABC):
    """Decodes the packets of one camera, one after the other.

    What a packet leaves behind for the next one, such as the time, is kept; times never descend,
    neither within what a call returns nor from one call to the next. Bytes of any content are
    survived. Raises ValueError for a size that no sensor has.
    """

    word: np.dtype
    """Of what packets are made."""

    def __init__(self, width: int, height: int) -> None:
        # Raises ValueError, too.
        self._empty = Decoded(Events.none(width, height), Triggers.none(), Faults())
        self.width = width
        self.height = height

    @abstractmethod
    def _decode(self, words: NDArray, time_base: int, final: bool) -> Decoded: ...

    def decode(self, data: Bytes, time_base: int = 0, big_endian: bool = False) -> Decoded:
        """The events in `data`, whole packets one after the other, or part of one in whole words.

        time_base: nanoseconds to which some encodings add their times, and others not.
        """
        raw = np.frombuffer(data, np.uint8)
        cut = len(raw) % self.word.itemsize
        order = self.word.newbyteorder('>' if big_endian else '<')
        words = raw[: len(raw) - cut].view(order).astype(self.word, copy=False)
        decoded = self._decode(words, min(time_base, LATEST), final=False)
        if not cut:
            return decoded
        faults = decoded.faults + Faults(truncated=cut)
        return Decoded(decoded.events, decoded.triggers, faults)

    def finish(self) -> Decoded:
        """What waited for more: at the end of a stream."""
        return self._decode(np.empty(0, self.word), 0, final=True)

    def lose_track(self) -> None:
        """Forget what a lost packet may have changed."""
        return


def readable(words: NDArray) -> NDArray:
    """`words` as compiled decoders want all of them, or each kind would be compiled for itself."""
    words = np.require(words, requirements=('C', 'A')).view()
    words.flags.writeable = False
    return words


class Columns:
    """Room for what a compiled decoder finds: events, triggers and the counts of faults."""

    def __init__(self, events: int, triggers: int = 0) -> None:
        # One more than there are: what turns out to be none is written, too.
        self.t = np.empty(events + 1, np.int64)
        self.x = np.empty(events + 1, np.uint16)
        self.y = np.empty(events + 1, np.uint16)
        self.polarity = np.empty(events + 1, np.uint8)
        self.trigger_t = np.empty(triggers + 1, np.int64)
        self.channel = np.empty(triggers + 1, np.uint8)
        self.edge = np.empty(triggers + 1, np.uint8)
        self.faults = np.zeros(len(FAULTS), np.int64)

    @property
    def arrays(self) -> tuple[Any, ...]:
        """For a compiled decoder."""
        return (
            *(self.t, self.x, self.y, self.polarity),
            *(self.trigger_t, self.channel, self.edge, self.faults),
        )

    def decoded(self, width: int, height: int, events: int, triggers: int = 0) -> Decoded:
        """The first so many of them."""
        return Decoded(
            Events(
                *(self.t[:events], self.x[:events], self.y[:events], self.polarity[:events]),
                *(width, height),
            ),
            Triggers(*(self.trigger_t[:triggers], self.channel[:triggers], self.edge[:triggers])),
            Faults(*self.faults.tolist()),
        )
