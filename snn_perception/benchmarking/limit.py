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

"""The least time that the sparse engine could take: its arithmetic and nothing else.

Each block of neurons takes its steps, adding as many rows of weights as arrive there on average.
The rows are chosen at random, from the memory of the real network. Left out is what a better
engine could save: finding, listing and counting spikes, and starting, sharing out and waiting.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from snn_perception.activity import Activity
from snn_perception.backends.compiled import compiled
from snn_perception.backends.event import EventSimulator
from snn_perception.backends.event_layout import aligned_zeros
from snn_perception.backends.event_memory import Arrays, Places, Shape, Times
from snn_perception.backends.vectors import step_neurons

STEPS = 1000
"""So many that the call which takes them costs next to nothing."""

BLOCKS = 16
REPEATS = 15


def limit_ms(simulator: EventSimulator, activity: Activity) -> float:
    """Milliseconds that the arithmetic of `activity`, of one image, takes on all threads."""
    weights, stages = simulator.weights, simulator.model.network.populations
    seconds = 0.0
    for index, layer in enumerate(weights.plan[:-1]):
        lanes = int(layer['lanes'])
        steps = int(activity.neuron_updates[0, index]) // stages[index].neurons
        blocks = steps * int(layer['height'] * layer['width'] * layer['blocks'])
        # A whole row is added, including the channels that only pad its block.
        rows_of_all = activity.synaptic_operations[0, index] / stages[index].output_shape[2]
        rows = float(rows_of_all * layer['blocks'] / blocks)
        sources = int(layer['rows'] * layer['columns'] * layer['channels'])
        part = weights.weights[int(layer['weights']) * weights.weight_size :]
        seconds += blocks * _seconds_of_a_block(simulator, lanes, part, sources, rows)
    return 1000 * seconds / simulator.threads


def _seconds_of_a_block(
    simulator: EventSimulator, lanes: int, weights: Any, sources: int, rows: float
) -> float:
    """Seconds for one step of a block to which `rows` rows of `sources` come on average."""
    random, network = np.random.default_rng(0), simulator.weights
    counts = random.poisson(rows, (BLOCKS, STEPS))
    listed = random.integers(0, max(sources, 1), counts.sum() + 1).astype(np.int32)
    neurons = BLOCKS * lanes
    state = [aligned_zeros(orders * neurons) for orders in (network.order, 1, 1)]
    arguments = (
        Shape.of(lanes, network.order, network.weight_size),
        Arrays(aligned_zeros(lanes), weights, listed, network.scales, *state),
        Times(network.decays[-2], network.leak, network.longest),
        counts,
    )
    times = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        _step_blocks(*arguments)
        times.append(time.perf_counter() - started)
    return float(np.median(times[1:])) / counts.size


@compiled()
def _step_blocks(shape: Any, arrays: Any, times: Any, counts: Any) -> int:
    """Take each block through all steps, as `event_rows` does once the rows are known."""
    first, fired = 0, 0
    for block in range(counts.shape[0]):
        at = block * len(shape.lanes)
        for step in range(counts.shape[1]):
            places = Places(0, 0, first, 0, at, arrays.potentials.size)
            fired += step_neurons(shape, arrays, places, counts[block, step], times) != 0
            first += counts[block, step]
    return fired
