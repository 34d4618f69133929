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

"""Pictures of a report that show what the network was shown: step by step, decisions, damage."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from snn_perception import energy
from snn_perception.decision import Decision
from snn_perception.evaluation.accuracy import Evaluation
from snn_perception.evaluation.raster import Raster
from snn_perception.evaluation.robustness import Condition
from snn_perception.evaluation.trajectories import times_of
from snn_perception.model import Model
from snn_perception.reporting.looks import Look
from snn_perception.reporting.style import (
    BESIDE,
    CLASSES,
    PALE,
    SPIKES,
    WIDTH,
    below,
    finish,
    no_evidence,
    show,
    verdict,
)
from snn_perception.sentences import shortened
from snn_perception.units import quantity

MOST_HIGH = 12
"""Layers of neurons whose spikes have all the height that they need."""
MOST_SCORES = 30
"""Classes whose scores are drawn, the best ones."""
DAMAGED_COLUMNS = 7
"""Kinds of damage beside each other."""


def raster(model: Model, record: Raster, image: NDArray[np.uint8], decision: Decision) -> Figure:
    """Spikes of some neurons in each layer, the scores below, and the moment of decision."""
    # More layers than fit on a screen share the height of as many as do.
    is_long = len(record.spikes) > MOST_HIGH
    height = MOST_HIGH / len(record.spikes) if is_long else 1.0
    heights = [1.2, *[height] * len(record.spikes), 2]
    figure = Figure(figsize=(WIDTH, 0.4 + 0.95 * sum(heights)), layout='constrained')
    shown, *trains, scores = figure.subplots(len(heights), 1, height_ratios=heights)
    show(shown, image)
    text = (
        f'answer: {decision.label} ({100 * decision.score:.1f} %)\n'
        f'after {1000 * decision.simulated_time:.0f} ms and {decision.activity.spikes.sum():,} '
        f'spikes\n{quantity(_energy(model, decision), "J")} on {energy.DEFAULT_CHIP} (estimated)'
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
        population = model.network.populations[layer]
        rate = record.counts[:, layer].mean() / population.neurons / model.dt
        sample = '' if is_long else f'\n{spikes.shape[1]} of {population.neurons:,}\nneurons'
        text = f'{population}{sample}, {rate:.0f} Hz'
        axes.set_ylabel(text, rotation=0, ha='right', va='center', fontsize=9)
        axes.set(yticks=[], ylim=(-1, spikes.shape[1]))
        axes.spines[['top', 'right']].set_visible(False)
    _scores(scores, model, record, end)
    return figure


def _scores(axes: Axes, model: Model, record: Raster, end: float) -> None:
    """The scores over time; the classes with the highest scores are coloured and named."""
    times = 1000 * times_of(model)
    order = np.argsort(-record.scores.max(axis=0), kind='stable')
    named, others = order[: len(CLASSES)], order[len(CLASSES) : MOST_SCORES]
    style: dict[str, Any] = {'marker': 'o' if len(times) == 1 else ''}
    axes.plot(times, record.scores[:, others], color=PALE, linewidth=1, **style)
    for index, (colour, line) in zip(named, CLASSES, strict=False):
        label = shortened(model.labels[index], 15)
        axes.plot(
            times, record.scores[:, index], line, color=colour, linewidth=2, label=label, **style
        )
    axes.axvline(end, color='black', linestyle='--', label='decision')
    no_evidence(axes, model)
    axes.set(xlabel='simulated time (ms)', ylabel='score', xlim=(0, times[-1] * 1.01))
    axes.set_ylim(-0.02, 1.04)
    finish(axes, percent=True)
    axes.legend(loc='center left', bbox_to_anchor=(1, 0.5), frameon=False, fontsize=9)


def _energy(model: Model, decision: Decision) -> float:
    """Estimated energy in J of `decision` on the default chip."""
    chips = energy.count_chips(model.network, model.readout.views)
    return energy.estimate(decision, chips)[energy.DEFAULT_CHIP].value


def examples(look: Look, model: Model, evaluation: Evaluation, columns: int = 6) -> Figure:
    """Some right decisions and the most confident wrong ones, with their times and energies.

    `look` shows what they are of by its number in the `evaluation`.
    """
    right = np.flatnonzero(evaluation.answers == evaluation.labels)
    wrong = np.flatnonzero(evaluation.answers != evaluation.labels)
    scores = np.array([decision.score for decision in evaluation.decisions])
    spread = np.linspace(0, len(right) - 1, min(columns, len(right))).astype(int)
    rows = [right[spread], wrong[np.argsort(-scores[wrong])][:columns]]
    rows = [row for row in rows if len(row)]
    figure = Figure(figsize=(WIDTH, 2.1 * len(rows)), layout='constrained')
    grid = figure.subplots(len(rows), columns, squeeze=False)
    for axes in grid.ravel():
        axes.axis('off')
    for place, row in zip(grid, rows, strict=True):
        for axes, index in zip(place, row, strict=False):
            truth, decision = model.labels[evaluation.labels[index]], evaluation.decisions[index]
            show(axes, look(index))
            title, colour = verdict(decision.label, truth, 13)
            title += '' if decision.label == truth else f'\nis {shortened(truth, 14)}'
            axes.set_title(title, fontsize=10, color=colour)
            cost = quantity(_energy(model, decision), 'J')
            time = f'{1000 * decision.simulated_time:.0f} ms'
            below(axes, f'{100 * decision.score:.1f} %\n{time}, {cost}', 9)
    return figure


def damaged(model: Model, conditions: list[Condition]) -> Figure:
    """One image in every condition, with answer and score; undamaged first."""
    rows = -(-(len(conditions) + 1) // DAMAGED_COLUMNS)
    figure = Figure(figsize=(WIDTH, 1.75 * rows), layout='constrained')
    grid = figure.subplots(rows, DAMAGED_COLUMNS).ravel()
    for axes in grid:
        axes.axis('off')
    truth = model.labels[conditions[0].evaluation.labels[conditions[0].index]]
    grid[-1].text(0.5, 0.5, f'true class\n{shortened(truth, 14)}', ha='center', fontsize=8.5)
    for axes, condition in zip(grid, conditions, strict=False):
        show(axes, condition.example)
        axes.set_title(condition.name, fontsize=8.5)
        decision = condition.evaluation.decisions[condition.index]
        text, colour = verdict(decision.label, truth, 12)
        below(axes, f'{text}\n{100 * decision.score:.0f} %', 8.5, colour)
    return figure
