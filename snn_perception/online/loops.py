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

"""Winner-take-all circuits step by step, compiled: what they say, and how they learn from it.

What is known of a circuit in a step is given; the others draw their symbols. Numbers to draw with
come from outside, so that a run can be repeated.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from snn_perception.compiled import compiled, part

UNKNOWN = -1
"""In place of a symbol that is to be drawn."""
SMALLEST = 1e-300
"""Probabilities below count as this one: a symbol that is given may be all but impossible."""


@part()
def _hear(layout: Any, history: Any, trace: Any, own_trace: Any) -> None:
    """What the past has become: `trace` (rows,) and of own spikes `own_trace` (kernels, neurons).

    `history` (steps, circuits) has the latest symbols first.
    """
    trace[:] = 0
    trace[layout.starts[layout.inputs] - 1] = 1  # The bias.
    own_trace[:] = 0
    neuron = 0
    for circuit in range(len(layout.symbols)):
        learns = circuit >= layout.inputs
        for past in range(len(history)):
            said = history[past, circuit] - 1
            if said < 0:
                continue
            if past < layout.synapse.shape[1]:
                row = layout.starts[circuit] + said * len(layout.synapse)
                for kernel in range(len(layout.synapse)):
                    trace[row + kernel] += layout.synapse[kernel, past]
            if learns and past < layout.feedback.shape[1]:
                for kernel in range(len(layout.feedback)):
                    own_trace[kernel, neuron + said] += layout.feedback[kernel, past]
        if learns:
            neuron += layout.symbols[circuit]


@part()
def _say(
    group: Any,
    weights: Any,
    trace: Any,
    own_trace: Any,
    uniforms: Any,
    symbols: Any,
    log_chances: Any,
    firing: Any,
) -> None:
    """Draw those of the `symbols` of a group that are unknown.

    Writes the log-probability of what is said, and how probably each neuron fires: `firing`.
    """
    firing[:] = 0
    rows = group.end - group.begin
    for row in range(rows):
        drive = trace[group.begin + row]
        if drive != 0:
            for neuron in range(len(firing)):
                firing[neuron] += drive * weights[row, neuron]
    for kernel in range(group.feedback):
        for neuron in range(len(firing)):
            firing[neuron] += own_trace[kernel, neuron] * weights[rows + kernel, neuron]
    for number in range(group.circuits):
        circuit = group.first + number
        chances = firing[number * group.symbols : (number + 1) * group.symbols]
        highest = max(0.0, chances.max())
        silence = math.exp(-highest)
        for symbol in range(group.symbols):
            chances[symbol] = math.exp(chances[symbol] - highest)
        total = silence + chances.sum()
        chances /= total
        silence /= total
        if symbols[circuit] == UNKNOWN:
            left = uniforms[circuit] - silence
            said = 0
            while left >= 0 and said < group.symbols:
                left -= chances[said]
                said += 1
            symbols[circuit] = said
        said = symbols[circuit]
        log_chances[circuit] = math.log(max(chances[said - 1] if said else silence, SMALLEST))


@part()
def _surprise(group: Any, symbols: Any, firing: Any, errors: Any) -> None:
    """One where a neuron fired, less the probability that it does: what moves its potential."""
    for neuron in range(len(firing)):
        errors[neuron] = -firing[neuron]
    for number in range(group.circuits):
        said = symbols[group.first + number]
        if said:
            errors[number * group.symbols + said - 1] += 1


@part()
def _remember(history: Any, symbols: Any) -> None:
    for past in range(len(history) - 1, 0, -1):
        history[past] = history[past - 1]
    for circuit in range(len(symbols)):
        history[0, circuit] = symbols[circuit]


@compiled()
def run(
    layout: Any,
    hidden: Any,
    outputs: Any,
    hidden_weights: Any,
    output_weights: Any,
    history: Any,
    uniforms: Any,
    symbols: Any,
    log_chances: Any,
    firing: Any,
) -> None:
    """Draw what is unknown of `symbols` (steps, circuits), advancing `history`.

    Into `log_chances` (steps, circuits) come the log-probabilities of what was said, and into
    `firing` (steps, neurons) the probabilities that neurons fire.
    """
    trace = np.zeros(layout.starts[-1])
    own_trace = np.zeros((len(layout.feedback), firing.shape[1]))
    between = hidden.circuits * hidden.symbols
    for step in range(len(symbols)):
        _hear(layout, history, trace, own_trace)
        _say(hidden, hidden_weights, trace, own_trace[:, :between], uniforms[step],
             symbols[step], log_chances[step], firing[step, :between])  # fmt: skip
        _say(outputs, output_weights, trace, own_trace[:, between:], uniforms[step],
             symbols[step], log_chances[step], firing[step, between:])  # fmt: skip
        _remember(history, symbols[step])


@part()
def _own_neurons(group: Any, row: Any, kernels: Any) -> tuple[int, int]:
    """From where to where the neurons of the circuit are whose spikes are in `row`; else 0, 0.

    A circuit hears itself through the kernels of its own past only.
    """
    row += group.begin
    if group.own <= row < group.end:
        first = (row - group.own) // (kernels * group.symbols) * group.symbols
        return first, first + group.symbols
    return 0, 0


@part()
def _drive(
    group: Any, row: Any, trace: Any, own_trace: Any, errors: Any, kernels: Any, gradient: Any
) -> bool:
    """The gradient of log-probabilities by the weights of `row`; returns whether there is any."""
    rows = group.end - group.begin
    if row >= rows:
        found = False
        for neuron in range(len(errors)):
            gradient[neuron] = own_trace[row - rows, neuron] * errors[neuron]
            found |= own_trace[row - rows, neuron] != 0
        return found
    drive = trace[group.begin + row]
    if drive == 0:
        gradient[:] = 0
        return False
    for neuron in range(len(errors)):
        gradient[neuron] = drive * errors[neuron]
    first, end = _own_neurons(group, row, kernels)
    for neuron in range(first, end):
        gradient[neuron] = 0
    return True


@part()
def _reinforce(
    weights: Any, eligibility: Any, moment: Any, weight: Any, gradient: Any, signal: Any, rule: Any
) -> None:
    """Move `weights` of neurons by their eligibility times how much better than usual it went.

    What is usual is `moment` / `weight`, the mean of the signal weighted by the square of the
    eligibility, which makes the update vary least.
    """
    for neuron in range(len(weights)):
        trace = rule.kappa * eligibility[neuron] + gradient[neuron]
        usual = moment[neuron] / weight[neuron] if weight[neuron] > 0 else 0.0
        weights[neuron] += rule.hidden_rate * (signal - usual) * trace
        square = (1 - rule.beta) * trace * trace
        moment[neuron] = rule.beta * moment[neuron] + square * signal
        weight[neuron] = rule.beta * weight[neuron] + square
        eligibility[neuron] = trace


@compiled()
def learn(
    layout: Any,
    hidden: Any,
    outputs: Any,
    hidden_weights: Any,
    output_weights: Any,
    history: Any,
    uniforms: Any,
    symbols: Any,
    log_chances: Any,
    memory: Any,
    rule: Any,
    log_reference: Any,
) -> None:
    """The same as `run` with outputs that are given, and the weights learn in every step."""
    kernels = len(layout.synapse)
    between = hidden.circuits * hidden.symbols
    neurons = between + outputs.circuits * outputs.symbols
    trace = np.zeros(layout.starts[-1])
    own_trace = np.zeros((len(layout.feedback), neurons))
    firing, errors, gradient = np.zeros(neurons), np.zeros(neurons), np.zeros(neurons)
    for step in range(len(symbols)):
        said, chances = symbols[step], log_chances[step]
        _hear(layout, history, trace, own_trace)
        _say(hidden, hidden_weights, trace, own_trace[:, :between], uniforms[step], said, chances,
             firing[:between])  # fmt: skip
        _say(outputs, output_weights, trace, own_trace[:, between:], uniforms[step], said, chances,
             firing[between:])  # fmt: skip
        _surprise(hidden, said, firing[:between], errors[:between])
        _surprise(outputs, said, firing[between:], errors[between:])
        signal = chances[outputs.first :].sum()
        for circuit in range(hidden.first, outputs.first):
            signal -= rule.alpha * (chances[circuit] - log_reference[said[circuit]])
        for row in range(len(output_weights)):
            if _drive(outputs, row, trace, own_trace[:, between:], errors[between:], kernels,
                      gradient[between:]):  # fmt: skip
                for neuron in range(between, neurons):
                    output_weights[row, neuron - between] += rule.output_rate * gradient[neuron]
        for row in range(len(hidden_weights)):
            found = _drive(hidden, row, trace, own_trace[:, :between], errors[:between], kernels,
                           gradient[:between])  # fmt: skip
            memory.eligible[row] |= found
            if memory.eligible[row]:
                _reinforce(hidden_weights[row], memory.eligibility[row], memory.moment[row],
                           memory.weight[row], gradient[:between], signal, rule)  # fmt: skip
        _remember(history, said)
