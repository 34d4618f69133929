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
import ctypes
import logging
import signal
import sys
from pathlib import Path
from types import FrameType

from snn_perception.commands.options import add_data, count, load_data
from snn_perception.requirements import require
from snn_perception.targets import folder_to_write
from snn_perception.training.interruption import SIGNALS, handled_by


def main(arguments: list[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog='train',
        description='Train a network by a recipe and write the model, its card and its log. '
        'Under torchrun, several processes share every batch.',
    )
    parser.add_argument('recipe', help='name of a shipped recipe, such as mnist, or a YAML file')
    add_data(parser, required=True)
    parser.add_argument(
        '--output',
        type=folder_to_write,
        help='directory to write to and to resume from (default: trained/<name>)',
    )
    parser.add_argument(
        '--images-per-class', type=count, metavar='N', help='use only the first N of each class'
    )
    parser.add_argument('--device', default='auto', choices=('auto', 'cpu', 'cuda'))
    options = parser.parse_args(arguments)
    try:
        with handled_by(_stop):
            return _run(options)
    except KeyboardInterrupt as reason:
        # At any moment, also while the libraries are being imported.
        print('train: interrupted; the same command resumes', file=sys.stderr)
        [number] = reason.args or (signal.SIGINT,)
        return 128 + int(number)


def _run(options: argparse.Namespace) -> int:
    require('training', 'torch>=2.9')
    # Importing PyTorch takes seconds, too long for --help or a wrong argument.
    from snn_perception.backends.torch import choose_device
    from snn_perception.energy import prices
    from snn_perception.training import distributed
    from snn_perception.training.pipeline import train
    from snn_perception.training.recipe import load_recipe

    leads = distributed.leads()
    level = logging.INFO if leads else logging.ERROR
    logging.basicConfig(level=level, format='%(message)s', stream=sys.stderr)
    program = 'train' if leads else f'train, process {distributed.rank()}'
    try:
        prices()  # The card of the model needs them at the end.
        _keep_memory()
        recipe, _ = load_recipe(options.recipe)
        device = choose_device(options.device)
        dataset = load_data(options, recipe.preprocessing, held_out=False)
        if options.images_per_class is not None:
            dataset = dataset.first_of_each(options.images_per_class)
        output = options.output or Path('trained') / recipe.name
        train(recipe, dataset, output, device)
    except (ValueError, FloatingPointError, OSError) as reason:
        print(f'{program}: {reason}', file=sys.stderr)
        return 1
    return 0


def _stop(number: int, frame: FrameType | None) -> None:
    """Raise KeyboardInterrupt(number), once: under torchrun every signal comes several times."""
    for each in SIGNALS:
        signal.signal(each, signal.SIG_IGN)
    raise KeyboardInterrupt(number)


def _keep_memory() -> None:
    """Let the C library keep freed memory instead of giving it back to the system.

    Every training step allocates the same large tensors; fetching their pages again each time
    costs more than computing them. It is for all of the process, so no library may ask for it.
    Does nothing where the C library is not glibc.
    """
    trim_threshold, mmap_max, arena_max = -1, -4, -8
    try:
        libc = ctypes.CDLL('libc.so.6')
    except OSError:
        return
    libc.mallopt(trim_threshold, 2**31 - 1)
    libc.mallopt(mmap_max, 0)
    # The arenas of threads are made of small pieces that do go back to the system.
    libc.mallopt(arena_max, 1)


if __name__ == '__main__':
    sys.exit(main())
