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

"""Networks to compare engines on, and pictures: run this file with a folder to write them to.

    scripts/run python -m snn_perception.benchmarking.networks FOLDER --rate 25
    scripts/run benchmark FOLDER/mobile --data FOLDER/pictures --peers

The weights are random, and biases make each layer fire at the same mean rate, so that a network
costs what a trained one with that rate would. The pictures are noise, so that neighbouring pixels
do not fire in step.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from snn_perception.backends import create_simulator
from snn_perception.graph import IMAGE
from snn_perception.images import Preprocessing
from snn_perception.layers import (
    AveragePooling,
    Convolution,
    Dense,
    GlobalAveragePooling,
    Identity,
    Layer,
    Sum,
)
from snn_perception.model import Model, Weights
from snn_perception.model_folder import save_model
from snn_perception.network import Network
from snn_perception.readout import Readout
from snn_perception.synapses import Synapse

PRESENTATION_TIME = 0.1
PICTURES = 10

FLUCTUATION = 0.3
"""Deviation of the currents through the weights of a connection, in units of the threshold."""

TRIALS = 12
"""So often all biases are corrected by what the rates are."""


def convolutions() -> Network:
    """Six convolutions for 32x32 pixels: 153 million multiply-accumulates with those of zeros."""
    layers: list[Layer] = []
    for channels in (64, 128, 256):
        layers += [Convolution(channels, 3, padding=1)] * 2
        layers.append(AveragePooling(2))
    return _network(32, (*layers, Dense(10)))


def mobile() -> Network:
    """Depthwise and pointwise convolutions in turn, two with skips around them, for 64x64 pixels.

    As in MobileNet, but with 32 to 256 channels.
    """
    layers: list[Layer] = [Convolution(32, 3, padding=1, name='stem')]
    inputs, before = 32, 'stem'
    for channels, stride in ((64, 2), (128, 2), (128, 1), (256, 2), (256, 1)):
        layers.append(Convolution(inputs, 3, stride, padding=1, groups=inputs))
        pointwise, name = Convolution(channels, 1), f'block {len(layers) // 2}'
        if stride == 1:
            layers.append(Sum((pointwise, Identity(0.002, source=before)), name=name))
        else:
            layers.append(replace(pointwise, name=name))
        inputs, before = channels, name
    return _network(64, (*layers, GlobalAveragePooling(), Dense(10)))


NETWORKS = {'convolutions': convolutions, 'mobile': mobile}


def firing(network: Network, name: str, rate: float, seed: int = 0) -> Model:
    """A model of `network` whose layers fire at about `rate` (Hz) in the mean, on noise."""
    random = np.random.default_rng(seed)
    weights = []
    for population in network.populations:
        kernels = []
        for connection in population.connections:
            if shape := connection.weight_shape:
                # The image's values are around 0.3 from their mean.
                height = 0.3 if connection.source == IMAGE else rate
                size = FLUCTUATION / (height * np.sqrt(np.prod(shape[:-1])))
                kernels.append(random.normal(0, size, shape).astype(np.float32))
        bias = np.full(population.output_shape[2], network.neuron.current_at(rate), np.float32)
        weights.append(Weights(tuple(kernels), bias))
    model = Model(
        name,
        tuple(map(str, range(network.classes))),
        network,
        tuple(weights),
        Preprocessing(network.input_shape),
        Readout(PRESENTATION_TIME),
        description=f'Random weights with which all layers fire at about {rate:g} Hz.',
    )
    noise = random.random((1, *network.input_shape), np.float32)
    for _ in range(TRIALS):
        model = _corrected(model, rate, noise)
    return model


def _corrected(model: Model, rate: float, images: NDArray[np.float32]) -> Model:
    """`model` with biases changed by what a constant current would need for the right rate."""
    simulator = create_simulator(model, 'torch')
    steps = round(model.presentation_time / model.dt)
    spikes = simulator.run(simulator.reset(), images, steps).spikes[0]
    weights = []
    for population, part, count in zip(
        model.network.populations, model.weights, spikes, strict=True
    ):
        missing = 0.0
        if not population.is_readout:
            found = max(count / population.neurons / model.presentation_time, rate / 5)
            neuron = model.network.neuron
            missing = neuron.current_at(rate) - neuron.current_at(min(found, 5 * rate))
        weights.append(replace(part, bias=part.bias + np.float32(missing)))
    return replace(model, weights=tuple(weights))


def write_pictures(folder: Path, size: int = 64) -> None:
    """Write noise of `size` x `size` pixels, as a folder of pictures for each of 10 labels."""
    random = np.random.default_rng(1)
    for label in range(PICTURES):
        (folder / str(label)).mkdir(parents=True, exist_ok=True)
        pixels = random.integers(0, 256, (size, size, 3)).astype(np.uint8)
        cv2.imwrite(str(folder / str(label) / 'noise.png'), pixels)


def _network(size: int, layers: tuple[Layer, ...]) -> Network:
    return Network((size, size, 3), layers, synapse=Synapse('exponential', 0.005))


def main(arguments: list[str] | None = None) -> int:
    """Write all networks into a folder; returns the exit status."""
    parser = argparse.ArgumentParser(
        prog='networks', description='Write networks to compare engines on, as model folders.'
    )
    parser.add_argument('folder', type=Path, help='where to write them')
    parser.add_argument('--rate', type=float, default=25.0, help='of all neurons, in Hz (25)')
    options = parser.parse_args(arguments)
    write_pictures(options.folder / 'pictures')
    for name, make in NETWORKS.items():
        save_model(firing(make(), name, options.rate), options.folder / name)
        print(f'written: {options.folder / name}')
    return 0


if __name__ == '__main__':
    sys.exit(main())
