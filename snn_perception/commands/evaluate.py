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

"""`evaluate MODEL --data DIR`: how often a model is right, how fast, and at what cost."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from typing import TYPE_CHECKING

from snn_perception.commands import online
from snn_perception.commands.figures import Figures, deliver
from snn_perception.commands.options import about_data, add_evaluation, load_evaluation, seconds
from snn_perception.locations import resolve_path
from snn_perception.online.files import is_model
from snn_perception.requirements import MissingLibrary, require
from snn_perception.targets import file_to_write

if TYPE_CHECKING:
    from snn_perception.backends import Simulator
    from snn_perception.datasets import Dataset
    from snn_perception.datasets.event_set import EventSet
    from snn_perception.model import Model


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog='evaluate',
        description='Run a model on labelled images, or recordings of events, and print '
        'what it achieves.',
    )
    add_evaluation(parser)
    parser.add_argument(
        '--deadline',
        type=seconds,
        help='seconds of wall-clock time for each image, shown one at a time; the figures are '
        'then those of this machine',
    )
    parser.add_argument(
        '--damage',
        action='append',
        default=[],
        metavar='KIND:SEVERITY',
        help='how often it is right on the images with this damage, too, such as fog:3, with a '
        'severity from 1 to 5; all:3 is every kind; may be given several times',
    )
    parser.add_argument(
        '--unknown',
        metavar='FOLDER',
        help='folder with images or recordings, in any depth, of what the model does not know, to '
        'see how well it tells them from those of --data',
    )
    parser.add_argument(
        '--stream',
        action='store_true',
        help='how often it is right if it hears the recordings one after the other without a '
        'pause, too; for models that hear events',
    )
    parser.add_argument('--json', type=file_to_write, help='JSON file to write the figures to')
    options = parser.parse_args(arguments)
    measure = online.evaluate if is_model(options.model) else run
    return deliver('evaluate', partial(measure, options), options.json)


def run(options: argparse.Namespace) -> Figures:
    """The figures of one evaluation; raises ValueError with a sentence."""
    from snn_perception.evaluation.accuracy import evaluate
    from snn_perception.evaluation.damage import parse
    from snn_perception.evaluation.in_stream import evaluate_in_stream
    from snn_perception.evaluation.in_time import evaluate_in_time
    from snn_perception.evaluation.robustness import chosen_of, damaged, summary
    from snn_perception.evaluation.unfamiliar import summary_of_unknown

    for text in options.damage:
        parse(text)  # A wrong one ends the command now, not when the model is loaded.
    simulator, dataset = load_evaluation(options)
    unknown = _unknown(options, simulator)
    rates = _rate_network(simulator.model, options.device)

    def measured(shown: Dataset | EventSet, unknown: Dataset | EventSet | None = None) -> Figures:
        if options.deadline is not None:
            images = _images(shown, '--deadline')
            return evaluate_in_time(simulator, rates, images, options.deadline).summary()
        evaluation = evaluate(simulator, rates, shown)
        if unknown is None:
            return evaluation.summary()
        return evaluation.summary() | summary_of_unknown(simulator, evaluation, unknown)

    images = _images(dataset, '--damage') if options.damage else None
    recordings = _recordings(dataset, '--stream') if options.stream else None
    figures = measured(dataset, unknown)
    if recordings is not None:
        figures |= evaluate_in_stream(simulator, recordings).summary()
    if images is not None:
        channels = images.images.shape[3]
        damages = [damage for text in options.damage for damage in parse(text, channels)]
        found = {each: chosen_of(measured(damaged(images, each))) for each in damages}
        figures |= summary(found)
    if options.deadline is not None:
        print(
            'evaluate: what is right within a deadline depends on this machine and on what else '
            'it does; another one has other figures',
            file=sys.stderr,
        )
    return figures | about_data(dataset)


def _images(dataset: Dataset | EventSet, option: str) -> Dataset:
    """`dataset`, which `option` needs to be images; raises ValueError if it is not."""
    from snn_perception.datasets import Dataset

    if not isinstance(dataset, Dataset):
        raise ValueError(f'{option} is for models of images, and this one hears events')
    return dataset


def _recordings(dataset: Dataset | EventSet, option: str) -> EventSet:
    """`dataset`, which `option` needs to be recordings; raises ValueError if it is not."""
    from snn_perception.datasets.event_set import EventSet

    if not isinstance(dataset, EventSet):
        raise ValueError(f'{option} is for models that hear events, and this one is for images')
    return dataset


def _unknown(options: argparse.Namespace, simulator: Simulator) -> Dataset | EventSet | None:
    """What --unknown names, if it is given, as the network is shown it."""
    from snn_perception.datasets import Dataset
    from snn_perception.datasets.event_set import load_unlabelled
    from snn_perception.datasets.unlabelled import load_images
    from snn_perception.evaluation.unfamiliar import require_score

    if options.unknown is None:
        return None
    if options.deadline is not None:
        raise ValueError('--unknown is measured without a deadline: leave out one of the two')
    require_score(simulator)
    folder, model = resolve_path(options.unknown), simulator.model
    if model.network.hears_events:
        return load_unlabelled(folder, model.shaping, options.limit)
    return Dataset.of_no_class(load_images(folder, model.preprocessing, options.limit).images)


def _rate_network(model: Model, device: str) -> Simulator | None:
    """`model` in rates, None with a word to the user where PyTorch is missing or too old."""
    from snn_perception.backends import LIBRARIES, create_simulator

    try:
        require('rate_accuracy', *LIBRARIES['rate'])
    except MissingLibrary as reason:
        print(f'evaluate: {reason}; it is left out', file=sys.stderr)
        return None
    return create_simulator(model, 'rate', device)


if __name__ == '__main__':
    sys.exit(main())
