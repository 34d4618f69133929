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

"""What winner-take-all circuits answer, and what that cost."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from snn_perception.activity import LayerActivity
from snn_perception.decision import Decision
from snn_perception.energy import Estimate, estimate, prices
from snn_perception.online.network import WtaNetwork
from snn_perception.online.running import Run


def targets(network: WtaNetwork, number: int, steps: int) -> NDArray[np.int16]:
    """What the outputs (steps, circuits) should say of class `number`: its neuron in every step.

    Each output neuron stands for a class, whether they are of one circuit or of several.
    """
    circuit, neuron = divmod(number, network.outputs.symbols)
    said = np.zeros((steps, network.outputs.count), np.int16)
    said[:, circuit] = neuron + 1
    return said


def spikes_of_classes(network: WtaNetwork, run: Run) -> NDArray[np.int64]:
    """How often each output neuron fired, int64 (classes,)."""
    outputs = network.outputs
    said = run.symbols[:, network.inputs.count + network.hidden.count :].astype(np.int64)
    numbers = np.arange(outputs.count) * outputs.symbols + said - 1
    return np.bincount(numbers[said > 0], minlength=outputs.neurons)


def count(network: WtaNetwork, run: Run) -> LayerActivity:
    """Spikes, synaptic operations and updates of the hidden neurons and of the outputs.

    Every spike adds to each synapse once for each of its kernels, which a chip filters like
    synapses of their own.
    """
    inputs, hidden, outputs = network.inputs, network.hidden, network.outputs
    fired = run.symbols > 0
    behind = inputs.count + hidden.count
    spikes = [
        int(part.sum())
        for part in (fired[:, : inputs.count], fired[:, inputs.count : behind], fired[:, behind:])
    ]
    kernels, own = network.synapse.count, network.feedback.count
    to_hidden = spikes[0] * hidden.neurons * kernels + spikes[1] * own
    if network.recurrent:
        to_hidden += spikes[1] * (hidden.neurons - hidden.symbols) * kernels
    to_outputs = spikes[1] * outputs.neurons * kernels
    if network.direct:
        to_outputs += spikes[0] * outputs.neurons * kernels
    if network.output_history:
        to_outputs += spikes[2] * ((outputs.neurons - outputs.symbols) * kernels + own)
    return LayerActivity(
        np.array(spikes[1:]),
        np.array([to_hidden, to_outputs]),
        np.array([hidden.neurons, outputs.neurons]) * len(run.symbols),
    )


def decide(network: WtaNetwork, run: Run, labels: tuple[str, ...], dt: float) -> Decision:
    """The class whose neuron fired most often in steps of `dt` (s).

    Its scores are shares of the spikes of all classes; equal ones if there are none.
    """
    spikes = spikes_of_classes(network, run)
    total = spikes.sum()
    scores = spikes / total if total else np.full(len(spikes), 1 / len(spikes))
    best = int(scores.argmax())
    activity = count(network, run)
    time = len(run.symbols) * dt
    return Decision(
        label=labels[best],
        score=float(scores[best]),
        scores=scores.astype(np.float32),
        simulated_time=time,
        activity=activity,
        macs=0,
        neurons=network.neurons,
        firing_rate=float(activity.spikes.sum() / (network.neurons * time)),
        stopped_by='time',
    )


def energies(decision: Decision) -> dict[str, Estimate]:
    """Estimated energy of `decision` on each chip, as many as its neurons need."""
    chips = {
        name: math.ceil(decision.neurons / chip.static.neurons)
        for name, chip in prices().chips.items()
        if chip.static is not None
    }
    return estimate(decision, chips)
