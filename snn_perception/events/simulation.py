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

"""The pixels of an event camera, simulated: from images that follow each other to events.

Each pixel sees the logarithm of the light, through a photoreceptor that is slower the darker it
is. When that has changed by the pixel's own threshold since its last event, it sends one: on for
brighter, off for darker. Afterwards it is blind for the refractory time, and starts to compare
from what it sees then. Lichtsteiner, Posch and Delbruck, "A 128x128 120 dB 15 us latency
asynchronous temporal contrast vision sensor", 2008; Hu, Liu and Delbruck, "v2e: From video frames
to realistic DVS events", 2021 (dark pixels are slow, leak events, spread of thresholds).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snn_perception.compiled import compiled
from snn_perception.events.stream import Events

LONGEST_STEP = 2000.0
"""Microseconds that a photoreceptor is advanced by at once."""
CONVERGED = 1e-4
"""Difference to its goal (ln of light) from which on a photoreceptor has come there."""


@dataclass(frozen=True)
class Sensor:
    """What the pixels of a sensor are like.

    `threshold` is the change of the natural logarithm of the light that makes an event, and
    `threshold_spread` the standard deviation of it between pixels. `refractory_time` (s) is how
    long a pixel is blind after an event, at least, and `refractory_spread` the mean of what comes
    on top, by chance and each time anew. `latency` (s) is the time constant of a photoreceptor in
    the light of white; it grows as the light fades. `darkness` is the light that comes from
    black, as a share of white, and `gamma` the power that turns levels of an image into light.
    `noise_rate` (Hz) is that of events by chance in each pixel, half of them on, and `leak_rate`
    (Hz) that of on events in a pixel that sees no change. Raises ValueError for values out of
    range.
    """

    threshold: float = 0.25
    threshold_spread: float = 0.03
    refractory_time: float = 0.001
    refractory_spread: float = 0.0
    latency: float = 0.0005
    darkness: float = 0.05
    gamma: float = 1.0
    noise_rate: float = 0.1
    leak_rate: float = 0.0

    def __post_init__(self) -> None:
        for name in ('threshold', 'darkness', 'gamma'):
            self._require(name, getattr(self, name) > 0, 'positive')
        for name in (
            *('threshold_spread', 'refractory_time', 'refractory_spread', 'latency'),
            *('noise_rate', 'leak_rate'),
        ):
            self._require(name, getattr(self, name) >= 0, '0 or more')

    def _require(self, name: str, holds: bool, words: str) -> None:
        value = getattr(self, name)
        if not (math.isfinite(value) and holds):
            raise ValueError(f'{name} of a sensor must be {words}, not {value}')


class SimulatedSensor:
    """A `sensor` of `height` x `width` pixels, which are drawn with `seed` and remember.

    The light changes evenly between one image and the next.
    """

    def __init__(self, sensor: Sensor, height: int, width: int, seed: int = 0) -> None:
        self.sensor, self.height, self.width = sensor, height, width
        self._random = np.random.default_rng(seed)
        shape = (2, height, width)
        spread = self._random.normal(sensor.threshold, sensor.threshold_spread, shape)
        self._thresholds = np.maximum(spread, 0.1 * sensor.threshold)
        levels = (np.arange(256) / 255) ** sensor.gamma
        self._light = sensor.darkness + (1 - sensor.darkness) * levels
        self._time: int | None = None
        self._image = np.zeros((height, width), np.uint8)
        # What the photoreceptors give, what it is compared with, and until when they are blind.
        self._memory = np.zeros((3, height, width))

    def see(self, images: NDArray[np.uint8], times: NDArray[np.int64]) -> Events:
        """Events since the last image until the last one of `images`; the very first makes none.

        images: grey levels (count, height, width), at `times` (us). Raises ValueError for images
        of another shape or type, and for times that do not ascend.
        """
        self._check(images, times)
        if self._time is None:
            self._time, self._image = int(times[0]), images[0]
            self._memory[:2] = np.log(self._light)[images[0]]
            if self.sensor.leak_rate:
                # It has leaked since each pixel's last event, which may be any time ago.
                self._memory[1] -= self._thresholds[1] * self._random.random(images[0].shape)
            self._memory[2] = -np.inf
        sensor = self.sensor
        found = _respond(
            self._image, images, self._light, np.log(self._light), self._memory, self._thresholds,
            self._time, times, 1e6 * sensor.latency, 1e6 * sensor.refractory_time,
            1e6 * sensor.refractory_spread, 1e-6 * sensor.leak_rate, self._random,
        )  # fmt: skip
        noise = self._noise(int(times[-1]) - self._time)
        self._time, self._image = int(times[-1]), images[-1].copy()
        t, x, y, on = (np.concatenate(pair) for pair in zip(found, noise, strict=True))
        order = np.argsort(t, kind='stable')
        return Events(
            t[order], x[order].astype(np.uint16), y[order].astype(np.uint16),
            on[order].astype(np.uint8), self.width, self.height,
        )  # fmt: skip

    def _check(self, images: NDArray, times: NDArray) -> None:
        shape = (len(times), self.height, self.width)
        if images.dtype != np.uint8 or images.shape != shape or not len(times):
            raise ValueError(
                f'images for this sensor and these times must be uint8 of the shape {shape}, and '
                f'at least one, not {images.dtype} of {images.shape}'
            )
        before = [] if self._time is None else [self._time]
        if np.any(np.diff([*before, *times]) <= 0):
            raise ValueError('the times of images must ascend, from call to call, too')

    def _noise(self, span: int) -> tuple[NDArray, ...]:
        """Events by chance within `span` us after the last image: times, x, y, on."""
        pixels = self.height * self.width
        count = self._random.poisson(self.sensor.noise_rate * 1e-6 * span * pixels)
        places = self._random.integers(pixels, size=count)
        times = (self._time or 0) + self._random.integers(max(span, 1), size=count)
        return times, places % self.width, places // self.width, self._random.random(count) < 0.5


@compiled()
def _respond(
    first: Any,
    images: Any,
    light_of: Any,
    log_of: Any,
    memory: Any,
    thresholds: Any,
    time: Any,
    times: Any,
    latency: Any,
    refractory: Any,
    refractory_spread: Any,
    leak: Any,
    random: Any,
) -> tuple[NDArray, NDArray, NDArray, NDArray]:
    """Times, x, y and polarities of events, pixel by pixel, from the image `first` at `time` on.

    Times are in us, `leak` in events per us; advances `memory`.
    """
    found_t, found_x = np.empty(1024, np.int64), np.empty(1024, np.int64)
    found_y, found_on = np.empty(1024, np.int64), np.empty(1024, np.bool_)
    count = 0
    _, height, width = images.shape
    for y in range(height):
        for x in range(width):
            level, reference, blind = memory[0, y, x], memory[1, y, x], memory[2, y, x]
            off_threshold, on_threshold = thresholds[0, y, x], thresholds[1, y, x]
            begun, before = time, first[y, x]
            for number in range(len(times)):
                span, after = times[number] - begun, images[number, y, x]
                if before == after and level == log_of[after] and leak == 0:
                    begun, before = times[number], after
                    continue
                steps = max(int(np.ceil(span / LONGEST_STEP)), 1)
                step = span / steps
                for part in range(steps if span > 0 else 0):
                    start = begun + part * step
                    share = (part + 1) / steps
                    light = light_of[before] + share * (light_of[after] - light_of[before])
                    target = log_of[after] if share == 1 else np.log(light)
                    ended = target
                    if latency > 0 and abs(level - target) > CONVERGED:
                        ended += (level - target) * np.exp(-step * light / latency)
                    slope = (ended - level) / step
                    reference -= leak * on_threshold * step
                    now = start
                    while True:
                        if blind > now:
                            if blind >= start + step:
                                break
                            now = blind
                            reference = level + slope * (now - start)
                        is_on = ended >= reference + on_threshold
                        if not is_on and ended > reference - off_threshold:
                            break
                        reference += on_threshold if is_on else -off_threshold
                        if slope != 0:
                            now = max(now, start + (reference - level) / slope)
                        if count == len(found_t):
                            found_t = np.concatenate((found_t, found_t))
                            found_x = np.concatenate((found_x, found_x))
                            found_y = np.concatenate((found_y, found_y))
                            found_on = np.concatenate((found_on, found_on))
                        found_t[count], found_x[count], found_y[count] = int(now), x, y
                        found_on[count] = is_on
                        count += 1
                        blind = now + refractory
                        if refractory_spread > 0:
                            blind += random.exponential(refractory_spread)
                    level = ended
                begun, before = times[number], after
            memory[0, y, x], memory[1, y, x], memory[2, y, x] = level, reference, blind
    return found_t[:count], found_x[:count], found_y[:count], found_on[:count]
