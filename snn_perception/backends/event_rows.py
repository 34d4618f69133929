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

"""The innermost loops of the sparse engine: a row of a layer's neurons through all steps.

There is one for each shape of a block, and only those that a network has are compiled. The other
loops are the same for every network and call these by their addresses.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple

import numpy as np

from snn_perception.backends.compiled import compiled, part
from snn_perception.backends.event_memory import Arrays, Places, Shape, Times
from snn_perception.backends.vectors import EVENTS_AT_ONCE, copy_events, look_up, step_neurons


class Window(NamedTuple):
    """What a row of neurons sees of the previous map: `rows` rows that lie within it.

    starts: where the starts of the first of these rows begin in `Run.starts`. first: the number
    of its first row of weights. down, weights_down: distances from one row to the next, in
    starts and in rows of weights.
    """

    rows: int
    starts: int
    first: int
    down: int
    weights_down: int


@cache
def row_loop(width: int, order: int, weight_size: int) -> Any:
    """The loop over a row of neurons, for blocks of this `event_memory.Shape`."""
    shape = Shape.of(width, order, weight_size)

    @compiled(no_cpython_wrapper=True)  # see `vectors.call_loop`
    def run_row(network: Any, neurons: Any, run: Any, shown: Any, task: Any) -> None:
        """Run the neurons of `task` through all steps; `shown` drives those of the first layer."""
        size, layer = len(shape.lanes), network.plan[task.layer]
        batch, is_first = run.outputs.shape[0], task.layer == 0
        channel = layer.channel + task.block * size
        inputs = shown if is_first else network.inputs
        source = network.plan[max(task.layer - 1, 0)]
        columns = source.width // source.pool
        window = _window(run, layer, source, task)
        neuron = task.image * (neurons.potentials.size // batch) + layer.neuron
        mask = task.image * (run.masks.size // batch) + task.block
        mask += task.y * run.steps * layer.width * layer.blocks
        times = Times(network.decays[task.layer], network.leak, network.longest)
        rows = np.empty(layer.most_events + EVENTS_AT_ONCE, np.int32)
        arrays = Arrays(
            inputs,
            network.weights,
            rows,
            network.scales,
            neurons.filters,
            neurons.potentials,
            neurons.refractoriness,
        )
        for x in range(layer.width):
            place = ((task.y * layer.width + x) * layer.blocks + task.block) * size
            places = Places(
                task.image * (shown.size // batch) + place if is_first else channel,
                layer.weights * network.weight_size,
                0,
                channel,
                neuron + place,
                neurons.potentials.size,
            )
            left = x * layer.stride - layer.padding
            begin, end = max(left, 0), min(left + layer.columns, columns)
            seen = window.rows if begin < end else 0
            first = window.first - left * layer.channels
            for step in range(run.steps):
                bound = window.starts + begin * run.steps + step
                across = (end - begin) * run.steps
                count = _collect(run, rows, window, seen, bound, across, first)
                run.masks[mask + (step * layer.width + x) * layer.blocks] = step_neurons(
                    shape, arrays, places, count, times
                )

    return run_row


@part()
def _window(run: Any, layer: Any, source: Any, task: Any) -> Any:
    rows, columns = source.height // source.pool, source.width // source.pool
    top = task.y * layer.stride - layer.padding
    first, end = max(-top, 0), min(layer.rows, rows - top)
    down, weights_down = (columns + 1) * run.steps, layer.columns * layer.channels
    starts = task.image * (run.starts.size // run.outputs.shape[0])
    starts += source.list_start * run.steps + (top + first) * down
    weights = (task.block * layer.rows + first) * weights_down
    return Window(max(end - first, 0), starts, weights, down, weights_down)


@part()
def _collect(
    run: Any, rows: Any, window: Any, seen: int, bound: int, across: int, first: int
) -> int:
    """Write to `rows` the numbers of the rows of weights to be added; returns how many.

    They belong to the spikes in the first `seen` rows of the window, between two bounds for each
    row: in the first row those at `bound` and at `bound + across` in `run.starts`. There, the
    weights of event 0 are row number `first`.
    """
    count = 0
    for _ in range(seen):
        event, end = look_up(run.starts, bound), look_up(run.starts, bound + across)
        for place in range(event, end, EVENTS_AT_ONCE):
            copy_events(rows, count + place - event, run.events, place, first)
        count += end - event
        bound += window.down
        first += window.weights_down
    return count
