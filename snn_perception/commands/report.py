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

"""`report MODEL --data DIR`: what a model achieves, as a page with pictures."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path

from snn_perception.commands.figures import Figures, deliver, keeping
from snn_perception.commands.options import about_data, add_evaluation, load_evaluation
from snn_perception.targets import folder_to_write


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog='report',
        description='Run a model on labelled images, or recordings of events, and show '
        'what it achieves.',
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
    from snn_perception.backends import create_simulator
    from snn_perception.evaluation.findings import study
    from snn_perception.evaluation.trajectories import record
    from snn_perception.reporting.writing import write_report

    simulator, dataset = load_evaluation(options)
    rates = create_simulator(simulator.model, 'rate', options.device)
    if simulator.name == 'rate':
        raise ValueError('backend rate has no spikes to report on; choose another')
    output = options.output or Path(f'report-{simulator.model.name}')
    output.mkdir(parents=True, exist_ok=True)
    findings = study(record(simulator, rates, dataset), rates, dataset)
    with keeping(findings.figures | about_data(dataset), output):
        return write_report(findings, output, _seen(options.model)) | about_data(dataset)


def _seen(location: str) -> frozenset[str] | None:
    """The kinds of damage that are like what the images had in the training of a model."""
    from snn_perception.loading import training_of

    kinds = training_of(location).get('seen_damages')
    return frozenset(map(str, kinds)) if isinstance(kinds, list) else None


if __name__ == '__main__':
    sys.exit(main())
