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

"""The model card: what a model is, how it was made, what it can do and what it cannot."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import torch

from snn_perception.datasets.labels import together
from snn_perception.datasets.simulated import Simulation
from snn_perception.evaluation import agreement
from snn_perception.evaluation.accuracy import Evaluation
from snn_perception.evaluation.findings import Findings
from snn_perception.evaluation.robustness import Condition
from snn_perception.evaluation.unfamiliar import Unfamiliar
from snn_perception.graph import Population
from snn_perception.layers import kind_of
from snn_perception.model import Model
from snn_perception.neurons import Neuron
from snn_perception.readout import Readout
from snn_perception.reporting import energies, unknown_pictures
from snn_perception.reporting.pictures import MOST_NAMED
from snn_perception.reporting.result_tables import DAMAGE_NOTE, damage_table, layer_table
from snn_perception.reporting.tables import markdown
from snn_perception.training.recipe import Recipe

FEW_IMAGES = 100
"""With fewer, chance has a say in an accuracy."""


@dataclass(frozen=True)
class Origin:
    """What a model was made of: numbers of images, and the `seconds` that its training took.

    The readout was fitted on `calibration_images`, of which none are among those that its
    figures are of. `data` is the digest of all the images, `torch` the version of PyTorch.
    """

    training_images: int
    calibration_images: int
    data: str
    seconds: float
    torch: str = str(torch.__version__)


def write(output: Path, recipe: Recipe, findings: Findings, origin: Origin) -> None:
    """Write README.md into `output`, from what the recipe says and what was measured."""
    model, figures = findings.model, findings.figures
    network = model.network
    things = things_of(recipe)
    sections = [
        f'# {model.name}',
        f'{model.description}. {classes(model.labels)}',
        '## Data',
        _data(recipe, origin, figures['images']),
        '## Network',
        f'{shape_of(network.input_shape)} inputs, {len(network.populations)} layers, '
        f'{network.neurons} {neurons_of(network.neuron)}, {network.synapses} synapses, '
        f'{parameters(model)} parameters. The deepest way leads through {network.depth} layers '
        f'of neurons and synapses of {1000 * network.synaptic_delay:g} ms.',
        layer_activity(model, findings.evaluation),
        '## Recipe',
        f'`config/train/{recipe.name}.yaml`, trained in {origin.seconds / 60:.0f} minutes. '
        'Reproduce it with',
        f'    scripts/run train {recipe.name} ' + _arguments(recipe),
        '![Training curves](curves.png)',
        '## Validation',
        figure_table(figures, things),
        _decision(model.readout, origin.calibration_images, things),
        '![Accuracy over simulated time](time.png)',
        '![Accuracy against synaptic operations](operations.png)',
        '![Rates and operations of the layers](layers.png)',
        '![Calibration](calibration.png)',
        '![Confusion](confusion.png)',
        '## Layers with and without spikes',
        f'The same neurons in the rate network and on spikes, {agreement.IMAGES} validation '
        f'{things}; the difference per neuron is a root mean square.',
        markdown(layer_table(model, findings.agreement, 'in rates', 'on spikes')),
        *_damage_sections(findings.conditions, recipe),
        *unknown_sections(findings.unfamiliar),
        '## Estimated energy per decision',
        energies.NOTE,
        '![Estimated energy per decision](energies.png)',
        markdown(energies.table(findings.evaluation)),
        '## Intended use',
        recipe.intended_use or 'Not stated in the recipe.',
        '## Limits',
        recipe.limits or 'Not stated in the recipe.',
    ]
    write_sections(output, sections)


def write_sections(output: Path, sections: Sequence[str]) -> None:
    """Write README.md into `output`, with an empty line between its `sections`."""
    text = '\n\n'.join(section.strip('\n') for section in sections if section) + '\n'
    (output / 'README.md').write_text(text, encoding='utf-8')


def things_of(recipe: Recipe) -> str:
    """What a network of `recipe` is shown."""
    return 'recordings' if recipe.hears_events else 'images'


def _data(recipe: Recipe, origin: Origin, measured: int) -> str:
    """Which images, or recordings, were for what."""
    return (
        f'{recipe.data} {origin.training_images} {things_of(recipe)} for training, '
        f'{origin.calibration_images + measured} held out of the same set (seed {recipe.seed}, '
        f'always the same ones): {origin.calibration_images} to fit the readout, and {measured} '
        f'others, on which everything below was measured. The curves of the training are of both.'
    ).strip()


def unknown_sections(unfamiliar: list[Unfamiliar]) -> list[str]:
    """The section on what belongs to no class; it links to unknown.png."""
    if not unfamiliar:
        return []
    return [
        '## What it does not know',
        unknown_pictures.note(unfamiliar),
        '![Scores of known and unknown images](unknown.png)',
        markdown(unknown_pictures.table(unfamiliar)),
    ]


def _damage_sections(conditions: Sequence[Condition], recipe: Recipe) -> list[str]:
    if not conditions:
        return []
    table = damage_table(list(conditions), recipe.augmentation.seen_damages)
    return ['## Damaged images', _damage(conditions), markdown(table)]


def _damage(conditions: Sequence[Condition]) -> str:
    """What the table of damage is about, and how much of it is chance."""
    count = len(conditions[0].evaluation.decisions)
    return (
        f'{count} of the validation images, the same ones in every row, with {DAMAGE_NOTE} '
        f'{uncertainty(count).capitalize()}, the mean of all kinds by less.'
    )


def classes(labels: tuple[str, ...]) -> str:
    """Which classes there are, all of them if they can be taken in at a glance."""
    if len(labels) <= MOST_NAMED:
        return f'Classes: {together(labels)}.'
    return f'{len(labels):,} classes: {together(labels, 10)}; see `labels` in `model.yaml`.'


def _arguments(recipe: Recipe) -> str:
    """Where the data lies, as the command line says it."""
    return (
        '--data RECORDINGS --data IMAGES'
        if recipe.simulation != Simulation()
        else '--data DIRECTORY'
    )


def shape_of(shape: tuple[int, ...]) -> str:
    return 'x'.join(map(str, shape))


def parameters(model: Model) -> int:
    arrays = (values for weights in model.weights for values in (*weights.kernels, weights.bias))
    return sum(values.size for values in arrays)


STANDARD = {'initial_potential': 0.0, 'phases': 1}
"""Parameters of neurons that go without saying, if they have these values."""


def neurons_of(neuron: Neuron) -> str:
    """What sort of neurons these are, with their parameters."""
    values = (
        f'{name} {1000 * value:g} ms' if name.startswith('tau') else f'{name} {value:g}'
        for name, value in asdict(neuron).items()  # type: ignore[call-overload]
        if value != STANDARD.get(name)
    )
    return f'{type(neuron).__name__} neurons ({", ".join(values)})'


def layer_activity(model: Model, evaluation: Evaluation) -> str:
    """Table of the populations and their mean activity."""
    spikes = evaluation.per_layer('spikes')
    operations = evaluation.per_layer('synaptic_operations')
    seconds = evaluation.summary()['simulated_time_s'] * model.readout.views
    head = ('layer', 'output', 'neurons', 'MACs', 'synaptic operations', 'mean rate (Hz)')
    rows = [head]
    for index, population in enumerate(model.network.populations):
        neurons = population.neurons
        rows.append(
            (
                _title(population),
                shape_of(population.output_shape),
                str(neurons),
                str(population.macs),
                f'{operations[index]:.0f}' if population.hears_spikes else 'none: analog',
                f'{spikes[index] / neurons / seconds:.1f}' if neurons else 'readout',
            )
        )
    return markdown(rows)


def _title(population: Population) -> str:
    """Its name, if it has one, and what leads into it."""
    links = [
        ('pooling, ' if connection.pooling != (1, 1) else '') + kind_of(connection.layer)
        for connection in population.connections
    ]
    name = f'{population.name}: ' if population.name else ''
    return name + ' + '.join(links)


def figure_table(figures: dict, things: str = 'images') -> str:
    calibration = 100 * figures['expected_calibration_error']
    best = figures.get('top5_accuracy')
    rows = (
        ('figure', 'value'),
        (things, f'{figures["images"]}'),
        ('accuracy on spikes', f'{100 * figures["accuracy"]:.2f} %'),
        *(() if best is None else (('right among the best five', f'{100 * best:.2f} %'),)),
        ('accuracy of the rate network', f'{100 * figures["rate_accuracy"]:.2f} %'),
        ('mean simulated time', f'{1000 * figures["simulated_time_s"]:.1f} ms'),
        ('99 % decided within', f'{1000 * figures["simulated_time_p99_s"]:.1f} ms'),
        ('expected calibration error', f'{calibration:.2f} %'),
        ('spikes', f'{figures["spikes"]:.0f}'),
        ('mean firing rate', f'{figures["firing_rate_hz"]:.1f} Hz'),
        ('synaptic operations', f'{figures["synaptic_operations"]:.0f}'),
        ('multiply-accumulates of one pass without spikes', f'{figures["macs"]}'),
        (
            'synaptic operations per multiply-accumulate',
            f'{figures["synaptic_operations_per_mac"]:.2f}',
        ),
    )
    text = f'Means per {things[:-1]}; the rate network is the same weights without spikes'
    if figures['images'] < FEW_IMAGES:
        text += f'; {uncertainty(figures["images"], things)}'
    return f'{text}.\n\n{markdown(rows)}'


def uncertainty(images: int, things: str = 'images') -> str:
    """Words on what an accuracy measured on so few `images`, or other `things`, is worth."""
    # Two standard deviations of a share near one half.
    points = 100 / math.sqrt(images)
    counted = f'{images} {things}' if images > 1 else f'a single {things[:-1]}'
    return f'on {counted} an accuracy may be off by {points:.0f} points by chance'


def _decision(readout: Readout, calibration_images: int, things: str) -> str:
    """How a decision falls, in a few sentences."""
    span = f'{1000 * readout.presentation_time:g} ms'
    start = f'{1000 * readout.start_time:g} ms'
    seen = (
        ' An image and its mirror image are shown at once, each to neurons of its own; outputs '
        'are the mean of both, and all that is counted is the sum.'
        if readout.mirror
        else ''
    )
    fitted = f'The temperature of the scores was fitted on the {calibration_images} {things}.'
    if readout.confidence_threshold == 1:
        thing = things[:-1]
        return f'Every {thing} is shown for {span}; outputs count from {start} on.{seen} {fitted}'
    return (
        f'Outputs count from {start} on; the decision falls as soon as the best score reaches '
        f'{readout.confidence_threshold:.4g}, checked every '
        f'{1000 * readout.decision_interval:g} ms, after {span} at the latest.{seen} That score '
        f'and the temperature of all scores were fitted on the {calibration_images} {things}.'
    )
