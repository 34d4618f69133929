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

"""The strip of spikes: dots by rate, per neuron, at their time, up to the decision."""

from __future__ import annotations

from dataclasses import replace

import colour_model
import numpy as np
import pytest
from debug_scenes import spikes

from snn_perception.nodes.pictures.debug_lettering import GROUND
from snn_perception.nodes.pictures.debug_raster import (
    DECISION,
    FULL_RATE,
    LATER,
    NAMES,
    SPIKE,
    RasterStrip,
    Spikes,
)
from snn_perception.record import Record

WIDTH, HEIGHT = 624, 144
STRIP = RasterStrip(WIDTH, HEIGHT)
NEURONS = 1000
PIECE = 0.001


def draw(shown: Spikes, simulated: float = 0.05, longest: float = 0.1) -> np.ndarray:
    """The strip in a picture with a margin, which stays empty."""
    picture = np.full((HEIGHT + 20, WIDTH + 20, 3), GROUND, np.uint8)
    strip = picture[10:-10, 10:-10]
    STRIP.draw(strip, shown, simulated, longest)
    margin = picture.copy()
    margin[10:-10, 10:-10] = GROUND
    assert (margin == np.array(GROUND, np.uint8)).all()
    return strip


def steady(rate: float, pieces: int = 50, layers: int = 1, neurons: int = NEURONS) -> Spikes:
    """Layers that fire at `rate` Hz."""
    counts = np.full((pieces, layers), round(rate * neurons * PIECE))
    return spikes(counts, PIECE, (neurons,) * layers)


def has(strip: np.ndarray, colour: tuple[int, int, int]) -> np.ndarray:
    """Where `strip` has `colour`: bool (height, width)."""
    return (strip == np.array(colour, np.uint8)).all(axis=2)


def share_of_dots(strip: np.ndarray) -> float:
    """How much of the bands before the decision is dots."""
    line = int(np.flatnonzero(has(strip, DECISION).sum(axis=0) > 50)[0])
    rows = np.flatnonzero(has(strip, LATER).sum(axis=1) > 100)
    return float(has(strip, SPIKE)[rows, NAMES:line].mean())


@pytest.mark.parametrize('rate', [2.0, 10.0, 50.0, 99.0])
def test_the_share_of_dots_is_the_mean_rate(rate: float) -> None:
    assert share_of_dots(draw(steady(rate))) == pytest.approx(rate / FULL_RATE, rel=0.25)


@pytest.mark.parametrize('rate', [0.0, 2 * FULL_RATE])
def test_a_silent_layer_has_no_dots_and_a_fast_one_is_full_of_them(rate: float) -> None:
    assert share_of_dots(draw(steady(rate))) == (rate > 0)


def test_layers_compare_by_their_rate_per_neuron() -> None:
    few, many = steady(20.0, neurons=100), steady(20.0, neurons=50_000)
    assert np.array_equal(draw(few), draw(many))


def test_dots_stand_at_the_time_of_the_spikes() -> None:
    counts = np.zeros((50, 1))
    counts[10:20] = NEURONS * PIECE * FULL_RATE
    columns = np.flatnonzero(has(draw(spikes(counts, PIECE, (NEURONS,))), SPIKE).any(axis=0))
    start, end = columns[0] - NAMES, columns[-1] + 1 - NAMES
    assert start == pytest.approx(512 * 0.010 / 0.1, abs=2)
    assert end == pytest.approx(512 * 0.020 / 0.1, abs=2)


@pytest.mark.parametrize('simulated', [0.01, 0.05, 0.1])
def test_a_line_marks_the_decision_and_nothing_fires_after_it(simulated: float) -> None:
    strip = draw(steady(60.0, pieces=100), simulated)
    [*line] = np.flatnonzero(has(strip, DECISION).sum(axis=0) > 50)
    assert line[0] - NAMES == pytest.approx(512 * simulated / 0.1, abs=2)
    assert not has(strip, SPIKE)[:, line[-1] + 1 :].any()


def test_the_readout_has_no_band() -> None:
    with_readout = spikes([[20, 0]] * 50, PIECE, (NEURONS, 0))
    assert np.array_equal(draw(with_readout), draw(steady(20.0)))


def test_a_network_without_neurons_has_no_bands() -> None:
    assert not has(draw(spikes([[0]] * 50, PIECE, (0,))), DECISION).sum(axis=0).max() > 50


@pytest.mark.parametrize('layers', [1, 5, 8, 12, 28, 29, 60, 200])
def test_any_number_of_layers_fits(layers: int) -> None:
    strip = draw(steady(50.0, layers=layers))
    assert share_of_dots(strip) == pytest.approx(0.5, rel=0.1)


def test_the_layer_that_fires_is_the_one_with_dots() -> None:
    counts = np.zeros((50, 5))
    counts[:, 3] = 50
    rows = np.flatnonzero(has(draw(spikes(counts, PIECE, (NEURONS,) * 5)), SPIKE).any(axis=1))
    bands = np.flatnonzero(has(draw(steady(0.0, layers=5)), LATER).sum(axis=1) > 100)
    fourth = np.split(bands, np.flatnonzero(np.diff(bands) > 1) + 1)[3]
    assert set(rows) <= set(fourth)
    assert len(rows) > 0.8 * len(fourth)


@pytest.mark.parametrize('longest', [0.0, 0.001, 0.033, 0.06, 0.1, 1.0, 10.0])
@pytest.mark.parametrize('piece', [0.001, 0.0025, 0.005])
def test_any_time_fits_even_none(longest: float, piece: float) -> None:
    pieces = round(longest / piece)
    draw(spikes(np.ones((pieces, 2)), piece, (10, 20)), longest, longest)


def test_pieces_of_any_length_give_the_same_rate() -> None:
    counts = np.array([[5], [20], [25]])
    uneven = Spikes(counts, np.array([0.005, 0.025, 0.05]), (NEURONS // 20,))
    assert np.array_equal(draw(uneven), draw(spikes([[50]], 0.05, (NEURONS // 20,))))


def test_a_record_of_time_steps_tells_the_time_and_the_neurons() -> None:
    model = colour_model.build()
    model = replace(model, dt=0.002, readout=replace(model.readout, mirror=True))
    record = Record()
    record.add(3, np.array([[1, 0], [2, 0]]))
    record.add(5, np.array([[3, 0], [4, 0]]))
    recorded = Spikes.of(record, 1, model)
    assert recorded.counts.tolist() == [[2, 0], [4, 0]]
    assert recorded.ends.tolist() == pytest.approx([0.006, 0.010])
    assert recorded.neurons == (2 * 3 * colour_model.GROUP, 0)


def test_the_same_spikes_give_the_same_picture() -> None:
    assert np.array_equal(draw(steady(20.0)), draw(steady(20.0)))
    assert not np.array_equal(draw(steady(20.0)), draw(steady(21.0)))
