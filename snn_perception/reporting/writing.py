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

"""From the findings about a model to a folder of pictures and a page that shows them."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from snn_perception.energy import DEFAULT_CHIP
from snn_perception.evaluation.accuracy import inputs_of
from snn_perception.evaluation.findings import Findings
from snn_perception.evaluation.raster import record_raster
from snn_perception.evaluation.reliability import calibration_of_checks
from snn_perception.reporting import (
    chip_picture,
    energies,
    image_pictures,
    pictures,
    unknown_pictures,
)
from snn_perception.reporting.looks import look_of
from snn_perception.reporting.page import page
from snn_perception.reporting.sections import sections
from snn_perception.reporting.style import save_picture
from snn_perception.units import quantity


def write_report(
    findings: Findings, output: Path, seen: Collection[str] | None = None
) -> dict[str, Any]:
    """Write report.html and its pictures into `output`, which exists.

    `seen` are the kinds of damage that are like what images had in training, if that is known.

    Returns the headline figures, units in the names, and the files.
    """
    model, simulator = findings.model, findings.trajectories.simulator
    things = f'{model.network.thing}s'
    paths = save({**draw_figures(findings), **draw_shown(findings)}, output)
    introduction = (
        f'{model.description or "A spiking network"}: {len(findings.dataset)} {things}, shown for '
        f'up to {1000 * model.presentation_time:g} ms on the engine {simulator.name}. Every '
        f'number on this page comes from running the network, unless it says otherwise.'
    )
    figures = findings.figures
    text = page(
        f'{model.name} on spikes',
        introduction,
        _headline(figures),
        sections(findings, output, seen),
    )
    (output / 'report.html').write_text(text, encoding='utf-8')
    return {**figures, 'page': str(output / 'report.html'), 'pictures': ' '.join(paths)}


def draw_figures(findings: Findings) -> dict[str, Figure]:
    """The pictures that show none of the data, by file name without the suffix."""
    model, trajectories = findings.model, findings.trajectories
    evaluation = findings.evaluation
    own = trajectories.operating_point(model.readout.confidence_threshold)
    checks = calibration_of_checks(trajectories.scores, trajectories.labels)
    on_chip = {'chip': chip_picture.picture(findings.chip)} if findings.chip else {}
    unknown = (
        {'unknown': unknown_pictures.picture(findings.unfamiliar)} if findings.unfamiliar else {}
    )
    return {
        'time': pictures.accuracy_over_time(trajectories, own),
        'operations': pictures.accuracy_against_operations(trajectories, own),
        'layers': pictures.layers(model, evaluation),
        'calibration': pictures.calibration(
            findings.reliability, checks, trajectories.steps * model.dt
        ),
        'energies': energies.picture(evaluation),
        'confusion': pictures.confusion(evaluation.confusion(len(model.labels)), model.labels),
        **on_chip,
        **unknown,
    }


def draw_shown(findings: Findings) -> dict[str, Figure]:
    """The pictures that show some of the data, by file name without the suffix."""
    model, evaluation, dataset = findings.model, findings.evaluation, findings.dataset
    # The first one with a right answer, or else the first: argmax of all False is 0.
    first = int(np.argmax(evaluation.answers == evaluation.labels))
    look, decision = look_of(dataset, model), evaluation.decisions[first]
    spikes = record_raster(model, inputs_of(model, dataset, np.array([first]))[..., 0, :, :, :])
    drawn = {
        'raster': image_pictures.raster(model, spikes, look(first), decision),
        'examples': image_pictures.examples(look, model, evaluation),
    }
    if findings.conditions:
        drawn['robustness'] = image_pictures.damaged(model, findings.conditions)
    if findings.unfamiliar:
        drawn['accepted'] = unknown_pictures.accepted(findings.unfamiliar, model)
    return drawn


def save(drawn: dict[str, Figure], folder: Path) -> list[str]:
    """Save the pictures of `drawn` as PNG files under their names; returns the paths."""
    paths = []
    for name, figure in drawn.items():
        paths.append(str(folder / f'{name}.png'))
        save_picture(figure, folder / f'{name}.png')
    return paths


def _headline(figures: dict[str, Any]) -> dict[str, str]:
    best = figures.get('top5_accuracy')
    return {
        'accuracy on spikes': f'{100 * figures["accuracy"]:.2f} %',
        **({} if best is None else {'among the best five': f'{100 * best:.2f} %'}),
        'of the rate network': f'{100 * figures["rate_accuracy"]:.2f} %',
        'mean simulated time': f'{1000 * figures["simulated_time_s"]:.1f} ms',
        '99 % decided within': f'{1000 * figures["simulated_time_p99_s"]:.1f} ms',
        'operations per MAC': f'{figures["synaptic_operations_per_mac"]:.2f}',
        'firing rate': f'{figures["firing_rate_hz"]:.1f} Hz',
        f'energy on {DEFAULT_CHIP}': quantity(figures['energy_j'][DEFAULT_CHIP], 'J'),
        'calibration error': f'{100 * figures["expected_calibration_error"]:.2f} %',
    }
