"""The least time that the sparse engine could take: its arithmetic and nothing else.

Each block of neurons takes its steps, adding as many rows of weights as arrive there on average.
The rows are chosen at random, from the memory of the real network. Left out is what a better
engine could save: finding, listing and counting spikes, and starting, sharing out and waiting.
"""

from __future__ import annotations

import time
from typing import Any

import numba
import numpy as np

from snn_perception.backends.event import EventSimulator
from snn_perception.backends.event_kernels import LANES_16, LANES_32, LANES_64
from snn_perception.backends.event_layout import aligned_zeros
from snn_perception.backends.vectors import step_neurons
from snn_perception.decision import Activity

LANES = {len(lanes): lanes for lanes in (LANES_64, LANES_32, LANES_16)}

STEPS = 100
BLOCKS = 16
REPEATS = 15


def limit_ms(simulator: EventSimulator, activity: Activity) -> float:
    """Milliseconds that the arithmetic of `activity`, of one image, takes on all threads."""
    weights, stages = simulator.weights, simulator.model.network.stages
    seconds = 0.0
    for index, layer in enumerate(weights.plan[:-1]):
        lanes = int(layer['lanes'])
        steps = int(activity.neuron_updates[0, index]) // stages[index].neurons
        blocks = steps * int(layer['height'] * layer['width'] * layer['blocks'])
        # A whole row is added, including the channels that only pad its block.
        rows_of_all = activity.synaptic_operations[0, index] / stages[index].output_shape[2]
        rows = float(rows_of_all * layer['blocks'] / blocks)
        sources = int(layer['rows'] * layer['columns'] * layer['channels'])
        part = weights.weights[int(layer['weights']) :]
        seconds += blocks * _seconds_of_a_block(simulator, lanes, part, sources, rows)
    return 1000 * seconds / simulator.threads


def _seconds_of_a_block(
    simulator: EventSimulator, lanes: int, weights: Any, sources: int, rows: float
) -> float:
    """Seconds for one step of a block to which `rows` rows of `sources` come on average."""
    random = np.random.default_rng(0)
    counts = random.poisson(rows, (BLOCKS, STEPS))
    listed = random.integers(0, max(sources, 1), counts.sum() + 1).astype(np.int32)
    orders = simulator.weights.orders
    arguments = (
        LANES[lanes],
        orders,
        aligned_zeros(lanes),
        weights,
        listed,
        counts,
        simulator.weights.scales,
        simulator.weights.constants[-2],
        aligned_zeros(len(orders) * BLOCKS * lanes),
        aligned_zeros(BLOCKS * lanes),
        aligned_zeros(BLOCKS * lanes),
    )
    times = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        _step_blocks(*arguments)
        times.append(time.perf_counter() - started)
    return float(np.median(times[1:])) / counts.size


@numba.njit(nogil=True, error_model='numpy')
def _step_blocks(
    lanes: Any,
    orders: Any,
    inputs: Any,
    weights: Any,
    listed: Any,
    counts: Any,
    scales: Any,
    constants: Any,
    filters: Any,
    potentials: Any,
    refractories: Any,
) -> int:
    """Take each block through all steps, as `event_kernels` does once the rows are known."""
    first, fired = 0, 0
    for block in range(counts.shape[0]):
        for step in range(counts.shape[1]):
            count = counts[block, step]
            at = block * len(lanes)
            mask = step_neurons(
                lanes,
                orders,
                inputs,
                0,
                weights,
                listed[first : first + count],
                count,
                scales,
                0,
                constants,
                filters,
                potentials,
                refractories,
                at,
                potentials.size,
            )
            fired += mask != 0
            first += count
    return fired
