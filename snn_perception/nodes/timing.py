"""How long each frame of a video is shown to a network that never rests."""

from __future__ import annotations

from dataclasses import dataclass

NANOSECONDS = 1_000_000_000


@dataclass(frozen=True)
class Step:
    """What a frame does to the simulation: run for `duration` s, from rest if `restart`.

    `reason` says why time did not simply go on; it is empty for the first frame.
    """

    duration: float
    restart: bool
    reason: str = ''


class StreamClock:
    """Simulated time that follows the stamps of the frames, in whole time steps of `dt` s.

    What does not fill a time step is kept for the next frame, so that the simulated time
    does not drift from the stamps.
    """

    def __init__(self, dt: float) -> None:
        self._dt = round(dt * NANOSECONDS)
        self._last: int | None = None
        self._rest = 0

    def reset(self) -> None:
        """Forget the frames so far: the next one starts from rest."""
        self._last = None

    def advance(self, stamp: int, first: float, gap: float) -> Step:
        """The step for a frame stamped `stamp` (ns).

        The first frame, one that is not later than the frame before, and one that is more
        than `gap` s later are shown for `first` s to a network at rest.
        """
        last, self._last = self._last, stamp
        if last is None:
            return self._start(first, '')
        elapsed = stamp - last
        if elapsed <= 0:
            return self._start(first, f'the stamp is {-elapsed / 1e9:.3f} s before the last')
        if elapsed > round(gap * NANOSECONDS):
            return self._start(first, f'the stamp is {elapsed / 1e9:.3f} s after the last')
        steps, self._rest = divmod(elapsed + self._rest, self._dt)
        return Step(max(steps, 1) * self._dt / NANOSECONDS, restart=False)

    def _start(self, first: float, reason: str) -> Step:
        self._rest = 0
        return Step(first, restart=True, reason=reason)
