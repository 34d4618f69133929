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

"""`benchmark MODEL`: how fast an engine runs a model on this machine."""

from __future__ import annotations

import argparse
import sys
from functools import partial

from snn_perception.commands.figures import Figures, deliver, keeping
from snn_perception.commands.options import add_data, add_engine, count, load_data
from snn_perception.targets import file_to_write

DIGITS = 'package://snn_perception/resource/images/digits'


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog='benchmark', description='Measure how fast an engine runs a model on this machine.'
    )
    parser.add_argument('model', nargs='?', default='mnist', help='shipped name or folder')
    add_engine(parser)
    add_data(parser, DIGITS)
    parser.add_argument('--frames', type=count, default=100, help='frames to time (100)')
    parser.add_argument('--json', type=file_to_write, help='JSON file to write the figures to')
    parser.add_argument('--picture', type=file_to_write, help='PNG file to draw the figures to')
    parser.add_argument(
        '--peers', action='store_true', help='also time other spiking libraries, same network'
    )
    parser.add_argument(
        '--warm',
        action='store_true',
        help='only compile the engine, to make later starts fast',
    )
    parser.add_argument('--start', action='store_true', help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.warm:
        print('Compiling the engine, for a few seconds the first time ...', file=sys.stderr)
    return deliver('benchmark', partial(run, options), options.json)


def run(options: argparse.Namespace) -> Figures:
    """The figures of one benchmark; raises ValueError with a sentence."""
    import numpy as np

    from snn_perception.backends import create_simulator
    from snn_perception.benchmarking import measure, peers
    from snn_perception.images import prepare
    from snn_perception.loading import load_model
    from snn_perception.reporting.benchmark_picture import picture
    from snn_perception.reporting.style import save_picture

    model = load_model(options.model)
    dataset = load_data(options, model.preprocessing)
    images = np.stack([prepare(image, model.preprocessing) for image in dataset.images[:200]])
    choices = {'threads': options.threads, 'precision': options.precision}
    engine = (options.backend, options.device)
    if options.start or options.warm:
        return measure.start(model, images, *engine, **choices)
    simulator = create_simulator(model, *engine, **choices)
    figures: Figures = {'model': model.name, 'engine': f'{simulator.name} on {simulator.device}'}
    figures |= choices
    figures |= measure.measure_frames(simulator, images, options.frames)
    frames = min(options.frames, 20)
    figures['share_per_layer'] = measure.share_per_layer(simulator, images, frames)
    figures |= measure.limit(simulator, images, frames)
    figures['frames_per_s_in_batches'] = measure.frames_per_second(simulator, images, 5)
    same = {'backend': simulator.name, 'device': options.device, 'data': options.data, **choices}
    arguments = [word for name, value in same.items() for word in (f'--{name}', str(value))]
    arguments += ['--skip-unreadable'] * options.skip_unreadable
    figures |= measure.measure_starts([options.model, *arguments])
    figures |= measure.scaling(
        model, images, frames, simulator.name, device=options.device, **choices
    )
    if options.peers:
        figures['peers'] = peers.compare(model, images, measure.precisions_of(simulator))
    if options.picture:
        with keeping(figures, options.picture):
            save_picture(picture(figures), options.picture)
    return figures


if __name__ == '__main__':
    sys.exit(main())
