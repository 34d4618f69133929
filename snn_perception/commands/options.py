"""Options that several commands share, and what the commands load for them."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from snn_perception.locations import resolve

if TYPE_CHECKING:
    from snn_perception.backends import Simulator
    from snn_perception.datasets import Dataset


def count(text: str) -> int:
    """A whole number of at least 1, for argparse."""
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError('must be at least 1')
    return value


def add_model(parser: argparse.ArgumentParser) -> None:
    """Add the argument that names a model."""
    parser.add_argument('model', help='shipped name such as mnist, folder, or NIR file')


def add_data(parser: argparse.ArgumentParser, default: str | None = None) -> None:
    """Add the option that names labelled images; without a `default` it is required."""
    parser.add_argument(
        '--data',
        default=default,
        required=default is None,
        help='directory with MNIST idx files, CIFAR-10 batches or a folder of images per class',
    )


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
        '--precision', default='float32', help='weights for event: float32, bfloat16 or int8'
    )


def add_evaluation(parser: argparse.ArgumentParser) -> None:
    """Add the options that `load_evaluation` needs: a model, an engine and labelled images."""
    add_model(parser)
    add_data(parser)
    add_engine(parser)
    parser.add_argument('--limit', type=count, help='use at most this many images, evenly spread')


def load_evaluation(options: argparse.Namespace) -> tuple[Simulator, Simulator, Dataset]:
    """The model on its engine and as a rate network, and the images with the model's labels.

    Raises ValueError with a sentence.
    """
    # Importing PyTorch takes seconds, too long for --help or a wrong argument.
    from snn_perception.backends import create_simulator
    from snn_perception.datasets import load_dataset
    from snn_perception.loading import load_model

    model = load_model(options.model)
    dataset = load_dataset(
        resolve(options.data, 'data'), model.preprocessing, held_out=True, limit=options.limit
    ).matched_to(model.labels)
    choices = {'threads': options.threads, 'precision': options.precision}
    simulator = create_simulator(model, options.backend, options.device, **choices)
    return simulator, create_simulator(model, 'rate', options.device), dataset
