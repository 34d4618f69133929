"""The pictures of a report, each drawn by one function, without a display."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter, PercentFormatter
from numpy.typing import NDArray

from snn_perception import energy
from snn_perception.backends import Decision
from snn_perception.evaluation import Evaluation
from snn_perception.model import Model
from snn_perception.reporting.calibration import Reliability
from snn_perception.reporting.raster import Raster
from snn_perception.reporting.trajectories import (
    OperatingPoint,
    Trajectories,
    pareto_front,
    times_of,
)
from snn_perception.units import quantity

SPIKES, RATES, ACCENT, RIGHT, WRONG = '#2e6f95', '#5f6b76', '#d1495b', '#2a7f4f', '#c0392b'
WIDTH = 8.0
"""Width of a picture in inches, at which its text is as large as that of the page."""
CHIP = 'loihi'
"""The chip whose energies are shown below images, the default of the node."""
MOST_NAMED = 30
"""Confusion matrices of more classes have no numbers and no names."""
BESIDE: dict[str, Any] = {'textcoords': 'offset points', 'va': 'center', 'fontsize': 9}
STAR: dict[str, Any] = {'marker': '*', 'markersize': 15, 'color': ACCENT, 'linestyle': 'none'}


def accuracy_over_time(trajectories: Trajectories, own: OperatingPoint) -> Figure:
    """Accuracy of presentations of each length, and of stopping at a confidence."""
    figure, axes = _axes(3.6)
    model = trajectories.simulator.model
    times = 1000 * times_of(model)
    label = 'the same time for every image'
    axes.plot(times, trajectories.accuracy_over_time, color=SPIKES, label=label)
    stopping = pareto_front(trajectories.operating_points())
    mean_times = [1000 * point.simulated_time for point in stopping]
    accuracies = [point.accuracy for point in stopping]
    label = 'until confident (mean time)'
    axes.plot(mean_times, accuracies, 'o', markersize=5, color=ACCENT, label=label)
    axes.plot(1000 * own.simulated_time, own.accuracy, label='the model as it is set', **STAR)
    _rate_network(axes, trajectories)
    _no_evidence(axes, model)
    axes.set(xlabel='simulated time (ms)', ylabel='accuracy', xlim=(0, None))
    _finish(axes)
    return figure


def accuracy_against_operations(trajectories: Trajectories, own: OperatingPoint) -> Figure:
    """The Pareto front over confidence thresholds, with the cost of a pass without spikes."""
    figure, axes = _axes(4.0)
    points = trajectories.operating_points()
    front = pareto_front(points)
    axes.plot(*_costs(points), 'o', markersize=4, color=SPIKES, alpha=0.35, label='thresholds')
    # Between two thresholds nothing better is known than the cheaper of them.
    label = 'Pareto front'
    axes.plot(*_costs(front), marker='o', color=SPIKES, drawstyle='steps-post', label=label)
    axes.plot(*_costs([own]), label='the model as it is set', **STAR)
    macs = trajectories.simulator.model.network.macs
    label = f'one pass without spikes: {quantity(macs, "")} MACs'
    axes.axvline(macs, color=RATES, linestyle=':', label=label)
    _rate_network(axes, trajectories)
    axes.set(xlabel='synaptic operations per decision', ylabel='accuracy', xlim=(0, None))
    low, high = axes.get_ylim()
    axes.set_ylim(low, min(high, 1 + 0.08 * (1 - low)))
    axes.xaxis.set_major_formatter(EngFormatter(sep=' '))
    _finish(axes)
    return figure


def layers(model: Model, evaluation: Evaluation) -> Figure:
    """Firing rate of each layer, and its synaptic operations beside its MACs."""
    stages = model.network.stages
    names = [f'{index} {type(stage.layer).__name__.lower()}' for index, stage in enumerate(stages)]
    names[-1] += '\n(readout)'
    figure = Figure(figsize=(WIDTH, 1.3 + 0.42 * len(stages)), layout='constrained')
    left, right = figure.subplots(1, 2, sharey=True)
    neurons = np.array([max(stage.neurons, 1) for stage in stages])
    each = np.array(
        [made.activity.spikes / neurons / made.simulated_time for made in evaluation.decisions]
    )
    mean, (low, high) = each.mean(axis=0), np.percentile(each, (5, 95), axis=0)
    places = np.arange(len(stages))
    left.barh(places[:-1], mean[:-1], 0.6, color=SPIKES)
    left.hlines(places[:-1], low[:-1], high[:-1], color='black', linewidth=1.5)
    for place, rate, end in zip(places[:-1], mean, high, strict=False):
        left.annotate(f'{rate:.1f}', (max(rate, end), place), (5, 0), **BESIDE)
    left.set(xlabel='firing rate (Hz)', yticks=places, yticklabels=names)
    left.margins(x=0.15)
    operations = evaluation.per_layer('synaptic_operations')
    right.barh(places - 0.2, operations, 0.4, color=SPIKES, label='synaptic operations')
    macs = [stage.macs for stage in stages]
    right.barh(places + 0.2, macs, 0.4, color='#c4ccd4', label='MACs of one pass without spikes')
    right.xaxis.set_major_formatter(EngFormatter(sep=' '))
    right.set(xlabel='operations per decision')
    figure.legend(*right.get_legend_handles_labels(), loc='outside upper right', ncols=2)
    left.invert_yaxis()
    for axes in (left, right):
        _finish(axes, legend=False, grid='x')
    return figure


def raster(model: Model, record: Raster, image: NDArray[np.uint8], decision: Decision) -> Figure:
    """Spikes of some neurons of each layer, the scores below, and the moment of decision."""
    heights = [1.2, *[1] * len(record.spikes), 2]
    figure = Figure(figsize=(WIDTH, 0.4 + 0.95 * sum(heights)), layout='constrained')
    shown, *trains, scores = figure.subplots(len(heights), 1, height_ratios=heights)
    _show(shown, image)
    text = (
        f'answer: {decision.label} ({100 * decision.score:.1f} %)\n'
        f'after {1000 * decision.simulated_time:.0f} ms and {decision.activity.spikes.sum():,} '
        f'spikes\n{quantity(energy.estimate(decision)[CHIP], "J")} on {CHIP} (estimated)'
    )
    shown.annotate(text, (1, 0.5), (14, 0), xycoords='axes fraction', **BESIDE)
    times = 1000 * model.dt * np.arange(1, len(record.counts) + 1)
    end = 1000 * decision.simulated_time
    for layer, (axes, spikes) in enumerate(zip(trains, record.spikes, strict=True)):
        axes.sharex(scores)
        when, who = np.nonzero(spikes)
        axes.plot(times[when], who, '|', color=SPIKES, markersize=5, markeredgewidth=1.8)
        axes.axvline(end, color='black', linestyle='--', zorder=0)
        axes.tick_params(labelbottom=False)
        stage = model.network.stages[layer]
        rate = record.counts[:, layer].mean() / stage.neurons / model.dt
        name = f'{layer} {type(stage.layer).__name__.lower()}'
        text = f'{name}\n{spikes.shape[1]} of {stage.neurons:,}\nneurons, {rate:.0f} Hz'
        axes.set_ylabel(text, rotation=0, ha='right', va='center', fontsize=9)
        axes.set(yticks=[], ylim=(-1, spikes.shape[1]))
        axes.spines[['top', 'right']].set_visible(False)
    _scores(scores, model, record, end)
    return figure


def _scores(axes: Axes, model: Model, record: Raster, end: float) -> None:
    """The scores over time, those of the classes with the highest ones in colour and by name."""
    times = 1000 * times_of(model)
    named = np.argsort(-record.scores.max(axis=0), kind='stable')[:4]
    others = np.setdiff1d(np.arange(record.scores.shape[1]), named)
    axes.plot(times, record.scores[:, others], color='#c4ccd4', linewidth=1)
    for index in named:
        axes.plot(times, record.scores[:, index], linewidth=2, label=model.labels[index])
    axes.axvline(end, color='black', linestyle='--', label='decision')
    _no_evidence(axes, model)
    axes.set(xlabel='simulated time (ms)', ylabel='score', xlim=(0, times[-1] * 1.01))
    axes.set_ylim(-0.02, 1.04)
    _finish(axes, legend=False)
    axes.legend(loc='center left', bbox_to_anchor=(1, 0.5), frameon=False, fontsize=9)


def calibration(bins: Reliability) -> Figure:
    """Reliability diagram over the number of decisions in each bin of confidence."""
    figure = Figure(figsize=(5.4, 5.0), layout='constrained')
    upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    width = 1 / len(bins.counts)
    centres = width * (np.arange(len(bins.counts)) + 0.5)
    style: dict[str, Any] = {'width': 0.92 * width, 'color': SPIKES}
    upper.bar(centres, np.nan_to_num(bins.accuracy), label='accuracy', **style)
    upper.plot((0, 1), (0, 1), color=RATES, linestyle='--', label='perfectly calibrated')
    upper.plot(bins.confidence, bins.confidence, 'o', color=ACCENT, markersize=4,
               label='mean score', clip_on=False)  # fmt: skip
    error = bins.expected_calibration_error
    upper.set_title(f'expected calibration error {100 * error:.2f} %', fontsize=10)
    upper.set(ylabel='accuracy', ylim=(0, 1.02), xlim=(0, 1))
    upper.yaxis.set_major_formatter(PercentFormatter(1, symbol=' %'))
    lower.bar(centres, bins.counts, **style)
    lower.set(xlabel='score of the answer', ylabel='decisions')
    lower.xaxis.set_major_formatter(PercentFormatter(1, symbol=' %'))
    _finish(upper, percent=False, loc='upper left')
    _finish(lower, percent=False, legend=False)
    return figure


def confusion(matrix: NDArray[np.int64], labels: tuple[str, ...], title: str = '') -> Figure:
    """Counts (true class, answer), the wrong answers in colour."""
    size = min(max(4.0, 0.42 * len(labels) + 1.5), 14.0)
    figure = Figure(figsize=(size, size), layout='constrained')
    axes = figure.subplots()
    wrong = matrix.astype(float)
    np.fill_diagonal(wrong, 0)
    axes.imshow(wrong, cmap='Reds', vmax=max(wrong.max(), 1))
    if len(labels) <= MOST_NAMED:
        for row, column in np.argwhere(matrix):
            weight = 'bold' if row == column else 'normal'
            colour = 'white' if wrong[row, column] > 0.6 * wrong.max() else 'black'
            place: dict[str, Any] = {'ha': 'center', 'va': 'center', 'fontsize': 8}
            text = str(matrix[row, column])
            axes.text(column, row, text, weight=weight, color=colour, **place)
        rotation = 90 if max(map(len, labels)) > 2 else 0
        axes.set_xticks(range(len(labels)), labels, rotation=rotation)
        axes.set_yticks(range(len(labels)), labels)
    axes.set(xlabel='answer', ylabel='true class', title=title)
    return figure


def examples(
    images: NDArray[np.uint8], model: Model, evaluation: Evaluation, columns: int = 6
) -> Figure:
    """Some right decisions and the most confident wrong ones, with their times and energies."""
    right = np.flatnonzero(evaluation.answers == evaluation.labels)
    wrong = np.flatnonzero(evaluation.answers != evaluation.labels)
    scores = np.array([decision.score for decision in evaluation.decisions])
    spread = np.linspace(0, len(right) - 1, min(columns, len(right))).astype(int)
    rows = [right[spread], wrong[np.argsort(-scores[wrong])][:columns]]
    rows = [row for row in rows if len(row)]
    figure = Figure(figsize=(WIDTH, 2.0 * len(rows)), layout='constrained')
    grid = figure.subplots(len(rows), columns, squeeze=False)
    for axes in grid.ravel():
        axes.axis('off')
    for place, row in zip(grid, rows, strict=True):
        for axes, index in zip(place, row, strict=False):
            truth, decision = model.labels[evaluation.labels[index]], evaluation.decisions[index]
            _show(axes, images[index])
            is_right = decision.label == truth
            title = f'{decision.label}  {100 * decision.score:.1f} %'
            title += '' if is_right else f'\nis {truth}'
            axes.set_title(title, fontsize=10, color=RIGHT if is_right else WRONG)
            cost = quantity(energy.estimate(decision)[CHIP], 'J')
            axes.annotate(f'{1000 * decision.simulated_time:.0f} ms, {cost}', (0.5, 0), (0, -5),
                          **(BESIDE | {'ha': 'center', 'va': 'top'}),
                          xycoords='axes fraction')  # fmt: skip
    return figure


def _axes(height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(WIDTH, height), layout='constrained')
    return figure, figure.subplots()


def _no_evidence(axes: Axes, model: Model) -> None:
    """Mark the time before `start_time`, whose outputs do not count."""
    start = 1000 * model.readout.start_time
    if start:
        axes.axvspan(0, start, color='#eceff2', linewidth=0, label='no evidence yet')


def _costs(points: list[OperatingPoint]) -> tuple[list[float], list[float]]:
    return [point.operations for point in points], [point.accuracy for point in points]


def _rate_network(axes: Axes, trajectories: Trajectories) -> None:
    accuracy = float((trajectories.rate_answers == trajectories.labels).mean())
    label = f'rate network: {100 * accuracy:.2f} %'
    axes.axhline(accuracy, color=RATES, linestyle='--', linewidth=1, label=label)


def _show(axes: Axes, image: NDArray[np.uint8]) -> None:
    """The picture (height, width, channels), grey or RGB, without axes."""
    axes.imshow(image.squeeze(axis=2) if image.shape[2] == 1 else image, cmap='gray', vmin=0,
                vmax=255)  # fmt: skip
    axes.axis('off')


def _finish(
    axes: Axes, legend: bool = True, percent: bool = True, grid: str = 'both', loc: Any = 'best'
) -> None:
    """What is the same for all: a light grid, no box, shares in percent."""
    axes.grid(axis=grid, alpha=0.3)  # type: ignore[arg-type]
    axes.set_axisbelow(True)
    axes.spines[['top', 'right']].set_visible(False)
    if percent and grid == 'both':
        axes.yaxis.set_major_formatter(PercentFormatter(1, symbol=' %'))
    if legend:
        axes.legend(loc=loc, frameon=False, fontsize=9)
