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

"""What a network needs on Loihi chips, and what their fixed point changes in its layers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from snn_perception.backends.loihi import cores, mapping
from snn_perception.backends.loihi.mapping import Placed, Placement
from snn_perception.evaluation.agreement import compare, layer_name, spiking_rates

if TYPE_CHECKING:
    from snn_perception.backends.loihi.simulator import LoihiSimulator

BITS_OF_A_KIB = 8 * 1024
LIMITS = {
    'core_neurons': cores.COMPARTMENTS,
    'core_axons_in': cores.INPUT_AXONS,
    'core_axons_out': cores.OUTPUT_AXONS,
    'core_synapse_kib': cores.SYNAPSE_BITS / BITS_OF_A_KIB,
    'cores': mapping.CORES_OF_A_CHIP * mapping.CHIPS,
}


def resources(placement: Placement) -> dict[str, Any]:
    """What a placed network needs: totals over all copies, the layers of one copy, the limits.

    `core_...` values are for the fullest core of a layer; `tile` is the part of a layer on one
    core, height x width x channels.
    """
    copies = placement.copies
    return {
        'fits': not placement.excess,
        **({'reason': placement.excess} if placement.excess else {}),
        'copies': copies,
        'chips': placement.chips,
        'cores': placement.cores,
        'neurons': copies * sum(placed.neurons for placed in placement.layers),
        'synapse_kib': copies * sum(map(_synapse_kib, placement.layers)),
        'limits': LIMITS,
        'layers': [_resources(placed) for placed in placement.layers],
    }


def study_chip(simulator: LoihiSimulator, inputs: NDArray[np.float32]) -> dict[str, Any]:
    """The `resources`, and the `comparison` on prepared images `inputs`.

    `overflows` is how many values on the chip have been too large so far and wrapped around.
    """
    figures = resources(simulator.placement)
    figures['comparison'] = comparison(simulator, inputs)
    figures['overflows'] = simulator.overflows
    return figures


def comparison(simulator: LoihiSimulator, inputs: NDArray[np.float32]) -> list[dict[str, Any]]:
    """Each layer of neurons on the chip and in floating point, on prepared images `inputs`.

    Rates are means in Hz. `rate_error_hz` is the root mean square difference between a neuron's
    two rates, `correlation` the correlation between them. `weight_error` is the root mean square
    change of the weights by rounding to 8 bits, relative to the root mean square weight; it is 0
    for the first layer, whose weights stay on the host.
    """
    model = simulator.model
    layers = compare(spiking_rates(model, inputs), simulator.firing_rates(inputs))
    return [
        {
            'layer': layer_name(model.network, index),
            'floating_point_hz': layer.expected,
            'chip_hz': layer.found,
            'rate_error_hz': layer.error,
            'correlation': layer.correlation,
            'weight_error': error.relative if error else 0.0,
        }
        for index, (layer, error) in enumerate(zip(layers, simulator.weight_errors, strict=True))
    ]


def _resources(placed: Placed) -> dict[str, Any]:
    return {
        'layer': layer_name(placed.layer.network, placed.layer.index),
        'tile': 'x'.join(map(str, placed.tiling)),
        'cores': placed.cores,
        'neurons': placed.neurons,
        'synapse_kib': _synapse_kib(placed),
        'core_neurons': placed.compartments,
        'core_axons_in': placed.input_axons,
        'core_axons_out': placed.output_axons,
        'core_synapse_kib': placed.memory / BITS_OF_A_KIB,
    }


def _synapse_kib(placed: Placed) -> float:
    return placed.synapse_bits / BITS_OF_A_KIB
