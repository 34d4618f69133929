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

"""The pictures of a report that show numbers, each drawn by one function, without a display."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import (
    EngFormatter,
    MaxNLocator,
    NullLocator,
    PercentFormatter,
    StrMethodFormatter,
)
from numpy.typing import NDArray

from snn_perception.evaluation.accuracy import Evaluation
from snn_perception.evaluation.reliability import Checks, Reliability
from snn_perception.evaluation.trajectories import (
    OperatingPoint,
    Trajectories,
    pareto_front,
    times_of,
)
from snn_perception.model import Model
from snn_perception.reporting.style import (
    ACCENT,
    BESIDE,
    PALE,
    RATES,
    SPIKES,
    WIDTH,
    finish,
    legend_above,
    no_evidence,
)
from snn_perception.sentences import shortened
from snn_perception.units import quantity

MOST_NAMED = 30
"""Of more classes no confusion matrix can be read, only which pairs are confused."""
MOST_PAIRS = 25
"""As many pairs of classes are shown then."""
ON_TOP: dict[str, Any] = {
    'loc': 'lower center',
    'bbox_to_anchor': (0.5, 1),
    'frameon': False,
    'fontsize': 9,
}
STAR: dict[str, Any] = {'marker': '*', 'markersize': 15, 'color': ACCENT, 'linestyle': 'none'}


def accuracy_over_time(trajectories: Trajectories, own: OperatingPoint) -> Figure:
    """Accuracy for presentations of each length, and for stopping at a confidence.

    Below, for a model that may stop early, the times of its decisions.
    """
    model = trajectories.simulator.model
    may_stop = own.threshold < 1
    figure = Figure(figsize=(WIDTH, 5.4 if may_stop else 4.0), layout='constrained')
    ratios = (3, 1.3) if may_stop else (1,)
    rows = figure.subplots(len(ratios), 1, sharex=True, height_ratios=ratios, squeeze=False)
    axes = rows[0, 0]
    label = f'the same time for every {model.network.thing}'
    axes.plot(1000 * times_of(model), trajectories.accuracy_over_time, color=SPIKES, label=label)
    stopping = pareto_front(trajectories.operating_points())
    mean_times = [1000 * point.simulated_time for point in stopping]
    accuracies = [point.accuracy for point in stopping]
    label = 'until confident (mean time)'
    axes.plot(mean_times, accuracies, 'o', markersize=5, color=ACCENT, label=label)
    axes.plot(1000 * own.simulated_time, own.accuracy, label=_own(own), **STAR)
    _rate_network(axes, trajectories)
    no_evidence(axes, model)
    axes.set(ylabel='accuracy', xlim=(0, None))
    finish(axes, percent=True)
    legend_above(axes)
    if may_stop:
        _decision_times(rows[1, 0], trajectories, own)
    rows[-1, 0].set_xlabel('simulated time (ms)')
    return figure


def _decision_times(axes: Axes, trajectories: Trajectories, own: OperatingPoint) -> None:
    """The share of decisions made at each check; the mean is the one of `own`."""
    checks = 1000 * trajectories.steps * trajectories.simulator.model.dt
    stops = trajectories.stops(own.threshold)
    counts = np.bincount(stops, minlength=len(checks))
    width = 0.8 * np.diff(checks, prepend=1000 * trajectories.simulator.model.readout.start_time)
    axes.bar(checks, counts / counts.sum(), width.min(), color=SPIKES)
    mean = 1000 * own.simulated_time
    axes.axvline(mean, color='black', linestyle='--')
    axes.set_title(f'decisions of the model as configured, mean {mean:.1f} ms', fontsize=9)
    axes.set_ylabel('decisions')
    finish(axes, percent=True)


def accuracy_against_operations(trajectories: Trajectories, own: OperatingPoint) -> Figure:
    """The Pareto front over confidence thresholds, with the cost of a pass without spikes."""
    figure = Figure(figsize=(WIDTH, 4.6), layout='constrained')
    axes = figure.subplots()
    points = trajectories.operating_points()
    front = pareto_front(points)
    label = 'other thresholds'
    axes.plot(*_costs(points), 'o', markersize=4, color=SPIKES, alpha=0.35, label=label)
    # Between two thresholds, the cheaper of them is the best that is known.
    label = 'Pareto front of thresholds'
    axes.plot(*_costs(front), marker='o', color=SPIKES, drawstyle='steps-post', label=label)
    axes.plot(*_costs([own]), label=_own(own), **STAR)
    macs = trajectories.simulator.model.network.macs
    label = f'one pass without spikes: {quantity(macs, "")} MACs'
    axes.axvline(macs, color=RATES, linestyle=':', label=label)
    _rate_network(axes, trajectories)
    axes.set(xlabel='synaptic operations per decision', ylabel='accuracy', xlim=(0, None))
    low, high = axes.get_ylim()
    axes.set_ylim(low, min(high, 1 + 0.08 * (1 - low)))
    axes.xaxis.set_major_formatter(EngFormatter(sep=' '))
    functions = (partial(np.multiply, 1 / macs), partial(np.multiply, macs))
    per_mac = axes.secondary_xaxis('top', functions=functions)
    per_mac.set_xlabel('synaptic operations per MAC of the pass without spikes')
    finish(axes, percent=True)
    legend_above(axes, room=34)
    return figure


def layers(model: Model, evaluation: Evaluation) -> Figure:
    """Firing rate of each layer, and its synaptic operations next to its MACs."""
    populations = model.network.populations
    names = [str(population) for population in populations]
    names[-1] += '\n(readout)'
    figure = Figure(figsize=(WIDTH, 1.3 + 0.42 * len(populations)), layout='constrained')
    left, right = figure.subplots(1, 2, sharey=True)
    neurons = (
        np.array([max(population.neurons, 1) for population in populations]) * model.readout.views
    )
    each = np.array(
        [made.activity.spikes / neurons / made.simulated_time for made in evaluation.decisions]
    )
    mean, (low, high) = each.mean(axis=0), np.percentile(each, (5, 95), axis=0)
    places = np.arange(len(populations))
    left.barh(places[:-1], mean[:-1], 0.6, color=SPIKES, label='firing rate')
    left.hlines(places[:-1], low[:-1], high[:-1], color='black', linewidth=1.5)
    for place, rate, end in zip(places[:-1], mean, high, strict=False):
        left.annotate(f'{rate:.1f}', (max(rate, end), place), (5, 0), **BESIDE)
    left.set(xlabel='firing rate (Hz)', yticks=places, yticklabels=names)
    left.margins(x=0.15)
    operations = evaluation.per_layer('synaptic_operations')
    right.barh(places - 0.2, operations, 0.4, color=SPIKES, label='synaptic operations')
    macs = [population.macs for population in populations]
    right.barh(places + 0.2, macs, 0.4, color=PALE, label='MACs of one pass without spikes')
    right.xaxis.set_major_formatter(EngFormatter(sep=' '))
    right.set(xlabel='operations per decision')
    legend_above(right, columns=2)
    left.invert_yaxis()
    for axes in (left, right):
        finish(axes, grid='x')
    return figure


def calibration(bins: Reliability, checks: Checks, times: NDArray[np.float64]) -> Figure:
    """Reliability of the decisions by score, and of deciding at each check.

    `times` (checks,) in s are the times of the checks.
    """
    figure = Figure(figsize=(WIDTH, 4.6), layout='constrained')
    grid = figure.subplots(2, 2, sharex='col', height_ratios=(2.6, 1))
    _by_score(grid[0, 0], grid[1, 0], bins)
    _by_time(grid[0, 1], grid[1, 1], checks, 1000 * times)
    return figure


def _by_score(upper: Axes, lower: Axes, bins: Reliability) -> None:
    width = 1 / len(bins.counts)
    centres = width * (np.arange(len(bins.counts)) + 0.5)
    upper.bar(centres, bins.accuracy, 0.92 * width, color=SPIKES, label='accuracy')
    upper.bar(centres, bins.confidence - bins.accuracy, 0.92 * width, bins.accuracy, fill=False,
              edgecolor=ACCENT, hatch='////', label='gap to the mean score')  # fmt: skip
    upper.plot((0, 1), (0, 1), color=RATES, linestyle='--', label='perfectly calibrated')
    error = bins.expected_calibration_error
    upper.set(ylabel='accuracy', ylim=(0, 1.02), xlim=(0, 1))
    upper.legend(title=f'expected calibration error {100 * error:.2f} %', **ON_TOP)
    finish(upper, percent=True)
    lower.bar(centres, bins.counts, 0.92 * width, color=SPIKES)
    # Most decisions are certain; a logarithmic axis shows the few others as well.
    lower.set(xlabel='score of the answer', ylabel='decisions', yscale='log')
    lower.set_ylim(0.6, 2 * bins.counts.max())
    lower.yaxis.set_major_formatter(StrMethodFormatter('{x:g}'))
    lower.yaxis.set_minor_locator(NullLocator())
    lower.xaxis.set_major_formatter(PercentFormatter(1, symbol=' %'))
    finish(lower)


def _by_time(upper: Axes, lower: Axes, checks: Checks, times: NDArray[np.float64]) -> None:
    upper.plot(times, checks.accuracy, 'o-', color=SPIKES, markersize=4, label='accuracy')
    upper.plot(times, checks.confidence, 's--', color=ACCENT, markersize=4, label='mean score')
    upper.legend(title='all decisions at the same time', **ON_TOP)
    finish(upper, percent=True)
    lower.plot(times, checks.error, 'o-', color=SPIKES, markersize=4)
    lower.set(xlabel='simulated time (ms)', ylabel='calibration\nerror', ylim=(0, None))
    finish(lower, percent=True)


def confusion(matrix: NDArray[np.int64], labels: tuple[str, ...], title: str = '') -> Figure:
    """Counts (true class, answer), wrong ones in colour; on the right the shares of right.

    Of more than MOST_NAMED classes, only the pairs that are confused most often.
    """
    if len(labels) > MOST_NAMED:
        return _confused_pairs(matrix, labels, title)
    size = max(4.0, 0.42 * len(labels) + 1.5)
    figure = Figure(figsize=(size + 0.5, size), layout='constrained')
    axes = figure.subplots()
    wrong = matrix.astype(float)
    np.fill_diagonal(wrong, 0)
    colours = np.where(wrong > 0, wrong, np.nan)
    # Pale enough for black numbers to be readable everywhere.
    most = 2 * max(wrong.max(), 1)
    axes.imshow(colours, cmap='Oranges', vmin=0, vmax=most, aspect='auto')
    for row, column in np.argwhere(matrix):
        weight = 'bold' if row == column else 'normal'
        place: dict[str, Any] = {'ha': 'center', 'va': 'center', 'fontsize': 8}
        axes.text(column, row, str(matrix[row, column]), weight=weight, **place)
    rotation = 90 if max(map(len, labels)) > 2 else 0
    axes.set_xticks(range(len(labels)), labels, rotation=rotation)
    axes.set_yticks(range(len(labels)), labels)
    for row, count in enumerate(matrix.sum(axis=1)):
        share = f'{100 * matrix[row, row] / count:.1f} %' if count else '-'
        axes.annotate(share, (len(labels) - 0.5, row), (5, 0), **BESIDE)
    axes.set(xlabel='answer', ylabel='true class', title=title)
    return figure


def _confused_pairs(matrix: NDArray[np.int64], labels: tuple[str, ...], title: str) -> Figure:
    """The pairs (true class, answer) with the most wrong answers, at most MOST_PAIRS of them."""
    wrong = matrix.copy()
    np.fill_diagonal(wrong, 0)
    found = np.argwhere(wrong)
    counts = wrong[tuple(found.T)]
    order = np.argsort(-counts, kind='stable')[:MOST_PAIRS]
    names = [' as '.join(shortened(labels[index], 22) for index in pair) for pair in found[order]]
    figure = Figure(figsize=(WIDTH, 1.0 + 0.24 * max(len(order), 1)), layout='constrained')
    axes = figure.subplots()
    axes.barh(range(len(order)), counts[order], 0.7, color=ACCENT)
    axes.set_yticks(range(len(order)), names, fontsize=9)
    for place, (pair, count) in enumerate(zip(found[order], counts[order], strict=True)):
        text = f'{count} of {matrix[pair[0]].sum()}'
        axes.annotate(text, (count, place), (5, 0), **BESIDE)
    axes.set(xlabel='of the first class with the second as the answer', title=title)
    axes.set_xlim(0, 1.15 * max(counts, default=1))
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.invert_yaxis()
    finish(axes, grid='x')
    return figure


def _own(own: OperatingPoint) -> str:
    return f'the model as configured: {100 * own.accuracy:.2f} %'


def _costs(points: list[OperatingPoint]) -> tuple[list[float], list[float]]:
    return [point.operations for point in points], [point.accuracy for point in points]


def _rate_network(axes: Axes, trajectories: Trajectories) -> None:
    accuracy = float((trajectories.rate_answers == trajectories.labels).mean())
    label = f'rate network: {100 * accuracy:.2f} %'
    axes.axhline(accuracy, color=RATES, linestyle='--', linewidth=1, label=label)
