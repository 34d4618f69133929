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

"""NIR neurons as ours, in units in which they rest at 0 and fire at 1.

    u = (v - v_reset) / (v_threshold - v_reset)

turns a LIF of NIR into tau du/dt = J - u with J = (v_leak - v_reset + r I) / (v_threshold -
v_reset). That is a gain for the current I, which goes into the weights, and an offset, which goes
into the bias. Our neurons start at v_reset and never fall below it, which NIR does not specify.
An IF of NIR is dv/dt = r I, but the libraries add r I to its potential at every time step,
however long. Ours does not lose what goes beyond the threshold, so its rate follows the equation.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from snn_perception.interchange.nir_arrays import Floats, uniform
from snn_perception.interchange.timing import Timing
from snn_perception.neurons import IF, LIF


@dataclass(frozen=True)
class Population:
    """Neurons of a layer: the input current is `gain` I + `offset`, both (channels,).

    `time_constants` (s) belong to the exponential synapses before them, none or one.
    """

    neuron: LIF | IF
    gain: Floats
    offset: Floats
    time_constants: tuple[float, ...] = ()


def population(
    node: Any, values: Callable[[str], Floats], timing: Timing, known: LIF | IF | None
) -> Population:
    """The neurons that `node`, a LIF, CubaLIF or IF, stands for.

    `values` returns a field of the node as (channels,). `known` are the neurons of the layers
    before; these must match them, as a network has one kind of neuron. Raises ValueError.
    """
    span = values('v_threshold') - values('v_reset')
    if not (span > 0).all():
        raise ValueError('v_threshold must be above v_reset')
    gain = values('r') / span
    if type(node).__name__ == 'IF':
        found = _integrate_and_fire(gain, timing, known)
    else:
        offset = (values('v_leak') - values('v_reset')) / span
        found = _leaky(node, values, timing, gain, offset)
    if known is not None and not _alike(known, found.neuron):
        raise ValueError(
            f'its neurons are {found.neuron}, but the layers before have {known}; '
            f'here a network has one kind of neuron'
        )
    return found


def _leaky(
    node: Any, values: Callable[[str], Floats], timing: Timing, gain: Floats, offset: Floats
) -> Population:
    if type(node).__name__ == 'LIF':
        return Population(LIF(timing.from_nir(uniform(node, 'tau')), 0.0), gain, offset)
    neuron = LIF(timing.from_nir(uniform(node, 'tau_mem')), 0.0)
    synapse = timing.from_nir(uniform(node, 'tau_syn'))
    return Population(neuron, values('w_in') * gain, offset, (synapse,))


def _integrate_and_fire(gain: Floats, timing: Timing, known: LIF | IF | None) -> Population:
    """IF neurons; tau_rc is chosen so that the network's first ones leave weights unchanged."""
    time = timing.step or 1.0
    if not gain[0] > 0:
        raise ValueError('r must be positive')
    neuron = known if isinstance(known, IF) else IF(float(time / gain[0]), 0.0)
    return Population(neuron, gain * neuron.tau_rc / time, 0 * gain)


def _alike(one: LIF | IF, other: LIF | IF) -> bool:
    return type(one) is type(other) and math.isclose(one.tau_rc, other.tau_rc, rel_tol=1e-3)
