"""`report MODEL --data DIR`: what a model achieves, as a page with pictures."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path

from snn_perception.commands.figures import Figures, deliver, keeping
from snn_perception.commands.options import about_data, add_evaluation, load_evaluation
from snn_perception.commands.targets import folder_to_write


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog='report', description='Run a model on labelled images and show what it achieves.'
    )
    add_evaluation(parser)
    parser.add_argument(
        '--output',
        type=folder_to_write,
        help='folder for report.html and its pictures (report-MODEL)',
    )
    options = parser.parse_args(arguments)
    return deliver('report', partial(run, options), None)


def run(options: argparse.Namespace) -> Figures:
    """Write one report; returns its figures and files. Raises ValueError with a sentence."""
    from snn_perception.evaluation.findings import study
    from snn_perception.evaluation.trajectories import record
    from snn_perception.reporting.writing import write_report

    simulator, rates, dataset = load_evaluation(options)
    if simulator.name == 'rate':
        raise ValueError('backend rate has no spikes to report on; choose another')
    output = options.output or Path(f'report-{simulator.model.name}')
    output.mkdir(parents=True, exist_ok=True)
    findings = study(record(simulator, rates, dataset), rates, dataset)
    with keeping(findings.figures | about_data(dataset), output):
        return write_report(findings, output) | about_data(dataset)


if __name__ == '__main__':
    sys.exit(main())
