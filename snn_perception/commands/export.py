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

"""`export MODEL --format nir`: write a network for other tools, or import one from them."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING

from snn_perception.commands.figures import Figures, deliver
from snn_perception.commands.options import add_data, add_model, count, load_labelled
from snn_perception.targets import file_to_write, folder_to_write

if TYPE_CHECKING:
    from snn_perception.model import Model


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog='export',
        description='Write a model for other tools, and say what they will not know about it.',
    )
    add_model(parser)
    parser.add_argument(
        '--format',
        choices=('nir', 'folder'),
        default='nir',
        help='nir: a file for other tools; folder: a model of this package, for example to edit '
        'the model.yaml of an imported NIR file',
    )
    parser.add_argument('--output', help='what to write (NAME.nir, or the folder NAME)')
    parser.add_argument(
        '--step',
        type=float,
        help="time step in s of the other library, where a spike is 1 for one step (the model's "
        'time step); 0: continuous time, spikes of area 1',
    )
    add_data(parser, purpose='to measure what the losses cost')
    parser.add_argument('--limit', type=count, help='use at most this many images, evenly spread')
    options = parser.parse_args(arguments)
    if options.output is not None:
        check = _nir_to_write if options.format == 'nir' else folder_to_write
        try:
            check(options.output)
        except argparse.ArgumentTypeError as reason:
            parser.error(f'argument --output: {reason}')
    return deliver('export', partial(run, options), None)


def run(options: argparse.Namespace) -> Figures:
    """Write one model and return facts about it. Raises ValueError with a sentence."""
    from snn_perception.loading import load_model
    from snn_perception.model_folder import save_model

    if options.format == 'nir':
        return _write_nir(load_model(options.model), options)
    model = load_model(options.model, options.step)
    folder = Path(options.output or model.name)
    save_model(model, folder)
    neuron, synapse = model.network.neuron, model.network.synapse
    return {'folder': folder, 'step_s': model.dt, 'neuron': neuron, 'synapse': synapse}


def _nir_to_write(text: str) -> None:
    if file_to_write(text).suffix.lower() != '.nir':
        raise argparse.ArgumentTypeError(f'the name of the file must end in .nir, unlike {text}')


def _write_nir(model: Model, options: argparse.Namespace) -> Figures:
    from snn_perception.interchange.nir_files import write_graph
    from snn_perception.interchange.nir_reading import read_model
    from snn_perception.interchange.nir_writing import lost, to_graph
    from snn_perception.interchange.timing import Timing

    target = Path(options.output or f'{model.name}.nir')
    timing = Timing(model.dt if options.step is None else options.step)
    graph = to_graph(model, timing)
    write_graph(graph, target)
    figures: Figures = {'file': target, 'nodes': len(graph.nodes), 'step_s': timing.step}
    figures['lost_in_other_tools'] = lost(model, timing)
    if options.data:
        there = read_model(target, timing.step, use_metadata=False)
        figures |= _compare(model, there, options)
    return figures


def _compare(model: Model, there: Model, options: argparse.Namespace) -> Figures:
    """What `model` achieves on labelled images, compared with the network that arrives `there`.

    Both get the preprocessing and the readout of `model`, which other tools must be told about.
    """
    from dataclasses import replace

    from snn_perception.backends import create_simulator
    from snn_perception.evaluation.accuracy import evaluate

    dataset = load_labelled(options, model, options.limit).matched_to(model.labels)
    there = replace(there, labels=model.labels, input=model.input, readout=model.readout)
    rates = create_simulator(model, 'rate')
    figures: Figures = {'images': len(dataset)}
    for where, simulated in (('here', model), ('there', there)):
        evaluation = evaluate(create_simulator(simulated), rates, dataset)
        figures[f'accuracy_{where}'] = evaluation.accuracy
        figures[f'firing_rate_{where}_hz'] = fmean(d.firing_rate for d in evaluation.decisions)
    figures['accuracy_change'] = figures['accuracy_there'] - figures['accuracy_here']
    return figures


if __name__ == '__main__':
    sys.exit(main())
