"""How a node that classifies frames is doing: counts, rates, and a verdict in one sentence."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum


class Level(IntEnum):
    """Severity, with the numbers of diagnostic_msgs/DiagnosticStatus."""

    OK = 0
    WARN = 1
    ERROR = 2
    STALE = 3


@dataclass
class Counts:
    """Frames since the node became active, or was reset.

    `dropped` were overwritten by a newer one before their turn, `rejected` were no usable
    images, `failed` ended in an error of the engine, `restarts` are those of a stream.
    """

    received: int = 0
    classified: int = 0
    dropped: int = 0
    rejected: int = 0
    failed: int = 0
    restarts: int = 0


@dataclass(frozen=True)
class Report:
    """One verdict: its level, a sentence, and the values behind it, as text by name."""

    level: Level
    message: str
    values: dict[str, str]


class Health:
    """Counts what happens to frames, and sums up the time since the last report.

    Any thread may call any method. `clock` gives seconds that only grow; `patience` is how
    many seconds without a frame are unremarkable.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic, patience: float = 2.0) -> None:
        self._clock = clock
        self._patience = patience
        self._lock = threading.Lock()
        self.reset()

    def reset(self) -> None:
        """Forget all frames and errors so far, but not who sends what cannot be received."""
        with self._lock:
            self._total = Counts()
            self._before = Counts()
            self._latencies: list[float] = []
            self._last_error = ''
            self._since = self._last_frame = self._clock()

    def received(self, overwritten: bool) -> None:
        """Count a frame that arrived, and whether it took the place of one that waited."""
        with self._lock:
            self._total.received += 1
            self._total.dropped += overwritten
            self._last_frame = self._clock()

    def classified(self, latency: float) -> None:
        """Count a frame whose answer went out `latency` s after its stamp, NaN if it has none."""
        with self._lock:
            self._total.classified += 1
            if math.isfinite(latency):
                self._latencies.append(latency)

    def rejected(self, reason: str) -> None:
        """Count a frame that was no usable image."""
        with self._lock:
            self._total.rejected += 1
            self._last_error = reason

    def failed(self, reason: str) -> None:
        """Count a frame that the engine could not classify."""
        with self._lock:
            self._total.failed += 1
            self._last_error = reason

    def restarted(self) -> None:
        """Count a stream that had to begin again at rest."""
        with self._lock:
            self._total.restarts += 1

    @property
    def counts(self) -> Counts:
        """The counts now."""
        with self._lock:
            return Counts(**vars(self._total))

    def report(self, topic: str, publishers: int, warning: str = '') -> Report:
        """The verdict on the time since the last one.

        Frames come on `topic`, which has so many `publishers`; `warning` is a lasting trouble.
        """
        with self._lock:
            now = self._clock()
            recent = Counts(
                **{
                    name: count - vars(self._before)[name]
                    for name, count in vars(self._total).items()
                }
            )
            silence = now - self._last_frame
            if silence > self._patience and not warning:
                level = Level.STALE
                message = (
                    f'no frame for {silence:.0f} s on {topic}, which has {publishers} publishers'
                )
            else:
                level, message = self._judge(recent, topic, warning)
            seconds = max(now - self._since, 1e-9)
            values = {'rate_hz': f'{recent.classified / seconds:.3f}'}
            if self._latencies:
                mean = sum(self._latencies) / len(self._latencies)
                values['latency_ms'] = f'{1e3 * mean:.3f}'
                values['latency_max_ms'] = f'{1e3 * max(self._latencies):.3f}'
            values |= {name: str(count) for name, count in vars(self._total).items()}
            values['last_error'] = self._last_error
            self._before = Counts(**vars(self._total))
            self._latencies = []
            self._since = now
            return Report(level, message, values)

    def _judge(self, recent: Counts, topic: str, warning: str) -> tuple[Level, str]:
        if recent.failed:
            return Level.ERROR, f'{recent.failed} frames failed: {self._last_error}'
        if recent.rejected:
            level = Level.WARN if recent.classified else Level.ERROR
            return level, f'{recent.rejected} frames rejected: {self._last_error}'
        if warning:
            return Level.WARN, warning
        return Level.OK, f'classifying {topic}'
