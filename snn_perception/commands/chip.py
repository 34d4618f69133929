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

"""`chip MODEL [--data DIR]`: what a model needs on Loihi, and what fixed point changes in it."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from typing import TYPE_CHECKING, cast

import numpy as np

from snn_perception.commands.figures import Figures, deliver, keeping
from snn_perception.commands.options import add_data, add_model, count, load_labelled
from snn_perception.targets import file_to_write

if TYPE_CHECKING:
    from snn_perception.backends.loihi.simulator import LoihiSimulator
    from snn_perception.model import Model


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog='chip',
        description='Print the cores, neurons and synapse memory that a model needs on Loihi '
        'chips, or why it does not fit. With images (this needs nengo-loihi), also print how its '
        'layers there differ from floating point.',
    )
    add_model(parser)
    add_data(parser, purpose='to compare the layers on')
    parser.add_argument('--limit', type=count, default=8, help='use at most this many of them (8)')
    parser.add_argument('--picture', type=file_to_write, help='PNG file to draw the figures to')
    parser.add_argument('--json', type=file_to_write, help='JSON file to write the figures to')
    options = parser.parse_args(arguments)
    return deliver('chip', partial(run, options), options.json)


def run(options: argparse.Namespace) -> Figures:
    """The figures of a model on chips; raises ValueError with a sentence."""
    from snn_perception.backends.loihi.mapping import place
    from snn_perception.evaluation.on_chip import resources
    from snn_perception.loading import load_model

    model = load_model(options.model)
    if options.data and model.network.firing_window:
        raise ValueError(
            f'the emulator cannot run {model.name}, whose layers take turns (firing_window of '
            f'{model.network.firing_window} s); without --data its cores are counted all the same'
        )
    figures = resources(place(model.network, model.readout.views))
    if options.data and figures['fits']:
        figures = _studied(model, options)
    if options.picture and figures['layers']:
        from snn_perception.reporting.chip_picture import picture
        from snn_perception.reporting.style import save_picture

        with keeping(figures, options.picture):
            save_picture(picture(figures), options.picture)
    return figures


def _studied(model: Model, options: argparse.Namespace) -> Figures:
    """The figures with a comparison of the layers of `model` on the images."""
    # Importing PyTorch takes seconds.
    from snn_perception.backends import create_simulator
    from snn_perception.evaluation.accuracy import inputs_of
    from snn_perception.evaluation.on_chip import study_chip

    dataset = load_labelled(options, model, options.limit)
    simulator = cast('LoihiSimulator', create_simulator(model, 'loihi'))
    return study_chip(simulator, inputs_of(model, dataset, np.arange(len(dataset))))


if __name__ == '__main__':
    sys.exit(main())
