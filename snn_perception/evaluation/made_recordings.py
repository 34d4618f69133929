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

"""Recordings of nothing that any model knows, made here: noise, silence, hot pixels, flicker.

They show, without any data, whether a model notices that it has no answer.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from snn_perception.datasets.event_set import EventSet, packed
from snn_perception.events.shaping import EventShaping
from snn_perception.events.stream import Events

SEED = 0
RECORDINGS = 100
"""Of each kind."""

Times = NDArray[np.float64]
Columns = tuple[Times, NDArray[np.int64], NDArray[np.int64]]
"""When, in s, which pixel, and which polarity; in any order."""
Maker = Callable[[Generator, int, float], Columns]
"""Makes the events of a number of pixels in a time in s."""


def made_recordings(
    shaping: EventShaping, duration: float, count: int = RECORDINGS
) -> dict[str, EventSet]:
    """`count` recordings of `duration` (s) of each kind, always the same ones.

    They are of a sensor as large as the input of the network that `shaping` is for, and have been
    through its filters.
    """
    height, width, _ = shaping.shape
    whole = replace(shaping, crop=None, pooling=1)
    made = {}
    for number, (kind, maker) in enumerate(KINDS.items()):
        random = np.random.default_rng((SEED, number))
        recordings = []
        for _ in range(count):
            events = _recorded(maker(random, height * width, duration), width, height)
            recordings.append(whole.apply(whole.rest(width, height), events))
        names = [f'{kind} {index}' for index in range(count)]
        made[kind] = packed(recordings, np.zeros(count, np.int64), names, ('',))
    return made


def noise(random: Generator, pixels: int, duration: float) -> Columns:
    """Each pixel for itself, at a mean rate of 1 to 100 Hz."""
    rate = 10 ** random.uniform(0, 2)
    count = random.poisson(rate * pixels * duration)
    return (
        _at_random(random, count, duration),
        random.integers(pixels, size=count),
        _any(random, count),
    )


def silence(random: Generator, pixels: int, duration: float) -> Columns:
    """Nothing moves: hardly any events, or none."""
    count = random.poisson(random.choice((0.0, 0.05, 0.2)) * pixels * duration)
    return (
        _at_random(random, count, duration),
        random.integers(pixels, size=count),
        _any(random, count),
    )


def hot_pixels(random: Generator, pixels: int, duration: float) -> Columns:
    """One to ten pixels that fire at 0.5 to 10 kHz without end, each of one polarity."""
    parts = []
    for pixel in random.choice(pixels, min(pixels, random.integers(1, 11)), replace=False):
        count = random.poisson(10 ** random.uniform(2.7, 4) * duration)
        polarity = np.full(count, random.integers(2))
        parts.append((_at_random(random, count, duration), np.full(count, pixel), polarity))
    times, places, polarities = (np.concatenate(each) for each in zip(*parts, strict=True))
    return times, places, polarities


def flicker(random: Generator, pixels: int, duration: float) -> Columns:
    """A lamp: most of the sensor on, then off, 50 to 200 times a second, within a few ms."""
    period = 1 / random.uniform(50, 200)
    flanks = np.arange(-random.uniform(0, 1), 2 * duration / period) * period / 2
    times = flanks[:, None] + random.normal(0, period / 20, (len(flanks), pixels))
    polarities = np.broadcast_to((np.arange(len(flanks)) % 2)[:, None], times.shape)
    heard = (random.random(times.shape) < random.uniform(0.5, 1)) & (times >= 0)
    places = np.broadcast_to(np.arange(pixels), times.shape)
    return times[heard], places[heard], polarities[heard]


KINDS: dict[str, Maker] = {
    'noise': noise,
    'silence': silence,
    'hot pixels': hot_pixels,
    'flicker': flicker,
}


def _recorded(columns: Columns, width: int, height: int) -> Events:
    times, places, polarities = columns
    order = np.argsort(times, kind='stable')
    y, x = np.divmod(places[order], width)
    t = (1e6 * times[order]).astype(np.int64)
    return Events.of(t, x, y, polarities[order], width, height)


def _at_random(random: Generator, count: int, duration: float) -> Times:
    return random.uniform(0, duration, count)


def _any(random: Generator, count: int) -> NDArray[np.int64]:
    return random.integers(2, size=count)
