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

"""Running a network of winner-take-all circuits, with explicit state and given draws."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from snn_perception.online import loops
from snn_perception.online.network import WtaNetwork

Floats = NDArray[np.float64]
Symbols = NDArray[np.int16]


class Layout(NamedTuple):
    """What loops need to know of a network beside its groups."""

    inputs: int
    symbols: NDArray[np.int64]
    starts: NDArray[np.int64]
    synapse: Floats
    feedback: Floats


@dataclass
class Weights:
    """The weights of a network, float64 (rows, neurons) of each group; see `network`.

    The weights from a circuit to itself by other ways than its own past are 0, and stay so.
    """

    hidden: Floats
    outputs: Floats


@dataclass
class State:
    """What a network remembers: the latest symbols first, int16 (steps, circuits)."""

    history: Symbols


@dataclass(frozen=True)
class Run:
    """What a network did. `symbols` (steps, circuits) int16 and their `log_chances` float64.

    Those of inputs are 0. `firing` (steps, neurons) float64 is how probably each neuron that
    learns fired: first the hidden ones, then the outputs.
    """

    symbols: Symbols
    log_chances: Floats
    firing: Floats


def layout_of(network: WtaNetwork) -> Layout:
    """The layout of `network`, for loops."""
    return Layout(
        network.inputs.count,
        network.symbols,
        network.starts,
        network.synapse.values,
        network.feedback.values,
    )


def rest(network: WtaNetwork) -> State:
    """The state of `network` after a long silence."""
    return State(np.zeros((network.memory, network.circuits), np.int16))


def random_weights(
    network: WtaNetwork, size: float, generator: np.random.Generator, silence: float | None = None
) -> Weights:
    """Weights of hidden circuits uniform from -`size` to `size`, those of outputs 0.

    Hidden circuits that hear nothing are silent with the probability `silence`, if it is given.
    """
    group = network.hidden_group
    hidden = generator.uniform(-size, size, group.shape)
    if silence is not None:
        hidden[network.bias] = np.log((1 - silence) / (group.symbols * silence))
    kernels = network.synapse.count * group.symbols
    if network.recurrent:
        for circuit in range(group.circuits):
            rows = slice(group.own + circuit * kernels, group.own + (circuit + 1) * kernels)
            hidden[rows, circuit * group.symbols : (circuit + 1) * group.symbols] = 0
    return Weights(hidden, np.zeros(network.output_group.shape))


def known(network: WtaNetwork, inputs: NDArray, outputs: NDArray | None = None) -> Symbols:
    """Symbols (steps, circuits) of which only `inputs` are known, and `outputs` if given.

    Both are (steps, circuits of that group); raises ValueError for shapes and symbols that do
    not fit.
    """
    symbols = np.full((len(inputs), network.circuits), loops.UNKNOWN, np.int16)
    behind = network.inputs.count + network.hidden.count
    groups = [('inputs', network.inputs, inputs, slice(network.inputs.count))]
    if outputs is not None:
        groups.append(('outputs', network.outputs, outputs, slice(behind, None)))
    for name, circuits, values, place in groups:
        if values.shape != (len(inputs), circuits.count):
            raise ValueError(
                f'{name} must be {len(inputs)} steps of {circuits.count} circuits, '
                f'not of shape {values.shape}'
            )
        if values.size and not 0 <= values.min() <= values.max() <= circuits.symbols:
            raise ValueError(f'symbols of {name} must be from 0 to {circuits.symbols}')
        symbols[:, place] = values
    return symbols


def run(
    network: WtaNetwork,
    weights: Weights,
    state: State,
    symbols: Symbols,
    generator: np.random.Generator,
) -> Run:
    """Run `network` for as many steps as there are of `symbols`, see `known`; advances `state`."""
    symbols = symbols.copy()
    log_chances = np.zeros(symbols.shape)
    firing = np.zeros((len(symbols), network.neurons))
    loops.run(
        layout_of(network), network.hidden_group, network.output_group,
        weights.hidden, weights.outputs, state.history,
        generator.random(symbols.shape), symbols, log_chances, firing,
    )  # fmt: skip
    return Run(symbols, log_chances, firing)
