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

"""The pictures of figures show these figures: read back from what is drawn."""

from __future__ import annotations

from dataclasses import replace

import colour_model
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from snn_perception.backends import create_simulator
from snn_perception.datasets import Dataset
from snn_perception.evaluation.reliability import calibration_of_checks, reliability
from snn_perception.evaluation.trajectories import OperatingPoint, Trajectories, record
from snn_perception.readout import Readout
from snn_perception.reporting import pictures


def trajectories(threshold: float) -> tuple[Trajectories, OperatingPoint]:
    """Of the colours, dark and bright and one labelled wrongly, with their operating point."""
    size = colour_model.SIZE
    levels = np.array([60, 90, 120, 160, 200, 255])
    whole = np.stack([colour_model.image(name, size, size) for name in colour_model.LABELS])
    images = np.concatenate([whole // 255 * level for level in levels]).astype(np.uint8)
    labels = np.tile(np.arange(3), len(levels))
    labels[-1] = 0
    model = colour_model.build()
    model = replace(model, readout=Readout(0.04, 0.004, 0.002, threshold, temperature=0.1))
    simulator, rates = create_simulator(model, 'reference'), create_simulator(model, 'rate')
    recorded = record(simulator, rates, Dataset(images, labels, model.labels))
    return recorded, recorded.operating_point(threshold)


def line(axes: Axes, label: str) -> tuple[np.ndarray, np.ndarray]:
    """The points of the only line whose label begins so."""
    [found] = [line for line in axes.get_lines() if str(line.get_label()).startswith(label)]
    return np.asarray(found.get_xdata()), np.asarray(found.get_ydata())


def heights(axes: Axes) -> list[float]:
    return [bar.get_height() for bar in axes.patches]


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for axes in figure.axes for text in axes.texts]


@pytest.mark.parametrize('threshold', [0.6, 1.0])
def test_the_model_as_it_is_set_is_a_star_in_both_trade_offs(threshold):
    recorded, own = trajectories(threshold)
    over_time = pictures.accuracy_over_time(recorded, own).axes[0]
    assert line(over_time, 'the model as configured') == (1000 * own.simulated_time, own.accuracy)
    work = pictures.accuracy_against_operations(recorded, own).axes[0]
    assert line(work, 'the model as configured') == ([own.operations], [own.accuracy])


@pytest.mark.parametrize(
    'draw', [pictures.accuracy_over_time, pictures.accuracy_against_operations]
)
def test_the_legend_is_above_everything_that_its_axes_show(draw):
    figure = draw(*trajectories(0.6))
    figure.draw_without_rendering()
    axes = figure.axes[0]
    legend = axes.get_legend()
    bottom = legend.get_window_extent().y0
    legend.remove()
    assert axes.get_tightbbox().y1 <= bottom < figure.bbox.y1


def test_a_pass_without_spikes_is_a_line_at_its_macs_and_at_one_per_mac():
    recorded, own = trajectories(0.6)
    axes = pictures.accuracy_against_operations(recorded, own).axes[0]
    macs = recorded.simulator.model.network.macs
    where, _ = line(axes, 'one pass without spikes')
    assert set(where) == {macs}
    [per_mac] = axes.child_axes
    axes.figure.draw_without_rendering()
    assert np.divide(axes.get_xlim(), macs) == pytest.approx(per_mac.get_xlim())


def test_times_of_decisions_are_shown_where_a_model_may_stop():
    recorded, own = trajectories(0.6)
    _, below = pictures.accuracy_over_time(recorded, own).axes
    counts = np.bincount(recorded.stops(0.6), minlength=len(recorded.steps))
    assert (counts > 0).sum() > 2
    assert heights(below) == pytest.approx(counts / counts.sum())
    middles = [bar.get_x() + bar.get_width() / 2 for bar in below.patches]
    assert middles == pytest.approx(recorded.steps)  # of 1 ms
    assert f'{1000 * own.simulated_time:.1f} ms' in below.get_title()
    assert len(pictures.accuracy_over_time(*trajectories(1.0)).axes) == 1


def test_calibration_shows_bins_and_looks():
    recorded, _ = trajectories(0.6)
    scores, times = recorded.scores, recorded.steps * 0.001
    bins = reliability(scores.max(axis=2)[:, 0], scores.argmax(axis=2)[:, 0] == recorded.labels)
    checks = calibration_of_checks(scores, recorded.labels)
    figure = pictures.calibration(bins, checks, times)
    shares, overall, counts, errors = figure.axes
    assert heights(shares)[:15] == pytest.approx(bins.accuracy, nan_ok=True)
    gaps = bins.confidence - bins.accuracy
    assert heights(shares)[15:] == pytest.approx(gaps, nan_ok=True)
    assert heights(counts) == bins.counts.tolist()
    error = f'{100 * bins.expected_calibration_error:.2f} %'
    assert error in shares.get_legend().get_title().get_text()
    for axes, label, values in (
        (overall, 'accuracy', checks.accuracy),
        (overall, 'mean score', checks.confidence),
        (errors, '', checks.error),
    ):
        x, y = line(axes, label)
        np.testing.assert_allclose(x, 1000 * times)
        np.testing.assert_array_equal(y, values)


def test_confusion_has_counts_and_the_share_of_right_answers():
    matrix = np.array([[3, 1, 0], [0, 2, 2], [0, 0, 0]])
    assert texts(pictures.confusion(matrix, ('a', 'b', 'c'))) == [
        *('3', '1', '2', '2'),
        *('75.0 %', '50.0 %', '-'),
    ]


def test_of_a_thousand_classes_the_pairs_confused_most_often_are_shown():
    labels = tuple(f'class {index}, thing {index}, the {index}th of all' for index in range(1000))
    matrix = 40 * np.eye(1000, dtype=int)
    matrix[7, 900], matrix[900, 7], matrix[0, 1:100] = 9, 5, 1
    axes = pictures.confusion(matrix, labels).axes[0]
    widths = [bar.get_width() for bar in axes.patches]
    assert widths == [9, 5] + [1] * (pictures.MOST_PAIRS - 2)
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names[:3] == ['class 7 as class 900', 'class 900 as class 7', 'class 0 as class 1']
    assert [text.get_text() for text in axes.texts][:3] == ['9 of 49', '5 of 45', '1 of 139']


def test_where_nothing_of_many_classes_is_confused_no_pair_is_shown():
    labels = tuple(f'class {index}' for index in range(pictures.MOST_NAMED + 1))
    figure = pictures.confusion(np.eye(len(labels), dtype=int), labels)
    figure.draw_without_rendering()
    assert not figure.axes[0].patches


def test_layers_have_their_mean_rates_and_operations():
    recorded, _ = trajectories(1.0)
    evaluation = recorded.evaluation(1.0)
    left, right = pictures.layers(recorded.simulator.model, evaluation).axes
    neurons = recorded.simulator.model.network.neurons
    rate = evaluation.per_layer('spikes')[0] / neurons / 0.04
    assert left.patches[0].get_width() == pytest.approx(rate)
    assert rate > 0
    operations = [bar.get_width() for bar in right.patches[:2]]
    assert operations == pytest.approx(evaluation.per_layer('synaptic_operations'))
