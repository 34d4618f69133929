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

Each block of neurons takes its steps, adding as many rows of weights, and as many weights of
single channels, as arrive there on average. They are chosen at random, from the memory of the
real network. Left out is what a better engine could save: finding, listing and counting spikes,
and starting, sharing out and waiting.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snn_perception.activity import Activity
from snn_perception.backends.event import EventSimulator
from snn_perception.backends.event_kernels import shape_of
from snn_perception.backends.event_layout import aligned_zeros
from snn_perception.backends.event_memory import OFFSETS, WINDOW, Neurons, Places
from snn_perception.backends.event_pixels import run_pixel
from snn_perception.compiled import compiled

STEPS = 1000
"""So many that the call which takes them costs next to nothing."""

BLOCKS = 16
REPEATS = 15


def limit_ms(simulator: EventSimulator, activity: Activity) -> float:
    """Milliseconds that the arithmetic of `activity`, of one image, takes on all threads."""
    seconds = 0.0
    for index, population in enumerate(simulator.model.network.populations[:-1]):
        entry = simulator.weights.populations[index]
        steps = int(activity.neuron_updates[0, index]) // population.neurons
        blocks = steps * int(entry['height'] * entry['width'] * entry['blocks'])
        operations = operations_by_link(simulator, activity, index) / blocks
        # Of rows, whole ones are added, including the channels that only pad its block.
        rows = operations * int(entry['blocks']) / population.output_shape[2]
        numbers = np.arange(entry['link'], entry['link_end'])
        events = np.where(numbers < entry['list_end'], rows, operations)
        seconds += blocks * seconds_of_a_block(simulator, index, events)
    return 1000 * seconds / simulator.threads


def operations_by_link(
    simulator: EventSimulator, activity: Activity, index: int
) -> NDArray[np.float64]:
    """Synaptic operations in population number `index`, for each of its links.

    Only their sum is known. It is shared out as if spikes came from everywhere on a map alike.
    """
    network = simulator.weights
    entry = network.populations[index]
    shares = []
    for link in network.links[entry['link'] : entry['link_end']]:
        source = network.populations[link['source']]
        fan_out = network.fan_out[link['fan_out'] :][: source['height'] * source['width']]
        shares.append(activity.spikes[0, link['source']] * fan_out.mean())
    total = max(sum(shares), 1.0)
    return np.array(shares) * activity.synaptic_operations[0, index] / total


def seconds_of_a_block(
    simulator: EventSimulator, index: int, events: NDArray[np.float64]
) -> float:
    """Seconds for a step of a block of population number `index`.

    To it come so many `events` on average, for each of its links.
    """
    random, network = np.random.default_rng(0), simulator.weights
    entry = network.populations[index]
    lanes, full = int(entry['lanes']), int(entry['list_end'] - entry['link'])
    starts, numbers = [np.zeros(0, np.int32)], [np.zeros(0, np.int32)]
    windows = np.zeros((BLOCKS, len(events), len(WINDOW)), np.int64)
    for place, link in enumerate(network.links[entry['link'] : entry['link_end']]):
        ends = random.poisson(events[place], BLOCKS * STEPS).cumsum()
        rows = int(link['rows'] * link['columns'])
        if place < full:
            some = random.integers(0, rows * link['channels'], ends[-1]) * link['units']
        else:
            some = random.integers(0, (rows, lanes), (ends[-1], 2)) @ np.array([OFFSETS, 1])
        # The events of a step end where those of the next one begin, also from block to block.
        begin = sum(map(len, starts)) + STEPS * np.arange(BLOCKS)
        first = sum(map(len, numbers))
        windows[:, place, 0], windows[:, place, 1] = begin, begin + 1
        windows[:, place, 2:] = first, link['weights'], link['scale']
        starts.append(np.concatenate([[0], ends]).astype(np.int32))
        numbers.append(some.astype(np.int32))
    run = simulator.room_for(1, 1)._replace(
        steps=STEPS,
        masks=np.zeros(STEPS * int(entry['vectors']), np.uint16),
        starts=np.concatenate(starts),
        events=np.concatenate(numbers),
        windows=windows.reshape(-1),
    )
    neurons = BLOCKS * lanes
    resting = simulator.neurons_at_rest(1).state
    state = resting.size // max(int(network.populations[-1]['neuron']), 1)
    memory = Neurons(
        aligned_zeros(network.order * neurons), aligned_zeros(state * neurons), aligned_zeros(0)
    )
    arguments = shape_of(network, index), network, memory, run, aligned_zeros(lanes), full
    times = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        _run_blocks(*arguments, len(events), lanes)
        times.append(time.perf_counter() - started)
    return float(np.median(times[1:])) / (BLOCKS * STEPS)


@compiled()
def _run_blocks(
    shape: Any,
    network: Any,
    neurons: Any,
    run: Any,
    inputs: Any,
    full: int,
    windows: int,
    lanes: int,
) -> None:
    """Take each block through all steps, as `event_rows` does once the windows are known."""
    for block in range(BLOCKS):
        window, first = block * windows * len(WINDOW), block * lanes
        vectors = len(shape.vectors)
        places = Places(window, windows, full, 0, 0, first, BLOCKS * lanes, 0, vectors)
        run_pixel(shape, network, neurons, run, inputs, places)
