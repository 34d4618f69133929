"""`evaluate MODEL --data DIR`: how often a model is right, how fast, and at what cost."""

from __future__ import annotations

import argparse
import sys
from functools import partial

from snn_perception.commands.figures import Figures, deliver
from snn_perception.commands.options import about_data, add_evaluation, load_evaluation
from snn_perception.commands.targets import file_to_write


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog='evaluate', description='Run a model on labelled images and print what it achieves.'
    )
    add_evaluation(parser)
    parser.add_argument('--json', type=file_to_write, help='JSON file to write the figures to')
    options = parser.parse_args(arguments)
    return deliver('evaluate', partial(run, options), options.json)


def run(options: argparse.Namespace) -> Figures:
    """The figures of one evaluation; raises ValueError with a sentence."""
    from snn_perception.evaluation.accuracy import evaluate

    simulator, rates, dataset = load_evaluation(options)
    figures = evaluate(simulator, rates, dataset).summary()
    return figures | about_data(dataset)


if __name__ == '__main__':
    sys.exit(main())
