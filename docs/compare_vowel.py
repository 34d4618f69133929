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

"""Measures docs/vowel.md's tables, prints them, and draws docs/vowel.png.

    scripts/run python docs/compare_vowel.py DIRECTORY [SEEDS]

DIRECTORY has a folder of N-MNIST recordings (.bin) per digit.
"""

import sys
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from snn_perception.datasets.recordings import find_recordings
from snn_perception.online.coding import by_rate
from snn_perception.online.cosines import RaisedCosines
from snn_perception.online.deciding import energies
from snn_perception.online.learning import Rule
from snn_perception.online.network import Circuits, WtaNetwork
from snn_perception.online.recipe import load_recipe
from snn_perception.online.recordings import divided, encoded
from snn_perception.online.running import random_weights
from snn_perception.online.tasks import KINDS, Task
from snn_perception.online.training import measure, teach
from snn_perception.reporting.style import CLASSES, WIDTH, finish, save_picture
from snn_perception.reporting.tables import markdown
from snn_perception.units import quantity

CODINGS = {
    'polarity': 'values at their times',
    'binary': 'times without values',
    'rate': 'rates of values',
    'binary_rate': 'rates without values',
}
DT = 0.01


@dataclass
class Result:
    """Accuracies (seeds, epochs) on what was held out, and means per presentation at the end."""

    accuracies: np.ndarray
    figures: dict


def taught(network, size, rule, epochs, shown, kept, labels, dt, generator):
    """Accuracies after each epoch, and the Measurement after the last."""
    weights = random_weights(network, size, generator, rule.silence)
    accuracies = []
    for _ in teach(network, weights, *shown, rule, epochs, generator):
        found = measure(network, weights, *kept, labels, dt, generator)
        accuracies.append(found.accuracy)
    return accuracies, found


def repeated(once, seeds):
    """The Result of `once`(generator) for each of `seeds`."""
    runs = [once(np.random.default_rng(seed)) for seed in seeds]
    summaries = [found.summary() for _, found in runs]
    figures = {
        name: np.mean([each[name] for each in summaries])
        for name in ('input_spikes', 'spikes', 'synaptic_operations')
    }
    costs = [energies(decision)['loihi'] for _, found in runs for decision in found.decisions]
    figures['energy'] = np.mean([cost.value for cost in costs])
    figures['static'] = np.mean([cost.static for cost in costs])
    return Result(np.array([accuracies for accuracies, _ in runs]), figures)


def on_digits(recipe, recordings, kind, seeds):
    shown, kept = divided(recordings, recipe.held_out)
    coding = replace(recipe.coding, kind=kind)
    network = recipe.network.between(coding, len(recordings.class_names))

    def once(generator):
        said, unseen = ((encoded(part, coding, generator), part.labels) for part in (shown, kept))
        return taught(
            network, recipe.size, recipe.learning, recipe.epochs, said, unseen,
            recordings.class_names, coding.dt, generator,
        )  # fmt: skip

    return repeated(once, seeds)


def on_task(kind, coding, seeds):
    """The Result of outputs that hear the inputs themselves."""
    symbols = 1 if coding.startswith('binary') else 2
    network = WtaNetwork(
        Circuits(Task.circuits, symbols), Circuits(0), Circuits(1, Task.classes),
        RaisedCosines(6, Task.steps),
    )  # fmt: skip
    return repeated(partial(once_on_task, kind, coding, network, Rule(0.1, 0), 0, 4), seeds)


def through_hidden(learns, seeds):
    """The Result of outputs that hear only hidden circuits, which learn or do not."""
    network = WtaNetwork(
        Circuits(Task.circuits, 2), Circuits(16, 2), Circuits(1, Task.classes),
        RaisedCosines(4, 15), recurrent=False, direct=False,
    )  # fmt: skip
    rule = Rule(0.001, 0.001 if learns else 0, alpha=0.02, silence=0.85)
    return repeated(partial(once_on_task, 'values', 'polarity', network, rule, 1, 15), seeds)


def once_on_task(kind, coding, network, rule, size, epochs, generator):
    """Taught by 400 presentations of a task, and measured on 200 others."""
    said, classes = Task(kind).draw(600, generator)
    said = [np.minimum(each, network.inputs.symbols) for each in said]
    if 'rate' in coding:
        said = [by_rate(each, generator) for each in said]
    parts = (said[:400], classes[:400]), (said[400:], classes[400:])
    return taught(network, size, rule, epochs, *parts, tuple('abcd'), DT, generator)


def share(accuracies):
    """Mean of the last accuracies, and how far the seeds are apart."""
    last = 100 * accuracies[:, -1]
    return f'{last.mean():.1f} % ({last.min():.1f} to {last.max():.1f})'


def digits_table(results):
    rows = [
        (
            CODINGS[kind], share(result.accuracies), *(
                f'{result.figures[name]:.0f}'
                for name in ('input_spikes', 'spikes', 'synaptic_operations')
            ),
            quantity(result.figures['energy'] - result.figures['static'], 'J'),
            quantity(result.figures['static'], 'J'),
        )
        for kind, result in results.items()
    ]  # fmt: skip
    head = ('inputs say', 'accuracy', 'input spikes', 'spikes', 'synaptic operations',
            'Loihi, dynamic', 'static')  # fmt: skip
    return [head, *rows]


def tasks_table(results):
    rows = [
        (CODINGS[coding], *(share(results[kind, coding].accuracies) for kind in KINDS))
        for coding in CODINGS
    ]
    return [('inputs say', *(f'classes differ in {kind}' for kind in KINDS)), *rows]


def draw(digits, tasks, path):
    figure = Figure(figsize=(WIDTH, 3.4), layout='constrained')
    curves, bars = figure.subplots(1, 2)
    for place, (kind, (colour, line)) in enumerate(zip(CODINGS, CLASSES, strict=True)):
        accuracies = digits[kind].accuracies
        epochs = np.arange(1, accuracies.shape[1] + 1)
        curves.plot(epochs, accuracies.mean(axis=0), line, color=colour, label=CODINGS[kind])
        curves.fill_between(
            epochs, accuracies.min(axis=0), accuracies.max(axis=0), color=colour, alpha=0.15
        )
        heights = [tasks[task, kind].accuracies[:, -1].mean() for task in KINDS]
        bars.bar(np.arange(len(KINDS)) + 0.2 * place - 0.3, heights, 0.18, color=colour)
    curves.set(xlabel='epoch', xticks=epochs)
    curves.set_title('N-MNIST, held out', fontsize=9)
    curves.legend(frameon=False, fontsize=8, loc='lower right')
    bars.axhline(1 / 4, color='black', linewidth=1, linestyle=':')
    bars.set_xticks(range(len(KINDS)), KINDS)
    bars.set(xlabel='what classes of a made task differ in')
    bars.set_title('made tasks; dotted: chance', fontsize=9)
    for axes in (curves, bars):
        finish(axes, percent=True)
    save_picture(figure, path)


def main():
    """Print the tables and draw the picture next to this file."""
    seeds = range(int(sys.argv[2]) if len(sys.argv) > 2 else 3)
    recipe = load_recipe('vowel_nmnist')
    recordings = find_recordings(Path(sys.argv[1]))
    tasks = {(kind, coding): on_task(kind, coding, seeds) for kind in KINDS for coding in CODINGS}
    print(markdown(tasks_table(tasks)), flush=True)
    for learns in (False, True):
        result = through_hidden(learns, seeds)
        print(f'hidden circuits learn: {learns}; {share(result.accuracies)}', flush=True)
    digits = {}
    for kind in CODINGS:
        digits[kind] = on_digits(recipe, recordings, kind, seeds)
        print(kind, share(digits[kind].accuracies), flush=True)
    print(markdown(digits_table(digits)))
    draw(digits, tasks, Path(__file__).with_name('vowel.png'))


if __name__ == '__main__':
    main()
