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

"""The same network in other spiking libraries, to compare engines with: `benchmark --peers`.

Each gets our weights, one image, the time step and the number of steps. The library provides the
neuron: a leaky integrator with our time constant and threshold and a reset to zero. It has no
refractory time (except in Nengo) and no synaptic filters, which would only slow it down.
Everything around the neuron is the fastest way we know in PyTorch: layer by layer, so that all
steps are one batch of a convolution; what comes from the image only once, as it does not change;
currents of several connections are summed before the neuron; no gradients. Each library is timed
in the fastest of SETTINGS. docs/engine.md describes the method.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snn_perception.benchmarking.in_nengo import in_nengo
from snn_perception.benchmarking.in_pytorch import (
    in_pytorch,
    norse_neurons,
    sinabs_neurons,
    snntorch_neurons,
    spikingjelly_neurons,
)
from snn_perception.benchmarking.run import Run
from snn_perception.model import Model
from snn_perception.sentences import sentence

ROUNDS = 15

SETTINGS = (
    ('float32', 'contiguous'),
    ('float32', 'channels_last'),
    ('bfloat16', 'contiguous'),
    ('bfloat16', 'channels_last'),
)
"""Data type and memory format of the convolutions; neurons are float32."""


def compare(model: Model, images: NDArray[np.float32], ours: dict[str, Run]) -> dict[str, Any]:
    """Milliseconds per presentation of `ours`, by name, and of all peers that are installed.

    In each of ROUNDS rounds, everyone is timed once on the same image of `images`, with all
    processors, after a run on another image that does not count: the threads of who was there
    before may still wait busily, and the caches hold their weights. Figures are medians.
    `ratio` is the time of the fastest peer over the time of each of ours; `skipped` says why a
    peer is missing.
    """
    steps = round(model.presentation_time / model.dt)
    runs, skipped, chosen = dict(ours), {}, {}
    for name in PEERS:
        try:
            runs[name], chosen[name] = _fastest(name, model, images[0], steps)
        except (ImportError, MemoryError, RuntimeError, ValueError) as reason:
            skipped[name] = sentence(reason) or type(reason).__name__
    times: dict[str, list[float]] = {name: [] for name in runs}
    random = np.random.default_rng(0)
    for round_ in range(ROUNDS):
        for name in random.permutation(list(runs)):
            _seconds(runs[name], images[(round_ + 1) % len(images)], steps)
            times[name].append(_seconds(runs[name], images[round_ % len(images)], steps))
    medians = {name: 1000 * float(np.median(values)) for name, values in times.items()}
    fastest = min((medians[name] for name in chosen), default=None)
    ratios = {name: fastest / medians[name] for name in ours} if fastest else {}
    return {'ms': medians, 'settings': chosen, 'ratio': ratios, 'skipped': skipped}


def _fastest(name: str, model: Model, image: NDArray[np.float32], steps: int) -> tuple[Run, str]:
    """The peer `name` in its fastest setting, by the best of four runs each, and that setting."""
    settings: Iterable[tuple[str, ...]] = [()] if name == 'nengo' else SETTINGS
    runs = {' '.join(setting): PEERS[name](model, *setting) for setting in settings}
    seconds = {
        setting: min(_seconds(run, image, steps) for _ in range(4))
        for setting, run in runs.items()
    }
    setting = min(seconds, key=seconds.__getitem__)
    return runs[setting], setting


def _seconds(run: Run, image: NDArray[np.float32], steps: int) -> float:
    started = time.perf_counter()
    run(image, steps)
    return time.perf_counter() - started


PEERS: dict[str, Callable[..., Run]] = {
    'snntorch': in_pytorch(snntorch_neurons),
    'spikingjelly': in_pytorch(spikingjelly_neurons),
    'norse': in_pytorch(norse_neurons),
    'sinabs': in_pytorch(sinabs_neurons),
    'nengo': in_nengo,
}
"""How to build a model in each library, by the name it is imported under."""
