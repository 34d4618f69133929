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

"""`benchmark MODEL`: how fast an engine runs a model on this machine, and the node with it."""

from __future__ import annotations

import argparse
import logging
import sys
from functools import partial
from typing import Any

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
        help='only compile what the engine needs to run the model with these options on this '
        'processor, and keep it for later starts, in NUMBA_CACHE_DIR or else in '
        '~/.cache/snn_perception, for a model that hears events also what decodes these; says '
        'what it compiles, and how long that takes',
    )
    parser.add_argument('--start', action='store_true', help=argparse.SUPPRESS)
    add_node(parser)
    options = parser.parse_args(arguments)
    if options.ros:
        return deliver('benchmark', partial(measure_node, options), options.json)
    if options.soak:
        return soak_node(options)
    if options.warm:
        show_compiling()
    return deliver('benchmark', partial(run, options), options.json)


def show_compiling() -> None:
    """Show on stderr what is compiled, as it happens."""
    log = logging.getLogger('snn_perception.compiled')
    log.addHandler(logging.StreamHandler())
    log.setLevel(logging.INFO)
    log.propagate = False


def add_node(parser: argparse.ArgumentParser) -> None:
    """Add the options that measure the node instead of the engine."""
    node = parser.add_argument_group(
        'the node', 'measured between processes, in a ROS domain of their own; needs ROS'
    )
    node.add_argument(
        '--ros',
        action='store_true',
        help='latency from the stamp of a frame to its label in another process, CPU and memory',
    )
    node.add_argument('--rate', type=positive, default=30.0, help='frames per second (30)')
    node.add_argument('--seconds', type=positive, default=10.0, help='for so long (10)')
    node.add_argument(
        '--size', type=size, default=(640, 480), help='of the frames in pixels (640x480)'
    )
    node.add_argument(
        '--soak',
        type=positive,
        metavar='MINUTES',
        help='faults at random for so long: does it live, answer rightly, and stay as small?',
    )
    node.add_argument('--seed', type=int, default=0, help='of the order of the faults (0)')
    node.add_argument(
        '--deadline',
        type=positive,
        help='the parameter of that name, in s: when to answer at last',
    )


def positive(text: str) -> float:
    """A number above 0, for argparse."""
    value = float(text)
    if not 0 < value < float('inf'):
        raise argparse.ArgumentTypeError('must be above 0')
    return value


def size(text: str) -> tuple[int, int]:
    """WIDTHxHEIGHT, for argparse."""
    width, height = map(int, text.split('x'))
    if not (1 <= width <= 8192 and 1 <= height <= 8192):
        raise argparse.ArgumentTypeError('must be between 1x1 and 8192x8192')
    return width, height


def node_parameters(options: argparse.Namespace) -> dict[str, Any]:
    """The parameters of the node that `options` ask for."""
    names = ('model', 'backend', 'device', 'threads', 'precision')
    parameters = {name: getattr(options, name) for name in names}
    return parameters if options.deadline is None else {**parameters, 'deadline': options.deadline}


def measure_node(options: argparse.Namespace) -> Figures:
    """The figures of the node in a process of its own; raises ValueError with a sentence."""
    from snn_perception.loading import load_model
    from snn_perception.nodes.trials.speed import measure

    model = load_model(options.model)
    images = load_data(options, model.preprocessing).images[:200]
    parameters = node_parameters(options)
    width, height = options.size
    figures: Figures = {'model': model.name, 'size': f'{width}x{height}', 'rate_hz': options.rate}
    return figures | measure(parameters, images, options.size, options.rate, options.seconds)


def soak_node(options: argparse.Namespace) -> int:
    """Print, write and draw the figures of a soak; returns the exit status, 1 if it failed."""
    passed = []

    def measure() -> Figures:
        from snn_perception.loading import load_model
        from snn_perception.nodes.trials.soak import soak
        from snn_perception.reporting.soak_picture import picture
        from snn_perception.reporting.style import save_picture

        model = load_model(options.model)
        images = load_data(options, model.preprocessing).images[:200]
        figures: Figures = {'model': model.name}
        figures |= soak(node_parameters(options), images, options.soak, options.seed)
        passed.append(not figures['failures'])
        course = figures.pop('course')
        if options.picture:
            with keeping(figures, options.picture):
                save_picture(picture(course, figures), options.picture)
        return figures

    return deliver('benchmark', measure, options.json) or int(passed != [True])


def run(options: argparse.Namespace) -> Figures:
    """The figures of one benchmark; raises ValueError with a sentence."""
    import numpy as np

    from snn_perception.backends import create_simulator
    from snn_perception.benchmarking import measure, peers
    from snn_perception.events.decoding import DECODERS
    from snn_perception.events.first_event import first_event
    from snn_perception.images import prepare
    from snn_perception.loading import load_model
    from snn_perception.reporting.benchmark_picture import picture
    from snn_perception.reporting.style import save_picture

    model = load_model(options.model)
    choices = {'threads': options.threads, 'precision': options.precision}
    engine = (options.backend, options.device)
    if model.network.hears_events:
        if not options.warm:
            raise ValueError(
                f'model {model.name} hears events, and only models of images are timed; --warm '
                f'compiles what it needs, and how fast events are answered, its node says in '
                f'/diagnostics'
            )
        event = first_event(model.shaping, model.dt, DECODERS)
        return {'model': model.name} | measure.warm(model, event[:, None], *engine, **choices)
    dataset = load_data(options, model.preprocessing)
    images = np.stack([prepare(image, model.preprocessing) for image in dataset.images[:200]])
    if options.start:
        return measure.start(model, images[:1], *engine, **choices)
    if options.warm:
        return {'model': model.name} | measure.warm(model, images[:1], *engine, **choices)
    simulator = create_simulator(model, *engine, **choices)
    figures: Figures = {'model': model.name, 'engine': f'{simulator.name} on {simulator.device}'}
    figures |= choices
    if 'precision' in simulator.options and options.precision == 'auto':
        figures['precision'] = model.precision
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
