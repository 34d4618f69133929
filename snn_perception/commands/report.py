"""`report MODEL --data DIR`: what a model achieves, as a page and pictures to look at."""

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
        prog='report', description='Run a model on labelled images and draw what it achieves.'
    )
    parser.add_argument('model', help='name of a shipped model, such as mnist, or a folder')
    parser.add_argument('--data', required=True, help='idx files, batches or a folder per class')
    parser.add_argument(
        '--output', type=Path, help='folder for report.html and its pictures (report-MODEL)'
    )
    add_engine(parser)
    parser.add_argument('--limit', type=count, help='use at most so many images, evenly spread')
    options = parser.parse_args(arguments)
    return report('report', partial(run, options), None)


def run(options: argparse.Namespace) -> Figures:
    """Write one report; its headline figures and files. Raises ValueError with a sentence."""
    from snn_perception.backends import create_simulator
    from snn_perception.model import load_model
    from snn_perception.reporting.report import write_report
    from snn_perception.training.datasets import load_dataset

    model = load_model(options.model)
    dataset = load_dataset(
        resolve(options.data, 'data'), model.preprocessing, held_out=True, limit=options.limit
    ).matched_to(model.labels)
    choices = {'threads': options.threads, 'precision': options.precision}
    simulator = create_simulator(model, options.backend, options.device, **choices)
    if simulator.name == 'rate':
        raise ValueError('backend rate has no spikes to report on; choose another')
    rates = create_simulator(model, 'rate', options.device)
    output = options.output or Path(f'report-{model.name}')
    output.mkdir(parents=True, exist_ok=True)
    return write_report(simulator, rates, dataset, output)


if __name__ == '__main__':
    sys.exit(main())
