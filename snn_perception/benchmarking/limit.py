"""The least time that the sparse engine could take: its arithmetic and nothing else.

Each block of neurons takes its steps, adding as many rows of weights as arrive there on average.
The rows are chosen at random, from the memory of the real network. Left out is what a better
engine could save: finding, listing and counting spikes, and starting, sharing out and waiting.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from snn_perception.backends.compiled import compiled
from snn_perception.backends.event import EventSimulator
from snn_perception.backends.event_layout import aligned_zeros
from snn_perception.backends.event_memory import Cells, Drive, Shape, Times
from snn_perception.backends.vectors import step_neurons
from snn_perception.decision import Activity

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
        first = int(layer['weights']) * weights.weight_size
        seconds += blocks * _seconds_of_a_block(simulator, lanes, first, sources, rows)
    return 1000 * seconds / simulator.threads


def _seconds_of_a_block(
    simulator: EventSimulator, lanes: int, first: int, sources: int, rows: float
) -> float:
    """Seconds for one step of a block to which `rows` rows of `sources` come on average.

    Their weights begin with the byte `first` of all.
    """
    random, network = np.random.default_rng(0), simulator.weights
    counts = random.poisson(rows, (BLOCKS, STEPS))
    listed = random.integers(0, max(sources, 1), counts.sum() + 1).astype(np.int32)
    neurons = BLOCKS * lanes
    filters = aligned_zeros(network.order * neurons)
    arguments = (
        Shape.of(lanes, network.order, network.weight_size),
        Drive(aligned_zeros(lanes), 0, network.weights, first, listed, 0, network.scales, 0),
        Cells(filters, aligned_zeros(neurons), aligned_zeros(neurons), 0, neurons),
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
def _step_blocks(shape: Any, drive: Any, cells: Any, times: Any, counts: Any) -> int:
    """Take each block through all steps, as `event_rows` does once the rows are known."""
    first, fired = 0, 0
    for block in range(counts.shape[0]):
        at = block * len(shape.lanes)
        here = Cells(cells.filters, cells.potentials, cells.refractoriness, at, cells.stride)
        for step in range(counts.shape[1]):
            count = counts[block, step]
            chosen = Drive(
                drive.inputs,
                drive.inputs_at,
                drive.weights,
                drive.weights_at,
                drive.rows[first : first + count],
                count,
                drive.scales,
                drive.channel,
            )
            fired += step_neurons(shape, chosen, here, times) != 0
            first += count
    return fired
