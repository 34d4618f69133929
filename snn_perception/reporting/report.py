"""From a model and a data set to a folder of pictures and a page of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from snn_perception.evaluation import agreement
from snn_perception.evaluation.findings import Findings
from snn_perception.evaluation.raster import record_raster
from snn_perception.evaluation.reliability import calibration_of_looks
from snn_perception.evaluation.trajectories import Trajectories, pareto_front
from snn_perception.images import prepare
from snn_perception.reporting import chip_picture, energies, image_pictures, pictures
from snn_perception.reporting.page import Section, page
from snn_perception.reporting.result_tables import damage_table, layer_table
from snn_perception.reporting.style import CHIP
from snn_perception.reporting.tables import Table, from_figures
from snn_perception.units import quantity


def write_report(findings: Findings, output: Path) -> dict[str, Any]:
    """Write report.html and its pictures into `output`, which exists.

    Returns the headline figures, units in the names, and the files.
    """
    model, simulator = findings.model, findings.trajectories.simulator
    paths = save({**draw_figures(findings), **draw_images(findings)}, output)
    introduction = (
        f'{model.description or "A spiking network"}: {len(findings.dataset)} images, shown for '
        f'up to {1000 * model.presentation_time:g} ms on the engine {simulator.name}. Every '
        f'figure on this page is from runs of the network.'
    )
    figures = findings.figures
    text = page(
        f'{model.name} on spikes', introduction, _headline(figures), _sections(findings, output)
    )
    (output / 'report.html').write_text(text, encoding='utf-8')
    return {**figures, 'page': str(output / 'report.html'), 'pictures': ' '.join(paths)}


def draw_figures(findings: Findings) -> dict[str, Figure]:
    """The pictures without any of the images, by the names of their files."""
    model, trajectories = findings.model, findings.trajectories
    evaluation = findings.evaluation
    own = trajectories.operating_point(model.readout.confidence_threshold)
    looks = calibration_of_looks(trajectories.scores, trajectories.labels)
    on_chip = {'chip': chip_picture.picture(findings.chip)} if findings.chip else {}
    return {
        'time': pictures.accuracy_over_time(trajectories, own),
        'operations': pictures.accuracy_against_operations(trajectories, own),
        'layers': pictures.layers(model, evaluation),
        'calibration': pictures.calibration(
            findings.reliability, looks, trajectories.steps * model.dt
        ),
        'energies': energies.picture(evaluation),
        'confusion': pictures.confusion(evaluation.confusion(len(model.labels)), model.labels),
        **on_chip,
    }


def draw_images(findings: Findings) -> dict[str, Figure]:
    """The pictures that show some of the images, by the names of their files."""
    model, evaluation = findings.model, findings.evaluation
    # The first image that is read rightly, or the first at all: argmax of all False is 0.
    image = int(np.argmax(evaluation.answers == evaluation.labels))
    pixels, decision = findings.dataset.images[image], evaluation.decisions[image]
    spikes = record_raster(model, prepare(pixels, model.preprocessing))
    return {
        'raster': image_pictures.raster(model, spikes, pixels, decision),
        'examples': image_pictures.examples(findings.dataset.images, model, evaluation),
        'robustness': image_pictures.damaged(model, findings.conditions),
    }


def save(drawn: dict[str, Figure], folder: Path) -> list[str]:
    """Save pictures as PNG files named in `drawn`; returns their paths."""
    paths = []
    for name, figure in drawn.items():
        paths.append(str(folder / f'{name}.png'))
        figure.savefig(paths[-1], dpi=150)
    return paths


def _headline(figures: dict[str, Any]) -> dict[str, str]:
    return {
        'accuracy on spikes': f'{100 * figures["accuracy"]:.2f} %',
        'of the rate network': f'{100 * figures["rate_accuracy"]:.2f} %',
        'mean simulated time': f'{1000 * figures["simulated_time_s"]:.1f} ms',
        '99 % decided within': f'{1000 * figures["simulated_time_p99_s"]:.1f} ms',
        'operations per MAC': f'{figures["synaptic_operations"] / figures["macs"]:.2f}',
        'firing rate': f'{figures["firing_rate_hz"]:.1f} Hz',
        f'energy on {CHIP}': quantity(figures['energy_j'][CHIP], 'J'),
        'calibration error': f'{100 * figures["expected_calibration_error"]:.2f} %',
    }


def _sections(findings: Findings, output: Path) -> list[Section]:
    trajectories, conditions = findings.trajectories, findings.conditions
    figures = findings.figures
    stages, views = findings.model.network.stages, findings.model.readout.views
    return [
        Section(
            'Accuracy and simulated time',
            'The line stops every image at the same time, the dots each one as soon as its best '
            'score reaches a threshold; their time is the mean over the images. Outputs in '
            'the shaded time do not count: the first spikes are on their way through the layers.',
            output / 'time.png',
        ),
        Section(
            'Accuracy and work',
            'A dot for each threshold of confidence; none on the front is beaten by another in '
            'both accuracy and operations. Operations are those that spikes cause; the first '
            f'layer adds {quantity(stages[0].macs * views, "")} MACs per image, in which it '
            'reads the pixels. Thresholds on the front:',
            output / 'operations.png',
            _front(trajectories),
        ),
        Section(
            'Layers',
            'Means per image until its decision. Lines on the bars reach from the 5th to the '
            '95th percentile of the images. The first layer has no synaptic operations: it is '
            'driven by the pixels, not by spikes.',
            output / 'layers.png',
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
            output / 'raster.png',
        ),
        Section(
            'Calibration',
            'Whether scores are probabilities: of the answers with a score of about 90 %, nine '
            'in ten should be right (Guo et al., "On Calibration of Modern Neural Networks", '
            '2017). At right, had all decisions fallen at the same time.',
            output / 'calibration.png',
        ),
        Section(
            'Damaged images',
            f'{len(conditions[0].evaluation.decisions)} of the {figures["images"]} images, the '
            'same ones in every row, damaged as cameras damage them. Blur and noise are given as '
            'standard deviations. Below the pictures of one image, the answer and its score.',
            output / 'robustness.png',
            damage_table(conditions),
        ),
        Section(
            'Confusion',
            'Wrong answers in colour; at right, how many images of a class are read rightly.',
            output / 'confusion.png',
        ),
        Section(
            'Examples',
            'Answer, score, simulated time, and estimated energy on the chip '
            f'{CHIP}; where there are wrong answers, the most confident ones.',
            output / 'examples.png',
        ),
        Section(
            'Estimated energy per decision',
            energies.NOTE,
            output / 'energies.png',
            energies.table(findings.evaluation),
        ),
        *(_chip_sections(findings, output) if findings.chip else ()),
    ]


def _chip_sections(findings: Findings, output: Path) -> list[Section]:
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
            output / 'chip.png',
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
