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

"""`train RECIPE`: make a model from a recipe and a data set."""

from __future__ import annotations

import argparse
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from snn_perception.commands import online
from snn_perception.commands.long_runs import interruptible, trained
from snn_perception.commands.options import add_data, count, data_folder, load_data, only
from snn_perception.datasets import Dataset
from snn_perception.online.files import is_recipe
from snn_perception.targets import file_to_write, folder_to_write

if TYPE_CHECKING:
    from snn_perception.datasets.event_set import EventSet
    from snn_perception.training.recipe import Recipe


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog='train',
        description='Train a network by a recipe and write the model, its card and its log. '
        'Under torchrun, several processes share every batch.',
    )
    parser.add_argument('recipe', help='name of a shipped recipe, such as mnist, or a YAML file')
    add_data(
        parser,
        required=True,
        several=True,
        purpose='or for a recipe on events a folder of recordings per class; these and images to '
        'simulate others of may both be given, each with its own --data',
    )
    parser.add_argument(
        '--output',
        type=folder_to_write,
        help='directory to write to and to resume from (default: trained/<name>)',
    )
    parser.add_argument(
        '--images-per-class', type=count, metavar='N', help='use only the first N of each class'
    )
    parser.add_argument(
        '--show-augmentation',
        type=file_to_write,
        metavar='FILE.png',
        help='only draw what the augmentation of the recipe does to some of the images',
    )
    parser.add_argument('--device', default='auto', choices=('auto', 'cpu', 'cuda'))
    options = parser.parse_args(arguments)
    if is_recipe(options.recipe):
        return online.train(options)
    return interruptible('train', lambda: trained('train', partial(_run, options)))


def _run(options: argparse.Namespace) -> None:
    # Importing PyTorch takes seconds, too long for --help or a wrong argument.
    from snn_perception.backends.torch import choose_device
    from snn_perception.energy import prices
    from snn_perception.training.pipeline import train
    from snn_perception.training.recipe import load_recipe

    prices()  # The card of the model needs them at the end.
    recipe, _ = load_recipe(options.recipe)
    device = choose_device(options.device)
    output = options.output or Path('trained') / recipe.name
    if recipe.hears_events:
        recordings, simulated = _recordings(recipe, options)
        train(recipe, recordings, output, device, simulated)
        return
    options.data = only(options.data)
    dataset = load_data(options, recipe.preprocessing, held_out=False)
    if options.images_per_class is not None:
        dataset = dataset.first_of_each(options.images_per_class)
    if options.show_augmentation:
        _show_augmentation(recipe, dataset, options.show_augmentation)
        return
    train(recipe, dataset, output, device)


def _recordings(recipe: Recipe, options: argparse.Namespace) -> tuple[EventSet, EventSet | None]:
    """The recordings to learn from, and simulated ones beside real ones, if there are both."""
    from snn_perception.datasets.event_sources import load_events

    for name in ('images_per_class', 'show_augmentation'):
        if getattr(options, name) is not None:
            raise ValueError(f'--{name.replace("_", "-")} is not for recipes on events')
    folders = [data_folder(each) for each in options.data]
    return load_events(
        folders, recipe.shaping, recipe.simulation, recipe.seed, options.skip_unreadable
    )


def _show_augmentation(recipe: Recipe, dataset: Dataset, path: Path) -> None:
    """Draw what the augmentation of `recipe` does to images of `dataset`."""
    from snn_perception.reporting.augmentation_picture import save_augmentation
    from snn_perception.training.preview import preview

    save_augmentation(preview(recipe.augmentation, dataset, recipe.seed), path)
    print(f'wrote {path}')


if __name__ == '__main__':
    sys.exit(main())
