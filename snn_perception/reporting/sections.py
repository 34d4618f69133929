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

"""The sections of a report: what each picture and table shows, in words for its reader."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import numpy as np

from snn_perception.energy import DEFAULT_CHIP
from snn_perception.evaluation import agreement
from snn_perception.evaluation.findings import Findings
from snn_perception.evaluation.trajectories import Trajectories, pareto_front
from snn_perception.reporting import energies, unknown_pictures
from snn_perception.reporting.page import Section
from snn_perception.reporting.pictures import MOST_NAMED
from snn_perception.reporting.result_tables import DAMAGE_NOTE, damage_table, layer_table
from snn_perception.reporting.tables import Table, from_figures
from snn_perception.units import quantity


def sections(findings: Findings, folder: Path, seen: Collection[str] | None) -> list[Section]:
    """All sections in order; the pictures are in `folder`, `seen` is as in `damage_table`."""
    return [
        *_trade_offs(findings, folder),
        *_layers(findings, folder),
        _trust(folder),
        *(_damage(findings, folder, seen) if findings.conditions else ()),
        *(_unknown(findings, folder) if findings.unfamiliar else ()),
        *_answers(findings, folder),
        _energies(findings, folder),
        *(_chip(findings, folder) if findings.chip else ()),
    ]


def _trade_offs(findings: Findings, folder: Path) -> list[Section]:
    """Accuracy against time, and against work."""
    network = findings.model.network
    thing, macs = network.thing, network.image_macs * findings.model.readout.views
    reading = (
        f'the first layer adds {quantity(macs, "")} MACs per image to read the pixels'
        if macs
        else 'no layer has any others'
    )
    return [
        Section(
            'Accuracy and simulated time',
            f'The line stops every {thing} at the same time. The dots stop each {thing} as soon '
            f'as its best score reaches a threshold; their time is the mean over all. Outputs in '
            'the shaded time do not count: the first spikes are still on their way through the '
            'layers.',
            folder / 'time.png',
        ),
        Section(
            'Accuracy and work',
            'One dot for each confidence threshold; a dot on the front is not beaten by any other '
            f'in both accuracy and operations. Only operations that spikes cause are shown; '
            f'{reading}. Thresholds on the front:',
            folder / 'operations.png',
            _front(findings.trajectories),
        ),
    ]


def _layers(findings: Findings, folder: Path) -> list[Section]:
    """What the layers do, and how one image, or recording, passes through them."""
    network = findings.model.network
    thing = network.thing
    driven = (
        'The operations of the first layer are those that events cause.'
        if network.hears_events
        else 'The first layer has no synaptic operations: it is driven by the pixels, not by '
        'spikes.'
    )
    return [
        Section(
            'Layers',
            f'Means per {thing} until its decision. Lines on the bars span the 5th to the 95th '
            f'percentile of the {thing}s. {driven}',
            folder / 'layers.png',
        ),
        Section(
            'Layers with and without spikes',
            'The same neurons in the rate network (the same network run once on firing rates, '
            f'without spikes) and on spikes, over at most {agreement.IMAGES} {thing}s. Rates and '
            f'correlations are over all neurons of a layer and all these {thing}s; the difference '
            'per neuron is a root mean square. A layer that goes astray shows here first.',
            table=layer_table(findings.model, findings.agreement, 'in rates', 'on spikes'),
        ),
        Section(
            f'One {thing}, step by step',
            'Each mark is a spike. The neurons are chosen at random; the rates are for whole '
            'layers. Below are the scores from the evidence so far. Recorded on the engine '
            f'`reference`.{_events(findings)}',
            folder / 'raster.png',
        ),
    ]


def _trust(folder: Path) -> Section:
    """Whether scores can be trusted."""
    return Section(
        'Calibration',
        'Whether scores are probabilities: nine in ten answers with a score of about 90 % should '
        'be right (Guo et al., "On Calibration of Modern Neural Networks", 2017). On the right: '
        'if all decisions had been made at the same time.',
        folder / 'calibration.png',
    )


def _damage(findings: Findings, folder: Path, seen: Collection[str] | None) -> list[Section]:
    """What damage does."""
    images = len(findings.conditions[0].evaluation.decisions)
    return [
        Section(
            'Damaged images',
            f'{images} of the {len(findings.dataset)} images, the same ones in every row, with '
            f'{DAMAGE_NOTE} Below each picture are the answer and its score.',
            folder / 'robustness.png',
            damage_table(findings.conditions, seen),
        ),
    ]


def _unknown(findings: Findings, folder: Path) -> list[Section]:
    """Whether the model knows what it does not know."""
    unfamiliar = findings.unfamiliar
    return [
        Section(
            'What it does not know',
            unknown_pictures.note(unfamiliar),
            folder / 'unknown.png',
            unknown_pictures.table(unfamiliar),
        ),
        Section(
            'Least unknown',
            f'Of each kind, the {unfamiliar[0].thing}s that seem to be the least strange, with '
            'the label that they get if the unknown is rejected, and their score: above 1 is '
            'unknown.',
            folder / 'accepted.png',
        ),
    ]


def _answers(findings: Findings, folder: Path) -> list[Section]:
    """Which class was mistaken for which, and some answers."""
    confusion = (
        'Wrong answers are coloured. On the right: the share of right answers in each class.'
    )
    if len(findings.model.labels) > MOST_NAMED:
        confusion = (
            'The classes that were mistaken for others most often, and how many of their '
            f'{findings.model.network.thing}s were.'
        )
    return [
        Section('Confusion', confusion, folder / 'confusion.png'),
        Section(
            'Examples',
            f'Answer, score, simulated time, and estimated energy on {DEFAULT_CHIP}. If there are '
            f'wrong answers, the most confident ones are shown.{_events(findings)}',
            folder / 'examples.png',
        ),
    ]


def _energies(findings: Findings, folder: Path) -> Section:
    return Section(
        'Estimated energy per decision',
        energies.NOTE,
        folder / 'energies.png',
        energies.table(findings.evaluation),
    )


def _chip(findings: Findings, folder: Path) -> list[Section]:
    """What the network needs on chips, and what fixed point changes."""
    figures = findings.chip
    views = (
        '; each view has its own cores, and the table is for one' if figures['copies'] > 1 else ''
    )
    return [
        Section(
            'On Loihi chips',
            f'The layers need {figures["cores"]} cores in all (chips: {figures["chips"]}){views}, '
            'as few as the limits of a core allow. The fullest core of each layer is shown. Rates '
            f'and correlations are over the {findings.model.network.thing}s on which the layers '
            'were compared above.',
            folder / 'chip.png',
            from_figures(figures['layers']),
        ),
        Section(
            'In fixed point',
            'The layers on spikes in floating point and on the chip. The error of the rates is '
            "the root mean square difference between a neuron's two rates. The error of the "
            'weights is their root mean square change by rounding to 8 bits, relative to the '
            'root mean square weight.',
            table=from_figures(figures['comparison']),
        ),
    ]


def _events(findings: Findings) -> str:
    """What the pictures of recordings show, where there are such."""
    if not findings.model.network.hears_events:
        return ''
    return (
        ' Of a recording all events of a presentation are shown at once: light where more got '
        'brighter, dark where more got darker.'
    )


def _front(trajectories: Trajectories, rows: int = 8) -> Table:
    """A table of at most `rows` evenly spread points of the Pareto front."""
    front = pareto_front(trajectories.operating_points())
    chosen = np.unique(np.linspace(0, len(front) - 1, rows).round().astype(int))
    macs = trajectories.simulator.model.network.macs
    table: list[tuple[str, ...]] = [
        ('threshold', 'accuracy', 'simulated time', 'synaptic operations', 'per MAC')
    ]
    for point in (front[index] for index in chosen):
        table.append(
            (
                f'{point.threshold:.6g}',
                f'{100 * point.accuracy:.2f} %',
                f'{1000 * point.simulated_time:.1f} ms',
                f'{point.operations:,.0f}',
                f'{point.operations / macs:.2f}',
            )
        )
    return table
