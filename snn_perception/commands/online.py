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

"""What `train` and `evaluate` do for networks of winner-take-all circuits that learn online."""

from __future__ import annotations

import argparse
import logging
import sys
from dataclasses import asdict
from pathlib import Path

from snn_perception.commands.figures import Figures
from snn_perception.commands.options import only
from snn_perception.locations import resolve_path


def train(options: argparse.Namespace) -> int:
    """Train by a recipe whose trainer is `online`; returns the exit status."""
    logging.basicConfig(level=logging.INFO, format='%(message)s', stream=sys.stderr)
    try:
        _train(options)
    except (ValueError, FloatingPointError, OSError) as reason:
        print(f'train: {reason}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print('train: interrupted; nothing was written', file=sys.stderr)
        return 130
    return 0


def _train(options: argparse.Namespace) -> None:
    # numba takes seconds, too long for --help or a wrong argument.
    from snn_perception.datasets.recordings import find_recordings
    from snn_perception.online.model import save
    from snn_perception.online.recipe import load_recipe
    from snn_perception.online.recordings import first_of_each
    from snn_perception.online.training import train

    recipe = load_recipe(options.recipe)
    refuse(
        'recipe with the trainer online',
        {
            '--show-augmentation': options.show_augmentation,
            '--skip-unreadable': options.skip_unreadable,
            '--device cuda': options.device == 'cuda',
        },
    )
    recordings = find_recordings(resolve_path(only(options.data)))
    if options.images_per_class is not None:
        recordings = first_of_each(recordings, options.images_per_class)
    model, epochs = train(recipe, recordings)
    output = options.output or Path('trained') / recipe.name
    save(model, output, {'recipe': asdict(recipe), 'epochs': [asdict(each) for each in epochs]})
    print(f'wrote {output}')


def evaluate(options: argparse.Namespace) -> Figures:
    """The figures of a model that learned online; raises ValueError with a sentence."""
    from snn_perception.datasets.recordings import find_recordings
    from snn_perception.energy import prices
    from snn_perception.online.model import load
    from snn_perception.online.recordings import evenly
    from snn_perception.online.training import evaluate

    refuse(
        'model that learned online',
        {
            '--deadline': options.deadline,
            '--damage': options.damage,
            '--unknown': options.unknown,
            '--skip-unreadable': options.skip_unreadable,
            '--backend': options.backend != 'auto',
            '--device cuda': options.device == 'cuda',
        },
    )
    prices()  # Wrong ones end the command now, not when all recordings have been heard.
    model = load(options.model)
    recordings = find_recordings(resolve_path(options.data), held_out=True)
    if options.limit is not None:
        recordings = evenly(recordings, options.limit)
    return evaluate(model, recordings).summary() | {'data_part': recordings.part}


def refuse(thing: str, given: dict[str, object]) -> None:
    """Raise ValueError, a sentence, if any option is `given` that is not for a `thing`."""
    odd = ', '.join(name for name, value in given.items() if value)
    if odd:
        raise ValueError(f'a {thing} has no use for {odd}: leave it out')
