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

"""What is collected: which frames of a camera are kept, of which class, in which take."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from snn_perception.nodes.collecting.class_names import checked_name
from snn_perception.nodes.collecting.duplicates import Likeness
from snn_perception.nodes.collecting.picture_folder import Count, PictureFolder
from snn_perception.nodes.parameters.collect_parameters import CollectParameters

LEASE = 3.0
"""Seconds that a page may be silent before what it records ends: its browser is gone."""


class Refused(ValueError):
    """A request that cannot be met; the message is a sentence for the user."""


@dataclass(frozen=True)
class Frame:
    """A frame of the camera: `picture` as it is saved, `seen` as the network would see it.

    Both are uint8, (height, width, 3) RGB, `seen` may also be grey (height, width). `arrived` is
    when, by `time.monotonic()`, and `number` counts the frames.
    """

    number: int
    picture: NDArray[np.uint8]
    seen: NDArray[np.uint8]
    arrived: float


@dataclass(frozen=True)
class Recording:
    """Frames of the class `name` are saved one after the other, for the page `owner` if not ''."""

    name: str
    owner: str = ''


@dataclass
class _Class:
    """What this process keeps in mind of a class."""

    likeness: Likeness = field(default_factory=Likeness)
    take: Path | None = None
    number: int = 0
    last_use: float = 0.0

    def leave_if_gone(self) -> None:
        """Have the next frame begin a take if the folder of the present one is gone.

        Otherwise it goes on, since what comes next may look like what is left in it.
        """
        if self.take is not None and not self.take.is_dir():
            self.take = None


@dataclass
class Totals:
    """What became of frames since the start, and the last frame that could not be read."""

    saved: int = 0
    skipped: int = 0
    unreadable: int = 0
    last_unreadable: str = ''


class Collection:
    """Saves frames into `folder`; any thread may call any method.

    Requests raise Refused with a sentence. `parameters` gives those of the moment, `now` is a
    steady clock in s. `version` counts how often anything changed.
    """

    def __init__(
        self,
        folder: PictureFolder,
        parameters: Callable[[], CollectParameters],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self.folder = folder
        self.totals = Totals()
        self.version = 0
        self._message = ''
        self._is_trouble = False
        self._recording: Recording | None = None
        self._parameters = parameters
        self._now = now
        self._lock = threading.RLock()
        self._classes: dict[str, _Class] = {}
        self._counts: dict[str, Count] = {}
        self._order: list[str] = []
        self._history: list[tuple[str, Path]] = []
        self._frame: Frame | None = None
        self._last_recorded = 0.0
        self._heard = 0.0
        self.recount()

    # --- what there is ---

    @property
    def message(self) -> str:
        """The last thing that happened."""
        return self._message

    @property
    def is_trouble(self) -> bool:
        """Whether the last thing that happened was that something failed by itself."""
        return self._is_trouble

    @property
    def recording(self) -> Recording | None:
        """What is recorded now."""
        return self._recording

    @property
    def frame(self) -> Frame | None:
        """The newest frame."""
        return self._frame

    def counts(self) -> dict[str, Count]:
        """The classes, those that were added last, with what is there of each."""
        with self._lock:
            return {name: self._counts.get(name, Count()) for name in self._order}

    def recount(self) -> None:
        """Look at the disk, where others may have written or deleted."""
        counts = self.folder.counts()
        with self._lock:
            self.version += counts != self._counts
            self._counts = counts
            left = [name for name in self._order if name in counts or name in self._classes]
            self._order = list(dict.fromkeys((*left, *sorted(counts))))

    # --- frames ---

    def see(self, frame: Frame) -> None:
        """Take up the newest `frame` of the camera."""
        with self._lock:
            self._frame = frame
            self.version += 1
            recording = self._recording
            if recording is None:
                return
            if recording.owner and self._now() - self._heard > LEASE:
                self._end_recording(f'the page that recorded {recording.name} is gone')
                return
            # A frame may be a little early, and the next one then much too late.
            if self._now() - self._last_recorded < 0.9 / self._parameters().record_rate:
                return
            self._last_recorded = self._now()
            try:
                self._keep(recording.name, frame)
            except Refused as reason:
                self._end_recording(f'recording {recording.name} ended: {reason}', trouble=True)

    def fail_to_read(self, reason: str) -> None:
        """Count a frame that could not be read."""
        with self._lock:
            self.version += 1
            self.totals.unreadable += 1
            self.totals.last_unreadable = reason

    # --- requests ---

    def add_class(self, name: str) -> str:
        """Make room for a class, which is on the disk with its first frame; its name."""
        with self._lock:
            try:
                name = checked_name(name, self.counts())
            except ValueError as reason:
                raise Refused(str(reason)) from None
            if name not in self._classes:
                self._classes[name] = _Class()
                self._order = list(dict.fromkeys((*self._order, name)))
                self.version += 1
            return name

    def save(self, name: str) -> bool:
        """Save the newest frame for the class `name`, unless one that is like it is there."""
        with self._lock:
            name = self.add_class(name)
            return self._keep(name, self._current_frame())

    def record(self, name: str, owner: str = '') -> None:
        """Save frames for the class `name` from now on, until `stop` or until its page is gone."""
        with self._lock:
            name = self.add_class(name)
            self._current_frame()
            self._heard = self._now()
            self._recording = Recording(name, owner)
            self._tell(f'recording {name}')

    def stop(self) -> None:
        """Record no more."""
        with self._lock:
            if self._recording is not None:
                self._end_recording(f'recorded {self._recording.name}')

    def hear(self, owner: str) -> None:
        """Note that the page `owner` is still there."""
        with self._lock:
            if self._recording is not None and self._recording.owner == owner:
                self._heard = self._now()

    def begin_take(self) -> None:
        """Have the next frame of every class begin a take."""
        with self._lock:
            for one in self._classes.values():
                one.take = None
            self._tell('the next frame begins a new take')

    def delete_last(self, whole_take: bool = False) -> None:
        """Delete the last frame that was saved here and is still there, or all of its take."""
        with self._lock:
            if not self._history:
                raise Refused('nothing is left that was saved since the start')
            name, last = self._history[-1]
            count = 0
            while self._history and self._history[-1][1].parent == last.parent:
                self._delete(*self._history[-1])
                count += 1
                if not whole_take:
                    break
            self._tell(f'deleted {count} of {name}' if whole_take else f'deleted {last}')

    # --- with the lock held ---

    def _current_frame(self) -> Frame:
        limit = self._parameters().max_silence
        if self._frame is None:
            raise Refused('there is no frame yet: is the camera running, and on this topic?')
        age = self._now() - self._frame.arrived
        if age > limit:
            raise Refused(f'the camera has sent no frame that can be read for {age:.0f} s')
        return self._frame

    def _keep(self, name: str, frame: Frame) -> bool:
        """Save `frame` unless it is like one of its class; whether it was saved."""
        one, now = self._classes[name], self._now()
        if now - one.last_use > self._parameters().take_pause:
            one.take = None
        one.last_use = now
        distance, least = one.likeness.distance(frame.seen), self._parameters().min_difference
        if distance < least:
            self.totals.skipped += 1
            self._tell(
                f'skipped: a frame of {name} that is there differs by {distance:.1f} levels only, '
                f'and min_difference is {least:g}'
            )
            return False
        try:
            is_new = one.take is None
            if one.take is None:
                one.take, one.number = self.folder.begin_take(name), 0
            path = self.folder.write(one.take, one.number + 1, frame.picture)
        except OSError as reason:
            one.leave_if_gone()
            raise Refused(str(reason)) from None
        one.number += 1
        one.likeness.keep(frame.seen)
        self._history.append((name, path))
        self.totals.saved += 1
        before = self._counts.get(name, Count())
        self._counts[name] = Count(before.frames + 1, before.takes + is_new)
        self._tell(f'saved {path}')
        return True

    def _delete(self, name: str, path: Path) -> None:
        self._history.pop()
        one = self._classes[name]
        one.likeness.forget_last()
        try:
            self.folder.delete(path)
        except OSError as reason:
            raise Refused(f'{path} cannot be deleted: {reason}') from None
        finally:
            one.leave_if_gone()
            self.recount()

    def _end_recording(self, message: str, trouble: bool = False) -> None:
        self._recording = None
        self._tell(message, trouble)

    def _tell(self, message: str, trouble: bool = False) -> None:
        self._message, self._is_trouble = message, trouble
        self.version += 1
