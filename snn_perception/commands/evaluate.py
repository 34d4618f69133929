"""`evaluate MODEL --data DIR`: how often a model is right, how soon, and at what cost."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path

from snn_perception.commands.figures import Figures, add_engine, count, report
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
    add_engine(parser)
    parser.add_argument('--limit', type=count, help='use at most so many images, evenly spread')
    parser.add_argument('--json', type=Path, help='file to write the figures to')
    options = parser.parse_args(arguments)
    return report('evaluate', partial(run, options), options.json)


def run(options: argparse.Namespace) -> Figures:
    """The figures of one evaluation; raises ValueError with a sentence."""
    from snn_perception.backends import create_simulator
    from snn_perception.evaluation import evaluate
    from snn_perception.model import load_model
    from snn_perception.training.datasets import load_dataset

    model = load_model(options.model)
    dataset = load_dataset(
        resolve(options.data, 'data'), model.preprocessing, held_out=True, limit=options.limit
    ).matched_to(model.labels)
    choices = {'threads': options.threads, 'precision': options.precision}
    simulator = create_simulator(model, options.backend, options.device, **choices)
    rates = create_simulator(model, 'rate', options.device)
    return evaluate(simulator, rates, dataset).summary()


if __name__ == '__main__':
    sys.exit(main())
