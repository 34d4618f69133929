"""From a model and a data set to a folder of pictures and a page of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from snn_perception import energy
from snn_perception.backends import Simulator
from snn_perception.evaluation import Evaluation
from snn_perception.images import prepare
from snn_perception.reporting import image_pictures, pictures, robustness
from snn_perception.reporting.calibration import (
    Reliability,
    calibration_of_looks,
    reliability,
)
from snn_perception.reporting.page import Section, page
from snn_perception.reporting.raster import record_raster
from snn_perception.reporting.style import CHIP
from snn_perception.reporting.trajectories import (
    OperatingPoint,
    Trajectories,
    pareto_front,
    record,
)
from snn_perception.training.datasets import Dataset
from snn_perception.units import quantity


def write_report(
    simulator: Simulator, rates: Simulator, dataset: Dataset, output: Path
) -> dict[str, Any]:
    """Run both networks on `dataset`, and write report.html and its pictures into `output`.

    Returns the headline figures, units in the names, and the files. `output` exists; the
    images have the size of the network and the labels are indices of the model's.
    """
    model = simulator.model
    trajectories = record(simulator, rates, dataset)
    threshold = model.readout.confidence_threshold
    own, evaluation = trajectories.operating_point(threshold), trajectories.evaluation(threshold)
    scores = [decision.score for decision in evaluation.decisions]
    bins = reliability(scores, evaluation.answers == evaluation.labels)
    conditions = robustness.measure(simulator, rates, dataset)
    drawn = _draw(trajectories, own, evaluation, bins, dataset)
    drawn['robustness'] = image_pictures.damaged(model, conditions)
    for name, figure in drawn.items():
        figure.savefig(output / f'{name}.png', dpi=150)
    figures = evaluation.summary()
    # The run went on past the decisions: its duration says nothing about them.
    del figures['ms_per_image']
    figures['simulated_time_p99_s'] = _percentile_of_times(evaluation)
    figures['expected_calibration_error'] = bins.expected_calibration_error
    figures['accuracy_if_damaged'] = {
        condition.damage: condition.evaluation.accuracy for condition in conditions[1:]
    }
    introduction = (
        f'{model.description or "A spiking network"}: {len(dataset)} images, shown for up to '
        f'{1000 * model.presentation_time:g} ms on the engine {simulator.name}. Every figure on '
        f'this page is from runs of the network.'
    )
    sections = _sections(trajectories, figures, conditions, output)
    text = page(f'{model.name} on spikes', introduction, _headline(figures), sections)
    (output / 'report.html').write_text(text, encoding='utf-8')
    pictures_at = ' '.join(str(output / f'{name}.png') for name in drawn)
    return {**figures, 'page': str(output / 'report.html'), 'pictures': pictures_at}


def _draw(
    trajectories: Trajectories,
    own: OperatingPoint,
    evaluation: Evaluation,
    bins: Reliability,
    dataset: Dataset,
) -> dict[str, Figure]:
    """The pictures by the names of their files."""
    model = trajectories.simulator.model
    # The first image that is read rightly, or the first at all: argmax of all False is 0.
    image = int(np.argmax(evaluation.answers == evaluation.labels))
    pixels, decision = dataset.images[image], evaluation.decisions[image]
    spikes = record_raster(model, prepare(pixels, model.preprocessing))
    looks = calibration_of_looks(trajectories.scores, trajectories.labels)
    return {
        'time': pictures.accuracy_over_time(trajectories, own),
        'operations': pictures.accuracy_against_operations(trajectories, own),
        'layers': pictures.layers(model, evaluation),
        'raster': image_pictures.raster(model, spikes, pixels, decision),
        'calibration': pictures.calibration(bins, looks, trajectories.steps * model.dt),
        'confusion': pictures.confusion(evaluation.confusion(len(model.labels)), model.labels),
        'examples': image_pictures.examples(dataset.images, model, evaluation),
    }


def _percentile_of_times(evaluation: Evaluation, percent: int = 99) -> float:
    """The simulated time in s within which at least `percent` of the decisions fell."""
    times = [decision.simulated_time for decision in evaluation.decisions]
    return float(np.percentile(times, percent, method='inverted_cdf'))


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


def _sections(
    trajectories: Trajectories,
    figures: dict[str, Any],
    conditions: list[robustness.Condition],
    output: Path,
) -> list[Section]:
    model = trajectories.simulator.model
    stages = model.network.stages
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
            f'layer adds {quantity(stages[0].macs, "")} MACs per image, in which it reads the '
            'pixels. Thresholds on the front:',
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
            robustness.table(conditions),
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
            'Computed from counts, not measured; static power, memory and routing are left out.',
            table=_energies(figures),
        ),
    ]


def _front(trajectories: Trajectories, rows: int = 8) -> list[tuple[str, ...]]:
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


def _energies(figures: dict[str, Any]) -> list[tuple[str, ...]]:
    rows = [
        (name, quantity(figures['energy_j'][name], 'J'), chip.source)
        for name, chip in energy.CHIPS.items()
    ]
    return [('chip', 'energy', 'joules per operation from'), *rows]
