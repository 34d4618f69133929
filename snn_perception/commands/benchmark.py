"""`benchmark MODEL`: how fast an engine runs a model on this machine."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from snn_perception.commands.evaluate import count, print_figures
from snn_perception.files import resolve

DIGITS = 'package://snn_perception/resource/images/digits'


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    options = _parser().parse_args(arguments)
    try:
        figures = run(options)
        if options.json:
            options.json.write_text(json.dumps(figures, indent=2) + '\n', encoding='utf-8')
    except (ValueError, OSError) as reason:
        print(f'benchmark: {reason}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    if options.start:
        print(json.dumps(figures))
    else:
        print_figures(figures)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog='benchmark', description='Measure how fast an engine runs a model on this machine.'
    )
    parser.add_argument('model', nargs='?', default='mnist', help='shipped name or folder')
    parser.add_argument('--backend', default='auto', help='auto, event, torch, rate or reference')
    parser.add_argument('--device', default='auto', help='auto, cpu or cuda')
    parser.add_argument('--threads', type=int, default=0, help='of event; 0: its own choice')
    parser.add_argument(
        '--precision', default='float32', help='weights of event: float32, bfloat16 or int8'
    )
    parser.add_argument('--data', default=DIGITS, help='images: idx files or a folder per class')
    parser.add_argument('--frames', type=count, default=100, help='frames to time (100)')
    parser.add_argument('--json', type=Path, help='file to write the figures to')
    parser.add_argument('--picture', type=Path, help='PNG file to draw the scaling into')
    parser.add_argument(
        '--warm', action='store_true', help='only compile what the engine needs, for later starts'
    )
    parser.add_argument('--start', action='store_true', help=argparse.SUPPRESS)
    return parser


def run(options: argparse.Namespace) -> dict[str, Any]:
    """The figures of one benchmark; raises ValueError with a sentence."""
    import numpy as np

    from snn_perception import benchmarking
    from snn_perception.backends import create_simulator
    from snn_perception.images import prepare
    from snn_perception.model import load_model
    from snn_perception.training.datasets import load_dataset

    model = load_model(options.model)
    dataset = load_dataset(resolve(options.data, 'data'), model.preprocessing, held_out=True)
    images = np.stack([prepare(image, model.preprocessing) for image in dataset.images[:200]])
    engine = (options.backend, options.device)
    choices = {'threads': options.threads, 'precision': options.precision}
    if options.start or options.warm:
        return benchmarking.start(model, images, *engine, **choices)
    simulator = create_simulator(model, *engine, **choices)
    figures = {'model': model.name, 'engine': f'{simulator.name} on {simulator.device}', **choices}
    figures |= benchmarking.measure_frames(simulator, images, options.frames)
    figures['frames_per_s_in_batches'] = benchmarking.frames_per_second(simulator, images, 5)
    same = {'backend': simulator.name, 'device': options.device, 'data': options.data, **choices}
    arguments = [word for name, value in same.items() for word in (f'--{name}', str(value))]
    figures |= benchmarking.measure_starts([options.model, *arguments])
    frames = min(options.frames, 20)
    figures |= benchmarking.scaling(
        model, images, frames, simulator.name, device=options.device, **choices
    )
    if options.picture:
        benchmarking.save_picture(figures, options.picture)
    return figures


if __name__ == '__main__':
    sys.exit(main())
