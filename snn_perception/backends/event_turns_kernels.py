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

"""The compiled loops for layers that take turns, in any threads.

A stage is a population in its turn, or the readout. Its pixels are shared out in panels, whose
currents `event_turns_currents` adds up. From them follow the numbers of spikes, without a step
of any neuron.
"""

from __future__ import annotations

from typing import Any

import numba

from snn_perception.backends.event_shares import take, wait
from snn_perception.backends.event_sums import LANES
from snn_perception.backends.event_turns_currents import PANEL, add_up
from snn_perception.backends.event_turns_memory import Memory, Network, Panel, Run
from snn_perception.backends.event_turns_vectors import count_reached
from snn_perception.backends.vectors import call_loop, fetch_add
from snn_perception.compiled import address_of, compiled, part


def compile_stages(network: Network, memory: Memory, run: Run) -> int:
    """Compile or load what `run_stages` needs for arguments like these; returns its `panel`."""
    kinds = tuple(numba.typeof(each) for each in (network, memory, run))
    number, panel = numba.int64, numba.typeof(Panel(0, 0, 0, 0))
    address_of(run_stages, (number, *kinds, *(number,) * 3))
    return address_of(run_panel, (*kinds, number, panel))


@compiled(_nrt=False)
def run_stages(
    panel: int, network: Any, memory: Any, run: Any, thread: int, first: int, end: int
) -> None:
    """Run the stages from number `first` up to, but not including, `end`.

    This is thread number `thread` of `run.threads`; the others get the same arguments otherwise.
    When it returns all work is done, no matter by which thread. panel: from `compile_stages`.
    """
    for number in range(first, end):
        stage = run.stages[number]
        population = network.populations[stage.population]
        pixels = population.height * population.width
        if population.is_readout:
            pixels = stage.end - stage.first
        panels = -(-pixels // PANEL)
        panels = min(-(-panels // run.threads) * run.threads, pixels)
        counter = number * (run.threads + 1)
        for turn in range(run.threads):
            share = (thread + turn) % run.threads
            while True:
                unit = take(run, counter + share, share, run.batch * panels)
                if unit < 0:
                    break
                image, place = unit // panels, unit % panels
                bounds = pixels * place // panels, pixels * (place + 1) // panels
                call_loop(panel, network, memory, run, number, Panel(thread, image, *bounds))
                fetch_add(run.progress, counter + run.threads, 1)
        wait(run, counter + run.threads, run.batch * panels)


@compiled(no_cpython_wrapper=True, _nrt=False)  # see `call_loop`
def run_panel(network: Any, memory: Any, run: Any, number: int, panel: Panel) -> None:
    """Do what stage `number` does with the pixels of a `panel`."""
    stage = run.stages[number]
    population = network.populations[stage.population]
    width = population.vectors * LANES
    first = panel.image * network.values + population.neuron + panel.begin * width
    if stage.first == 0 or population.is_readout:
        add_up(network, memory, run, stage, panel)
    else:
        _move(memory.currents, first, run.sums, panel.thread * network.sums, panel, width)
    if population.is_readout:
        _read_out(network, run, stage, panel)
        return
    if stage.first == 0 and stage.end < network.window:
        _move(run.sums, panel.thread * network.sums, memory.currents, first, panel, width)
    _fire(network, memory, run, stage, panel, first)


@part()
def _move(source: Any, begin: int, target: Any, place: int, panel: Panel, width: int) -> None:
    """Copy the currents of a panel, from `begin` in `source` to `place` in `target`."""
    for index in range((panel.end - panel.begin) * width):
        target[place + index] = source[begin + index]


@part()
def _read_out(network: Any, run: Any, stage: Any, panel: Panel) -> None:
    population = network.populations[stage.population]
    place, channels = panel.thread * network.sums, population.channels
    for step in range(panel.begin, panel.end):
        output = ((stage.output + step) * run.batch + panel.image) * channels
        for channel in range(channels):
            run.outputs[output + channel] = run.sums[place + channel]
        place += population.vectors * LANES


@part()
def _fire(network: Any, memory: Any, run: Any, stage: Any, panel: Panel, neuron: int) -> None:
    """Count the spikes that the currents in `run.sums` cause by the end of the stage.

    `neuron` is the first of the panel. If the readout hears them it must know after each step
    how many there were.
    """
    population = network.populations[stage.population]
    steps, width = stage.end - stage.first, population.vectors * LANES
    size = population.height * population.width * width
    history = population.history * run.batch * run.steps + panel.image * steps * size
    history += panel.begin * width
    place, counter = panel.thread * network.sums, panel.thread * PANEL
    for pixel in range(panel.end - panel.begin):
        spikes = 0
        for _ in range(population.vectors):
            if stage.first > 0:
                for channel in range(LANES):
                    spikes -= memory.counts[neuron + channel]
            if population.history >= 0:
                for step in range(steps):
                    row = (stage.first + step + 1) * (network.window + 1)
                    at = history + step * size
                    count_reached(run.sums, place, network.thresholds, row, run.history, at)
            row = stage.end * (network.window + 1)
            spikes += count_reached(
                run.sums, place, network.thresholds, row, memory.counts, neuron
            )
            place, neuron, history = place + LANES, neuron + LANES, history + LANES
        run.spikes[counter + pixel] = spikes
    _count(network, run, stage, panel)


@part()
def _count(network: Any, run: Any, stage: Any, panel: Panel) -> None:
    """Count the spikes of the panel's pixels, and the synaptic operations that they cause."""
    population = network.populations[stage.population]
    counter = panel.thread * PANEL - panel.begin
    at, total = panel.image * network.populations.size, 0
    for pixel in range(panel.begin, panel.end):
        total += run.spikes[counter + pixel]
    fetch_add(run.counts, at + stage.population, total)
    at += run.batch * network.populations.size
    for reader in range(population.reader, population.reader_end):
        link, total = network.links[network.readers[reader]], 0
        for pixel in range(panel.begin, panel.end):
            total += run.spikes[counter + pixel] * network.fan_out[link.fan_out + pixel]
        fetch_add(run.counts, at + link.target, total)
