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

"""The loops over a row of a population's neurons.

There is one for each shape of a block, and only those that a network has are compiled. The other
loops are the same for every network and call these by their addresses.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from snn_perception.backends.event_lists import list_of, mask_of, own_list
from snn_perception.backends.event_memory import WINDOW, Places, Shape
from snn_perception.backends.event_pixels import run_pixel
from snn_perception.backends.event_sums import LANES
from snn_perception.compiled import compiled, part


@cache
def row_loop(*lengths: int) -> Any:
    """The loop over a row of neurons, for blocks of this `event_memory.Shape`."""
    shape = Shape.of(*lengths)

    # See `vectors.call_loop`; and nothing here needs counts of references to memory.
    @compiled(no_cpython_wrapper=True, _nrt=False)
    def run_row(network: Any, neurons: Any, run: Any, shown: Any, task: Any) -> None:
        """Run the neurons of `task` through all steps."""
        population = network.populations[task.population]
        inputs = shown if population.shown >= 0 else network.inputs
        for x in range(population.width):
            open_windows(network, run, task, x)
            places = places_of(network, run, shown, task, x)
            run_pixel(shape, network, neurons, run, inputs, places)

    return run_row


@part()
def open_windows(network: Any, run: Any, task: Any, x: int) -> None:
    """Write to the thread's part of `run.windows` what pixel `x` of the task sees."""
    population = network.populations[task.population]
    at = task.thread * (run.windows.size // run.threads)
    for number in range(population.link, population.link_end):
        link, is_listed = network.links[number], number < population.list_end
        if is_listed:
            starts, events = list_of(network, run, number, task.image, task.y)
        else:
            starts, events = own_list(network, run, number, task.thread)
        left = x * link.across - link.left
        begin = min(max(left, 0), link.width)
        end = min(max(left + link.columns, begin), link.width)
        row = task.block * link.rows * link.columns - left
        run.windows[at] = starts + begin * run.steps
        run.windows[at + 1] = starts + end * run.steps
        run.windows[at + 2] = events
        run.windows[at + 3] = link.weights + row * link.units * (link.channels if is_listed else 1)
        run.windows[at + 4] = link.scale + task.block * population.lanes
        at += len(WINDOW)


@part()
def places_of(network: Any, run: Any, shown: Any, task: Any, x: int) -> Any:
    """The `event_memory.Places` of the task's block of pixel `x`."""
    population, totals = network.populations[task.population], network.populations[-1]
    pixel = task.y * population.width + x
    first = (pixel * population.blocks + task.block) * population.lanes
    inputs = population.channel + task.block * population.lanes
    if population.shown >= 0:
        inputs = task.image * (shown.size // run.batch) + population.shown + first
    mask = mask_of(network, run, task.population, task.image, task.y)
    return Places(
        task.thread * (run.windows.size // run.threads),
        population.link_end - population.link,
        population.list_end - population.link,
        task.thread * (run.sums.size // run.threads),
        inputs,
        task.image * totals.neuron + population.neuron + first,
        run.batch * totals.neuron,
        mask + x * population.vectors + task.block * (population.lanes // LANES),
        population.width * population.vectors,
    )
