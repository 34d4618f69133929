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

"""Times of one engine: frames, layers, batches, starts and scaling."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from snn_perception.backends import Simulator, create_simulator
from snn_perception.benchmarking.run import Run
from snn_perception.model import Model, Weights

RATES = (10, 25, 50, 100, 250)
"""Firing rates (Hz) at which `scaling` measures."""

BATCH = 32
WARM_UP = 3


def measure_frames(simulator: Simulator, images: NDArray[np.float32], frames: int) -> dict:
    """Times of `frames` decisions one after the other, cycling through prepared `images`.

    `real_time_factor` is simulated over real time: at 1 or more the engine keeps up with a chip.
    """
    times, decisions = [], []
    for index in range(frames + WARM_UP):
        image = images[index % len(images)][None]
        started = time.perf_counter()
        (decision,) = simulator.classify_batch(image)
        times.append(time.perf_counter() - started)
        decisions.append(decision)
    seconds, decisions = np.array(times[WARM_UP:]), decisions[WARM_UP:]
    operations = sum(int(d.activity.synaptic_operations.sum()) for d in decisions)
    return {
        'ms_per_frame_median': 1000 * float(np.median(seconds)),
        'ms_per_frame_p99': 1000 * float(np.percentile(seconds, 99)),
        'real_time_factor': sum(d.simulated_time for d in decisions) / float(seconds.sum()),
        'synaptic_operations_per_s': operations / float(seconds.sum()),
        'synaptic_operations': operations / frames,
        'firing_rate_hz': float(np.mean([d.firing_rate for d in decisions])),
        'simulated_time_s': float(np.mean([d.simulated_time for d in decisions])),
    }


def share_per_layer(
    simulator: Simulator, images: NDArray[np.float32], frames: int
) -> dict[str, float]:
    """Each population's share of the time, from medians over `frames` presentations."""
    populations = simulator.model.network.populations
    seconds = np.zeros((frames, len(populations)))
    last = 0.0

    def on_layer(index: int) -> None:
        nonlocal last
        now = time.perf_counter()
        seconds[frame, index] += now - last
        last = now

    steps = round(simulator.model.presentation_time / simulator.model.dt)
    simulator.on_layer = on_layer
    try:
        for frame in range(frames):
            state = simulator.reset()
            last = time.perf_counter()
            simulator.run(state, images[frame % len(images)][None], steps)
    finally:
        simulator.on_layer = None
    shares = np.median(seconds, axis=0)
    shares /= shares.sum()
    return dict(zip(map(str, populations), shares.tolist(), strict=True))


def frames_per_second(simulator: Simulator, images: NDArray[np.float32], batches: int) -> float:
    """Decisions per second in batches of BATCH images; the median over `batches` batches."""
    batch = np.resize(images, (BATCH, *images.shape[1:]))
    simulator.classify_batch(batch)
    times = []
    for _ in range(batches):
        started = time.perf_counter()
        simulator.classify_batch(batch)
        times.append(time.perf_counter() - started)
    return BATCH / float(np.median(times))


def at_rate(model: Model, rate: float, seed: int = 0) -> Model:
    """`model` with weights of zero and biases that make its neurons fire at about `rate` Hz.

    Adding zeros takes as long as adding other numbers, so this costs what the network would cost
    at that rate. The biases vary by a tenth, so that neurons do not fire in step.
    """
    neuron = model.network.neuron
    excess = neuron.current_at(rate) - neuron.rheobase
    random = np.random.default_rng(seed)
    weights = []
    for weight in model.weights:
        spread = random.uniform(0.95, 1.05, weight.bias.shape)
        bias = neuron.rheobase + excess * spread
        zeros = tuple(map(np.zeros_like, weight.kernels))
        weights.append(Weights(zeros, bias.astype(np.float32)))
    return replace(model, weights=tuple(weights))


def scaling(
    model: Model, images: NDArray[np.float32], frames: int, backend: str, **options: Any
) -> dict[str, dict[str, float]]:
    """Median ms per frame by firing rate (Hz), and by threads if the engine has that choice."""
    by_rate = {}
    for rate in RATES:
        simulator = create_simulator(at_rate(model, rate), backend, **options)
        by_rate[str(rate)] = measure_frames(simulator, images, frames)['ms_per_frame_median']
    result = {'ms_by_rate_hz': by_rate}
    if 'threads' in simulator.options:
        choices = range(1, (os.cpu_count() or 1) + 1)
        result['ms_by_threads'] = {
            str(threads): measure_frames(
                create_simulator(model, backend, **{**options, 'threads': threads}), images, frames
            )['ms_per_frame_median']
            for threads in choices
        }
    return result


def limit(simulator: Simulator, images: NDArray[np.float32], frames: int) -> dict[str, float]:
    """Milliseconds for a whole presentation, and for the sparse engine's arithmetic alone.

    Empty for other engines, and where layers take turns.
    """
    if simulator.name != 'event' or simulator.model.network.firing_window:
        return {}
    from snn_perception.backends.event import EventSimulator
    from snn_perception.benchmarking.limit import limit_ms

    assert isinstance(simulator, EventSimulator)
    steps = round(simulator.model.presentation_time / simulator.model.dt)
    times, limits = [], []
    for frame in range(frames):
        state, image = simulator.reset(), images[frame % len(images)][None]
        started = time.perf_counter()
        activity = simulator.run(state, image, steps)
        times.append(1000 * (time.perf_counter() - started))
        if frame < 3:
            limits.append(limit_ms(simulator, activity))
    spent, least = float(np.median(times)), float(np.median(limits))
    return {'ms_per_presentation': spent, 'ms_of_its_arithmetic': least}


def precisions_of(simulator: Simulator) -> dict[str, Run]:
    """A presentation on the engine of `simulator`, from rest, for each precision it has."""
    if 'precision' not in simulator.options:
        return {simulator.name: partial(_present, simulator)}
    # Not at the top: that would import numba before `start` starts its clock.
    from snn_perception.backends.event_layout import PRECISIONS

    engines: dict[str, Run] = {}
    for precision in PRECISIONS:
        engine = create_simulator(simulator.model, simulator.name, precision=precision)
        engines[f'{engine.name} {precision}'] = partial(_present, engine)
    return engines


def _present(simulator: Simulator, image: NDArray[np.float32], steps: int) -> NDArray:
    return simulator.run(simulator.reset(), image[None], steps).outputs.mean(axis=(0, 1))


def start(model: Model, inputs: NDArray, backend: str, device: str, **options: Any) -> dict:
    """The engine, seconds from a loaded model to its decision on `inputs`, peak memory by then."""
    started = time.perf_counter()
    simulator = create_simulator(model, backend, device, **options)
    simulator.classify_batch(inputs)
    seconds = time.perf_counter() - started
    # The peak that getrusage reports is inherited from the process that started this one.
    status = Path('/proc/self/status').read_text(encoding='ascii')
    kibibytes = int(status.split('VmHWM:')[1].split()[0])
    engine = f'{simulator.name} on {simulator.device}'
    return {'engine': engine, 'seconds': seconds, 'memory_mb': kibibytes * 1024 / 1e6}


def warm(model: Model, inputs: NDArray, backend: str, device: str, **options: Any) -> dict:
    """Make the engine compile what it needs for `model`, and keep it for later starts.

    Returns what `start` does, and how many functions were compiled, 0 if all code was there, in
    how many seconds, for which processor (LLVM's name), and the folder where all is kept.
    """
    figures = start(model, inputs, backend, device, **options)
    # An engine that compiles nothing need not have numba; imported here as in `precisions_of`.
    if 'snn_perception.compiled' not in sys.modules:
        return {**figures, 'compiled_functions': 0}
    from snn_perception.compiled import COMPILATIONS, cache_folder, processor

    is_kept = all(each.is_kept for each in COMPILATIONS)
    return {
        **figures,
        'compiled_functions': len(COMPILATIONS),
        'compiling_s': float(sum(each.seconds for each in COMPILATIONS)),
        'processor': processor(),
        'kept_in': str(cache_folder()) if is_kept else 'nowhere',
    }


def measure_starts(arguments: list[str]) -> dict[str, float]:
    """Cold and warm start, and memory, of `benchmark ARGUMENTS` in processes of their own.

    A cold start has no compiled code; a warm start has what the cold one compiled.
    """
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / 'figures.json'
        command = [sys.executable, '-m', 'snn_perception', 'benchmark', *arguments, '--start']
        environment = {**os.environ, 'NUMBA_CACHE_DIR': folder}
        starts = []
        for _ in range(2):
            subprocess.run(
                [*command, '--json', target], env=environment, check=True, capture_output=True
            )
            starts.append(json.loads(target.read_text(encoding='utf-8')))
    cold, warm = starts
    return {
        'cold_start_s': cold['seconds'],
        'warm_start_s': warm['seconds'],
        'memory_mb': warm['memory_mb'],
    }
