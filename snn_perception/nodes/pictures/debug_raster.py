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

"""The strip of spikes in the picture of an answer: a band of dots for each layer of neurons."""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray

from snn_perception.model import Model
from snn_perception.nodes.pictures.debug_lettering import GROUND, Style, figures, put, words
from snn_perception.record import Record
from snn_perception.views import FRAME, Views

FULL_RATE = 100.0
"""Mean rate in Hz at which a band is full of dots; few neurons ever fire faster."""

TOLERANCE = 1e-6
"""Seconds that are nothing."""

DOT = 2
"""Pixels along an edge of a dot."""

LINE = 16
"""Pixels for a line of text."""

NAMES, RATES = 56, 56
"""Pixels at the left for the names of the bands, and at the right for their rates."""

SPACE = 8
LATER, BAND, SPIKE, DECISION = (25, 29, 35), (36, 41, 50), (104, 194, 255), (255, 196, 61)
PALETTE = np.array([GROUND, LATER, BAND, SPIKE, DECISION], np.uint8)
DIM, TEXT = Style(11, (154, 160, 166)), Style(11, (232, 234, 237))
MARK = Style(11, DECISION)


@dataclass(frozen=True)
class Spikes:
    """The spikes that led to an answer, in pieces of time.

    counts: int (pieces, layers), the spikes of all neurons of a layer in each piece.
    ends: float (pieces,), s of simulated time by when each piece was over; they grow.
    neurons: how many neurons each layer has, in all views together; 0 for a readout.
    """

    counts: NDArray[np.int64]
    ends: NDArray[np.float64]
    neurons: tuple[int, ...]

    @classmethod
    def of(cls, record: Record, image: int, model: Model, views: Views = FRAME) -> Spikes:
        """Those of one `image` of the batch in `record`; `views` of it were shown to `model`."""
        shown = views.count * model.readout.views
        neurons = tuple(shown * population.neurons for population in model.network.populations)
        return cls(record.spikes[:, image], record.steps * model.dt, neurons)

    def until(self, time: float) -> Spikes:
        """The spikes of the first `time` s."""
        pieces = int(np.searchsorted(self.ends, time + TOLERANCE))
        return replace(self, counts=self.counts[:pieces], ends=self.ends[:pieces])


@dataclass(frozen=True)
class _Band:
    """One row: the mean rates in Hz of each piece, float64 (pieces,), and over all of them."""

    name: str
    rates: NDArray[np.float64]
    mean: float


class RasterStrip:
    """Draws spikes as a strip of `width` x `height` pixels: time to the right, layers downwards.

    A band has room for a few neurons, and a dot is a spike of one of them, drawn by lot with the
    mean rate of its layer. The lots are always the same, so that pictures compare.
    """

    def __init__(self, width: int, height: int) -> None:
        self._columns = (width - NAMES - RATES) // DOT
        self._rows = (height - 2 * LINE) // DOT
        self._lots = FULL_RATE * np.random.default_rng(0).random((self._rows, self._columns))

    def draw(
        self, strip: NDArray[np.uint8], spikes: Spikes, simulated: float, longest: float
    ) -> None:
        """Draw on `strip`, uint8 RGB (height, width, 3), which is empty ground.

        The decision fell after `simulated` s of the `longest` s that it could have taken; later
        spikes are not shown.
        """
        spikes = spikes.until(simulated)
        title, rate_title = words('spikes in each layer', DIM), words('mean rate', DIM)
        put(strip, title, 0, 0)
        put(strip, rate_title, strip.shape[1], 0, right=True)
        bands = _bands(spikes, (self._rows + 1) // 2)
        if not bands:
            return
        span = max(longest, simulated, TOLERANCE)
        height = (self._rows + 1) // len(bands)
        self._draw_dots(strip, bands, height, spikes.ends, span, simulated)
        # Where bands are thinner than letters, only some have names.
        named = -(-title.shape[0] // (DOT * height))
        for row, band in list(enumerate(bands))[::named]:
            name = words(band.name, DIM)
            spare = DOT * (height - 1) - name.shape[0]
            top = LINE + DOT * row * height + max(0, spare // 2)
            put(strip, name, 0, top)
            rate = figures(f'{band.mean:.1f} Hz', TEXT)
            put(strip, rate, strip.shape[1], top, right=True)
        self._draw_times(strip, LINE + DOT * height * len(bands), span)
        mark = words('decision', MARK)
        x = NAMES + round(simulated / span * DOT * self._columns) - mark.shape[1] // 2
        last = strip.shape[1] - rate_title.shape[1] - mark.shape[1] - SPACE
        put(strip, mark, min(max(x, title.shape[1] + SPACE), last), 0)

    def _draw_dots(
        self,
        strip: NDArray[np.uint8],
        bands: list[_Band],
        height: int,
        ends: NDArray[np.float64],
        span: float,
        simulated: float,
    ) -> None:
        """Draw the bands, each of `height` rows of dots, of which the last stays empty."""
        times = (np.arange(self._columns) + 0.5) * (span / self._columns)
        pieces = np.searchsorted(ends, times)
        is_before = times < simulated
        cells = np.zeros((height * len(bands), self._columns), np.uint8)
        for row, band in enumerate(bands):
            rates = np.append(band.rates, 0.0)[pieces]
            rows = slice(row * height, (row + 1) * height - 1)
            cells[rows] = 1 + is_before + (self._lots[rows] < rates)
        end = min(int(is_before.sum()), self._columns - 1)
        cells[:, end] = 4
        dots = PALETTE[cells]
        size = (DOT * cells.shape[1], DOT * cells.shape[0])
        area = strip[LINE : LINE + size[1], NAMES : NAMES + size[0]]
        area[:] = cv2.resize(dots, size, interpolation=cv2.INTER_NEAREST)

    def _draw_times(self, strip: NDArray[np.uint8], top: int, span: float) -> None:
        """Write ms of simulated time below the bands."""
        step = _round(1e3 * span / 8)
        for number in range(int(1e3 * span / step + TOLERANCE) + 1):
            text = words(f'{number * step:g}' + ' ms' * (number == 0), DIM)
            x = NAMES + round(number * step / (1e3 * span) * DOT * self._columns)
            put(strip, text, x - text.shape[1] // 2 * (number > 0), top)


def _bands(spikes: Spikes, most: int) -> list[_Band]:
    """The layers with neurons as bands; neighbours share one where there are more than `most`."""
    sizes = np.array(spikes.neurons)
    layers = np.flatnonzero(sizes)
    durations = np.diff(spikes.ends, prepend=0.0)
    share = -(-len(layers) // most)
    bands = []
    for first in range(0, len(layers), share or 1):
        chosen = layers[first : first + share]
        counts = spikes.counts[:, chosen].sum(axis=1) / sizes[chosen].sum()
        name = f'layer {first + 1}' if share == 1 else f'{first + 1}-{first + len(chosen)}'
        mean = float(counts.sum() / max(durations.sum(), TOLERANCE))
        bands.append(_Band(name, counts / durations, mean))
    return bands


def _round(value: float) -> float:
    """The least of 1, 2, 5, 10, 20 ... that is not below `value`."""
    decade = 10.0 ** np.floor(np.log10(value))
    return float(next(digit * decade for digit in (1, 2, 5, 10) if digit * decade >= value))
