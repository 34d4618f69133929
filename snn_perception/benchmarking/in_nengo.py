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

"""A model in Nengo's reference simulator."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from snn_perception.benchmarking.run import Run, lif_of
from snn_perception.graph import IMAGE, Connection
from snn_perception.layers import Dense, Identity, Pair, Shape
from snn_perception.model import Model


def in_nengo(model: Model) -> Run:
    """The model in Nengo's reference simulator, whose LIF has the refractory time."""
    import nengo

    # At first the voltages of Nengo's neurons are random, unless told otherwise.
    neuron = lif_of(model)
    shown: list[NDArray] = [np.zeros(int(np.prod(model.network.input_shape)))]
    network = nengo.Network(seed=0)
    network.config[nengo.Connection].synapse = None
    with network:
        places: dict[int, Any] = {IMAGE: nengo.Node(lambda _: shown[0], size_out=shown[0].size)}
        for population, weights in zip(model.network.populations, model.weights, strict=True):
            size = int(np.prod(population.output_shape))
            if population.is_readout:
                target: Any = nengo.Node(size_in=size)
            else:
                bias = np.tile(weights.bias, size // weights.bias.size)
                first = neuron.rest(population.output_shape)[0].reshape(-1)
                rest = {'voltage': nengo.dists.Samples(first)}
                lif = nengo.LIF(neuron.tau_rc, neuron.tau_ref, initial_state=rest)
                ensemble = nengo.Ensemble(size, 1, neuron_type=lif, gain=np.ones(size), bias=bias)
                target = ensemble.neurons
            for connection, kernel in model.connections(population.index):
                _connect_in_nengo(places[connection.source], target, connection, kernel)
            places[population.index] = target
        probe = nengo.Probe(target)
    simulator = nengo.Simulator(network, dt=model.dt, progress_bar=False)

    def run(image: NDArray[np.float32], steps: int) -> NDArray:
        shown[0] = image.reshape(-1)
        simulator.reset()
        simulator.run_steps(steps, progress_bar=False)
        return simulator.data[probe].mean(axis=0) + model.weights[-1].bias

    return run


def _connect_in_nengo(
    source: Any, target: Any, connection: Connection, kernel: NDArray[np.float32]
) -> None:
    """Add `connection` to the network; Nengo's spikes are 1 / dt high, as ours are."""
    import nengo

    layer, shape = connection.convolution, connection.input_shape
    (top, bottom), (left, right) = layer.margins
    height, width = layer.kernel_size
    # Nengo pads equally on both sides, so that the output is as large as the input, or not at all.
    is_same = layer.strides == (1, 1) and layer.margins == (
        ((height - 1) / 2,) * 2,
        ((width - 1) / 2,) * 2,
    )
    if not is_same:
        shape = (top + shape[0] + bottom, left + shape[1] + right, shape[2])
    if connection.pooling != (1, 1) or shape != connection.input_shape:
        matrix = _placing_matrix(connection, shape, (0, 0) if is_same else (top, left))
        placed = nengo.Node(size_in=matrix.shape[0])
        nengo.Connection(source, placed, transform=matrix)
        source = placed
    transform: Any
    if isinstance(connection.layer, Identity):
        transform = connection.layer.scale
    elif isinstance(connection.layer, Dense):
        transform = kernel.reshape(-1, kernel.shape[-1]).T
    else:
        transform = nengo.Convolution(
            layer.channels,
            shape,
            kernel_size=layer.kernel_size,
            strides=layer.strides,
            padding='same' if is_same else 'valid',
            init=kernel,
            groups=layer.groups,
        )
    nengo.Connection(source, target, transform=transform)


def _placing_matrix(connection: Connection, shape: Shape, corner: Pair) -> Any:
    """The average pooling of `connection` into a map of `shape` as a sparse transform of Nengo.

    The first pooled value comes to `corner` (row, column), and what nothing comes to is 0.
    """
    import nengo

    rows, columns = connection.pooling
    height, width, _ = connection.input_shape
    inputs = np.arange(np.prod(connection.source_shape)).reshape(connection.source_shape)
    inputs = inputs[: height * rows, : width * columns]
    outputs = np.arange(np.prod(shape)).reshape(shape)
    outputs = outputs[corner[0] :, corner[1] :][:height, :width]
    outputs = outputs.repeat(rows, axis=0).repeat(columns, axis=1)
    indices = np.stack((outputs.reshape(-1), inputs.reshape(-1)), axis=1)
    size = int(np.prod(shape)), int(np.prod(connection.source_shape))
    return nengo.Sparse(size, init=np.full(len(indices), 1 / (rows * columns)), indices=indices)
