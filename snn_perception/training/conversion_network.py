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

"""The network that a trained one becomes: layers, weights and what its images are to be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from snn_perception.graph import IMAGE, Connection
from snn_perception.images import Preprocessing
from snn_perception.interchange.analog import Analog
from snn_perception.layers import Convolution, Identity, Layer, Link, Pooling, Sum
from snn_perception.model import Weights
from snn_perception.network import Network
from snn_perception.training.conversion_recipe import Conversion
from snn_perception.training.recipe import RecipeError
from snn_perception.widening import with_units


def with_outputs(analog: Analog, kept: list[int]) -> Analog:
    """`analog` with the outputs numbered `kept` alone, in that order."""
    *hidden, readout = analog.weights
    kernels = tuple(np.ascontiguousarray(kernel[..., kept]) for kernel in readout.kernels)
    layers = (*analog.layers[:-1], with_units(analog.layers[-1], len(kept)))
    weights = (*hidden, Weights(kernels, readout.bias[kept]))
    return replace(analog, layers=layers, weights=weights)


def preprocessing_of(conversion: Conversion, analog: Analog) -> Preprocessing:
    """How images become inputs: by the file, and by what the recipe says in its place.

    Raises RecipeError if neither says which mean and deviation pixels are to have, ValueError
    for values that do not fit the image.
    """
    changes = conversion.input
    mean, deviation = changes.mean or analog.mean, changes.deviation or analog.deviation
    if mean is None or deviation is None:
        raise RecipeError(
            'the file does not say which mean and deviation its pixels are to have; give both, '
            'for pixels from 0 to 1, by --mean and --deviation or in the section input of the '
            'recipe'
        )
    order = -1 if _is_blue_first(conversion, analog) else 1
    return Preprocessing(
        analog.input_shape,
        tuple(mean)[::order],
        tuple(deviation)[::order],
        changes.fit,
        centre=changes.centre,
    )


def network_of(conversion: Conversion, analog: Analog) -> tuple[Network, tuple[Weights, ...]]:
    """The spiking network and its weights, in units of activations, of all connections.

    What passes a value on unchanged does so with weights, as each channel has its own scale. The
    channels of the image are turned round if the original wants blue first.
    """
    layers, weights = _with_weights(analog)
    if _is_blue_first(conversion, analog):
        layers, weights = _red_first(layers, Network(analog.input_shape, layers), weights)
    network = Network(
        analog.input_shape,
        layers,
        conversion.neuron.neuron,
        gamma=conversion.neuron.gamma,
        firing_window=conversion.firing_window,
    )
    return network, tuple(weights)


def _is_blue_first(conversion: Conversion, analog: Analog) -> bool:
    return analog.bgr if conversion.input.bgr is None else conversion.input.bgr


def _with_weights(analog: Analog) -> tuple[tuple[Layer, ...], list[Weights]]:
    """Layers and weights with depthwise convolutions of one pixel in place of identities."""

    def weighted(connection: Connection) -> Link:
        layer = connection.layer
        if not isinstance(layer, Identity):
            return layer
        return replace(connection.convolution, name=layer.name, source=layer.source)

    weights = []
    for population, given in zip(analog.network.populations, analog.weights, strict=True):
        own = iter(given.kernels)
        kernels = (
            next(own) if connection.weight_shape else connection.kernel(None)
            for connection in population.connections
        )
        weights.append(Weights(tuple(kernels), given.bias))
    return _changed(analog.layers, analog.network, weighted), weights


def _red_first(
    layers: tuple[Layer, ...], network: Network, weights: list[Weights]
) -> tuple[tuple[Layer, ...], list[Weights]]:
    """The same for images with red first, where `network` of `layers` wants blue first.

    Groups of channels of the image would change places with those of the output: they get all
    channels, most of them with weights of 0.
    """

    def whole(connection: Connection) -> Link:
        layer = connection.layer
        if connection.source != IMAGE or not isinstance(layer, Convolution):
            return layer
        return replace(layer, groups=1)

    turned = []
    for population, given in zip(network.populations, weights, strict=True):
        kernels = (
            _turned_round(connection, kernel) if connection.source == IMAGE else kernel
            for connection, kernel in zip(population.connections, given.kernels, strict=True)
        )
        turned.append(Weights(tuple(kernels), given.bias))
    return _changed(layers, network, whole), turned


def _turned_round(connection: Connection, weights: NDArray[np.float32]) -> NDArray[np.float32]:
    """`weights` without groups, for the channels of the input in the opposite order."""
    groups, kernel = connection.convolution.groups, connection.kernel(weights)
    rows, columns, inputs, channels = kernel.shape
    whole = np.zeros((rows, columns, groups, inputs, groups, channels // groups), np.float32)
    of_groups = kernel.reshape(rows, columns, inputs, groups, -1)
    for group in range(groups):
        whole[:, :, group, :, group] = of_groups[:, :, :, group]
    turned = whole.reshape(rows, columns, groups * inputs, channels)[:, :, ::-1]
    is_map = isinstance(connection.layer, Convolution)
    return np.ascontiguousarray(turned if is_map else turned.reshape(weights.shape))


def _changed(
    layers: tuple[Layer, ...], network: Network, change: Callable[[Connection], Link]
) -> tuple[Layer, ...]:
    """`layers` with what `change` makes of each connection of their `network`."""
    connections = (each for population in network.populations for each in population.connections)

    def changed(layer: Link | Pooling) -> Link | Pooling:
        return change(next(connections)) if isinstance(layer, Link) else layer

    return tuple(
        Sum(tuple(tuple(map(changed, branch)) for branch in layer.branches), layer.name)
        if isinstance(layer, Sum)
        else changed(layer)
        for layer in layers
    )
