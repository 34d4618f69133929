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

"""Networks of winner-take-all circuits that are small enough to enumerate what they may say."""

from __future__ import annotations

import itertools

import numpy as np
from hypothesis import strategies as st

from snn_perception.online.cosines import RaisedCosines
from snn_perception.online.network import Circuits, WtaNetwork
from snn_perception.online.running import Weights, random_weights, rest, run

TWO_BINARY, ONE_OF_TWO = Circuits(2, 1), Circuits(1, 2)


def small_network(
    hidden=TWO_BINARY, outputs=ONE_OF_TWO, recurrent=True, direct=True, history=True
):
    return WtaNetwork(
        Circuits(2, 2), hidden, outputs, RaisedCosines(2, 3), RaisedCosines(1, 2),
        recurrent, direct, history,
    )  # fmt: skip


@st.composite
def networks(draw):
    """Any small network."""
    circuits = st.builds(Circuits, st.integers(1, 3), st.integers(1, 3))
    length = draw(st.integers(1, 4))
    return WtaNetwork(
        draw(circuits), draw(circuits), draw(circuits),
        RaisedCosines(draw(st.integers(1, length)), length), RaisedCosines(1, 2),
        *(draw(st.booleans()) for _ in range(3)),
    )  # fmt: skip


def large_weights(network, seed=0):
    """Weights of all groups that make probabilities differ much; none from a circuit to itself."""
    generator = np.random.default_rng(seed)
    weights = random_weights(network, 1.5, generator)
    weights.outputs[:] = generator.uniform(-1.5, 1.5, weights.outputs.shape)
    weights.outputs[~is_used(network.output_group, network)] = 0
    return weights


def is_used(group, network):
    """Which weights (rows, neurons) of a group are used: all but those of own synapses."""
    used = np.ones(group.shape, bool)
    length = network.synapse.count * group.symbols
    if group.end > group.own:
        for circuit in range(group.circuits):
            first = group.own - group.begin + circuit * length
            neurons = slice(circuit * group.symbols, (circuit + 1) * group.symbols)
            used[first : first + length, neurons] = False
    return used


def random_symbols(network, circuits, steps, seed=0):
    """What `circuits` of some group say in `steps` steps."""
    generator = np.random.default_rng(seed)
    return generator.integers(0, circuits.symbols + 1, (steps, circuits.count))


def sequences(network, symbols):
    """`symbols` (steps, circuits) with all that the hidden circuits may say in their place."""
    first, count = network.inputs.count, network.hidden.count
    for said in itertools.product(range(network.hidden.symbols + 1), repeat=len(symbols) * count):
        symbols = symbols.copy()
        symbols[:, first : first + count] = np.reshape(said, (len(symbols), count))
        yield symbols


def log_chances(network, weights, symbols):
    """Log-probabilities (steps, circuits) of `symbols`, which are all known."""
    return run(network, weights, rest(network), symbols, np.random.default_rng()).log_chances


def moved(weights, direction, size):
    """`weights` moved along `direction`, which has their shapes."""
    return Weights(
        weights.hidden + size * direction.hidden, weights.outputs + size * direction.outputs
    )
