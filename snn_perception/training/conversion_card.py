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

"""The card of a converted model: where it comes from, what was kept, and where the rest went."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from snn_perception.evaluation.accuracy import Evaluation
from snn_perception.evaluation.unfamiliar import Unfamiliar
from snn_perception.interchange.analog import Analog
from snn_perception.reporting import energies
from snn_perception.reporting.tables import markdown
from snn_perception.training.card import (
    classes,
    figure_table,
    layer_activity,
    neurons_of,
    parameters,
    shape_of,
    unknown_sections,
    write_sections,
)
from snn_perception.training.conversion import Converted, Plan
from snn_perception.training.conversion_stages import FEWEST_LABELLED
from snn_perception.training.conversion_tables import (
    layer_table,
    node_table,
    percent,
    stage_table,
)


@dataclass(frozen=True)
class Source:
    """The `file` that is converted, the name of the `recipe`, and the `command` that does it."""

    file: Path
    recipe: str
    command: str

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the file, in hexadecimal digits."""
        return hashlib.sha256(self.file.read_bytes()).hexdigest()


def write(
    output: Path,
    source: Source,
    planned: Plan,
    analog: Analog,
    converted: Converted,
    evaluation: Evaluation,
    figures: dict[str, Any],
    unfamiliar: list[Unfamiliar],
) -> None:
    """Write README.md into `output`, from what the recipe says and what was measured.

    It links to stages.png, energies.png, unknown.png and, if a stage was trained, curves.png.
    """
    conversion, model, findings = planned.conversion, converted.model, converted.findings
    sections = [
        f'# {model.name}',
        f'{model.description}. {classes(model.labels)}',
        '## Origin',
        f'Converted from `{source.file.name}` (SHA-256 `{source.digest}`), a network without '
        f'spikes. {conversion.licence or "Its licence is not stated in the recipe."}',
        '## Data',
        _data(planned),
        '## Network',
        _network(planned, converted),
        '## Stages',
        'What each stage makes of the original, on the validation images: how often it is right '
        'where the class of an image is known, and how often its answer is that of the original, '
        'on spikes and in rates (softened numbers of spikes). Operations are synaptic ones, per '
        'multiply-accumulate of one pass of the original.',
        markdown(stage_table(findings)),
        '![What each stage keeps, and how far layers are off](stages.png)',
        '![Training curves](curves.png)' if converted.trainers else '',
        '## Layers',
        'The error is the mean square of what the activations are off by on spikes, as a share of '
        "the mean square of the original's; spikes are after the last stage.",
        markdown(layer_table(model.network, findings)),
        layer_activity(model, evaluation),
        '## Recipe',
        f'`{source.recipe}`; {_training(converted)}. Make the model with',
        f'    {source.command}',
        '## Validation',
        _validation(figures),
        _decision(planned, converted, figures),
        *unknown_sections(unfamiliar),
        '## Estimated energy per decision',
        energies.NOTE,
        '![Estimated energy per decision](energies.png)',
        markdown(energies.table(evaluation)),
        '## Nodes of the file',
        markdown(node_table(analog.fates)),
        '## Intended use',
        conversion.intended_use or 'Not stated in the recipe.',
        '## Limits',
        conversion.limits or 'Not stated in the recipe.',
    ]
    write_sections(output, sections)


def _data(planned: Plan) -> str:
    """Which images were for what."""
    conversion = planned.conversion
    unseen = ''
    if conversion.unseen:
        folders = ', '.join(conversion.unseen)
        unseen = f', among them all in the folders {folders}: things that nothing was fitted to'
    count = min(conversion.calibration_images, len(planned.training))
    return (
        f'{conversion.data} {len(planned.training)} images without their classes'
        f'{" to distil from" if conversion.stages else ""}, on {count} of which scales and biases '
        f'were counted; {len(planned.validation)} others for validation (seed '
        f'{conversion.seed}, always the same ones){unseen}.'
    ).strip()


def _network(planned: Plan, converted: Converted) -> str:
    network, conversion = converted.model.network, planned.conversion
    steps = round(conversion.firing_window / conversion.dt)
    return (
        f'{shape_of(network.input_shape)} inputs, {len(network.populations)} layers, '
        f'{network.neurons} {neurons_of(network.neuron)}, {network.synapses} synapses, '
        f'{parameters(converted.model)} parameters. Layers take turns: each fires in a window of '
        f'{1000 * conversion.firing_window:g} ms of its own, at most {steps} spikes a neuron, '
        f'once all that it hears have fired. The answer is there after '
        f'{1000 * network.synaptic_delay:g} ms.'
    )


def _training(converted: Converted) -> str:
    if not converted.trainers:
        return 'nothing was trained'
    seconds = sum(trainer.progress.seconds for trainer in converted.trainers)
    return f'it was trained for {seconds / 60:.0f} minutes'


def _validation(figures: dict[str, Any]) -> str:
    """What the finished model does, on the engine that robots use."""
    if 'accuracy' in figures:
        return figure_table(figures)
    rows = (
        ('figure', 'value'),
        ('images', f'{figures["images"]}'),
        ('same answer as the original on spikes', percent(figures['agreement'])),
        ('same answer as the original in rates', percent(figures['rate_agreement'])),
        ('synaptic operations per multiply-accumulate',
         f'{figures["synaptic_operations_per_mac"]:.2f}'),
    )  # fmt: skip
    return (
        'No folder of the images has the name of a label, so nothing is known about how often '
        f'the model is right.\n\n{markdown(rows)}'
    )


def _decision(planned: Plan, converted: Converted, figures: dict[str, Any]) -> str:
    """How a decision falls, and what its scores were fitted to."""
    span = f'{1000 * converted.model.readout.presentation_time:g} ms'
    if converted.labelled >= FEWEST_LABELLED:
        fitted = f'fitted on the same {figures["images"]} images'
    else:
        fitted = f"fitted to the original's answers to {len(planned.validation)} images"
    return (
        f'Every image is shown for {span}, and its answer comes at the end. The temperature of '
        f'the scores was {fitted}.'
    )
