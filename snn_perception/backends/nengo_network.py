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

"""A model as an ordinary Nengo network: for probes, Nengo GUI and Nengo's other simulators.

Each layer of neurons is an Ensemble of gain 1, of which only the neurons are used. The image and
the spikes, 1 / dt high for one step like ours, reach them through Convolutions or matrices.
Timing is the same except for synapses:

    ours             weighted spikes of step n -> synapse -> current of step n
    in a Node        the same: its process filters the input, and the Node outputs it at once
    on a Connection  current of step n + 1: it is updated when everything else in step n is done
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snn_perception.layers import Convolution, Shape
from snn_perception.model import Model
from snn_perception.network import MAXIMUM_WEIGHTS, Stage
from snn_perception.neurons import LIF, Neuron
from snn_perception.requirements import require
from snn_perception.synapses import Synapse

require('a network in Nengo', 'nengo')
import nengo  # noqa: E402

LONGEST_STEP = 30.0
"""Longest time step in units of tau_rc: with longer ones rounding breaks a log in Nengo's LIF."""


def build_network(model: Model, pipelined: bool = False) -> nengo.Network:
    """`model` as a network for Nengo, to be simulated with the time step `model.dt`.

    Its attributes are the Node `input`, the Ensembles `layers`, with neurons in the order of a
    flattened feature map, and the Node `readout`. Set the `output` of `input` to a prepared
    image, flattened, or to a function or process that returns one; it is zeros at first. Average
    pooling is folded into the weights that follow it.

    Each synapse is a process in a Node of its own, and every neuron spikes in exactly the same
    steps as on the reference engine. If `pipelined`, synapses are on the Connections, as is usual
    in Nengo and as chips need it, since a Node is not on the chip. Each synapse then delays
    everything after it by one step. Neurons start with a refractory period as long as the delay
    of their layer, so they spike as on the reference engine, only later by that delay.

    This holds up to rounding in 64 bits, Nengo's default. Raises ValueError for a layer that
    would have more than MAXIMUM_WEIGHTS with pooling folded in, for time steps longer than
    LONGEST_STEP, and for neurons other than LIF in a pipeline.
    """
    network = nengo.Network(label=model.name, seed=0)
    with network:
        network.input = nengo.Node(np.zeros(prod(model.network.input_shape)), label='input')
        network.layers = []
        source, delay_steps = network.input, 0
        for index, (stage, weights) in enumerate(
            zip(model.network.populations, model.weights, strict=True)
        ):
            synapse = _synapse(model.network.synapse_of(index), model.dt)
            delay_steps += pipelined and synapse is not None
            if stage.is_readout:
                network.readout = target = _readout(weights.bias)
            else:
                neurons = _neuron_type(model.network.neuron, model.dt, delay_steps)
                network.layers.append(_layer(f'layer {index}', stage, weights.bias, neurons))
                target = network.layers[-1].neurons
            part, transform = _transform(source, stage, weights.kernel)
            source = target
            if synapse is not None and not pipelined:
                target, synapse = _in_node(synapse, target, f'synapse {index}'), None
            nengo.Connection(part, target, transform=transform, synapse=synapse)
    return network


def _layer(
    label: str, stage: Stage, bias: NDArray[np.float32], neurons: nengo.neurons.NeuronType
) -> nengo.Ensemble:
    """The neurons of `stage`, with one `bias` (channels,) per channel."""
    gain, biases = nengo.dists.Choice([1]), np.broadcast_to(bias, stage.output_shape)
    return nengo.Ensemble(
        biases.size, 1, gain=gain, bias=biases.reshape(-1), neuron_type=neurons, label=label
    )


def _readout(bias: NDArray[np.float32]) -> nengo.Node:
    readout = nengo.Node(size_in=bias.size, label='readout')
    nengo.Connection(nengo.Node(bias, label='readout bias'), readout, synapse=None)
    return readout


def _synapse(synapse: Synapse, dt: float) -> nengo.synapses.Synapse | None:
    """`synapse` in Nengo, whose own alpha synapse is not two exponential ones in series."""
    if synapse.type == 'none':
        return None
    if synapse.type == 'exponential':
        return nengo.Lowpass(synapse.tau)
    decay = synapse.decay(dt)
    numerator, denominator = [(1 - decay) ** 2, 0], [1, -2 * decay, decay**2]
    return nengo.LinearFilter(numerator, denominator, analog=False)


def _in_node(synapse: nengo.synapses.Synapse, target: Any, label: str) -> nengo.Node:
    """A Node that filters the input of `target`."""
    node = nengo.Node(synapse, size_in=target.size_in, size_out=target.size_in, label=label)
    nengo.Connection(node, target, synapse=None)
    return node


def _neuron_type(neuron: Neuron, dt: float, delay_steps: int) -> nengo.neurons.NeuronType:
    """`neuron` in Nengo, at rest and starting after `delay_steps` steps."""
    if type(neuron) is LIF:
        if dt > LONGEST_STEP * neuron.tau_rc:
            raise ValueError(
                f'Nengo takes steps of at most {LONGEST_STEP:g} tau_rc, which is '
                f'{LONGEST_STEP * neuron.tau_rc:g} s here, not {dt:g} s'
            )
        # Nengo subtracts a step from the refractory period before it checks whether it is over.
        wait = (delay_steps + 1) * dt if delay_steps else 0
        rest = {'voltage': nengo.dists.Choice([0]), 'refractory_time': nengo.dists.Choice([wait])}
        return nengo.LIF(neuron.tau_rc, neuron.tau_ref, initial_state=rest)
    if delay_steps:
        raise ValueError(f'the neurons of a pipeline must be LIF, not {neuron}')
    return OtherNeurons(neuron)


class OtherNeurons(nengo.neurons.NeuronType):
    """Neurons with our step, for kinds that Nengo lacks or steps differently."""

    spiking = True
    negative = False
    neuron = nengo.params.Parameter('neuron')

    def __init__(self, neuron: Neuron) -> None:
        super().__init__()
        self.neuron = neuron

    @property
    def state(self) -> dict[str, nengo.dists.Distribution]:
        """Distributions of the state at rest, by name."""
        values = zip(self.neuron.names, self.neuron.resting, strict=True)
        return {name: nengo.dists.Choice([value]) for name, value in values}

    def rates(self, x: NDArray, gain: NDArray, bias: NDArray) -> NDArray:
        """Firing rates (Hz) for inputs `x`; see Nengo's method of that name."""
        return self.neuron.rate(self.current(x, gain, bias))

    def max_rates_intercepts(self, gain: NDArray, bias: NDArray) -> tuple[NDArray, NDArray]:
        """Rates (Hz) at an input of 1, and the inputs at which firing begins; (neurons,) each."""
        return self.neuron.rate(gain + bias), (self.neuron.rheobase - bias) / gain

    def step(self, dt: float, J: NDArray, output: NDArray, **state: NDArray) -> None:  # noqa: N803
        """Advance `state` by `dt` (s) under currents `J` (neurons,); see Nengo's method."""
        memory = tuple(state[name] for name in self.neuron.names)
        output[...] = self.neuron.step(J, memory, dt) / dt


def _transform(source: Any, stage: Stage, kernel: NDArray[np.float32]) -> tuple[Any, Any]:
    """The part of `source` that the weights of `stage` apply to, and these weights.

    To take the mean over a block of neurons, each of them gets an equal share of the weight.
    """
    block = prod(pooling.size for pooling in stage.pooling)
    if kernel.size * block**2 > MAXIMUM_WEIGHTS:
        raise ValueError(
            f'{stage.layer} has {kernel.size * block**2} weights once the average pooling before '
            f'it is folded in, more than the {MAXIMUM_WEIGHTS} allowed'
        )
    source, shape = _whole_blocks(source, stage.source_shape, block)
    if not isinstance(stage.layer, Convolution):
        kernel = kernel.reshape(*stage.input_shape, -1)
    spread = kernel.astype(np.float64).repeat(block, 0).repeat(block, 1) / block**2
    if isinstance(stage.layer, Convolution):
        return _convolution(source, shape, stage, spread)
    return source, spread.reshape(prod(shape), -1).T


def _convolution(
    source: Any, shape: Shape, stage: Stage, kernel: NDArray[np.float64]
) -> tuple[Any, nengo.Convolution]:
    """`_transform` of a convolution, with a `kernel` spread over the pixels before pooling."""
    assert isinstance(stage.layer, Convolution)
    block = len(kernel) // stage.layer.kernel
    stride, padding = block * stage.layer.stride, block * stage.layer.padding
    sizes = shape[:2]
    # Nengo pads for one window per stride, equally before the first and after the last.
    if padding and stage.output_shape[:2] == tuple(-(-size // stride) for size in sizes):
        # Windows may leave a part of our padding unused. Nengo only pads what windows reach, so
        # the kernel is enlarged by zeros to reach it.
        spare = [(0, (size + 2 * padding - len(kernel)) % stride) for size in sizes]
        kernel = np.pad(kernel, (*spare, (0, 0), (0, 0)))
    elif padding:
        source, shape = _with_border(source, shape, padding)
        padding = 0
    return source, nengo.Convolution(
        stage.layer.channels,
        shape,
        kernel.shape[:2],
        (stride, stride),
        'same' if padding else 'valid',
        init=kernel,
    )


def _whole_blocks(source: Any, shape: Shape, block: int) -> tuple[Any, Shape]:
    """`source` of `shape` without the rows and columns that pooling drops."""
    height, width, channels = shape
    whole = (height // block * block, width // block * block, channels)
    if whole == shape:
        return source, shape
    return source[np.arange(prod(shape)).reshape(shape)[: whole[0], : whole[1]].reshape(-1)], whole


def _with_border(source: Any, shape: Shape, padding: int) -> tuple[nengo.Node, Shape]:
    """A Node with `source` of `shape` and `padding` rows and columns of zeros on each side."""
    height, width, channels = shape
    padded = (height + 2 * padding, width + 2 * padding, channels)
    border = nengo.Node(size_in=prod(padded), label='border of zeros')
    inside = np.arange(prod(padded)).reshape(padded)[padding:-padding, padding:-padding]
    nengo.Connection(source, border[inside.reshape(-1)], synapse=None)
    return border, padded
