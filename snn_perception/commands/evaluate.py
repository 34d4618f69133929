"""`evaluate MODEL --data DIR`: how often a model is right, how soon, and at what cost."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from snn_perception.files import resolve


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog='evaluate', description='Run a model on labelled images and print what it achieves.'
    )
    parser.add_argument('model', help='name of a shipped model, such as mnist, or a folder')
    parser.add_argument(
        '--data', required=True, help='directory with MNIST idx files or a folder per class'
    )
    parser.add_argument('--backend', default='auto', help='auto, event, torch, rate or reference')
    parser.add_argument('--device', default='auto', help='auto, cpu or cuda')
    parser.add_argument(
        '--precision', default='float32', help='weights of event: float32, bfloat16 or int8'
    )
    parser.add_argument('--limit', type=count, help='use at most so many images, evenly spread')
    parser.add_argument('--json', type=Path, help='file to write the figures to')
    options = parser.parse_args(arguments)
    try:
        figures = run(options)
        if options.json:
            options.json.write_text(json.dumps(figures, indent=2) + '\n', encoding='utf-8')
    except (ValueError, OSError) as reason:
        print(f'evaluate: {reason}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    print_figures(figures)
    return 0


def run(options: argparse.Namespace) -> dict[str, Any]:
    """The figures of one evaluation; raises ValueError with a sentence."""
    from snn_perception.backends import create_simulator
    from snn_perception.evaluation import evaluate
    from snn_perception.model import load_model
    from snn_perception.training.datasets import load_dataset

    model = load_model(options.model)
    dataset = load_dataset(
        resolve(options.data, 'data'), model.preprocessing, held_out=True, limit=options.limit
    ).matched_to(model.labels)
    simulator = create_simulator(
        model, options.backend, options.device, precision=options.precision
    )
    rates = create_simulator(model, 'rate', options.device)
    return evaluate(simulator, rates, dataset).summary()


def print_figures(figures: dict[str, Any], indent: str = '') -> None:
    """One `name value` line per figure, nested ones indented."""
    for name, value in figures.items():
        if isinstance(value, dict):
            print(f'{indent}{name}')
            print_figures(value, indent + '  ')
        else:
            shown = f'{value:.6g}' if isinstance(value, float) else str(value)
            print(f'{indent}{name:<{22 - len(indent)}}{shown}')


def count(text: str) -> int:
    """A whole number of at least 1, for argparse."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError('must be at least 1')
    return value


if __name__ == '__main__':
    sys.exit(main())
