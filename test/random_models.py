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

"""Random small networks for the tests: every layer type, driven to reasonable rates."""

from __future__ import annotations

import dataclasses

import numpy as np

from snn_perception.events.shaping import EventShaping
from snn_perception.graph import IMAGE
from snn_perception.images import Preprocessing
from snn_perception.layers import (
    AveragePooling,
    Branch,
    Convolution,
    Dense,
    GlobalAveragePooling,
    Identity,
    Layer,
    Link,
    Shape,
    Sum,
)
from snn_perception.model import Model, Weights
from snn_perception.network import Network
from snn_perception.neurons import LIF, Neuron
from snn_perception.readout import Readout
from snn_perception.synapses import Synapse

WINDOW = 0.005
"""Length (s) of a turn of `turn_taking_model`."""

LAYERS: tuple[Layer, ...] = (
    Convolution(6, 3, padding=1),
    AveragePooling(2),
    Convolution(8, 4, stride=2, padding=1),
    Dense(12),
    Dense(3),
)


IMAGE_SHAPE = (9, 8, 3)
"""Of the images of random graphs."""


def random_model(
    seed: int = 0,
    input_shape: tuple[int, int, int] = (11, 10, 3),
    layers: tuple[Layer, ...] = LAYERS,
    synapse: Synapse = Synapse('exponential', 0.005),  # noqa: B008 (immutable)
    readout_synapse: Synapse = Synapse('exponential', 0.01),  # noqa: B008
    drive: float = 1.5,
    dt: float = 0.001,
) -> Model:
    """A model whose neurons get currents around `drive` times their threshold."""
    network = Network(input_shape, layers, synapse=synapse, readout_synapse=readout_synapse)
    return with_random_weights(network, seed, drive, dt)


def with_random_weights(
    network: Network, seed: int = 0, drive: float = 1.5, dt: float = 0.001
) -> Model:
    """A model of `network` whose neurons get currents around `drive` times their threshold."""
    random = np.random.default_rng(seed)
    weights = []
    for population in network.populations:
        kernels = []
        for connection in population.connections:
            shape = connection.weight_shape
            # Around 50 Hz arrive from a spiking layer, around 0.5 from the image.
            size = 2 if connection.source == IMAGE else 0.06
            size /= np.sqrt(np.prod(shape[:-1]))
            if shape:
                kernels.append(random.normal(0, size, shape).astype(np.float32))
        bias = random.normal(drive, 0.3, population.output_shape[2]).astype(np.float32)
        weights.append(Weights(tuple(kernels), bias))
    labels = (*'abcdefghij'[: network.classes], *map(str, range(10, network.classes)))
    shape = network.input_shape
    shown = EventShaping(shape) if network.hears_events else Preprocessing(shape)
    return Model('random', labels, network, tuple(weights), shown, Readout(0.05), dt)


def random_graph(
    random: np.random.Generator, populations: int = 5, input_shape: Shape = IMAGE_SHAPE
) -> tuple[Layer, ...]:
    """Layers of a network with skips, groups, and uneven kernels, strides, paddings, poolings.

    Everything is read: a population that nobody has read yet is a source of the readout.
    """
    layers: list[Layer] = [Convolution(4, 3, padding=1, name='p0')]
    shapes, unread = {'p0': (9, 8, 4)}, {'p0'}
    for number in range(1, populations):
        name = f'p{number}'
        source = list(shapes)[random.integers(len(shapes))]
        layer = _random_convolution(random, shapes[source], source)
        shape = layer.output_shape(shapes[source])
        branches: list[Link | Branch] = [layer]
        for other, theirs in [('input', input_shape), *shapes.items()]:
            if random.random() < 0.7:
                branches += _ways(random, other, theirs, shape)
        layers.append(Sum(tuple(branches), name=name))
        unread -= {each.source for branch in layers[-1].branches for each in branch}
        shapes[name], unread = shape, unread | {name}
    pooled = (GlobalAveragePooling(source=f'p{populations - 1}'), Dense(3))
    rest = tuple(Dense(3, source=name) for name in sorted(unread - {f'p{populations - 1}'}))
    return (*layers, Sum((pooled, *rest)))


def _random_convolution(random: np.random.Generator, inputs: Shape, source: str) -> Convolution:
    """A convolution on `inputs`; a quarter of them are depthwise, a quarter have groups."""
    groups = (1, 1, 2, inputs[2])[random.integers(4)]
    if random.random() < 0.4:  # a map of the same shape, to which skips lead
        return Convolution(inputs[2], 3, padding=1, groups=groups, source=source)
    channels = inputs[2] if groups == inputs[2] else 2 * int(random.integers(1, 4))
    kernel = tuple(int(min(random.integers(1, 4), size)) for size in inputs[:2])
    stride = tuple(int(random.integers(1, 3)) for _ in kernel)
    padding = tuple(int(random.integers(0, 3)) for _ in range(4))
    return Convolution(channels, kernel, stride, padding, groups, source=source)


def _ways(
    random: np.random.Generator, source: str, inputs: Shape, outputs: Shape
) -> list[Link | Branch]:
    """Skips from `source` to a population of shape `outputs`, if there is one that fits."""
    block = tuple(size // out if out else 0 for size, out in zip(inputs, outputs, strict=True))
    if source == 'input' and block[:2] != (1, 1):
        return []
    fits = all(
        rows and size // rows == out
        for rows, size, out in zip(block[:2], inputs[:2], outputs[:2], strict=True)
    )
    if not fits:
        return []
    place = {'source': source}
    link: Link = Convolution(outputs[2], 1)
    if inputs[2] == outputs[2] and random.random() < 0.7:
        link = Identity(float(random.normal(0, 0.02)))
    if block[:2] == (1, 1):
        return [dataclasses.replace(link, **place)]
    return [(AveragePooling(block[:2], **place), link)]


def random_graph_model(
    seed: int = 0,
    neuron: Neuron = LIF(),  # noqa: B008 (immutable)
    synapse: Synapse = Synapse('exponential', 0.005),  # noqa: B008
    readout_synapse: Synapse = Synapse('exponential', 0.01),  # noqa: B008
    dt: float = 0.001,
    populations: int = 5,
) -> Model:
    """A model of a `random_graph` on images of IMAGE_SHAPE, which several populations may see."""
    random = np.random.default_rng(seed)
    layers = random_graph(random, populations)
    if random.random() < 0.5:
        *before, last = layers
        layers = (*before, Sum((*last.branches, Dense(3, source='input'))))
    network = Network(IMAGE_SHAPE, layers, neuron, synapse, readout_synapse)
    return with_random_weights(network, seed, 1.5 if neuron.rheobase else 0.8, dt)


EVENT_SHAPE = (9, 8, 2)
"""Of the input of `event_model`."""


def event_model(
    seed: int = 0,
    layers: tuple[Layer, ...] | None = None,
    neuron: Neuron = LIF(),  # noqa: B008 (immutable)
    synapse: Synapse = Synapse('exponential', 0.005),  # noqa: B008
    readout_synapse: Synapse = Synapse('exponential', 0.01),  # noqa: B008
    dt: float = 0.001,
    input_shape: Shape = EVENT_SHAPE,
) -> Model:
    """A model that hears events, of a random graph unless `layers` are given.

    Several populations may hear them, the readout too.
    """
    random = np.random.default_rng(seed)
    if layers is None:
        layers = random_graph(random, 4, EVENT_SHAPE)
        if random.random() < 0.5:
            *before, last = layers
            layers = (*before, Sum((*last.branches, Dense(3, source='input'))))
    network = Network(input_shape, layers, neuron, synapse, readout_synapse, input_kind='events')
    return with_random_weights(network, seed, 1.5 if neuron.rheobase else 0.8, dt)


def random_events(
    model: Model,
    steps: int,
    batch: int = 1,
    seed: int = 1,
    rate: float = 50.0,
    bursts: float = 0.001,
) -> np.ndarray:
    """Counts (steps, batch, height, width, 2) at `rate` (Hz), a share `bursts` of them large."""
    random, shape = np.random.default_rng(seed), (steps, batch, *model.network.input_shape)
    counts = random.poisson(rate * model.dt, shape)
    return np.where(random.random(shape) < bursts, random.integers(0, 256, shape), counts).astype(
        np.uint8
    )


def taking_turns(model: Model, steps: int, dt: float = 0.001) -> Model:
    """`model` with layers that take turns of so many `steps` of `dt` (s), without synapses."""
    window = steps * dt
    network = dataclasses.replace(
        model.network, synapse=Synapse(), readout_synapse=Synapse(), firing_window=window
    )
    time = network.turns[-1] * window
    return dataclasses.replace(model, network=network, dt=dt, readout=Readout(time, time - dt))


def random_images(model: Model, count: int, seed: int = 1) -> np.ndarray:
    """Prepared images (count, height, width, channels) for `model`."""
    shape = (count, *model.network.input_shape)
    return np.random.default_rng(seed).random(shape, dtype=np.float32)


def turn_taking_model(seed: int, neuron: Neuron | None = None, dt: float = 0.00025) -> Model:
    """A random graph whose layers take turns, in windows of `WINDOW`."""
    model = random_graph_model(seed, neuron or LIF(0.0025, 0.0), Synapse(), Synapse(), dt)
    network = dataclasses.replace(model.network, firing_window=WINDOW)
    time = network.turns[-1] * WINDOW
    # A spike in a window of 20 steps counts as a twentieth of a spike in every step.
    weights = tuple(
        dataclasses.replace(each, kernels=tuple(kernel / 20 for kernel in each.kernels))
        for each in model.weights
    )
    return dataclasses.replace(
        model, network=network, dt=dt, weights=weights, readout=Readout(time, time - dt)
    )
