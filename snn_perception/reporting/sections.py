"""The sections of a report: what each picture and table shows, in words for its reader."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from snn_perception.evaluation import agreement
from snn_perception.evaluation.findings import Findings
from snn_perception.evaluation.trajectories import Trajectories, pareto_front
from snn_perception.reporting import energies
from snn_perception.reporting.page import Section
from snn_perception.reporting.result_tables import damage_table, layer_table
from snn_perception.reporting.style import CHIP
from snn_perception.reporting.tables import Table, from_figures
from snn_perception.units import quantity


def sections(findings: Findings, folder: Path) -> list[Section]:
    """All sections in their order; the pictures lie in `folder`."""
    return [
        *_trade_offs(findings, folder),
        *_layers(findings, folder),
        *_trust(findings, folder),
        *_answers(findings, folder),
        _energies(findings, folder),
        *(_chip(findings, folder) if findings.chip else ()),
    ]


def _trade_offs(findings: Findings, folder: Path) -> list[Section]:
    """Accuracy against time, and against work."""
    macs = findings.model.network.stages[0].macs * findings.model.readout.views
    return [
        Section(
            'Accuracy and simulated time',
            'The line stops every image at the same time, the dots each one as soon as its best '
            'score reaches a threshold; their time is the mean over the images. Outputs in '
            'the shaded time do not count: the first spikes are on their way through the layers.',
            folder / 'time.png',
        ),
        Section(
            'Accuracy and work',
            'A dot for each threshold of confidence; none on the front is beaten by another in '
            'both accuracy and operations. Operations are those that spikes cause; the first '
            f'layer adds {quantity(macs, "")} MACs per image, in which it '
            'reads the pixels. Thresholds on the front:',
            folder / 'operations.png',
            _front(findings.trajectories),
        ),
    ]


def _layers(findings: Findings, folder: Path) -> list[Section]:
    """What the layers do, and one image on its way through them."""
    return [
        Section(
            'Layers',
            'Means per image until its decision. Lines on the bars reach from the 5th to the '
            '95th percentile of the images. The first layer has no synaptic operations: it is '
            'driven by the pixels, not by spikes.',
            folder / 'layers.png',
        ),
        Section(
            'Layers with and without spikes',
            f'The same neurons in the rate network and on spikes, {agreement.IMAGES} images at '
            'most. Rates and correlations are over all neurons of a layer and all the images; '
            'the difference of a neuron is the root of the mean squared one. A layer that '
            'strays shows here first.',
            table=layer_table(findings.model, findings.agreement, 'in rates', 'on spikes'),
        ),
        Section(
            'One image, step by step',
            'A mark is a spike; the neurons are chosen at random, the rates are of whole layers. '
            'Below, the scores of the evidence so far. Recorded on the engine reference.',
            folder / 'raster.png',
        ),
    ]


def _trust(findings: Findings, folder: Path) -> list[Section]:
    """Whether scores can be believed, and what damage does."""
    images = len(findings.conditions[0].evaluation.decisions)
    return [
        Section(
            'Calibration',
            'Whether scores are probabilities: of the answers with a score of about 90 %, nine '
            'in ten should be right (Guo et al., "On Calibration of Modern Neural Networks", '
            '2017). At right, had all decisions fallen at the same time.',
            folder / 'calibration.png',
        ),
        Section(
            'Damaged images',
            f'{images} of the {len(findings.dataset)} images, the '
            'same ones in every row, damaged as cameras damage them. Blur and noise are given as '
            'standard deviations. Below the pictures of one image, the answer and its score.',
            folder / 'robustness.png',
            damage_table(findings.conditions),
        ),
    ]


def _answers(findings: Findings, folder: Path) -> list[Section]:
    """What was taken for what."""
    return [
        Section(
            'Confusion',
            'Wrong answers in colour; at right, how many images of a class are read rightly.',
            folder / 'confusion.png',
        ),
        Section(
            'Examples',
            'Answer, score, simulated time, and estimated energy on the chip '
            f'{CHIP}; where there are wrong answers, the most confident ones.',
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
    """What the network takes on chips, and what fixed point changes."""
    figures = findings.chip
    views = (
        '; a view has cores of its own, and the table is of one' if figures['copies'] > 1 else ''
    )
    return [
        Section(
            'On Loihi chips',
            f'The layers take {figures["cores"]} cores in all (chips: {figures["chips"]}){views}. '
            'Cores are as few as their limits allow; what is shown of them is the fullest one of '
            'a layer. Rates and correlations are over the images on which the layers were '
            'compared above.',
            folder / 'chip.png',
            from_figures(figures['layers']),
        ),
        Section(
            'In fixed point',
            'The same spikes in floating point and on the chip. The error of the rates is the '
            'root of the mean squared difference between those of a neuron, that of the weights '
            'the root of the mean square of what 8 bits changed, over that of the weights.',
            table=from_figures(figures['comparison']),
        ),
    ]


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
