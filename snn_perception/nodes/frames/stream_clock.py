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

"""How long each frame of a video is shown to a network that never rests.

A frame advances the simulation by the time since the frame that was shown before it. While the
network was busy, frames may have been dropped between the two. Their time is made up for, but
only until the frame has been shown for the longest time that an image may be; what is left is
skipped. So an answer never takes longer because the one before it took long, however slow the
engine is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

NANOSECONDS = 1_000_000_000


@dataclass(frozen=True)
class Arrival:
    """The place of a received frame in its video.

    `stamp` is in ns, `number` counts the received frames, `video` counts the times that their
    stamps jumped, and `jump` describes the last of these jumps; it is empty for none. A frame
    with the stamp of the one before it is a duplicate, for which no time has passed.
    """

    stamp: int
    number: int = 0
    video: int = 0
    jump: str = ''
    is_duplicate: bool = False


@dataclass(frozen=True)
class Step:
    """What a frame does to the simulation: run for `duration` s, from rest if `restart`.

    `reason` says why time did not simply go on; it is empty for the first frame. `skipped` is
    the time in s since the frame before that is not simulated.
    """

    duration: float
    restart: bool
    reason: str = ''
    skipped: float = 0.0


class StreamClock:
    """Simulated time that follows the stamps of the frames, in whole time steps.

    What does not fill a time step is left for the next frame, so that the simulated time does
    not drift from the stamps. One thread may call `arrive` while another calls the rest.
    """

    def __init__(self) -> None:
        self._arrived: Arrival | None = None
        self._shown: Arrival | None = None
        self._refused = 0
        self._rest = 0

    def reset(self) -> None:
        """Forget the frames so far: the next one starts from rest."""
        self._shown = None

    def arrive(self, stamp: int, gap: float) -> Arrival:
        """Note a frame stamped `stamp` (ns) when it is received, before its turn has come.

        Stamps jump if they go back, or on by more than `gap` s. That is judged here, from
        one received frame to the next: how long a frame waits for its turn is no gap.
        """
        before = self._arrived
        if before is None:
            self._arrived = Arrival(stamp)
            return self._arrived
        video, jump = before.video, before.jump
        elapsed = stamp - before.stamp
        if elapsed == 0:
            return replace(before, is_duplicate=True)
        if elapsed < 0:
            video, jump = video + 1, f'the stamp is {-elapsed / 1e9:.3f} s before the last'
        elif elapsed > round(gap * NANOSECONDS):
            video, jump = video + 1, f'the stamp is {elapsed / 1e9:.3f} s after the last'
        self._arrived = Arrival(stamp, before.number + 1, video, jump)
        return self._arrived

    def refuse(self) -> None:
        """Note a frame that was not a usable image: the next one is shown for its time too."""
        self._refused += 1

    def advance(self, arrival: Arrival, longest: float, dt: float) -> Step:
        """The step for the frame of `arrival`, in time steps of `dt` s.

        The first frame and one after a jump are shown for `longest` s to a network at rest.
        Others are shown for the time since the frame before. If frames were dropped between
        the two it is at most `longest` s, or the mean time from frame to frame if that is more.
        """
        last, self._shown = self._shown, arrival
        refused, self._refused = self._refused, 0
        if last is None or arrival.video != last.video:
            self._rest = 0
            return Step(longest, restart=True, reason=arrival.jump if last else '')
        elapsed = arrival.stamp - last.stamp
        own = elapsed // (arrival.number - last.number - refused)
        shown = min(elapsed, max(own, round(longest * NANOSECONDS)))
        unit = round(dt * NANOSECONDS)
        steps, self._rest = divmod(shown + self._rest, unit)
        return Step(
            max(steps, 1) * unit / NANOSECONDS,
            restart=False,
            skipped=(elapsed - shown) / NANOSECONDS,
        )
