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

"""Options that several commands share, and what the commands load for them."""

from __future__ import annotations

import argparse
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from snn_perception.locations import resolve_path

if TYPE_CHECKING:
    from snn_perception.backends import Simulator
    from snn_perception.datasets import Dataset
    from snn_perception.datasets.event_set import EventSet
    from snn_perception.images import Preprocessing
    from snn_perception.model import Model


def count(text: str) -> int:
    """A whole number of at least 1, for argparse."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError('must be at least 1')
    return value


def seconds(text: str) -> float:
    """A time in s above 0, for argparse."""
    value = float(text)
    if not (math.isfinite(value) and value > 0):
        raise argparse.ArgumentTypeError('must be a time in seconds above 0')
    return value


def add_model(parser: argparse.ArgumentParser) -> None:
    """Add the argument that names a model."""
    parser.add_argument('model', help='shipped name such as mnist, folder (./mnist), or NIR file')


def add_data(
    parser: argparse.ArgumentParser,
    default: str | None = None,
    required: bool = False,
    purpose: str = '',
    several: bool = False,
) -> None:
    """Add the options of labelled images, which serve a `purpose`: 'to compare layers on'.

    With `several`, --data may be given more than once and is a list.
    """
    parser.add_argument(
        '--data',
        default=default,
        required=required,
        action='append' if several else 'store',
        help=f'directory with MNIST idx files, CIFAR-10 batches or a folder of images per class'
        f'{purpose and ", "}{purpose}',
    )
    parser.add_argument(
        '--skip-unreadable',
        action='store_true',
        help='leave out images that cannot be read and classes without images, and say how many',
    )


def load_data(
    options: argparse.Namespace,
    preprocessing: Preprocessing,
    held_out: bool = True,
    limit: int | None = None,
) -> Dataset:
    """The images that `options` name; raises ValueError with a sentence."""
    from snn_perception.datasets import load_dataset

    return load_dataset(
        data_folder(options.data), preprocessing, held_out, limit,
        skip_unreadable=options.skip_unreadable,
    )  # fmt: skip


def load_labelled(
    options: argparse.Namespace, model: Model, limit: int | None = None
) -> Dataset | EventSet:
    """The images, or the recordings, that `options` name for `model`.

    Raises ValueError with a sentence.
    """
    if not model.network.hears_events:
        return load_data(options, model.preprocessing, limit=limit)
    from tqdm import tqdm

    from snn_perception.datasets.event_set import load_event_set

    if options.skip_unreadable:
        raise ValueError(
            f'--skip-unreadable is for images, and model {model.name} hears events; move '
            f'recordings that cannot be read away'
        )
    return load_event_set(
        data_folder(options.data), model.shaping, held_out=True, limit=limit,
        progress=lambda each: tqdm(each, desc='reading', unit='recording', disable=None),
    )  # fmt: skip


def only(locations: list[str]) -> str:
    """The one of the `locations` that --data names; raises ValueError if there are more."""
    if len(locations) > 1:
        raise ValueError(
            '--data may be given several times only to recipes with an input of kind events'
        )
    return locations[0]


def data_folder(location: str) -> Path:
    """The folder at `location`, as --data names it; raises DatasetError if there is none."""
    from snn_perception.datasets import DatasetError

    folder = resolve_path(location)
    if not folder.is_dir():
        raise DatasetError(f'data {location!r}: {folder.absolute()} is not a folder')
    return folder


def add_engine(parser: argparse.ArgumentParser) -> None:
    """Add the options that choose an engine."""
    parser.add_argument(
        '--backend', default='auto', help='auto, event, torch, rate, reference, nengo or loihi'
    )
    parser.add_argument('--device', default='auto', help='auto, cpu or cuda')
    parser.add_argument(
        '--threads', type=int, default=0, help='for event and loihi; 0: the engine decides'
    )
    parser.add_argument(
        '--precision',
        default='auto',
        help='weights for event: float32, bfloat16, int8, or auto, what the model recommends',
    )


def add_evaluation(parser: argparse.ArgumentParser) -> None:
    """Add the options that `load_evaluation` needs: a model, an engine and labelled data."""
    add_model(parser)
    add_data(
        parser,
        required=True,
        purpose='or of recordings for a model that hears events',
    )
    add_engine(parser)
    parser.add_argument(
        '--limit',
        type=count,
        help='use at most this many images or recordings, evenly spread',
    )


def load_evaluation(options: argparse.Namespace) -> tuple[Simulator, Dataset | EventSet]:
    """The model on its engine, and the images, or recordings, with the model's labels.

    Raises ValueError with a sentence.
    """
    # Importing PyTorch takes seconds, too long for --help or a wrong argument.
    from snn_perception.backends import create_simulator
    from snn_perception.energy import prices
    from snn_perception.loading import load_model

    prices()  # Wrong ones end the command now, not when all images have been seen.
    model = load_model(options.model)
    dataset = load_labelled(options, model, options.limit).matched_to(model.labels)
    choices = {'threads': options.threads, 'precision': options.precision}
    return create_simulator(model, options.backend, options.device, **choices), dataset


def about_data(dataset: Dataset | EventSet) -> dict[str, Any]:
    """What the figures of a command say about the data they were measured on."""
    return {'data_part': dataset.part, 'unreadable_images': dataset.unreadable}
